//! Finds the rows of a person in a data file, and makes the file without them.

use super::person::Person;
use super::{in_json, in_parquet};
use crate::people::data_rows::{PeopleError, TableColumns};
use crate::rows::rows_hash::RowsHash;
use bytes::Bytes;
use mixlake_domain::DataFormat;
use std::collections::BTreeMap;

/// What a file has of a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundRows {
    /// The positions of the person's rows, ascending.
    pub rows: Vec<usize>,
    /// What identifies these rows to other slices, in the same order.
    pub keys: Vec<FoundRow>,
    /// How many cells of other rows contain an identifier of the person, by column.
    pub mentions: BTreeMap<String, u64>,
}

/// A row of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundRow {
    /// `mp_event_name`, if the table has it.
    pub event: Option<String>,
    /// In milliseconds since 1970.
    pub time: Option<i64>,
    /// `distinct_id`.
    pub distinct_id: Option<String>,
    /// `$insert_id`, if it is text.
    pub insert_id: Option<String>,
}

/// A file without the rows of a person.
#[derive(Debug, Clone)]
pub struct FileWithout {
    /// The file.
    pub bytes: Bytes,
    /// The number of its rows.
    pub rows: u64,
    /// The hash of its rows.
    pub rows_hash: RowsHash,
    /// The hash of all rows of the file before. It proves that the file was read rightly.
    pub hash_before: RowsHash,
}

/// Finds the rows of a person in a data file. Reads all of its text.
pub fn find_rows(
    file: &Bytes,
    format: DataFormat,
    columns: &TableColumns,
    person: &Person,
) -> Result<FoundRows, PeopleError> {
    match format {
        DataFormat::Parquet => in_parquet::find(file, columns, person),
        DataFormat::Json => in_json::find(file, columns, person),
    }
}

/// The file without the rows at these ascending positions; `None` if no row is left. It has the same
/// columns, compression and notes. `identities` is the hash of the identities of the rows that stay.
pub fn without_rows(
    file: &Bytes,
    format: DataFormat,
    columns: &TableColumns,
    rows: &[usize],
    identities: Option<&str>,
) -> Result<(Option<FileWithout>, RowsHash), PeopleError> {
    let done = match format {
        DataFormat::Parquet => in_parquet::without(file, rows, identities)?,
        DataFormat::Json => in_json::without(file, columns, rows)?,
    };
    let before = done.hash_before;
    Ok(((done.rows > 0).then_some(done), before))
}
