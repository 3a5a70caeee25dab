#![doc = include_str!("../README.md")]

#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod catalog;
pub mod faults;
pub mod generate;
pub mod mixpanel;
#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod rows;
pub mod source;
#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod store;
