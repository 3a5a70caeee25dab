//! The report of an erasure. Its form is stable, for people and programs. It has no identifier.

use mixlake_domain::{Date, TableName, Target, Timestamp};
use serde::{Deserialize, Serialize};

/// What an erasure found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ErasureReport {
    /// What became of the person.
    pub status: Status,
    /// The salted hashes of the identifiers.
    pub people: Vec<String>,
    /// Whether one of them was not suppressed before.
    pub newly_suppressed: bool,
    /// What was searched.
    pub searched: Searched,
    /// The days of tables, and tables, that had rows of the person.
    pub targets: Vec<ErasedTarget>,
    /// The objects with bad lines of the person.
    pub bad_lines: Vec<ErasedLines>,
    /// The keys of staged objects, reports of runs, and stored facts about identities, that named the person.
    pub staged: Vec<String>,
    /// Files that readers do not see any more and that have the person.
    pub old_copies: Vec<OldCopies>,
    /// When the last of them is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_copy_goes: Option<Timestamp>,
    /// Other places that contain an identifier. They stay.
    pub mentions: Vec<Mention>,
    /// The objects that could not be searched or changed.
    pub failed: Vec<Failure>,
    /// The key of the receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// What became of the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Readers find nothing of the person any more.
    Erased,
    /// Readers found nothing of the person before.
    #[default]
    NothingFound,
    /// A dry run found the person, and changed nothing.
    WouldErase,
    /// Some objects could not be searched or changed.
    Failed,
}

/// How much was searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The number of objects.
    pub objects: u64,
    /// Their size.
    pub bytes: u64,
    /// The number of days of tables, and of tables without days.
    pub targets: u64,
}

/// A day of a table, or a table, that had rows of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedTarget {
    /// The table.
    pub table: TableName,
    /// The day; none of a table without partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mp_date: Option<Date>,
    /// The rows of the person.
    pub rows: u64,
    /// The files that had them.
    pub files: u64,
}

/// An object that had bad lines of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasedLines {
    /// The key.
    pub object: String,
    /// The number of lines.
    pub lines: u64,
}

/// Files of a target that readers do not see any more and that have the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OldCopies {
    /// The table.
    pub table: TableName,
    /// The day; none of a table without partitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mp_date: Option<Date>,
    /// The number of files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// A place that contains an identifier and stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// The key of the object.
    pub object: String,
    /// The column of a data file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The number of cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<u64>,
}

/// An object or a day that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The key, the day or the slice.
    pub what: String,
    /// The reason.
    pub error: String,
}

impl OldCopies {
    /// The day of the table, or the table.
    #[must_use]
    pub fn target(&self) -> Target {
        Target { table: self.table.clone(), date: self.mp_date }
    }
}

impl Status {
    pub(super) fn of(report: &ErasureReport, is_dry: bool) -> Self {
        let found =
            !(report.targets.is_empty() && report.bad_lines.is_empty() && report.staged.is_empty());
        match (report.failed.is_empty(), found, is_dry) {
            (false, _, _) => Self::Failed,
            (true, false, _) => Self::NothingFound,
            (true, true, true) => Self::WouldErase,
            (true, true, false) => Self::Erased,
        }
    }
}

impl ErasureReport {
    pub(super) fn fail(&mut self, what: String, error: &dyn std::error::Error) {
        let error = crate::chain(error);
        tracing::error!(target: crate::TOLD, what, error, "a part of the lake could not be erased");
        self.failed.push(Failure { what, error });
    }
}
