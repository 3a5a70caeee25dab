//! Finds text that is longer than an engine takes. The whole file is read, if its sizes do not rule it
//! out.

use crate::ports::{ObjectStore, StoreError};
use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use std::collections::BTreeMap;

/// Values that are decoded at a time.
const BATCH: usize = 1_024;

/// The columns that have such text, with the length of the longest one. A file that cannot be read
/// has none: its footer says so.
pub(super) async fn too_long(
    store: &dyn ObjectStore,
    key: &str,
    limit: usize,
) -> Result<Vec<(String, usize)>, StoreError> {
    let Some(object) = store.get(key).await? else { return Ok(Vec::new()) };
    Ok(longest(object.body, limit).unwrap_or_default())
}

fn longest(body: bytes::Bytes, limit: usize) -> Result<Vec<(String, usize)>, ParquetError> {
    let reader = SerializedFileReader::new(body)?;
    let mut longest = BTreeMap::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        for column in 0..group.num_columns() {
            let about = group.metadata().column(column);
            let text = about.column_type() == Physical::BYTE_ARRAY;
            if !text || usize::try_from(about.uncompressed_size()).is_ok_and(|size| size <= limit) {
                continue;
            }
            let length = longest_of(&*group, column)?;
            if length > limit {
                let before = longest.entry(about.column_descr().name().to_owned()).or_default();
                *before = length.max(*before);
            }
        }
    }
    Ok(longest.into_iter().collect())
}

fn longest_of(group: &dyn RowGroupReader, column: usize) -> Result<usize, ParquetError> {
    let ColumnReader::ByteArrayColumnReader(mut reader) = group.get_column_reader(column)? else {
        return Ok(0);
    };
    let mut longest = 0;
    loop {
        let (records, found) = next(&mut reader)?;
        longest = longest.max(found);
        if records == 0 {
            return Ok(longest);
        }
    }
}

fn next(reader: &mut ColumnReaderImpl<ByteArrayType>) -> Result<(usize, usize), ParquetError> {
    let (mut values, mut definitions) = (Vec::new(), Vec::new());
    let (records, _, _) = reader.read_records(BATCH, Some(&mut definitions), None, &mut values)?;
    Ok((records, values.iter().map(ByteArray::len).max().unwrap_or_default()))
}
