//! The use-case *doctor*: compares what a lake says of itself in its registry, ledgers, manifests,
//! Parquet footers and catalog, with each other and with the rules of the engines that read it.
//!
//! Facts are gathered first; what is wrong with them is decided without I/O; a dull executor does
//! what a finding says. Others may be at work meanwhile, so that it looks again before it does, and:
//!
//! - nothing is deleted from a folder that readers are sent to. What must not be seen there is left
//!   behind: the other files are copied to a new folder, and the manifest is swapped;
//! - what was left behind is deleted when readers were sent elsewhere long ago, the rows that the
//!   ledger counts of its slice are all live, and a swap of the manifest has made sure that no export
//!   can take it up again. Without that proof it is kept, and told;
//! - rows that are missing are taken back from files that are exactly what the ledger has;
//! - partitions are set and removed by the catalog's own use-case, which follows the manifest.

mod accounts;
mod check;
mod completion;
mod content;
mod engines;
mod facts;
mod finding;
mod footers;
mod gather;
mod hidden;
mod left;
mod read;
mod recorded_names;
mod recovery;
mod rename;
mod repair;
mod restore;
mod rounds;
mod tables;
mod targets;

pub use engines::Engine;
pub use finding::{Finding, Kind, Remedy, Severity};
pub use rounds::Outcome;

use crate::reconcile::{ReconcileError, Reconciler};
use gather::Scope;
use std::time::{Duration, SystemTime};

/// What an examination works with.
#[derive(Clone, Copy)]
pub struct Doctor<'a> {
    /// The lake and its catalog.
    pub lake: Reconciler<'a>,
    /// Who reads the tables.
    pub engines: &'a [Engine],
    /// Whether whole files are read, to find damage and what is too long for an engine.
    pub deep: bool,
    /// The time.
    pub now: SystemTime,
    /// How long after a day has changed a query may still read what was there before.
    pub grace: Duration,
}

impl Doctor<'_> {
    /// What is wrong, table by table. Changes nothing.
    pub async fn examine(&self) -> Result<Vec<Finding>, ReconcileError> {
        let facts = self.facts(Scope::Lake).await?;
        Ok(check::findings(&facts, self.engines))
    }
}
