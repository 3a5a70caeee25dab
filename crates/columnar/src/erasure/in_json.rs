//! Finds and removes rows of a file of gzip JSON lines.

use super::data_file::{FileWithout, FoundRow, FoundRows};
use super::person::Person;
use crate::people::data_rows::{PeopleError, TableColumns, milliseconds, row};
use crate::people::identifier::is_identity;
use crate::rows::rows_hash::{ColumnHash, RowSums, RowsHash};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use mixlake_schema::ColumnType;
use serde_json::{Map, Value};
use std::io::{Read, Write};

/// Whether a JSON object has an identity property that names the person.
pub(super) fn names_in_object(json: &str, person: &Person) -> bool {
    if !person.is_mentioned_in(json.as_bytes()) {
        return false;
    }
    let fields: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
    fields.iter().any(|(name, value)| is_identity(name) && names(value, person))
}

fn names(value: &Value, person: &Person) -> bool {
    match value {
        Value::String(text) => person.is_named_in(text),
        Value::Number(number) => {
            person.has(&number.to_string())
                || number.as_f64().is_some_and(|number| person.is_number(number))
        }
        Value::Array(_) => person.is_named_in(&value.to_string()),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    }
}

fn text_of(file: &Bytes) -> Result<Vec<u8>, PeopleError> {
    let mut text = Vec::new();
    MultiGzDecoder::new(&file[..]).read_to_end(&mut text)?;
    Ok(text)
}

/// The lines with their numbers, from 0.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    text.split_inclusive(|byte| *byte == b'\n').enumerate()
}

pub(super) fn find(
    file: &Bytes,
    columns: &TableColumns,
    person: &Person,
) -> Result<FoundRows, PeopleError> {
    let text = text_of(file)?;
    let mut found = FoundRows::default();
    for (number, line) in lines(&text) {
        // A number may be written in another way than the identifier.
        let row = row(number, line)?;
        let is_of = row.iter().any(|(name, value)| {
            columns.identity.contains_key(name) && names(value, person)
                || columns.overflow.as_ref() == Some(name)
                    && value.as_str().is_some_and(|json| names_in_object(json, person))
        });
        if is_of {
            found.rows.push(number);
            found.keys.push(key(&row));
            continue;
        }
        for (name, value) in &row {
            if value.as_str().is_some_and(|text| person.is_mentioned_in(text.as_bytes())) {
                *found.mentions.entry(name.clone()).or_default() += 1;
            }
        }
    }
    Ok(found)
}

fn key(row: &Map<String, Value>) -> FoundRow {
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    FoundRow {
        event: text("mp_event_name"),
        time: row.get("time").and_then(milliseconds),
        distinct_id: text("distinct_id"),
        insert_id: text("mp_insert_id"),
    }
}

pub(super) fn without(
    file: &Bytes,
    columns: &TableColumns,
    rows: &[usize],
) -> Result<FileWithout, PeopleError> {
    let text = text_of(file)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let (mut before, mut after, mut left) = (RowsHash::default(), RowsHash::default(), 0);
    for (number, line) in lines(&text) {
        let hash = hash(number, line, columns)?;
        before += hash;
        if rows.binary_search(&number).is_err() {
            after += hash;
            left += 1;
            gzip.write_all(line)?;
        }
    }
    let bytes = gzip.finish()?.into();
    Ok(FileWithout { bytes, rows: left, rows_hash: after, hash_before: before })
}

/// The hash of a row.
fn hash(number: usize, line: &[u8], columns: &TableColumns) -> Result<RowsHash, PeopleError> {
    let wrong = |name: &str| PeopleError::Row(number + 1, format!("the value of {name}"));
    let mut sums = RowSums::new(1);
    for (name, value) in row(number, line)? {
        let column_type = *columns.types.get(&name).ok_or_else(|| wrong(&name))?;
        let hash = ColumnHash::new(&name, column_type);
        let cell = match column_type {
            ColumnType::String => value.as_str().map(|text| hash.text(text.as_bytes())),
            ColumnType::Number => value.as_f64().map(|number| hash.fixed(number.to_bits())),
            ColumnType::Boolean => value.as_bool().map(|boolean| hash.boolean(boolean)),
            ColumnType::Timestamp | ColumnType::Bigint => {
                milliseconds(&value).map(|long| hash.fixed(long.cast_unsigned()))
            }
        };
        let cell = cell.ok_or_else(|| wrong(&name))?;
        sums.add_to(0, || cell);
    }
    Ok(sums.hash())
}
