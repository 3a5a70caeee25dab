//! Points the catalog to the generation that each manifest names: a day's partition, or a table without
//! partitions.

use super::fold::TableWork;
use super::report::TableReport;
use super::{Failed, ReconcileError, Reconciler, TRIES, same_folder};
use crate::manifest::Manifest;
use crate::ports::{CatalogError, Partition};
use mixlake_domain::{DataFormat, Date, Generation, Partitioning, TableName, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A target with its manifest, and whether it has live files.
pub(super) struct Found {
    manifest: Option<Manifest>,
    live: Live,
}

/// The targets of a table: its days, or the table as a whole.
pub(super) type Targets = BTreeMap<Option<Date>, Found>;

/// What readers of a target should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Live {
    /// The files of a generation.
    In(Generation),
    /// Nothing: the partition is removed.
    Nothing,
    /// The target has no manifest yet. A notification will follow when it is written.
    Unknown,
}

impl Found {
    /// The columns in its manifest. A target without live files has none, so it cannot contradict the
    /// table.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let manifest = self.manifest.iter().filter(|_| matches!(self.live, Live::In(_)));
        let files = manifest.flat_map(|manifest| &manifest.files);
        files.flat_map(|file| &file.columns).map(String::as_str)
    }

    /// The generation that readers should see.
    pub(super) fn generation(&self) -> Option<&Generation> {
        match &self.live {
            Live::In(generation) => Some(generation),
            Live::Nothing | Live::Unknown => None,
        }
    }
}

impl Reconciler<'_> {
    /// The current state of the targets. A target that cannot be read is removed from the work and fails
    /// alone. `seen` are files that were read just before.
    pub(super) async fn targets(
        &self,
        table: &TableName,
        work: &mut TableWork,
        seen: &BTreeSet<String>,
        failed: &mut Failed,
    ) -> Targets {
        let mut targets = Targets::new();
        for date in work.targets.clone() {
            let target = Target { table: table.clone(), date };
            match self.target(&target, work, seen).await {
                Ok(found) => drop(targets.insert(date, found)),
                Err(error) => {
                    let error = Arc::new(error);
                    let keys = work.take(self.layout, date).into_iter();
                    failed.extend(keys.map(|key| (key, error.clone())));
                }
            }
        }
        targets
    }

    async fn target(
        &self,
        target: &Target,
        work: &TableWork,
        seen: &BTreeSet<String>,
    ) -> Result<Found, ReconcileError> {
        let key = self.layout.manifest(target);
        let manifest = Manifest::read(self.store, self.layout, target).await?.value;
        let live = match &manifest {
            None if work.has_manifest(&key) => Live::Nothing,
            None => Live::Unknown,
            // A table without partitions needs a location even if it is empty.
            Some(manifest) if target.date.is_none() || self.is_there(manifest, seen).await? => {
                Live::In(manifest.generation.clone())
            }
            Some(_) => Live::Nothing,
        };
        Ok(Found { manifest, live })
    }

    /// Sets partitions, or the table's location, and repeats this until the manifests did not change in
    /// the meantime. So the function that reads a manifest last also sets its partition last.
    pub(super) async fn follow(
        &self,
        (table, format): (&TableName, DataFormat),
        work: &mut TableWork,
        targets: Targets,
        failed: &mut Failed,
        report: &mut TableReport,
    ) -> Result<(), ReconcileError> {
        let live = |targets: Targets| -> BTreeMap<Option<Date>, Live> {
            targets.into_iter().map(|(date, found)| (date, found.live)).collect()
        };
        let mut wanted = live(targets);
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.catalog.pause(attempt).await;
            }
            let changed = match work.partitioning() {
                Partitioning::ByDate => self.partitions((table, format), &wanted, report).await,
                Partitioning::Whole => self.location(table, wanted.get(&None), report).await,
            };
            match changed {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                // Somebody added or removed a partition at the same moment.
                Err(CatalogError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            }
            let now = live(self.targets(table, work, &BTreeSet::new(), failed).await);
            if now == wanted {
                return Ok(());
            }
            wanted = now;
        }
        Err(CatalogError::Conflict(format!("the partitions of {}", report.table)).into())
    }

    /// Whether a target has a live file. The store is asked until one is found, whatever the
    /// notifications said: they can arrive long after a file was removed, and a manifest can list files
    /// that no longer exist.
    async fn is_there(
        &self,
        manifest: &Manifest,
        seen: &BTreeSet<String>,
    ) -> Result<bool, ReconcileError> {
        let folder = self.layout.generation(&manifest.target, &manifest.generation);
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
                    tracing::warn!(key, "a live file is missing; `mixlake doctor` tells which");
                }
                Err(error) => unread = Some(error),
            }
        }
        unread.map_or(Ok(false), |error| Err(error.into()))
    }

    /// The location of a generation, as the catalog names it.
    pub(super) fn location_of(&self, target: &Target, generation: &Generation) -> String {
        self.store.location(&self.layout.generation(target, generation))
    }

    /// Returns whether anything had to be changed.
    async fn partitions(
        &self,
        (table, format): (&TableName, DataFormat),
        targets: &BTreeMap<Option<Date>, Live>,
        report: &mut TableReport,
    ) -> Result<bool, CatalogError> {
        let mut wanted = Vec::new();
        let mut unwanted = Vec::new();
        for (date, live) in targets {
            let Some(date) = date else { continue };
            match live {
                Live::In(generation) => {
                    let target = Target::day(table.clone(), *date);
                    let location = self.location_of(&target, generation);
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

    /// Points a table without partitions to its live generation. Returns whether it had to be changed.
    /// If the manifest is missing, the table stays unchanged, and `mixlake doctor` reports it.
    async fn location(
        &self,
        table: &TableName,
        live: Option<&Live>,
        report: &mut TableReport,
    ) -> Result<bool, CatalogError> {
        let Some(Live::In(generation)) = live else { return Ok(false) };
        let wanted = self.location_of(&Target::whole(table.clone()), generation);
        let Some(current) = self.catalog.table(&report.table).await? else { return Ok(false) };
        if same_folder(&current.location, &wanted) {
            return Ok(false);
        }
        self.catalog.move_table(&report.table, &current.version, &wanted).await?;
        report.moved = true;
        Ok(true)
    }
}
