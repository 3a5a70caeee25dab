//! Changes the live files of a target, in the same way for all use cases.
//!
//! `plan` decides, without I/O, how a change affects a manifest. `Commit` writes the files and then the
//! manifest with a conditional write. If another run was faster, it plans again. Nothing is overwritten.
//! Readers see the target before or after the change.

mod execute;
mod plan;

pub(crate) use execute::{Body, Commit, CommitError, Guard, NewFile, Seen, put_once};
pub use plan::Outcome;
pub(crate) use plan::{Change, Plan, Removal, plan, rows_of};
