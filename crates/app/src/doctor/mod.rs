//! The use-case *doctor*: compares what a lake says of itself in its registry, ledgers, manifests,
//! Parquet footers and catalog, with each other and with the rules of the engines that read it.
//!
//! Facts are gathered first; what is wrong with them is decided without I/O; a dull executor does
//! what a finding says.

mod check;
mod engines;
mod facts;
mod finding;
mod footers;
mod repair;
mod strings;
mod tables;

pub use engines::Engine;
pub use facts::{DayFacts, Facts, FileFacts, TableFacts};
pub use finding::{Finding, Kind, Remedy, Severity};

use crate::reconcile::{ReconcileError, Reconciler};

/// What an examination works with.
pub struct Doctor<'a> {
    /// The lake and its catalog.
    pub lake: Reconciler<'a>,
    /// Who reads the tables.
    pub engines: &'a [Engine],
    /// Whether the text in files is read, to find what is too long for an engine.
    pub deep: bool,
}

impl Doctor<'_> {
    /// What is wrong, table by table. Changes nothing.
    pub async fn examine(&self) -> Result<Vec<Finding>, ReconcileError> {
        let facts = self.facts().await?;
        Ok(check::findings(&facts, self.engines))
    }
}
