//! Finds and removes rows of a Parquet file. One column of one row group is in memory at a time, beside the
//! file itself.

use super::data_file::{FileWithout, FoundRow, FoundRows};
use super::in_json::names_in_object;
use super::person::Person;
use crate::files::data_file::pair;
use crate::parquet::cells::{cells, leaves};
use crate::parquet::column_order;
use crate::parquet::rehash::RowsHashError;
use crate::people::data_rows::{PeopleError, TableColumns};
use crate::rows::rows_hash::{ColumnHash, RowSums, RowsHash};
use bytes::Bytes;
use mixlake_schema::ColumnType;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData, RowGroupMetaData};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;
use std::sync::Arc;

pub(super) fn find(
    file: &Bytes,
    columns: &TableColumns,
    person: &Person,
) -> Result<FoundRows, PeopleError> {
    let reader = SerializedFileReader::new(file.clone())?;
    let leaves = leaves(reader.metadata())?;
    let mut found = FoundRows::default();
    let mut first = 0;
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number)?;
        let rows = usize::try_from(group.metadata().num_rows()).map_err(ParquetError::from)?;
        let is_of = of_person(group.as_ref(), &leaves, columns, person, rows)?;
        mentions(group.as_ref(), &leaves, &is_of, person, &mut found)?;
        let of_group: Vec<usize> = (0..rows).filter(|&row| is_of[row]).collect();
        found.keys.extend(keys(group.as_ref(), &leaves, &of_group)?);
        found.rows.extend(of_group.iter().map(|row| first + row));
        first += rows;
    }
    Ok(found)
}

/// For each row whether it is of the person.
fn of_person(
    group: &dyn RowGroupReader,
    leaves: &[(String, ColumnType)],
    columns: &TableColumns,
    person: &Person,
    rows: usize,
) -> Result<Vec<bool>, RowsHashError> {
    let mut is_of = vec![false; rows];
    for (at, (name, column_type)) in leaves.iter().enumerate() {
        let is_overflow = columns.overflow.as_ref() == Some(name);
        if !is_overflow && !columns.identity.contains_key(name) {
            continue;
        }
        match column_type {
            ColumnType::String => {
                for (row, text) in cells::<ByteArrayType>(group, at)?.each() {
                    let text = String::from_utf8_lossy(text.data());
                    is_of[row] |= if is_overflow {
                        names_in_object(&text, person)
                    } else {
                        person.is_named_in(&text)
                    };
                }
            }
            ColumnType::Number => {
                for (row, number) in cells::<DoubleType>(group, at)?.each() {
                    is_of[row] |= person.is_number(*number);
                }
            }
            ColumnType::Boolean | ColumnType::Timestamp | ColumnType::Bigint => {}
        }
    }
    Ok(is_of)
}

/// Counts the cells of other rows that contain an identifier.
fn mentions(
    group: &dyn RowGroupReader,
    leaves: &[(String, ColumnType)],
    is_of: &[bool],
    person: &Person,
    found: &mut FoundRows,
) -> Result<(), RowsHashError> {
    for (at, (name, column_type)) in leaves.iter().enumerate() {
        if *column_type != ColumnType::String {
            continue;
        }
        let cells = cells::<ByteArrayType>(group, at)?;
        let others = cells.each().filter(|(row, _)| !is_of[*row]);
        let count = others.filter(|(_, text)| person.is_mentioned_in(text.data())).count();
        if count > 0 {
            *found.mentions.entry(name.clone()).or_default() += count as u64;
        }
    }
    Ok(())
}

