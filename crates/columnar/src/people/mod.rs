//! Which values of an event identify a person, what rows say about who is who, and the people whose events are
//! not written.

pub(crate) mod bad_lines;
pub(crate) mod data_rows;
pub(crate) mod identifier;
pub(crate) mod identity_rows;
pub(crate) mod suppression;
