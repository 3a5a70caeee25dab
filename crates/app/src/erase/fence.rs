//! Fences the exports that had begun before the person was suppressed.

use super::mark::Mark;
use super::{EraseError, Eraser, ErasureReport};
use crate::commit::{Change, Commit, Guard};
use crate::document::{self, Edit};
use crate::ledger::{Ledger, State};
use crate::manifest::Manifest;
use mixlake_domain::{Date, SliceLabel, Target};
use std::collections::{BTreeMap, BTreeSet};

/// Slices that are fenced, with the targets that their exports may write.
pub(super) type Fences = BTreeMap<SliceLabel, BTreeSet<Target>>;

impl Eraser<'_> {
    pub(super) fn commit(&self) -> Commit<'_> {
        Commit { store: self.store, layout: self.layout }
    }

    /// The dates that have a ledger.
    pub(super) async fn dates(&self) -> Result<Vec<Date>, EraseError> {
        let objects = self.store.list(&self.layout.ledgers()).await?;
        Ok(objects.iter().filter_map(|object| self.layout.date_of_ledger(&object.key)).collect())
    }

    /// Changes a ledger. `decide` returns whether it changed it.
    pub(super) async fn change_ledger<T>(
        &self,
        date: Date,
        decide: impl Fn(&mut Ledger) -> T,
    ) -> Result<T, EraseError> {
        let read = || async move {
            Ok::<_, EraseError>(Ledger::read(self.store, self.layout, date).await?)
        };
        let decide = |read: document::Read<Ledger>| {
            let before = read.value.unwrap_or_default();
            let mut after = before.clone();
            let answer = decide(&mut after);
            Ok(if after == before { Edit::Keep(answer) } else { Edit::json(&after, answer) })
        };
        let key = self.layout.ledger(date);
        let changed = document::change(self.store, &key, read, decide).await?;
        changed.ok_or(EraseError::Contended)
    }

    /// Takes the slices that are being written away from their exports. Returns all that are fenced and
    /// whose targets may still have the manifests that those exports read.
    pub(super) async fn fence(&self) -> Result<Fences, EraseError> {
        let mut fences = Fences::new();
        for date in self.dates().await? {
            let changed = self.change_ledger(date, |ledger| {
                for entry in &mut ledger.slices {
                    if entry.state != State::Published && Mark::of(entry).is_none() {
                        *entry = Mark::Fence.on(entry);
                    }
                }
                let marked = ledger.slices.iter();
                let marked = marked.filter(|entry| Mark::of(entry) == Some(Mark::Fence));
                marked.map(|entry| (entry.slice, entry.targets.clone())).collect::<Vec<_>>()
            });
            fences.extend(changed.await?);
        }
        Ok(fences)
    }

    /// Writes a new manifest with the same files, so that a write that is based on the old one fails.
    pub(super) async fn fence_target(&self, target: &Target) -> Result<(), EraseError> {
        let seen = self.commit().read(target).await?;
        let none = BTreeSet::new();
        let change = Change::remove(&none);
        self.commit().change::<EraseError>(target, seen, change, &[], &Always).await?;
        Ok(())
    }

    /// Records that every target of these slices has a new manifest.
    pub(super) async fn end_fences(&self, fences: &Fences, report: &mut ErasureReport) {
        for slice in fences.keys() {
            let done = self.change_ledger(slice.date(), |ledger| {
                for entry in &mut ledger.slices {
                    if entry.slice == *slice && Mark::of(entry) == Some(Mark::Fence) {
                        *entry = Mark::Fenced.on(entry);
                    }
                }
            });
            if let Err(error) = done.await {
                report.fail(slice.to_string(), &error);
            }
        }
    }
}

/// The files stay the same, so the change applies to any manifest.
struct Always;

#[async_trait::async_trait]
impl Guard<EraseError> for Always {
    async fn may_go_on(&self, _: Option<&Manifest>, _: bool) -> Result<bool, EraseError> {
        Ok(true)
    }
}
