//! The report of an export of profiles. Its form is stable, for people and programs.

use super::ProfilesError;
use crate::commit::Outcome;
use crate::export::{Effort, NewColumn, RowsTaken};
use crate::ledger::SliceCounts;
use mixlake_domain::{TableName, Timestamp};
use serde::Serialize;
use std::fmt;

/// The outcome of each table.
#[derive(Debug, Default)]
pub struct ProfilesReport {
    /// In the requested order.
    pub tables: Vec<TableOutcome>,
    /// Tables after one that failed for a reason that they would meet too.
    pub not_tried: Vec<TableName>,
}

/// The outcome of a table.
#[derive(Debug)]
pub struct TableOutcome {
    /// The table.
    pub table: TableName,
    /// Its report, or the reason why it is not published.
    pub outcome: Result<TableReport, ProfilesError>,
    /// What the run spent on it.
    pub effort: Effort,
}

/// The report of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: TableName,
    /// Whether this run changed anything.
    pub status: TableStatus,
    /// When the first page was requested: the profiles are those of that time.
    pub began: Timestamp,
    /// How many pages the profiles came in.
    pub pages: u64,
    /// The counts of its lines.
    #[serde(flatten)]
    pub counts: SliceCounts,
    /// The size of the files.
    pub bytes: u64,
    /// If the table has fewer rows than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_taken: Option<RowsTaken>,
    /// How the table changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Outcome>,
    /// The columns that were added.
    pub new_columns: Vec<NewColumn>,
    /// The keys of the files.
    pub objects: Vec<String>,
    /// The key of the object with the bad lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

/// The status of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TableStatus {
    /// It has the profiles now.
    Published,
    /// It had exactly these profiles, so nothing was written.
    Unchanged,
    /// An export that began later is being written, or was. The profiles of this run are older.
    Superseded,
}

impl fmt::Display for TableStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::Superseded => "superseded",
        })
    }
}

impl ProfilesReport {
    /// The reports of the tables that did not fail.
    pub fn whole(&self) -> impl Iterator<Item = &TableReport> {
        self.tables.iter().filter_map(|table| table.outcome.as_ref().ok())
    }

    /// The reasons why tables are not published.
    pub fn errors(&self) -> impl Iterator<Item = (&TableName, &ProfilesError)> {
        self.tables.iter().filter_map(|table| Some((&table.table, table.outcome.as_ref().err()?)))
    }

    /// Whether no table failed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.errors().next().is_none()
    }

    /// Whether a later run can publish what this one could not, without a fix.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        self.errors().all(|(_, error)| error.is_for_later())
    }
}