/// What identifies rows to other slices.
fn keys(
    group: &dyn RowGroupReader,
    leaves: &[(String, ColumnType)],
    rows: &[usize],
) -> Result<Vec<FoundRow>, RowsHashError> {
    let mut keys = vec![FoundRow::default(); rows.len()];
    if rows.is_empty() {
        return Ok(keys);
    }
    for (at, (name, column_type)) in leaves.iter().enumerate() {
        match (name.as_str(), column_type) {
            ("mp_event_name" | "distinct_id" | "mp_insert_id", ColumnType::String) => {
                for (row, text) in cells::<ByteArrayType>(group, at)?.each() {
                    let Ok(key) = rows.binary_search(&row) else { continue };
                    let text = Some(String::from_utf8_lossy(text.data()).into_owned());
                    match name.as_str() {
                        "mp_event_name" => keys[key].event = text,
                        "distinct_id" => keys[key].distinct_id = text,
                        _ => keys[key].insert_id = text,
                    }
                }
            }
            ("time", ColumnType::Timestamp | ColumnType::Bigint) => {
                for (row, time) in cells::<Int64Type>(group, at)?.each() {
                    if let Ok(key) = rows.binary_search(&row) {
                        keys[key].time = Some(*time);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(keys)
}

pub(super) fn without(
    file: &Bytes,
    rows: &[usize],
    identities: Option<&str>,
) -> Result<FileWithout, PeopleError> {
    let reader = SerializedFileReader::new(file.clone())?;
    let metadata = reader.metadata();
    let leaves = leaves(metadata)?;
    let root = metadata.file_metadata().schema_descr().root_schema_ptr();
    let bytes = Vec::with_capacity(file.len());
    let mut writer = SerializedFileWriter::new(bytes, root, properties(metadata))?;
    let (mut first, mut left) = (0, 0);
    let (mut before, mut after) = (RowsHash::default(), RowsHash::default());
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number)?;
        let count = usize::try_from(group.metadata().num_rows()).map_err(ParquetError::from)?;
        let stays: Vec<bool> =
            (first..first + count).map(|row| rows.binary_search(&row).is_err()).collect();
        let mut sums = RowSums::new(count);
        let staying = stays.iter().filter(|stays| **stays).count();
        let mut to = if staying > 0 { Some(writer.next_row_group()?) } else { None };
        for (at, (name, column_type)) in leaves.iter().enumerate() {
            let hash = ColumnHash::new(name, *column_type);
            let mut copy = Copy { group: group.as_ref(), at, stays: &stays, to: to.as_mut() };
            match column_type {
                ColumnType::String => copy
                    .column::<ByteArrayType>(&mut sums, |text: &ByteArray| hash.text(text.data())),
                ColumnType::Number => {
                    copy.column::<DoubleType>(&mut sums, |number| hash.fixed(number.to_bits()))
                }
                ColumnType::Boolean => {
                    copy.column::<BoolType>(&mut sums, |&boolean| hash.boolean(boolean))
                }
                ColumnType::Timestamp | ColumnType::Bigint => {
                    copy.column::<Int64Type>(&mut sums, |long| hash.fixed(long.cast_unsigned()))
                }
            }?;
        }
        if let Some(to) = to {
            to.close()?;
        }
        before += sums.hash();
        after += sums.hash_of(&stays);
        left += staying as u64;
        first += count;
    }
    for note in notes(metadata, left, after, identities) {
        writer.append_key_value_metadata(note);
    }
    let mut bytes = writer.into_inner()?;
    column_order::of_types(&mut bytes, leaves.len())?;
    bytes.shrink_to_fit();
    Ok(FileWithout { bytes: bytes.into(), rows: left, rows_hash: after, hash_before: before })
}

/// Copies the cells of rows that stay.
struct Copy<'a, 'b> {
    group: &'a dyn RowGroupReader,
    at: usize,
    stays: &'a [bool],
    to: Option<&'a mut SerializedRowGroupWriter<'b, Vec<u8>>>,
}

impl Copy<'_, '_> {
    /// Copies a column, and adds all of its cells to the sums of their rows.
    fn column<T: DataType>(
        &mut self,
        sums: &mut RowSums,
        cell: impl Fn(&T::T) -> u64,
    ) -> Result<(), RowsHashError> {
        let cells = cells::<T>(self.group, self.at)?;
        for (row, value) in cells.each() {
            if let Some(sum) = sums.row(row) {
                *sum = sum.wrapping_add(cell(value));
            }
        }
        let Some(to) = &mut self.to else { return Ok(()) };
        let filled = cells.each().filter(|(row, _)| self.stays[*row]);
        let values: Vec<T::T> = filled.map(|(_, value)| value.clone()).collect();
        let levels = cells.levels.iter().zip(self.stays).filter(|(_, stays)| **stays);
        let levels: Vec<i16> = levels.map(|(level, _)| *level).collect();
        let ended =
            || ParquetError::General("the row group has fewer columns than its file".into());
        let mut column = to.next_column()?.ok_or_else(ended)?;
        column.typed::<T>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
        Ok(())
    }
}

/// As the file was written: its compression, order of rows and bloom filters.
fn properties(metadata: &ParquetMetaData) -> WriterPropertiesPtr {
    let first = metadata.row_groups().first();
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("mixlake version {}", env!("CARGO_PKG_VERSION")))
        .set_sorting_columns(first.and_then(|group| group.sorting_columns().cloned()));
    for chunk in first.into_iter().flat_map(RowGroupMetaData::columns) {
        let path: ColumnPath = chunk.column_path().clone();
        properties = properties.set_column_compression(path.clone(), chunk.compression());
        if chunk.bloom_filter_offset().is_some() {
            properties = properties.set_column_bloom_filter_enabled(path, true);
        }
    }
    Arc::new(properties.build())
}

/// The notes of the file, with those about its rows made new.
fn notes(
    metadata: &ParquetMetaData,
    rows: u64,
    rows_hash: RowsHash,
    identities: Option<&str>,
) -> Vec<KeyValue> {
    let new = [
        Some(pair("rows", rows.to_string())),
        Some(pair("rows_hash", rows_hash.to_string())),
        identities.map(|hash| pair("identities", hash.to_owned())),
    ];
    let is_new =
        |key: &str| matches!(key, "mixlake.rows" | "mixlake.rows_hash" | "mixlake.identities");
    let old = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let old = old.filter(|note| !is_new(&note.key)).cloned();
    old.chain(new.into_iter().flatten()).collect()
}
