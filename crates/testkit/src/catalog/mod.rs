//! Catalogs for tests: a strict fake, and the behaviour that every backend must have.

mod conformance;
mod memory;
mod partitions;
mod races;
mod state;
mod tables;
mod views;

pub use conformance::conformance;
pub use memory::{MemoryCatalog, Operation};
pub use races::conformance_under_races;
