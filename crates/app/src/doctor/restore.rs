//! Restores lost rows and names of a lake from its files.

use super::Doctor;
use super::accounts::Accounts;
use super::facts::{Facts, LostFiles};
use super::finding::Finding;
use super::gather::Scope;
use super::repair::RepairError;
use crate::commit::{Change, Removal};
use crate::ports::{Precondition, Put};
use bytes::Bytes;
use mixlake_domain::{Dataset, Generation, Origin, SliceLabel, Target};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The number of attempts to complete the registry. Each attempt reads the whole lake.
const TRIES: u32 = 8;

impl Doctor<'_> {
    /// Lists the files again that the ledger counts for a slice, target by target. After a crash between
    /// two targets the next run continues, because the ledger has what it compares.
    pub(super) async fn go_back(
        &self,
        finding: &Finding,
        slice: SliceLabel,
        accounts: &Arc<Accounts>,
    ) -> Result<(), RepairError> {
        let Some(entry) = accounts.entry(slice) else { return Ok(()) };
        let shallow = Doctor { deep: false, ..*self };
        let facts = shallow.facts(Scope::Targets(&entry.targets, accounts)).await?;
        let mut found = entry.targets.iter().filter_map(|target| facts.target(target));
        if found.any(|target| target.busy) {
            return Err(RepairError::Busy);
        }
        if self.still(&facts, &[finding]).is_empty() {
            return Ok(());
        }
        for (target, source) in facts.recoveries.get(&slice).into_iter().flatten() {
            self.take_back(target, slice, source, &facts).await?;
        }
        Ok(())
    }

    /// Adds the files of a slice to the target's other files, in a generation whose name no existing
    /// folder has: the name that follows from an old manifest may be the name of the replaced folder.
    async fn take_back(
        &self,
        target: &Target,
        slice: SliceLabel,
        source: &LostFiles,
        facts: &Facts,
    ) -> Result<(), RepairError> {
        let Some(found) = facts.target(target) else { return Ok(()) };
        let Some(precondition) = &found.precondition else { return Ok(()) };
        let folders = found.objects.values().map(|object| object.generation.clone());
        let avoid: BTreeSet<Generation> = folders.chain([source.generation.clone()]).collect();
        let origin = Origin::from(slice);
        let removal = Removal::Overlapping(&origin);
        let change = Change::copies(removal, &source.files, (target, &source.generation), avoid);
        let seen = (found.manifest.clone(), precondition.clone());
        self.change(target, seen, change).await
    }

    /// Completes the registry from the files, unless others change it at each attempt.
    pub(super) async fn complete(&self) -> Result<(), RepairError> {
        let shallow = Doctor { deep: false, ..*self };
        for _ in 0..TRIES {
            let facts = shallow.facts(Scope::Lake).await?;
            let Facts { completion, registry_etag, .. } = facts;
            let (Some(registry), Some(etag)) = (completion.registry, registry_etag) else {
                return Ok(());
            };
            let (store, key) = (self.lake.store, self.lake.layout.registry(Dataset::Events));
            let document = Bytes::from(registry.to_document(self.lake.project));
            // After a refusal it is read again: the refused write may be our own, because the SDK
            // repeats a request whose response was lost.
            if store.put(&key, document, Precondition::Matches(etag)).await? == Put::Done {
                return Ok(());
            }
        }
        Err(RepairError::Names)
    }
}
