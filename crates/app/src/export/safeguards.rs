//! The rows that an export would remove, and the limits for that.

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
    /// The live rows of the slice before.
    pub before: u64,
    /// The live rows of the slice after.
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

/// What an export may do to live rows, and what its lines must prove.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safeguards {
    /// What happens if a response is empty and the slice has live rows.
    pub empty: OnEmpty,
    /// Whether a day may have fewer rows afterwards. Mixpanel is the source of truth, but a file may be
    /// the wrong one.
    pub fewer_rows: bool,
    /// The allowed share of bad lines, from 0 to 1.
    pub quarantine_share: f64,
}

/// What happens if a response is empty and the slice has live rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEmpty {
    /// The slice is fetched again. If it is empty again, it is published as empty.
    AskAgain,
    /// The slice fails.
    Refuse,
    /// The slice is published as empty.
    Allow,
}

impl Default for Safeguards {
    fn default() -> Self {
        Self { empty: OnEmpty::AskAgain, fewer_rows: true, quarantine_share: 0.5 }
    }
}
