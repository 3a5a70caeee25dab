//! Changes what readers see of a target, in one way for all use-cases.
//!
//! `plan` decides, without I/O, what a change does to a manifest. `Commit` does it: it writes the files,
//! then swaps the manifest, and plans again when somebody else was faster. Nothing is overwritten, and
//! readers see the target before or after the change.

mod execute;
mod plan;

pub(crate) use execute::{Body, Commit, CommitError, Guard, NewFile, Seen, put_once};
pub use plan::Outcome;
pub(crate) use plan::{Change, Plan, Removal, plan};
