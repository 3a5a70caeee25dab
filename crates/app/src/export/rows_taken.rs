//! Counts the rows that publishing a slice would remove.

use super::received::Received;
use super::safeguards::RowsTaken;
use super::{ExportError, Exporter};
use mixlake_domain::{Origin, Slice, Target};
use std::collections::{BTreeMap, BTreeSet};

impl Exporter<'_> {
    /// The rows that publishing a slice would remove.
    pub(super) async fn rows_taken(
        &self,
        slice: &Slice,
        received: &Received,
    ) -> Result<Vec<RowsTaken>, ExportError> {
        let live = self.live_rows(slice, received).await?;
        let taken = live.into_iter().map(|(target, before)| {
            let after = received.rows_of(&target);
            let Target { table, date: mp_date } = target;
            RowsTaken { table, mp_date, before, after }
        });
        Ok(taken.filter(|day| day.after < day.before).collect())
    }

    /// The live rows of a slice and of the slices that it replaces, by day.
    async fn live_rows(
        &self,
        slice: &Slice,
        received: &Received,
    ) -> Result<BTreeMap<Target, u64>, ExportError> {
        let label = slice.label();
        let ledger = self.ledger(label).await?;
        let replaced = ledger.slices.iter().filter(|entry| entry.slice.overlaps(&label));
        let mut targets: BTreeSet<Target> =
            replaced.flat_map(|entry| entry.targets.clone()).collect();
        if targets.is_empty() {
            // If the ledger was lost, it does not name the targets that manifests have.
            targets = received.targets();
        }
        let origin = Origin::from(label);
        let mut rows = BTreeMap::new();
        for (target, manifest) in self.manifests(targets.into_iter().collect()).await? {
            let files = manifest.iter().flat_map(|manifest| &manifest.files);
            let ours = files.filter(|file| file.origin.overlaps(&origin));
            rows.insert(target, ours.map(|file| file.rows).sum());
        }
        Ok(rows)
    }
}
