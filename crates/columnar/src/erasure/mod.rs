//! Finds a person in data files, bad lines and other objects, and makes files without the person's rows.

pub(crate) mod any_object;
pub(crate) mod data_file;
pub(crate) mod in_json;
pub(crate) mod in_parquet;
pub(crate) mod person;
pub(crate) mod quarantined;
