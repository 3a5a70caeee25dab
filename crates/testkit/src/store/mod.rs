//! Object stores for tests: a fake, and the behaviour that every backend must have.

mod bodies;
mod conditions;
mod conformance;
mod listings;
mod memory;
mod races;
mod reads;
mod tables;

pub use conformance::{conformance, conformance_of_conditional_writes};
pub use listings::a_listing_of_many_pages_is_whole;
pub use memory::{MemoryStore, Operation};
pub use races::conformance_under_races;
pub use reads::a_tail_is_never_longer_than_its_object;
pub use tables::as_of_another_table;
