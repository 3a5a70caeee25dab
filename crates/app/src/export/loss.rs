//! Rows that an export would take away from readers: it says so, and some exports must not.

use super::receive::Received;
use super::{ExportError, Exporter};
use mixlake_domain::{Date, Origin, Slice, TableName, Target};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A day of a table that has fewer rows of a slice after its export than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowsTaken {
    /// The table.
    pub table: TableName,
    /// The day; none of a table without partitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mp_date: Option<Date>,
    /// How many rows of the slice were live.
    pub before: u64,
    /// How many are.
    pub after: u64,
}

impl fmt::Display for RowsTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, mp_date, before, after } = self;
        write!(f, "rows {before} -> {after}")?;
        if let Some(date) = mp_date {
            write!(f, " on {date}")?;
        }
        write!(f, " in {table}")
    }
}

/// What an export may do to live rows, and what its lines have to show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safeguards {
    /// What follows from an answer without a line where rows are live.
    pub empty: OnEmpty,
    /// Whether a day may have fewer rows afterwards. The source says what is true; a file may be the wrong
    /// one.
    pub fewer_rows: bool,
    /// The share of lines that may be bad, from 0 to 1.
    pub quarantine_share: f64,
}

/// What follows from an answer without a line where rows are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEmpty {
    /// The source is asked a second time. If it says the same, the slice is empty.
    AskAgain,
    /// The slice fails.
    Refuse,
    /// The slice is empty.
    Allow,
}

impl Default for Safeguards {
    fn default() -> Self {
        Self { empty: OnEmpty::AskAgain, fewer_rows: true, quarantine_share: 0.5 }
    }
}

impl Exporter<'_> {
    /// The rows that publishing a slice would take away.
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

    /// The live rows of a slice, and of what it takes the place of, by day.
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
            // A ledger that was lost says nothing of what the manifests have.
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
