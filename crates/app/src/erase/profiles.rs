//! Erases a person from tables of profiles: takes them away from exports, and keeps their counts right.

use super::{EraseError, Eraser, Run};
use crate::profiles::{ProfilesState, PublishedProfiles};
use mixlake_domain::{TableName, Target};
use std::collections::{BTreeMap, BTreeSet};

impl Eraser<'_> {
    /// Takes tables of profiles away from the exports that are writing them. Returns those that need a new
    /// manifest: an export may have read the one that they have.
    pub(super) async fn fence_profiles(&self) -> Result<BTreeSet<TableName>, EraseError> {
        self.change_profiles(|state| {
            let tables = state.tables.iter_mut();
            tables.filter_map(|(table, it)| it.take_away().then(|| table.clone())).collect()
        })
        .await
    }

    /// Writes the new manifests, removes what an export published since the search, and counts the rows that were
    /// removed.
    pub(super) async fn profiles(&self, run: &mut Run<'_>, fenced: BTreeSet<TableName>) {
        for table in fenced {
            let target = Target::whole(table.clone());
            let done = async {
                self.fence_target(&target).await?;
                // An export can have published just before.
                self.renew(run, &target, &mut BTreeMap::new()).await?;
                self.change_profiles(|state| {
                    if let Some(exports) = state.tables.get_mut(&table) {
                        exports.taken_away = false;
                    }
                })
                .await
            };
            let done: Result<(), EraseError> = done.await;
            if let Err(error) = done {
                run.fail(target.to_string(), &error);
            }
        }
        let removed: Vec<(TableName, u64)> = run
            .worklist()
            .into_iter()
            .filter(|target| target.date.is_none())
            .filter_map(|target| {
                let found = run.found.targets.get(&target)?;
                let rows = found.live.values().map(|(_, found)| found.rows.len() as u64).sum();
                Some((target.table, rows))
            })
            .collect();
        for (table, rows) in removed {
            let done = self.count_profiles(&table, |published| {
                published.counts.written = published.counts.written.saturating_sub(rows);
                published.counts.suppressed += rows;
            });
            if let Err(error) = done.await {
                run.fail(table.to_string(), &error);
            }
        }
    }

    /// Changes what the state says of the last export of a table.
    pub(super) async fn count_profiles(
        &self,
        table: &TableName,
        mut change: impl FnMut(&mut PublishedProfiles),
    ) -> Result<(), EraseError> {
        self.change_profiles(|state| {
            let published = state.tables.get_mut(table).and_then(|it| it.published.as_mut());
            if let Some(published) = published {
                change(published);
            }
        })
        .await
    }

    async fn change_profiles<R>(
        &self,
        decide: impl FnMut(&mut ProfilesState) -> R,
    ) -> Result<R, EraseError> {
        let changed = ProfilesState::change::<R, EraseError>(self.store, self.layout, decide);
        changed.await?.ok_or(EraseError::Contended)
    }
}
