//! The report of an export. Its form is stable, for people and programs.

use super::ExportError;
use super::safeguards::RowsTaken;
use crate::commit::Outcome;
use crate::ledger::{Entry, SliceCounts};
use crate::ports::SourceError;
use mixlake_domain::{Date, Slice, TableName, Target, Timestamp};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The outcome of each requested slice.
#[derive(Debug, Default)]
pub struct ExportReport {
    /// In the requested order.
    pub slices: Vec<SliceOutcome>,
}

/// The outcome of a requested slice.
#[derive(Debug)]
pub struct SliceOutcome {
    /// The slice.
    pub slice: Slice,
    /// Its report, or the reason why it is not published.
    pub outcome: Result<SliceReport, ExportError>,
    /// What the run spent on it; none if the run did not come to it.
    pub effort: Option<Effort>,
}

/// What a run spent on a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// When it began with the slice.
    pub began: Timestamp,
    /// When it ended with the slice.
    pub ended: Timestamp,
    /// The queries that it sent.
    pub queries: u64,
}

/// The report of a slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SliceReport {
    /// The label.
    pub slice: String,
    /// The start of the slice.
    pub from: String,
    /// The end of the slice (exclusive).
    pub to: String,
    /// Whether this run changed anything.
    pub status: SliceStatus,
    /// The counts of its lines.
    #[serde(flatten)]
    pub counts: SliceCounts,
    /// The size of the slice's files.
    pub bytes: u64,
    /// The days that have fewer rows of the slice than before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows_taken: Vec<RowsTaken>,
    /// The days of tables that were changed, and how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<TargetChange>,
    /// The columns that the slice added.
    pub new_columns: Vec<NewColumn>,
    /// The keys of the slice's files.
    pub objects: Vec<String>,
    /// The key of the object with the bad lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

/// A day of a table that an export changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetChange {
    /// The table.
    pub table: TableName,
    /// The day; none of a table without partitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mp_date: Option<Date>,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl TargetChange {
    /// `None` if the target is unchanged.
    pub(super) fn of(target: Target, outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Unchanged | Outcome::Superseded => None,
            Outcome::Appended | Outcome::Replaced { .. } => {
                let Target { table, date: mp_date } = target;
                Some(Self { table, mp_date, outcome })
            }
        }
    }
}

/// The status of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SliceStatus {
    /// It is visible now.
    Published,
    /// It was visible before with exactly this content, so nothing was written.
    Unchanged,
    /// It was published before, and was not exported again.
    Existing,
}

/// A new column for a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The property's original name.
    pub property: String,
    /// The type.
    pub r#type: &'static str,
}

/// The sums over all complete slices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// The lines.
    #[serde(flatten)]
    pub counts: SliceCounts,
    /// The size of the files.
    pub bytes: u64,
    /// The number of new columns.
    pub new_columns: u64,
    /// The number of files.
    pub objects: u64,
}

impl fmt::Display for SliceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Existing => "existing",
        })
    }
}

impl SliceStatus {
    /// Whether this run received the slice.
    #[must_use]
    pub fn was_received(self) -> bool {
        match self {
            Self::Published | Self::Unchanged => true,
            Self::Existing => false,
        }
    }
}

impl ExportReport {
    /// The reports of the complete slices.
    pub fn whole(&self) -> impl Iterator<Item = &SliceReport> {
        self.slices.iter().filter_map(|slice| slice.outcome.as_ref().ok())
    }

    /// Whether every slice is complete.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.slices.iter().all(|slice| slice.outcome.is_ok())
    }

    /// The time after which to request the unpublished slices again. `None` if the query budget is not
    /// the reason.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.errors().find_map(|error| {
            let ExportError::Source(SourceError::RateLimited { retry_after }) = error else {
                return None;
            };
            Some(*retry_after)
        })
    }

    /// The reasons why slices are not published.
    pub fn errors(&self) -> impl Iterator<Item = &ExportError> {
        self.slices.iter().filter_map(|slice| slice.outcome.as_ref().err())
    }

    /// Whether a later run can publish all unpublished slices without a fix.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        self.errors().all(ExportError::is_for_later)
    }

    /// Whether the run's time ended before all slices were exported.
    #[must_use]
    pub fn is_out_of_time(&self) -> bool {
        self.errors().any(|error| matches!(error, ExportError::Source(SourceError::OutOfTime)))
    }

    /// The sums over what this run received. A day that covers several requested slices counts once.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut sum = Totals::default();
        let mut seen = std::collections::BTreeSet::new();
        let received = self.whole().filter(|report| report.status.was_received());
        for report in received.filter(|report| seen.insert(&report.slice)) {
            sum.counts.received += report.counts.received;
            sum.counts.written += report.counts.written;
            sum.counts.duplicates += report.counts.duplicates;
            sum.counts.quarantined += report.counts.quarantined;
            sum.counts.suppressed += report.counts.suppressed;
            sum.counts.outside += report.counts.outside;
            sum.counts.mended += report.counts.mended;
            sum.bytes += report.bytes;
            sum.new_columns += report.new_columns.len() as u64;
            sum.objects += report.objects.len() as u64;
        }
        sum
    }
}

impl SliceReport {
    /// The report of a slice that was published before, from its ledger entry.
    pub(super) fn existing(slice: &Slice, entry: Entry) -> Self {
        Self {
            slice: slice.to_string(),
            from: slice.start().to_string(),
            to: slice.end().to_string(),
            status: SliceStatus::Existing,
            counts: entry.counts,
            bytes: 0,
            rows_taken: Vec::new(),
            changes: Vec::new(),
            new_columns: Vec::new(),
            objects: Vec::new(),
            quarantine: entry.quarantine,
        }
    }
}
