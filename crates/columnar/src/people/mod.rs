//! The people whose rows a lake must not have: how they are recognized in events, bad lines and files, and
//! how their rows are removed from files.

pub(crate) mod any_object;
pub(crate) mod bad_lines;
pub(crate) mod data_file;
pub(crate) mod identifier;
pub(crate) mod in_json;
pub(crate) mod in_parquet;
pub(crate) mod person;
pub(crate) mod quarantined;
pub(crate) mod suppression;
