//! The report of a compaction. Its form is stable, for people and programs.

use super::CompactError;
use crate::commit::Outcome;
use crate::manifest::LiveFile;
use mixlake_domain::{Date, TableName, Target};
use serde::Serialize;
use serde_json::{Value, json};
use std::iter::Sum;

/// The outcome of each day of each table that has files.
#[derive(Debug, Default)]
pub struct CompactionReport {
    /// By date, then by table.
    pub targets: Vec<TargetCompaction>,
}

/// The outcome for a day of a table.
#[derive(Debug)]
pub struct TargetCompaction {
    /// The table.
    pub table: TableName,
    /// The day.
    pub mp_date: Option<Date>,
    /// The live rows.
    pub rows: u64,
    /// The live files before.
    pub before: Size,
    /// What became of them, or the reason why they could not be compacted.
    pub outcome: Result<CompactionOutcome, CompactError>,
}

/// Live files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// How many there are.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}

/// What became of the files of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompactionOutcome {
    /// They were merged.
    Compacted {
        /// The live files now.
        after: Size,
        /// The change of the day.
        outcome: Outcome,
    },
    /// They were compacted before, or are one small file.
    Unchanged,
    /// They were left as they are.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl Size {
    pub(super) fn of(files: &[LiveFile]) -> Self {
        Self { files: files.len(), bytes: files.iter().map(|file| file.bytes).sum() }
    }
}

/// What a target had before.
pub(super) struct Before {
    rows: u64,
    size: Size,
}

impl Before {
    pub(super) fn of(files: &[LiveFile]) -> Self {
        Self { rows: files.iter().map(|file| file.rows).sum(), size: Size::of(files) }
    }

    pub(super) fn report(
        self,
        target: Target,
        outcome: Result<CompactionOutcome, CompactError>,
    ) -> TargetCompaction {
        let Target { table, date: mp_date } = target;
        TargetCompaction { table, mp_date, rows: self.rows, before: self.size, outcome }
    }
}

impl CompactionOutcome {
    pub(super) fn skipped(reason: &str) -> Self {
        Self::Skipped { reason: reason.to_owned() }
    }

    pub(super) fn overtaken() -> Self {
        Self::skipped("an export changed the day in the meantime; the next compaction takes it")
    }
}

impl TargetCompaction {
    /// The outcome as programs get it (docs/REPORT.md).
    fn document(&self) -> Value {
        let mut document = json!({
            "table": self.table, "mp_date": self.mp_date, "rows": self.rows, "before": self.before,
        });
        match &self.outcome {
            Ok(CompactionOutcome::Compacted { after, outcome }) => {
                document["status"] = json!("compacted");
                document["after"] = json!(after);
                document["change"] = json!(outcome);
            }
            Ok(CompactionOutcome::Unchanged) => document["status"] = json!("unchanged"),
            Ok(CompactionOutcome::Skipped { reason }) => {
                document["status"] = json!("skipped");
                document["reason"] = json!(reason);
            }
            Err(error) => {
                document["status"] = json!("failed");
                document["error"] = json!(crate::chain(error));
            }
        }
        document
    }

    fn after(&self) -> Size {
        match &self.outcome {
            Ok(CompactionOutcome::Compacted { after, .. }) => *after,
            Ok(CompactionOutcome::Unchanged | CompactionOutcome::Skipped { .. }) | Err(_) => {
                self.before
            }
        }
    }
}

impl Sum for Size {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self { files: 0, bytes: 0 }, |sum, size| Self {
            files: sum.files + size.files,
            bytes: sum.bytes + size.bytes,
        })
    }
}

impl CompactionReport {
    /// The report as programs get it (docs/REPORT.md).
    #[must_use]
    pub fn document(&self) -> Value {
        let targets: Vec<Value> = self.targets.iter().map(TargetCompaction::document).collect();
        let (before, after) = self.sizes();
        json!({"targets": targets, "totals": {"before": before, "after": after}})
    }

    /// All live files before and after.
    #[must_use]
    pub fn sizes(&self) -> (Size, Size) {
        let before = self.targets.iter().map(|target| target.before).sum();
        (before, self.targets.iter().map(TargetCompaction::after).sum())
    }

    /// Whether no day failed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.targets.iter().all(|target| target.outcome.is_ok())
    }
}
