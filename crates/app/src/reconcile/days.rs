//! Points each day's partition to the generation that its manifest names.

use super::fold::TableWork;
use super::table::{Failed, TRIES, TableReport};
use super::{ReconcileError, Reconciler};
use crate::manifest::Manifest;
use crate::ports::{CatalogError, Partition};
use mixlake_domain::{DataFormat, Date, Generation};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A day as its manifest and the store have it.
pub(super) struct Day {
    manifest: Option<Manifest>,
    live: Live,
}

pub(super) type Days = BTreeMap<Date, Day>;

/// What a reader of a day should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Live {
    /// The files of a generation.
    In(Generation),
    /// Nothing: the partition goes.
    Nothing,
    /// It has no manifest yet, which will be notified when it comes.
    Unknown,
}

impl Day {
    /// The columns that its manifest names. A day without live files has none: nothing on the table
    /// can contradict it.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let manifest = self.manifest.iter().filter(|_| matches!(self.live, Live::In(_)));
        let files = manifest.flat_map(|manifest| &manifest.files);
        files.flat_map(|file| &file.columns).map(String::as_str)
    }
}

impl Reconciler<'_> {
    /// The days as they are. One that cannot be read is taken out of the work and fails alone.
    /// `seen` are files that were read a moment ago.
    pub(super) async fn days(
        &self,
        table: &str,
        work: &mut TableWork,
        seen: &BTreeSet<String>,
        failed: &mut Failed,
    ) -> Days {
        let mut days = Days::new();
        for date in work.days.clone() {
            match self.day(table, date, work, seen).await {
                Ok(day) => drop(days.insert(date, day)),
                Err(error) => {
                    let error = Arc::new(error);
                    let keys = work.take_day(self.layout, date).into_iter();
                    failed.extend(keys.map(|key| (key, error.clone())));
                }
            }
        }
        days
    }

    async fn day(
        &self,
        table: &str,
        date: Date,
        work: &TableWork,
        seen: &BTreeSet<String>,
    ) -> Result<Day, ReconcileError> {
        let key = self.layout.manifest(table, date);
        let manifest = Manifest::read(self.store, self.layout, table, date).await?.value;
        let live = match &manifest {
            None if work.has_manifest(&key) => Live::Nothing,
            None => Live::Unknown,
            Some(manifest) if self.is_there(table, manifest, seen).await? => {
                Live::In(manifest.generation.clone())
            }
            Some(_) => Live::Nothing,
        };
        Ok(Day { manifest, live })
    }

    /// Sets partitions until the manifests have not moved on meanwhile: whoever reads a manifest
    /// last is the last to set its partition.
    pub(super) async fn follow(
        &self,
        (table, format): (&str, DataFormat),
        work: &mut TableWork,
        days: Days,
        failed: &mut Failed,
        report: &mut TableReport,
    ) -> Result<(), ReconcileError> {
        let live = |days: Days| -> BTreeMap<Date, Live> {
            days.into_iter().map(|(date, day)| (date, day.live)).collect()
        };
        let mut wanted = live(days);
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.catalog.pause(attempt).await;
            }
            match self.partitions((table, format), &wanted, report).await {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                // Somebody added or removed one of them at this moment.
                Err(CatalogError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            }
            let now = live(self.days(table, work, &BTreeSet::new(), failed).await);
            if now == wanted {
                return Ok(());
            }
            wanted = now;
        }
        Err(CatalogError::Conflict(format!("the partitions of {}", report.table)).into())
    }

    /// Whether a day has a live file. The store is asked until one is found, whatever was notified:
    /// files are removed before, and after, somebody says so. A manifest names files that may be
    /// gone, and notices of it come again.
    async fn is_there(
        &self,
        table: &str,
        manifest: &Manifest,
        seen: &BTreeSet<String>,
    ) -> Result<bool, ReconcileError> {
        let folder = self.layout.generation(table, manifest.date, &manifest.generation);
        let keys: Vec<_> =
            manifest.files.iter().map(|file| format!("{folder}{}", file.name)).collect();
        if keys.iter().any(|key| seen.contains(key)) {
            return Ok(true);
        }
        let mut unread = None;
        for key in keys {
            match self.store.tail(&key, 1).await {
                Ok(Some(_)) => return Ok(true),
                Ok(None) => {
                    tracing::warn!(key, "a live file is missing; `mixlake doctor` says which");
                }
                Err(error) => unread = Some(error),
            }
        }
        unread.map_or(Ok(false), |error| Err(error.into()))
    }

    /// Answers whether anything had to be changed.
    async fn partitions(
        &self,
        (table, format): (&str, DataFormat),
        days: &BTreeMap<Date, Live>,
        report: &mut TableReport,
    ) -> Result<bool, CatalogError> {
        let mut wanted = Vec::new();
        let mut unwanted = Vec::new();
        for (date, live) in days {
            match live {
                Live::In(generation) => {
                    let key = self.layout.generation(table, *date, generation);
                    let location = self.store.location(&key);
                    wanted.push(Partition { value: date.to_string(), location });
                }
                Live::Nothing => unwanted.push(date.to_string()),
                Live::Unknown => {}
            }
        }
        let mut changed = false;
        if !wanted.is_empty() {
            let set = self.catalog.put_partitions(&report.table, format, &wanted).await?;
            changed |= !set.is_empty();
            report.partitions_set.extend(set);
        }
        if !unwanted.is_empty() {
            let removed = self.catalog.remove_partitions(&report.table, &unwanted).await?;
            changed |= !removed.is_empty();
            report.partitions_removed.extend(removed);
        }
        Ok(changed)
    }
}
