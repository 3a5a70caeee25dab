//! Reads the columns of a Parquet file from its footer alone.

use crate::ports::{ObjectStore, StoreError};
use mixlake_schema::ColumnType;
use parquet::basic::{Compression, ConvertedType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{
    FooterTail, KeyValue, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::schema::types::ColumnDescriptor;
use std::collections::{BTreeMap, BTreeSet};

/// Nearly every footer fits into this. A wider one costs a second request.
const FIRST_READ: u64 = 128 << 10;

/// A footer that is not from a file of the lake.
#[derive(Debug, thiserror::Error)]
pub enum FooterError {
    /// It is not a Parquet footer.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// A column of a type that the lake does not write.
    #[error("column {0:?} has a type that no column of the lake has")]
    ForeignType(String),
    /// A column has another type than in the registry, or than in another file of the batch if the
    /// registry does not know it.
    #[error("column {column:?} is {file} in it and {known} in the lake")]
    OtherType {
        /// The column.
        column: String,
        /// The type in the file.
        file: &'static str,
        /// The type that is known.
        known: &'static str,
    },
}

/// The content of a footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Footer {
    /// The names and types of the columns, in order.
    pub columns: Vec<(String, ColumnType)>,
    /// The number of rows.
    pub rows: u64,
    /// Other metadata of the file whose names start with `mixlake.`, without that prefix.
    pub notes: BTreeMap<String, String>,
    /// The compressions of its pages. Columns can have different ones.
    pub codecs: BTreeSet<&'static str>,
}

/// The footer of a file; `None` if the file does not exist (any more).
pub(crate) async fn read(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<Option<Result<Footer, FooterError>>, StoreError> {
    let mut length = FIRST_READ;
    loop {
        let Some(tail) = store.tail(key, length).await? else { return Ok(None) };
        let needed = match footer_length(&tail.bytes) {
            Ok(needed) => needed,
            Err(error) => return Ok(Some(Err(error.into()))),
        };
        let all_there = tail.bytes.len() as u64 >= needed || tail.bytes.len() as u64 == tail.size;
        if all_there {
            return Ok(Some(parse(&tail.bytes, needed)));
        }
        length = needed;
    }
}

fn footer_length(tail: &[u8]) -> Result<u64, ParquetError> {
    let end = tail.len().checked_sub(FOOTER_SIZE).map(|start| &tail[start..]);
    let end = end.and_then(|end| end.try_into().ok());
    let end: &[u8; FOOTER_SIZE] =
        end.ok_or_else(|| ParquetError::General("shorter than any Parquet file".into()))?;
    let tail = FooterTail::try_new(end)?;
    Ok((tail.metadata_length() + FOOTER_SIZE) as u64)
}

fn parse(tail: &[u8], needed: u64) -> Result<Footer, FooterError> {
    let needed = usize::try_from(needed).unwrap_or(usize::MAX);
    let start = tail.len().checked_sub(needed).ok_or_else(|| {
        ParquetError::General(format!("the footer says it has {needed} bytes; the file is shorter"))
    })?;
    let metadata = ParquetMetaDataReader::decode_metadata(&tail[start..tail.len() - FOOTER_SIZE])?;
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    Ok(Footer {
        columns: types(&metadata)?,
        rows,
        notes: notes(&metadata),
        codecs: codecs(&metadata),
    })
}

fn notes(metadata: &ParquetMetaData) -> BTreeMap<String, String> {
    let pairs = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let note = |pair: &KeyValue| {
        Some((pair.key.strip_prefix("mixlake.")?.to_owned(), pair.value.clone()?))
    };
    pairs.filter_map(note).collect()
}

fn codecs(metadata: &ParquetMetaData) -> BTreeSet<&'static str> {
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    chunks.map(|chunk| codec_name(chunk.compression())).collect()
}

fn codec_name(compression: Compression) -> &'static str {
    match compression {
        Compression::UNCOMPRESSED => "uncompressed",
        Compression::SNAPPY => "snappy",
        Compression::GZIP(_) => "gzip",
        Compression::LZO => "lzo",
        Compression::BROTLI(_) => "brotli",
        Compression::LZ4 => "lz4",
        Compression::ZSTD(_) => "zstd",
        Compression::LZ4_RAW => "lz4_raw",
    }
}

fn types(metadata: &ParquetMetaData) -> Result<Vec<(String, ColumnType)>, FooterError> {
    let columns = metadata.file_metadata().schema_descr().columns();
    columns.iter().map(|column| Ok((column.name().to_owned(), column_type(column)?))).collect()
}

fn column_type(column: &ColumnDescriptor) -> Result<ColumnType, FooterError> {
    let flat = column.path().parts().len() == 1 && column.max_rep_level() == 0;
    match (column.physical_type(), column.converted_type()) {
        (Physical::BYTE_ARRAY, ConvertedType::UTF8) if flat => Ok(ColumnType::String),
        (Physical::DOUBLE, ConvertedType::NONE) if flat => Ok(ColumnType::Number),
        (Physical::BOOLEAN, ConvertedType::NONE) if flat => Ok(ColumnType::Boolean),
        (Physical::INT64, ConvertedType::TIMESTAMP_MILLIS) if flat => Ok(ColumnType::Timestamp),
        (Physical::INT64, ConvertedType::NONE) if flat => Ok(ColumnType::Bigint),
        _ => Err(FooterError::ForeignType(column.path().string())),
    }
}
