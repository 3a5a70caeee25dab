//! The use case *doctor*: compares the registry, ledgers, manifests, Parquet footers and catalog of a
//! lake with each other and with the limits of the engines that read it.
//!
//! It gathers facts, decides without I/O what is wrong, and applies the remedy of each finding. Others
//! may work at the same time, so it reads again before it changes anything. In addition:
//!
//! - Nothing is deleted from a live folder. If readers must not see an object there, the other files are
//!   copied to a new folder, and the manifest is changed.
//! - A file in a replaced folder is deleted only if readers have used the new folder for long enough,
//!   all rows that the ledger counts for its slice are live, and a conditional write of the manifest has
//!   ensured that no export can use the folder again. Without this proof it is kept and reported.
//! - Missing rows are recovered from files that are exactly what the ledger counts.
//! - Partitions are set and removed by the use case *reconcile*, which follows the manifest.

mod accounts;
mod at_once;
mod check;
mod collect;
mod completion;
mod content;
mod encryption;
mod engines;
mod facts;
mod finding;
mod footers;
mod gather;
mod hidden;
#[cfg(test)]
mod messages;
mod read;
mod recorded_names;
mod recovery;
mod rename;
mod repair;
mod replaced_files;
mod restore;
mod rounds;
mod tables;
mod targets;

pub use at_once::DeletedAtOnce;
pub use collect::{Collection, Deleted, NotDeleted};
pub use engines::Engine;
pub use finding::{Finding, Kind, Remedy, Severity};
pub use rounds::Outcome;

use crate::reconcile::{ReconcileError, Reconciler};
use gather::Scope;
use std::time::{Duration, SystemTime};

/// The parameters of the doctor.
#[derive(Clone, Copy)]
pub struct Doctor<'a> {
    /// The lake and its catalog.
    pub lake: Reconciler<'a>,
    /// The engines that read the tables.
    pub engines: &'a [Engine],
    /// Whether whole files are read, to find damage and text that is too long for an engine.
    pub deep: bool,
    /// The current time.
    pub now: SystemTime,
    /// The time after a change of a day in which queries may still read the replaced files.
    pub grace: Duration,
}

impl Doctor<'_> {
    /// Returns all problems, table by table. Changes nothing.
    pub async fn examine(&self) -> Result<Vec<Finding>, ReconcileError> {
        let facts = self.facts(Scope::Lake).await?;
        Ok(check::findings(&facts, self.engines))
    }
}
