//! The people whose events are not written: which values of an event identify a person, and the words of
//! bad lines that may.

pub(crate) mod bad_lines;
pub(crate) mod identifier;
pub(crate) mod suppression;
