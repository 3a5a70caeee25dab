//! The adapters against the stand-in of the APIs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod bad_lines;
mod budget;
mod complete;
mod costs;
mod cursor;
mod cuts;
mod profile_answers;
mod profile_cuts;
mod profile_storms;
mod profiles;
mod published;
mod storms;
mod support;
