//! From rows to files: collects the rows of each day of each table, encodes them when memory is full, and
//! cuts files of bounded size, as Parquet or as JSON lines.

pub(crate) mod context;
pub(crate) mod data_file;
pub(crate) mod days;
pub(crate) mod encode;
pub(crate) mod groups;
pub(crate) mod json;
pub(crate) mod largest;
pub(crate) mod records;
