//! From bytes to events and profiles: cuts the stream into lines, reads each line, and keeps the lines that are
//! neither for the quarantine file.
//!
//! An event keeps positions in its line instead of copies of its values.

pub(crate) mod bad_line;
pub(crate) mod event;
pub(crate) mod keys;
pub(crate) mod lines;
pub(crate) mod mend;
pub(crate) mod parse;
pub(crate) mod peek;
pub(crate) mod profile;
pub(crate) mod quarantine;
pub(crate) mod scan;
pub(crate) mod value;
pub(crate) mod vocabulary;
