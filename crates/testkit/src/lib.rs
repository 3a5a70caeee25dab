#![doc = include_str!("../README.md")]

#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod catalog;
pub mod faults;
pub mod generate;
#[expect(clippy::expect_used, reason = "a test that edits what is not there ends")]
pub mod glue;
pub mod mixpanel;
#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod rows;
pub mod source;
#[expect(clippy::unwrap_used, reason = "a check that cannot go on ends its test")]
pub mod store;
