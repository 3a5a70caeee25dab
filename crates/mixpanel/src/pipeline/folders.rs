//! Finds the folders with the events of a slice, and checks that they are complete.
//!
//! A folder has the date of its events, in UTC or in the project's zone: both are checked. It may
//! contain a folder for each hour.

use crate::reason::Reason;
use mixlake_app::ports::{ObjectMeta, ObjectStore, SourceError, StoreError};
use mixlake_domain::{Date, ProjectId, Slice, Span, Timestamp, Zone};
use std::time::Duration;

/// A folder up to this many days after a missing folder shows that the pipeline continued.
const LOOK_AHEAD: usize = 14;

/// The folders of a project's pipeline.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// The folder of the dates, ending in `/`.
    root: String,
    zone: Zone,
}

/// A file, and the date of its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub key: String,
    pub size: u64,
    pub date: Date,
}

impl Folders {
    /// The prefix is empty or ends in `/`.
    pub(super) fn new(prefix: &str, project: &ProjectId, zone: Zone) -> Self {
        Self { root: format!("{prefix}{project}/mp_master_event/"), zone }
    }

    /// Whether an event with this time belongs in the folder of a date.
    pub(super) fn is_home_of(&self, date: Date, time: Timestamp) -> bool {
        let (utc, local) = (Zone::UTC.date_of(time), self.zone.date_of(time));
        (utc.min(local)..=utc.max(local)).contains(&date)
    }

    /// Whether a slice takes the lines in the folder of a date that have no time or a time of another
    /// folder. It is the slice in which the date ends on both clocks, because it is read when the
    /// folder is complete.
    pub(super) fn is_last_of(&self, date: Date, slice: &Slice) -> bool {
        let next = date.tomorrow().unwrap_or(date);
        let end = Zone::UTC.start_of(next).max(self.zone.start_of(next));
        slice.start() < end && end <= slice.end()
    }

    /// The files that may hold events of a slice, in order.
    pub(super) async fn files(
        &self,
        store: &dyn ObjectStore,
        slice: &Slice,
    ) -> Result<Vec<File>, SourceError> {
        let mut files = Vec::new();
        let mut missing = None;
        for date in dates(slice) {
            let found = self.files_of(store, date).await?;
            missing = if found.is_empty() { missing.or(Some(date)) } else { None };
            files.extend(found);
        }
        match missing {
            Some(date) if !self.went_on_after(store, date).await? => {
                let folder = store.location(&self.folder(date));
                let reason = Reason::NoPipelineFolder(folder).to_string();
                Err(SourceError::Unavailable { reason, cause: None })
            }
            _ => Ok(files),
        }
    }

    async fn files_of(
        &self,
        store: &dyn ObjectStore,
        date: Date,
    ) -> Result<Vec<File>, SourceError> {
        let folder = self.folder(date);
        let listed = store.list(&folder).await.map_err(unreadable)?;
        let visible = |object: &ObjectMeta| {
            object.size > 0 && !object.key[folder.len()..].split('/').any(is_hidden)
        };
        let file = |object: ObjectMeta| File { key: object.key, size: object.size, date };
        Ok(listed.into_iter().filter(visible).map(file).collect())
    }

    /// Whether a folder of a later date shows that a missing folder means no events.
    async fn went_on_after(
        &self,
        store: &dyn ObjectStore,
        date: Date,
    ) -> Result<bool, SourceError> {
        for later in date.series(one_day()).skip(1).take(LOOK_AHEAD) {
            if !self.files_of(store, later).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn folder(&self, date: Date) -> String {
        format!("{}{:04}/{:02}/{:02}/", self.root, date.year(), date.month(), date.day())
    }
}

/// The dates of the folders that may hold events of a slice, in order.
fn dates(slice: &Slice) -> Vec<Date> {
    let last = slice.end().checked_sub(Duration::from_nanos(1)).unwrap_or(slice.end());
    let utc = [slice.start(), last].map(|instant| Zone::UTC.date_of(instant));
    let first = utc[0].min(slice.date());
    let last = utc[1].max(slice.date());
    first.series(one_day()).take_while(|date| *date <= last).collect()
}

fn one_day() -> Span {
    Span::new().days(1)
}

/// Hidden names, as every reader of such folders defines them.
fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

pub(super) fn unreadable(error: StoreError) -> SourceError {
    let reason = Reason::PipelineUnreadable.to_string();
    SourceError::Unavailable { reason, cause: Some(error.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::utc("UTC", "2026-11-10", &["2026-11-10"])]
    #[case::utc_hour("UTC", "2026-11-10T23", &["2026-11-10"])]
    #[case::ahead("Europe/Berlin", "2026-11-10", &["2026-11-09", "2026-11-10"])]
    #[case::ahead_hour("Europe/Berlin", "2026-11-10T00", &["2026-11-09", "2026-11-10"])]
    #[case::ahead_noon("Europe/Berlin", "2026-11-10T12", &["2026-11-10"])]
    #[case::behind("America/New_York", "2026-11-10", &["2026-11-10", "2026-11-11"])]
    #[case::behind_evening("America/New_York", "2026-11-10T20", &["2026-11-10", "2026-11-11"])]
    fn the_dates_of_both_clocks_are_looked_at(
        #[case] zone: &str,
        #[case] slice: &str,
        #[case] expected: &[&str],
    ) {
        let zone = Zone::parse(zone).unwrap();
        let dates = dates(&Slice::parse(slice, &zone).unwrap());
        assert_eq!(dates.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }
}
