//! The report of a run. Its form is stable, for people and programs.

use crate::commit::Outcome;
use serde::Serialize;
use serde_json::{Value, json};

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentitiesReport {
    /// Days of tables of events that have live files.
    pub days: u64,
    /// Those whose rows had changed, and were read.
    pub days_read: u64,
    /// Those whose rows had changed, and that the next run reads.
    pub days_left: u64,
    /// The facts of all days; none if they were not put together.
    pub facts: Option<u64>,
    /// The rows of the table; none if they were not put together.
    pub identities: Option<u64>,
    /// What became of the table; none if it was not tried.
    pub outcome: Option<Outcome>,
    /// The days that could not be read.
    pub failed: Vec<FailedDay>,
}

/// A day that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedDay {
    /// The table and the day.
    pub day: String,
    /// Why.
    pub error: String,
}

impl IdentitiesReport {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failed.is_empty()
    }

    /// `replaced`, `unchanged`, `incomplete` or `failed`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match &self.outcome {
            None if self.is_whole() => "incomplete",
            None => "failed",
            Some(Outcome::Unchanged) => "unchanged",
            Some(Outcome::Appended | Outcome::Replaced { .. } | Outcome::Superseded) => "replaced",
        }
    }

    /// The report as programs get it (docs/REPORT.md).
    #[must_use]
    pub fn document(&self) -> Value {
        let changed = self.outcome.as_ref().filter(|outcome| **outcome != Outcome::Unchanged);
        json!({
            "status": self.status(),
            "days": self.days,
            "days_read": self.days_read,
            "days_left": self.days_left,
            "facts": self.facts,
            "identities": self.identities,
            "change": changed,
            "failed": self.failed,
        })
    }
}
