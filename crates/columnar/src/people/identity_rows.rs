//! Reads what the rows of a data file say about who is who. Only the columns that it needs are read, and one
//! row group is in memory at a time.

use super::data_rows::{PeopleError, TableColumns, milliseconds, row};
use super::identifier::of_number;
use crate::parquet::cells::{cells, leaves};
use crate::parquet::rehash::RowsHashError;
use flate2::read::MultiGzDecoder;
use mixlake_domain::DataFormat;
use mixlake_schema::ColumnType;
use parquet::data_type::{ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, RowGroupReader, SerializedFileReader};
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader};

/// The identity properties of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityRow<'a> {
    /// In milliseconds since 1970.
    pub time: Option<i64>,
    /// `mp_event_name`, if the table has it.
    pub event: Option<String>,
    values: Vec<(&'a str, String)>,
}

impl<'a> IdentityRow<'a> {
    /// A row with these values of properties.
    #[must_use]
    pub fn new(time: Option<i64>, event: Option<String>, values: Vec<(&'a str, String)>) -> Self {
        Self { time, event, values }
    }

    /// The values of a property. A column of each type can have one. A list is one text.
    pub fn values(&self, property: &str) -> impl Iterator<Item = &str> {
        let of = self.values.iter().filter(move |(name, _)| *name == property);
        of.map(|(_, text)| text.as_str())
    }

    fn add(&mut self, property: &'a str, text: String) {
        self.values.push((property, text));
    }

    /// Adds the properties that have no column.
    fn add_overflow(&mut self, properties: &[&'a str], json: &str) {
        if !properties.iter().any(|property| json.contains(*property)) {
            return;
        }
        let fields: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        for (name, value) in fields {
            let Some(property) = properties.iter().find(|property| **property == name) else {
                continue;
            };
            match value {
                Value::String(text) => self.add(property, text),
                Value::Number(_) | Value::Array(_) => self.add(property, value.to_string()),
                Value::Null | Value::Bool(_) | Value::Object(_) => {}
            }
        }
    }
}

/// The property that every event has. By itself it says nothing.
const SUBJECT: &str = "distinct_id";

/// The identity properties that a table may have in its overflow column.
const IN_OVERFLOW: [&str; 7] = [
    "$user_id",
    "$device_id",
    "$distinct_id_before_identity",
    "$identified_id",
    "$anon_id",
    "$distinct_ids",
    "alias",
];

/// Calls `each` with the rows of a data file that have another identity property than `distinct_id`.
pub fn identity_rows<'a, R: ChunkReader + 'static>(
    file: R,
    format: DataFormat,
    columns: &'a TableColumns,
    each: &mut dyn FnMut(&IdentityRow<'a>),
) -> Result<(), PeopleError> {
    match format {
        DataFormat::Parquet => of_parquet(file, columns, each),
        DataFormat::Json => of_json(&file, columns, each),
    }
}

fn of_parquet<'a, R: ChunkReader + 'static>(
    file: R,
    columns: &'a TableColumns,
    each: &mut dyn FnMut(&IdentityRow<'a>),
) -> Result<(), PeopleError> {
    let reader = SerializedFileReader::new(file)?;
    let leaves = leaves(reader.metadata())?;
    let telling = |name: &String| {
        columns.overflow.as_ref() == Some(name)
            || columns.identity.get(name).is_some_and(|property| property != SUBJECT)
    };
    if !leaves.iter().any(|(name, _)| telling(name)) {
        return Ok(());
    }
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number)?;
        let mut rows = telling_rows(group.as_ref(), &leaves, columns)?;
        add_context(group.as_ref(), &leaves, columns, &mut rows)?;
        rows.iter().filter(|row| !row.values.is_empty()).for_each(&mut *each);
    }
    Ok(())
}

/// The rows of a row group with all identity properties but `distinct_id`.
fn telling_rows<'a>(
    group: &dyn RowGroupReader,
    leaves: &[(String, ColumnType)],
    columns: &'a TableColumns,
) -> Result<Vec<IdentityRow<'a>>, RowsHashError> {
    let count = usize::try_from(group.metadata().num_rows()).map_err(ParquetError::from)?;
    let mut rows = vec![IdentityRow::default(); count];
    for (at, (name, column_type)) in leaves.iter().enumerate() {
        let property = columns.identity.get(name).filter(|property| *property != SUBJECT);
        match (property, column_type) {
            (Some(property), ColumnType::String) => {
                for (row, text) in cells::<ByteArrayType>(group, at)?.each() {
                    rows[row].add(property, String::from_utf8_lossy(text.data()).into_owned());
                }
            }
            (Some(property), ColumnType::Number) => {
                for (row, number) in cells::<DoubleType>(group, at)?.each() {
                    rows[row].add(property, of_number(*number));
                }
            }
            (None, ColumnType::String) if columns.overflow.as_ref() == Some(name) => {
                for (row, json) in cells::<ByteArrayType>(group, at)?.each() {
                    rows[row].add_overflow(&IN_OVERFLOW, &String::from_utf8_lossy(json.data()));
                }
            }
            (None, ColumnType::String | ColumnType::Number)
            | (_, ColumnType::Boolean | ColumnType::Timestamp | ColumnType::Bigint) => {}
        }
    }
    Ok(rows)
}

