//! Reads whole files: checks that the bytes are the ones that were written, that every page can be
//! decoded, and that no text is longer than an engine accepts.

use super::facts::Content;
use crate::hash;
use crate::manifest::LiveFile;
use bytes::Bytes;
use mixlake_columnar::rows_hash_of;
use mixlake_domain::DataFormat;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use std::collections::BTreeMap;

/// The number of values that are decoded at a time.
const BATCH: usize = 1_024;

/// The problems of a file. A file with another size than in the manifest is reported anyway.
pub(super) fn examine(body: &Bytes, file: &LiveFile, limit: Option<usize>) -> Content {
    let same_size = body.len() as u64 == file.bytes;
    let damage = (same_size && hash::content(body) != file.hash)
        .then(|| "its bytes are not those that Mixlake wrote".to_owned());
    if DataFormat::of_file(&file.name) == Some(DataFormat::Json) {
        return Content { damage, long_text: Vec::new() };
    }
    match longest(body.clone()) {
        Ok(texts) => {
            let damage = damage.or_else(|| other_rows(body, file));
            let is_long = |(_, length): &(String, usize)| limit.is_some_and(|most| *length > most);
            Content { damage, long_text: texts.into_iter().filter(is_long).collect() }
        }
        Err(error) => {
            let undecoded = format!("one of its pages cannot be decoded: {error}");
            let damage = damage.or_else(|| same_size.then_some(undecoded));
            Content { damage, long_text: Vec::new() }
        }
    }
}

/// Whether a file has other rows than its manifest lists.
fn other_rows(body: &Bytes, file: &LiveFile) -> Option<String> {
    let wanted = file.rows_hash?;
    match rows_hash_of(body.clone()) {
        Ok((_, has)) if has == wanted => None,
        Ok(_) => Some("its rows are not those that the manifest lists".to_owned()),
        Err(error) => Some(format!("its rows cannot be read: {}", crate::chain(&error))),
    }
}

/// The length of the longest text of each column. All pages are decoded.
fn longest(body: Bytes) -> Result<BTreeMap<String, usize>, ParquetError> {
    let reader = SerializedFileReader::new(body)?;
    let mut longest = BTreeMap::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        for column in 0..group.num_columns() {
            let length = longest_of(&*group, column)?;
            let name = group.metadata().column(column).column_descr().name().to_owned();
            let before: &mut usize = longest.entry(name).or_default();
            *before = length.max(*before);
        }
    }
    Ok(longest)
}

fn longest_of(group: &dyn RowGroupReader, column: usize) -> Result<usize, ParquetError> {
    match group.get_column_reader(column)? {
        ColumnReader::ByteArrayColumnReader(reader) => decode(reader, ByteArray::len),
        ColumnReader::BoolColumnReader(reader) => decode(reader, |_| 0),
        ColumnReader::Int32ColumnReader(reader) => decode(reader, |_| 0),
        ColumnReader::Int64ColumnReader(reader) => decode(reader, |_| 0),
        ColumnReader::Int96ColumnReader(reader) => decode(reader, |_| 0),
        ColumnReader::FloatColumnReader(reader) => decode(reader, |_| 0),
        ColumnReader::DoubleColumnReader(reader) => decode(reader, |_| 0),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => decode(reader, |_| 0),
    }
}

/// Decodes all values of a column chunk. Returns the largest length.
fn decode<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    length: impl Fn(&T::T) -> usize,
) -> Result<usize, ParquetError> {
    let mut longest = 0;
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        values.clear();
        definitions.clear();
        repetitions.clear();
        let (definitions, repetitions) = (Some(&mut definitions), Some(&mut repetitions));
        let (records, _, _) = reader.read_records(BATCH, definitions, repetitions, &mut values)?;
        if records == 0 {
            return Ok(longest);
        }
        longest = values.iter().map(&length).fold(longest, usize::max);
    }
}
