//! Restores what was lost of a lake from what its files say: rows that are missing, and names.

use super::Doctor;
use super::accounts::Accounts;
use super::back::Source;
use super::facts::{DayFacts, Facts};
use super::finding::Finding;
use super::gather::Scope;
use super::repair::RepairError;
use crate::ledger::Day;
use crate::manifest::Manifest;
use crate::ports::{Precondition, Put};
use bytes::Bytes;
use mixlake_domain::{Generation, SliceLabel};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often the registry or a ledger is swapped before it is given up.
pub(super) const SWAPS: u32 = 8;

impl Doctor<'_> {
    /// Takes the files of a slice back that its ledger counts, day by day. After a crash between two
    /// days the next run goes on: what it has to compare is in the ledger.
    pub(super) async fn go_back(
        &self,
        finding: &Finding,
        slice: SliceLabel,
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let Some(entry) = accounts.entry(slice) else { return Ok(()) };
        let shallow = Doctor { deep: false, ..*self };
        let facts = shallow.facts(Scope::Days(&entry.days, accounts)).await?;
        if entry.days.iter().filter_map(|day| facts.day_of(day)).any(|day| day.busy) {
            return Err(RepairError::Busy);
        }
        if self.still(&facts, &[finding]).is_empty() {
            return Ok(());
        }
        for (day, source) in facts.ways.get(&slice).into_iter().flatten() {
            self.take_back(day, slice, source, &facts).await?;
        }
        Ok(())
    }

    async fn take_back(
        &self,
        day: &Day,
        slice: SliceLabel,
        source: &Source,
        facts: &Facts,
    ) -> Result<(), RepairError> {
        let Some(about) = facts.day_of(day) else { return Ok(()) };
        let Some(precondition) = &about.precondition else { return Ok(()) };
        let next = next(day, slice, source, about);
        let folder = self.lake.layout.generation(&day.table, day.date, &next.generation);
        for file in &next.files {
            let from = if file.slice == slice { &source.folder } else { &about.folder };
            let (from, to) = (format!("{from}{}", file.name), format!("{folder}{}", file.name));
            self.lake.store.copy(&from, &to).await?;
        }
        self.swap(&next, precondition).await
    }

    /// Completes the registry from the files, unless it is changed at the same time again and again.
    pub(super) async fn complete(&self) -> Result<(), RepairError> {
        let shallow = Doctor { deep: false, ..*self };
        for _ in 0..SWAPS {
            let facts = shallow.facts(Scope::Lake).await?;
            let Facts { completion, registry_etag, .. } = facts;
            let (Some(registry), Some(etag)) = (completion.registry, registry_etag) else {
                return Ok(());
            };
            let (store, key) = (self.lake.store, self.lake.layout.registry());
            let document = Bytes::from(registry.to_document(self.lake.project));
            // Once refused, it is read again: perhaps it was our own write, repeated.
            if store.put(&key, document, Precondition::Matches(etag)).await? == Put::Done {
                return Ok(());
            }
        }
        Err(RepairError::Names)
    }
}

/// The manifest that lists these files of a slice beside what the day has of others.
fn next(day: &Day, slice: SliceLabel, source: &Source, about: &DayFacts) -> Manifest {
    let folders: BTreeSet<&Generation> = about.objects.values().map(|o| &o.generation).collect();
    let current = about.manifest.as_ref();
    Manifest::with_files_back(
        current,
        (&day.table, day.date),
        slice,
        (&source.generation, &source.files),
        &folders,
    )
}
