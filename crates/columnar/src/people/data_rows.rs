//! What it takes to find people in the rows of a data file.

use crate::parquet::rehash::RowsHashError;
use mixlake_domain::Timestamp;
use mixlake_schema::ColumnType;
use parquet::errors::ParquetError;
use serde_json::{Map, Value};
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

/// Why the rows of a file cannot be read for people, or a person's rows cannot be removed from it.
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

/// A line of a file of JSON lines.
pub(crate) fn row(number: usize, line: &[u8]) -> Result<Map<String, Value>, PeopleError> {
    serde_json::from_slice(line).map_err(|error| PeopleError::Row(number + 1, error.to_string()))
}

/// The time of a row, as text or as a number.
pub(crate) fn milliseconds(time: &Value) -> Option<i64> {
    let Some(text) = time.as_str() else { return time.as_i64() };
    // In UTC, without saying so.
    let time: Timestamp = format!("{text}Z").parse().ok()?;
    Some(time.as_millisecond())
}
