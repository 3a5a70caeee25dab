//! Finds the rows of a person in a data file, and makes the file without them.

use super::person::Person;
use super::{in_json, in_parquet};
use crate::parquet::rehash::RowsHashError;
use crate::rows::rows_hash::RowsHash;
use bytes::Bytes;
use mixlake_domain::DataFormat;
use mixlake_schema::ColumnType;
use parquet::errors::ParquetError;
use std::collections::BTreeMap;
use std::io;

/// The columns of a table, as the registry has them.
#[derive(Debug, Clone, Default)]
pub struct TableColumns {
    /// The properties of the columns whose values identify a person, by column.
    pub identity: BTreeMap<String, String>,
    /// The column with the JSON object of the properties that have no column.
    pub overflow: Option<String>,
    /// The types of the columns. A file of JSON lines does not have them.
    pub types: BTreeMap<String, ColumnType>,
}

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

/// Why the rows of a person cannot be removed from a file.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// It is not a Parquet file of Mixlake.
    #[error(transparent)]
    Parquet(#[from] RowsHashError),
    /// It is not gzip JSON lines.
    #[error("cannot read the file as gzip JSON lines")]
    Lines(#[from] io::Error),
    /// A line is not a row of the table.
    #[error("line {0} is not a row of the table: {1}")]
    Row(usize, String),
}

impl From<ParquetError> for PeopleError {
    fn from(error: ParquetError) -> Self {
        RowsHashError::from(error).into()
    }
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
