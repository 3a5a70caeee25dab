#![doc = include_str!("../README.md")]

#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod catalog;
pub mod faults;
pub mod generate;
#[expect(clippy::expect_used, reason = "a test that edits what is not there ends")]
pub mod glue;
pub mod mixpanel;
pub mod profiles;
#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod rows;
pub mod source;
#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod store;

use mixlake_domain::{Date, Target};

/// A day of a table whose name is known to be one.
///
/// # Panics
///
/// If the name is none.
#[must_use]
pub fn day(table: &str, date: Date) -> Target {
    Target::day(table.parse().expect("a table's name"), date)
}
