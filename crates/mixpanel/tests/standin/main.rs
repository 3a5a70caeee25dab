//! The adapter against the stand-in of the API.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod bad_lines;
mod complete;
mod costs;
mod cursor;
mod cuts;
mod published;
mod storms;
mod support;
