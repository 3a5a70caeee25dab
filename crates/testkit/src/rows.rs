//! Reads a Parquet file as plain rows, so that a test can say which cells it expects.

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value, json};

/// A row: its cells by column, without the nulls.
pub type Row = Map<String, Value>;

/// All rows of a file. Timestamps are milliseconds.
#[must_use]
pub fn of(file: &Bytes) -> Vec<Row> {
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| cells(&row.unwrap())).collect()
}

/// The names of the columns of a file, in order.
#[must_use]
pub fn columns(file: &Bytes) -> Vec<String> {
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    schema.columns().iter().map(|column| column.name().to_owned()).collect()
}

fn cells(row: &parquet::record::Row) -> Row {
    let filled = row.get_column_iter().filter(|(_, field)| !matches!(field, Field::Null));
    filled.map(|(name, field)| (name.clone(), value(field))).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a lake has none of the many other kinds")]
fn value(field: &Field) -> Value {
    match field {
        Field::Str(text) => json!(text),
        Field::Double(number) => json!(number),
        Field::Bool(boolean) => json!(boolean),
        Field::Long(number) | Field::TimestampMillis(number) => json!(number),
        other => panic!("no column of the lake has this type: {other:?}"),
    }
}
