//! Points each day's partition to the generation that its manifest names.

use super::fold::TableWork;
use super::table::{TRIES, TableReport};
use super::{ReconcileError, Reconciler};
use crate::document;
use crate::manifest::Manifest;
use crate::ports::{CatalogError, Partition};
use mixlake_domain::{DataFormat, Date, Generation};
use std::collections::{BTreeMap, BTreeSet};

/// A day as its manifest has it.
pub(super) struct Day {
    manifest: Option<Manifest>,
    /// Whether somebody said that something happened to the manifest itself.
    notified: bool,
}

pub(super) type Days = BTreeMap<Date, Day>;

/// What a reader of a day should see.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Live {
    /// The files of a generation.
    In(Generation),
    /// Nothing: the partition goes.
    Nothing,
    /// It has no manifest yet, which will be notified when it comes.
    Unknown,
}

impl Day {
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let files = self.manifest.iter().flat_map(|manifest| &manifest.files);
        files.flat_map(|file| &file.columns).map(String::as_str)
    }
}

impl Reconciler<'_> {
    pub(super) async fn days(&self, table: &str, work: &TableWork) -> Result<Days, ReconcileError> {
        let mut days = Days::new();
        for &date in &work.days {
            let key = self.layout.manifest(table, date);
            let manifest = document::read(self.store, &key).await?.value;
            days.insert(date, Day { manifest, notified: work.has_manifest(&key) });
        }
        Ok(days)
    }

    /// Sets partitions until the manifests have not moved on meanwhile: whoever reads a manifest
    /// last is the last to set its partition.
    pub(super) async fn follow(
        &self,
        (table, format): (&str, DataFormat),
        work: &TableWork,
        mut wanted: BTreeMap<Date, Live>,
        gone: &BTreeSet<String>,
        report: &mut TableReport,
    ) -> Result<(), ReconcileError> {
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
            let now = self.live(table, &self.days(table, work).await?, gone).await?;
            if now == wanted {
                return Ok(());
            }
            wanted = now;
        }
        Err(CatalogError::Conflict(format!("the partitions of {}", report.table)).into())
    }

    pub(super) async fn live(
        &self,
        table: &str,
        days: &Days,
        gone: &BTreeSet<String>,
    ) -> Result<BTreeMap<Date, Live>, ReconcileError> {
        let mut live = BTreeMap::new();
        for (&date, day) in days {
            let state = match &day.manifest {
                None if day.notified => Live::Nothing,
                None => Live::Unknown,
                Some(manifest) if self.is_there(table, manifest, gone).await? => {
                    Live::In(manifest.generation.clone())
                }
                Some(_) => Live::Nothing,
            };
            live.insert(date, state);
        }
        Ok(live)
    }

    /// Whether a day has a live file. The store is asked only if one is known to be gone, and only
    /// until one is found.
    async fn is_there(
        &self,
        table: &str,
        manifest: &Manifest,
        gone: &BTreeSet<String>,
    ) -> Result<bool, ReconcileError> {
        let folder = self.layout.generation(table, manifest.date, &manifest.generation);
        let key = |file: &crate::LiveFile| format!("{folder}{}", file.name);
        if !manifest.files.iter().any(|file| gone.contains(&key(file))) {
            return Ok(!manifest.files.is_empty());
        }
        for file in &manifest.files {
            if self.store.tail(&key(file), 1).await?.is_some() {
                tracing::warn!(folder, "live files are missing; `mixlake doctor` says which");
                return Ok(true);
            }
        }
        Ok(false)
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
