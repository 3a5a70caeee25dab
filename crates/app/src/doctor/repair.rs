//! Does what findings say.

use super::Doctor;
use super::finding::{Finding, Remedy, partition};
use crate::chain;
use crate::document;
use crate::ledger::{Ledger, State};
use crate::manifest::Manifest;
use crate::ports::Put;
use crate::reconcile::{OnDrift, ReconcileError, Reconciler};
use mixlake_domain::Date;
use mixlake_schema::Table;
use std::collections::BTreeSet;

/// How often a document is swapped anew before it is given up.
const SWAPS: u32 = 16;

impl Doctor<'_> {
    /// Does what each finding says; answers what could not be done, and why.
    pub async fn repair(&self, findings: &[Finding]) -> Vec<(Finding, String)> {
        let mut failed = Vec::new();
        let mut reconciled = BTreeSet::new();
        for finding in findings {
            let done = match &finding.remedy {
                Remedy::Reconcile if !reconciled.insert(finding.table.clone()) => Ok(()),
                Remedy::Reconcile => self.reconcile(&finding.table).await,
                Remedy::RemovePartitions { values } => {
                    let table = self.lake.name_of(&finding.table);
                    let removed = self.lake.catalog.remove_partitions(&table, values).await;
                    removed.map(|_| ()).map_err(ReconcileError::from).map_err(|e| chain(&e))
                }
                Remedy::RepairPartition { value, location } => {
                    self.partition(&finding.table, value, location).await
                }
                Remedy::Delete { keys } => self.delete(finding, keys).await,
                Remedy::Strike { date, names } => self.strike(&finding.table, *date, names).await,
                Remedy::ByHand { .. } => Ok(()),
            };
            failed.extend(done.err().map(|error| (finding.clone(), error)));
        }
        failed
    }

    /// Over all days of the table: what drifted, holds for each.
    async fn reconcile(&self, table: &str) -> Result<(), String> {
        let lake = &self.lake;
        let objects = lake.store.list(&lake.layout.table(table)).await.map_err(|e| chain(&e))?;
        let keys = objects.iter().map(|object| object.key.as_str());
        let manifests = keys.filter(|key| key.ends_with("/_manifest.json"));
        let repairing = Reconciler { on_drift: OnDrift::Repair, ..*lake };
        let done = repairing.reconcile(manifests).await;
        match done.failed.first() {
            Some((key, error)) => Err(format!("{key}: {}", chain(&**error))),
            None => Ok(()),
        }
    }

    async fn partition(&self, table: &str, value: &str, location: &str) -> Result<(), String> {
        let partition = [partition(value, location)];
        let registry = self.lake.registry().await.map_err(|e| chain(&e))?;
        let format = registry.tables().get(table).map(Table::format).unwrap_or_default();
        let catalog = self.lake.catalog;
        let done = catalog.repair_partitions(&self.lake.name_of(table), format, &partition).await;
        done.map_err(|e| chain(&e))
    }

    /// An export may have begun since the lake was looked at: nothing of a day that is being written
    /// is deleted, and nothing that a manifest lists by now.
    async fn delete(&self, finding: &Finding, keys: &[String]) -> Result<(), String> {
        let date: Date = finding.subject.parse().map_err(|_| "it is of no day".to_owned())?;
        if self.is_busy(&finding.table, date).await? {
            return Err("an export is writing to this day; try again later".to_owned());
        }
        let manifest = self.manifest(&finding.table, date).await?;
        let live = manifest.iter().flat_map(|m| {
            let folder = self.lake.layout.generation(&finding.table, date, &m.generation);
            m.files.iter().map(move |file| format!("{folder}{}", file.name))
        });
        let live: BTreeSet<String> = live.collect();
        for key in keys.iter().filter(|key| !live.contains(*key)) {
            self.lake.store.delete(key).await.map_err(|e| chain(&e))?;
        }
        Ok(())
    }

    async fn is_busy(&self, table: &str, date: Date) -> Result<bool, String> {
        let lake = &self.lake;
        let folder = format!("{}_slices/", lake.layout.root());
        for object in lake.store.list(&folder).await.map_err(|e| chain(&e))? {
            let read = document::read::<Ledger>(lake.store, &object.key).await;
            let ledger = read.map_err(|e| chain(&e))?.value.unwrap_or_default();
            let busy = ledger.slices.iter().any(|entry| {
                let touches = entry.days.iter().any(|d| d.table == table && d.date == date);
                touches && entry.state != State::Published
            });
            if busy {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn manifest(&self, table: &str, date: Date) -> Result<Option<Manifest>, String> {
        let key = self.lake.layout.manifest(table, date);
        let read = document::read(self.lake.store, &key).await;
        read.map(|read| read.value).map_err(|e| chain(&e))
    }

    async fn strike(&self, table: &str, date: Date, names: &[String]) -> Result<(), String> {
        let (store, key) = (self.lake.store, self.lake.layout.manifest(table, date));
        for _ in 0..SWAPS {
            let read = document::read::<Manifest>(store, &key).await.map_err(|e| chain(&e))?;
            let Some(mut manifest) = read.value else { return Ok(()) };
            let before = manifest.files.len();
            manifest.files.retain(|file| !names.contains(&file.name));
            if manifest.files.len() == before {
                return Ok(());
            }
            let written = document::write(store, &key, &manifest, read.precondition).await;
            match written.map_err(|e| chain(&e))? {
                Put::Done => return Ok(()),
                Put::Refused => {}
            }
        }
        Err("others change the manifest again and again; try again later".to_owned())
    }
}
