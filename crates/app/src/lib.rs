#![doc = include_str!("../README.md")]

pub mod backfill;
pub mod budget;
mod commit;
pub mod compact;
mod coverage;
pub mod describe;
pub mod doctor;
mod document;
pub mod erase;
pub mod export;
mod fetch;
mod hash;
pub mod identities;
mod ledger;
mod manifest;
#[cfg(test)]
mod messages;
mod people;
pub mod ports;
pub mod profiles;
pub mod reconcile;
mod registry;
pub mod runs;
pub mod status;
pub mod sync;
pub mod views;

pub use commit::Outcome;
pub use document::DocumentError;
pub use ledger::SliceCounts;
pub use manifest::{LiveFile, Manifest};
pub use registry::UnusableRegistry;

/// The target of log lines about failures that a report contains too.
pub const TOLD: &str = "mixlake_app::told";

/// An error and all its causes in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The first error of a type: the error itself, or one of its causes.
#[must_use]
pub fn cause_of<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|cause| cause.downcast_ref())
}
