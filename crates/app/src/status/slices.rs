//! The slices of a lake by their state.

use super::{IN_FLIGHT, Inspector, UnreadDocument, readable};
use crate::budget;
use crate::export::{Expected, missing_of};
use crate::ledger::{Ledger, State};
use crate::ports::{ObjectMeta, StoreError};
use crate::profiles::{ProfilesState, TableExports};
use crate::runs::{ReadRow, RunsError, read_runs};
use futures::stream::{self, StreamExt};
use mixlake_columnar::Cell;
use mixlake_domain::{Dataset, Date, LakeObject, SliceLabel, TableName, Timestamp, Zone};
use serde::Serialize;
use std::collections::BTreeMap;

/// The slices of a lake by their state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LakeStatus {
    /// The first date that has a slice.
    pub first_date: Option<Date>,
    /// The last date that has a slice.
    pub last_date: Option<Date>,
    /// How many slices are published.
    pub published: u64,
    /// Slices that were begun and did not end, or are being written now.
    pub writing: Vec<SliceLabel>,
    /// Slices of the schedule that no run has begun, between the first date and the last.
    pub missing: Vec<SliceLabel>,
    /// Slices that are not published, and that the last run that tried them could not export.
    pub failed: Vec<FailedSlice>,
    /// The last published slice.
    pub last_published: Option<SliceLabel>,
    /// The first slice that should be published and is not.
    pub oldest_unpublished: Option<SliceLabel>,
    /// Queries that were started within the last hour.
    pub queries_last_hour: u64,
    /// The tables of profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfilesStatus>,
    /// Documents that cannot be read.
    pub unreadable: Vec<UnreadDocument>,
}

/// A table of profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfilesStatus {
    /// The table.
    pub table: TableName,
    /// When the last published export began: its profiles are those of that time.
    pub published: Option<Timestamp>,
    /// How many profiles it wrote.
    pub rows: u64,
    /// When the export began that is being written, or was interrupted.
    pub writing: Option<Timestamp>,
}

/// A slice that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedSlice {
    /// The slice.
    pub slice: SliceLabel,
    /// Why, as a word.
    pub error: String,
    /// When.
    pub ended: Timestamp,
}

/// On how many of the last dates with runs failures are looked for.
const RUN_DATES: usize = 7;

impl Inspector<'_> {
    /// The slices by their state. `expected` says which slices the schedule has between two dates, in the zone.
    pub async fn status(
        &self,
        now: Timestamp,
        zone: &Zone,
        expected: impl Fn(Date, Date) -> Vec<Expected>,
    ) -> Result<LakeStatus, StoreError> {
        let objects = self.store.list(&self.layout.ledgers()).await?;
        let (ledgers, unreadable) = self.ledgers(&objects).await?;
        let mut status = LakeStatus { unreadable, ..LakeStatus::default() };
        status.count(&ledgers);
        if let (Some(first), Some(last)) = (status.first_date, status.last_date) {
            let unread: Vec<&str> = status.unreadable.iter().map(|it| it.key.as_str()).collect();
            let is_read = |date: Date| !unread.contains(&self.layout.ledger(date).as_str());
            let expected = expected(first, last).into_iter().filter(|of| is_read(of.date));
            status.missing = missing(&ledgers, expected, zone);
        }
        status.failed = self.failed(&ledgers, &mut status.unreadable).await?;
        let open = status.writing.iter().chain(&status.missing);
        status.oldest_unpublished = open.min().copied();
        let key = self.layout.profiles();
        match readable(ProfilesState::read(self.store, self.layout).await, &key)? {
            Ok(state) => status.profiles = state.tables.into_iter().map(of_table).collect(),
            Err(document) => status.unreadable.push(document),
        }
        for key in [self.layout.budget(), self.layout.profile_budget()] {
            match readable(budget::started_within_hour(self.store, &key, now).await, &key)? {
                Ok(queries) => status.queries_last_hour += queries,
                Err(document) => status.unreadable.push(document),
            }
        }
        Ok(status)
    }

    /// The slices that are not published and failed last.
    async fn failed(
        &self,
        ledgers: &BTreeMap<Date, Ledger>,
        unreadable: &mut Vec<UnreadDocument>,
    ) -> Result<Vec<FailedSlice>, StoreError> {
        let table = Dataset::Runs.main_table().parse().expect("it is the name of a folder");
        let objects = self.store.list(&self.layout.table(&table)).await?;
        let mut dates = self.dates_of_runs(&objects);
        dates.drain(..dates.len().saturating_sub(RUN_DATES));
        let read = |date: Date| async move { read_runs(self.store, self.layout, date).await };
        let read: Vec<_> = stream::iter(dates).map(read).buffered(IN_FLIGHT).collect().await;
        let mut last: BTreeMap<SliceLabel, Tried> = BTreeMap::new();
        for rows in read {
            match rows {
                Ok(rows) => rows.iter().filter_map(tried).for_each(|(slice, tried)| {
                    let known = last.entry(slice).or_insert_with(|| tried.clone());
                    if known.ended < tried.ended {
                        *known = tried;
                    }
                }),
                Err(RunsError::Store(error)) => return Err(error),
                Err(error) => unreadable.push(UnreadDocument {
                    key: self.layout.table(&table),
                    error: crate::chain(&error),
                }),
            }
        }
        let open = last.into_iter().filter(|(slice, _)| !is_published(*slice, ledgers));
        let failed = open.filter_map(|(slice, Tried { ended, error })| {
            Some(FailedSlice { slice, error: error?, ended })
        });
        Ok(failed.collect())
    }

    /// The dates with rows of runs, in order.
    fn dates_of_runs(&self, objects: &[ObjectMeta]) -> Vec<Date> {
        let keys = objects.iter().filter_map(|object| self.layout.read(&object.key));
        let manifests = keys.filter(|key| key.object == LakeObject::Manifest);
        let mut dates: Vec<Date> = manifests.filter_map(|key| key.target.date).collect();
        dates.sort_unstable();
        dates
    }
}