/// Adds event, time and `distinct_id` to the rows that have other values.
fn add_context<'a>(
    group: &dyn RowGroupReader,
    leaves: &[(String, ColumnType)],
    columns: &'a TableColumns,
    rows: &mut [IdentityRow<'a>],
) -> Result<(), RowsHashError> {
    let tells: Vec<bool> = rows.iter().map(|row| !row.values.is_empty()).collect();
    if !tells.contains(&true) {
        return Ok(());
    }
    for (at, (name, column_type)) in leaves.iter().enumerate() {
        let is_subject = columns.identity.get(name).is_some_and(|property| property == SUBJECT);
        match (name.as_str(), column_type) {
            ("mp_event_name", ColumnType::String) => {
                for (row, text) in cells::<ByteArrayType>(group, at)?.each() {
                    if tells[row] {
                        rows[row].event = Some(String::from_utf8_lossy(text.data()).into_owned());
                    }
                }
            }
            ("time", ColumnType::Timestamp | ColumnType::Bigint) => {
                for (row, time) in cells::<Int64Type>(group, at)?.each() {
                    rows[row].time = Some(*time);
                }
            }
            (_, ColumnType::String) if is_subject => {
                for (row, text) in cells::<ByteArrayType>(group, at)?.each() {
                    if tells[row] {
                        let text = String::from_utf8_lossy(text.data()).into_owned();
                        rows[row].add(SUBJECT, text);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn of_json<'a>(
    file: &impl ChunkReader,
    columns: &'a TableColumns,
    each: &mut dyn FnMut(&IdentityRow<'a>),
) -> Result<(), PeopleError> {
    let mut lines = BufReader::new(MultiGzDecoder::new(file.get_read(0)?));
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let fields = row(number, &line)?;
        number += 1;
        let mut row = IdentityRow::default();
        for (column, property) in &columns.identity {
            match fields.get(column) {
                Some(Value::String(text)) => row.add(property, text.clone()),
                Some(Value::Number(number)) => {
                    number.as_f64().into_iter().for_each(|it| row.add(property, of_number(it)));
                }
                Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {}
            }
        }
        let overflow = columns.overflow.as_ref().and_then(|column| fields.get(column));
        if let Some(Value::String(json)) = overflow {
            row.add_overflow(&IN_OVERFLOW, json);
        }
        if row.values.iter().any(|(property, _)| *property != SUBJECT) {
            row.time = fields.get("time").and_then(milliseconds);
            row.event = fields.get("mp_event_name").and_then(Value::as_str).map(str::to_owned);
            each(&row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::identifier::is_identity;
    use super::*;

    #[test]
    fn properties_without_a_column_are_read_from_the_overflow_column() {
        let mut row = IdentityRow::default();
        row.add_overflow(
            &IN_OVERFLOW,
            r#"{"$device_id":"d","$user_id":12,"$distinct_ids":["a","b"],"alias":null,"x":"$anon_id"}"#,
        );
        let all = |property| row.values(property).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(all("$device_id"), ["d"]);
        assert_eq!(all("$user_id"), ["12"]);
        assert_eq!(all("$distinct_ids"), [r#"["a","b"]"#]);
        assert_eq!([all("alias"), all("x")], [[""; 0]; 2]);
    }

    #[test]
    fn every_property_in_the_overflow_column_is_one_of_identity() {
        assert!(IN_OVERFLOW.iter().all(|property| is_identity(property)));
    }
}
