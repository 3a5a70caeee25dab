//! The use case *sync*: closed days are fetched again as a whole.
//!
//! Events that came late appear, and events that Mixpanel deleted disappear. A day is one slice then. A day with
//! equal rows is not written (`commit::plan`), so a sync of an unchanged day costs one query.
//!
//! A small document has the time of the last sync of each date. It decides which dates are due. So a run that
//! ends early, or a day that failed, needs no list of what is left: the next run finds it.

use crate::document::{self, DocumentError, Edit, Read, SWAPS};
use crate::export::{ExportError, ExportReport, Exporter};
use crate::manifest::Format;
use crate::ports::ObjectStore;
use mixlake_domain::{Date, Layout, Slice, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When each date was last fetched again as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncTimes {
    /// The version of the document's format.
    pub format: Format,
    /// The start of the last complete sync of each date.
    pub days: BTreeMap<Date, Timestamp>,
}

impl Default for SyncTimes {
    fn default() -> Self {
        Self { format: Format, days: BTreeMap::new() }
    }
}

impl SyncTimes {
    /// Reads the document of a lake. It is empty if there was no sync.
    pub async fn read(store: &dyn ObjectStore, layout: &Layout) -> Result<Self, DocumentError> {
        let read = document::read(store, &layout.sync_times()).await?;
        Ok(read.value.unwrap_or_default())
    }

    /// The dates that were not synced since a time, from `first` on. The date whose sync is the longest ago comes
    /// first, so that no date waits forever if a run has no time for all of them.
    #[must_use]
    pub fn due(&self, dates: &[Date], first: Date, since: Timestamp) -> Vec<Date> {
        let synced = |date: &Date| self.days.get(date).copied();
        let is_due = |date: &Date| synced(date).is_none_or(|synced| synced < since);
        let mut due: Vec<Date> =
            dates.iter().copied().filter(|date| *date >= first && is_due(date)).collect();
        due.sort_by_key(|date| (synced(date), std::cmp::Reverse(*date)));
        due
    }
}

impl Exporter<'_> {
    /// Those of some dates that were not synced since a time. Dates before the first slice of the lake were never
    /// requested, so they are not due.
    pub async fn due_for_sync(
        &self,
        dates: &[Date],
        since: Timestamp,
    ) -> Result<Vec<Date>, ExportError> {
        let Some(first) = self.dates_with_ledgers().await?.first().copied() else {
            return Ok(Vec::new());
        };
        let times = SyncTimes::read(self.store, self.layout).await?;
        Ok(times.due(dates, first, since))
    }

    /// Fetches dates again as whole days, and records the time of each date that is complete.
    pub async fn sync(&self, dates: &[Date]) -> ExportReport {
        let again = Exporter { force: true, ..*self };
        let began = self.now();
        let days: Vec<Slice> = dates.iter().map(|date| Slice::day(*date, self.zone)).collect();
        let report = again.export(&days).await;
        let complete: Vec<Date> = report
            .slices
            .iter()
            .filter(|slice| slice.outcome.is_ok())
            .map(|slice| slice.slice.date())
            .collect();
        if let Err(error) = self.record_sync(&complete, began).await {
            // The days are published. Without the record, the next run fetches them once more.
            tracing::error!(
                target: crate::TOLD,
                error = crate::chain(&error),
                "the times of the sync could not be written; the days will be fetched again"
            );
        }
        report
    }

    async fn record_sync(&self, dates: &[Date], began: Timestamp) -> Result<(), ExportError> {
        let key = self.layout.sync_times();
        let read = || async { Ok::<_, ExportError>(document::read(self.store, &key).await?) };
        let decide = |read: Read<SyncTimes>| -> Result<_, ExportError> {
            let before = read.value.unwrap_or_default();
            let mut times = before.clone();
            for date in dates {
                // Another run may have begun later and ended earlier.
                let time = times.days.entry(*date).or_insert(began);
                *time = (*time).max(began);
            }
            Ok(if times == before { Edit::Keep(()) } else { Edit::json(&times, ()) })
        };
        document::change(self.store, &key, read, decide).await?.ok_or(ExportError::Contended(SWAPS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn times(days: &[(&str, &str)]) -> SyncTimes {
        let days = days.iter().map(|(day, time)| (date(day), time.parse().unwrap())).collect();
        SyncTimes { days, ..SyncTimes::default() }
    }

    #[test]
    fn the_date_that_waits_the_longest_comes_first() {
        let times = times(&[
            ("2026-11-07", "2026-11-10T02:10:00Z"),
            ("2026-11-08", "2026-11-09T02:10:00Z"),
            ("2026-11-09", "2026-11-11T02:10:00Z"),
        ]);
        let dates =
            ["2026-11-10", "2026-11-09", "2026-11-08", "2026-11-07", "2026-11-06"].map(date);
        let due = times.due(&dates, date("2026-11-07"), "2026-11-11T02:00:00Z".parse().unwrap());
        assert_eq!(due, ["2026-11-10", "2026-11-08", "2026-11-07"].map(date));
    }

    #[test]
    fn the_document_is_read_back() {
        let times = times(&[("2026-11-07", "2026-11-10T02:10:00Z")]);
        let text = serde_json::to_string(&times).unwrap();
        assert_eq!(text, r#"{"format":1,"days":{"2026-11-07":"2026-11-10T02:10:00Z"}}"#);
        assert_eq!(serde_json::from_str::<SyncTimes>(&text).unwrap(), times);
    }
}