fn of_table((table, exports): (TableName, TableExports)) -> ProfilesStatus {
    let published = exports.published.as_ref();
    ProfilesStatus {
        table,
        published: published.map(|done| done.began),
        rows: published.map_or(0, |done| done.counts.written),
        writing: exports.writing,
    }
}

impl LakeStatus {
    fn count(&mut self, ledgers: &BTreeMap<Date, Ledger>) {
        let filled = || ledgers.iter().filter(|(_, ledger)| !ledger.slices.is_empty());
        self.first_date = filled().next().map(|(date, _)| *date);
        self.last_date = filled().next_back().map(|(date, _)| *date);
        for entry in ledgers.values().flat_map(|ledger| &ledger.slices) {
            match entry.state {
                State::Published => {
                    self.published += 1;
                    self.last_published = self.last_published.max(Some(entry.slice));
                }
                State::Writing | State::WritingAnew => self.writing.push(entry.slice),
            }
        }
    }
}

/// The slices of the schedule that are missing and not begun.
fn missing(
    ledgers: &BTreeMap<Date, Ledger>,
    expected: impl Iterator<Item = Expected>,
    zone: &Zone,
) -> Vec<SliceLabel> {
    let (mut begun, mut missing) = (false, Vec::new());
    let none = Ledger::default();
    for of_date in expected {
        let ledger = ledgers.get(&of_date.date).unwrap_or(&none);
        let labels =
            missing_of(&of_date, ledger, begun, zone).into_iter().map(|slice| slice.label());
        missing.extend(labels.filter(|label| ledger.entry(*label).is_none()));
        begun |= !ledger.slices.is_empty();
    }
    missing
}

fn is_published(slice: SliceLabel, ledgers: &BTreeMap<Date, Ledger>) -> bool {
    let ledger = ledgers.get(&slice.date());
    let entry = ledger.and_then(|ledger| ledger.entry(ledger.covering(slice)));
    entry.is_some_and(|entry| entry.state == State::Published)
}

/// How a run ended with a slice.
#[derive(Debug, Clone)]
struct Tried {
    ended: Timestamp,
    error: Option<String>,
}

fn tried(row: &ReadRow) -> Option<(SliceLabel, Tried)> {
    let text = |column: &str| match row.get(column) {
        Some(Cell::Text(text)) => Some(text.clone()),
        Some(Cell::Long(_) | Cell::Number(_)) | None => None,
    };
    let Some(Cell::Long(ended)) = row.get("ended") else { return None };
    let slice = SliceLabel::try_from(text("slice")?).ok()?;
    Some((slice, Tried { ended: Timestamp::from_millisecond(*ended).ok()?, error: text("error") }))
}
