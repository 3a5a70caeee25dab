//! Rows that an export would take away from readers: it says so, and some exports must not.

use mixlake_domain::{Date, TableName};
use serde::Serialize;
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
