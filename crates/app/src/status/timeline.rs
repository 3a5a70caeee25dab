//! The dates of a lake: when each was exported and synced, and how often it was replaced.

use super::{Inspector, UnreadDocument, readable};
use crate::ledger::State;
use crate::ports::{ObjectMeta, StoreError};
use crate::sync::SyncTimes;
use mixlake_domain::{Dataset, Date, Generation, LakeObject, Target, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The dates of a lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// In their order.
    pub days: Vec<Day>,
    /// Documents that cannot be read.
    pub unreadable: Vec<UnreadDocument>,
}

/// A date of a lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// The published slices of the date.
    pub slices: u64,
    /// The rows of these slices.
    pub rows: u64,
    /// When the oldest data file of the date was written that still exists.
    pub first_export: Option<Timestamp>,
    /// When the live files of the date last changed.
    pub last_export: Option<Timestamp>,
    /// The start of the last sync of the date.
    pub last_sync: Option<Timestamp>,
    /// How many replaced generations of its tables still exist. They are deleted after a while.
    pub replaced_generations: u64,
}

/// What the listing of a lake says of a date.
#[derive(Debug, Default)]
struct Listed {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    generations: BTreeSet<(Target, Generation)>,
    targets: BTreeSet<Target>,
}

impl Inspector<'_> {
    /// The dates that have slices, files of events, or a sync.
    pub async fn timeline(&self) -> Result<Timeline, StoreError> {
        let objects = self.store.list(self.layout.root()).await?;
        let (ledgers, mut unreadable) = self.ledgers(&objects).await?;
        let key = self.layout.sync_times();
        let syncs = match readable(SyncTimes::read(self.store, self.layout).await, &key)? {
            Ok(times) => times.days,
            Err(document) => {
                unreadable.push(document);
                BTreeMap::new()
            }
        };
        let listed = self.listed(&objects);
        let dates = ledgers.keys().chain(syncs.keys()).chain(listed.keys());
        let dates: BTreeSet<Date> = dates.copied().collect();
        let none = Listed::default();
        let day = |date: Date| {
            let slices = ledgers.get(&date).into_iter().flat_map(|ledger| &ledger.slices);
            let published = slices.filter(|entry| entry.state == State::Published);
            let Listed { first, last, generations, targets } = listed.get(&date).unwrap_or(&none);
            Day {
                date,
                slices: published.clone().count() as u64,
                rows: published.map(|entry| entry.counts.written).sum(),
                first_export: *first,
                last_export: *last,
                last_sync: syncs.get(&date).copied(),
                replaced_generations: generations.len().saturating_sub(targets.len()) as u64,
            }
        };
        Ok(Timeline { days: dates.into_iter().map(day).collect(), unreadable })
    }

    /// What is listed of the dates of events.
    fn listed(&self, objects: &[ObjectMeta]) -> BTreeMap<Date, Listed> {
        let mut dates: BTreeMap<Date, Listed> = BTreeMap::new();
        for object in objects {
            let Some(key) = self.layout.read(&object.key) else { continue };
            let Some(date) = key.target.date else { continue };
            if Dataset::of_table(key.target.table.as_str()) != Dataset::Events {
                continue;
            }
            let modified = object.modified.and_then(|time| Timestamp::try_from(time).ok());
            let listed = dates.entry(date).or_default();
            match key.object {
                LakeObject::Manifest => {
                    listed.last = listed.last.max(modified);
                    listed.targets.insert(key.target);
                }
                LakeObject::Data(generation, _) => {
                    listed.first = match listed.first {
                        Some(first) => modified.map(|time| first.min(time)).or(Some(first)),
                        None => modified,
                    };
                    listed.generations.insert((key.target, generation));
                }
            }
        }
        dates
    }
}
