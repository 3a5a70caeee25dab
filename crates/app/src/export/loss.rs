//! Rows that an export would take away from readers: it says so, and some exports must not.

use super::receive::Received;
use super::{ExportError, Exporter};
use crate::ledger::Day;
use mixlake_domain::{Date, Slice};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A day of a table that has fewer rows of a slice after its export than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowsTaken {
    /// The table.
    pub table: String,
    /// The day.
    pub mp_date: Date,
    /// How many rows of the slice were live.
    pub before: u64,
    /// How many are.
    pub after: u64,
}

impl fmt::Display for RowsTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, mp_date, before, after } = self;
        write!(f, "rows {before} -> {after} on {mp_date} in {table}")
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
        let taken = live.into_iter().map(|(Day { table, date }, before)| {
            let after = received.rows_of(&table, date);
            RowsTaken { table, mp_date: date, before, after }
        });
        Ok(taken.filter(|day| day.after < day.before).collect())
    }

    /// The live rows of a slice, and of what it takes the place of, by day.
    async fn live_rows(
        &self,
        slice: &Slice,
        received: &Received,
    ) -> Result<BTreeMap<Day, u64>, ExportError> {
        let label = slice.label();
        let ledger = self.ledger(label).await?;
        let replaced = ledger.slices.iter().filter(|entry| entry.slice.overlaps(&label));
        let mut days: BTreeSet<Day> = replaced.flat_map(|entry| entry.days.clone()).collect();
        if days.is_empty() {
            // A ledger that was lost says nothing of what the manifests have.
            days = received.days();
        }
        let mut rows = BTreeMap::new();
        for (day, manifest) in self.manifests(days.into_iter().collect()).await? {
            let files = manifest.iter().flat_map(|manifest| &manifest.files);
            let ours = files.filter(|file| file.slice.overlaps(&label));
            rows.insert(day, ours.map(|file| file.rows).sum());
        }
        Ok(rows)
    }
}
