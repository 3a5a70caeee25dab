//! Reads the footer of a Parquet file: its columns, its number of rows and its notes.

use crate::parquet::leaf::leaf_type;
use mixlake_schema::ColumnType;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{
    FooterTail, KeyValue, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::schema::types::ColumnDescriptor;
use std::collections::{BTreeMap, BTreeSet};

/// A footer that no file of a lake has.
#[derive(Debug, thiserror::Error)]
pub enum FooterError {
    /// It is no Parquet footer.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// A column of a type that the lake does not write.
    #[error("column {0:?} has a type that Mixlake does not write")]
    ForeignType(String),
}

/// What a footer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// The names and types of the columns, in order.
    pub columns: Vec<(String, ColumnType)>,
    /// The number of rows.
    pub rows: u64,
    /// The notes of the file whose names begin with `mixlake.`, by the rest of their names.
    pub notes: BTreeMap<String, String>,
    /// The compressions of its pages. Columns can have different ones.
    pub codecs: BTreeSet<&'static str>,
}

/// The last bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailRead {
    /// They hold the whole footer.
    Whole(Footer),
    /// They are too few: the footer takes this many bytes at the end of the file.
    Needs(u64),
}

impl Footer {
    /// Reads the footer from the last bytes of a file of `size` bytes.
    pub fn read(tail: &[u8], size: u64) -> Result<TailRead, FooterError> {
        let needed = footer_length(tail)?;
        let length = tail.len() as u64;
        if length < needed && length != size {
            return Ok(TailRead::Needs(needed));
        }
        Ok(TailRead::Whole(parse(tail)?))
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

/// The metadata of a file, from a tail that holds it all.
pub(crate) fn metadata(tail: &[u8]) -> Result<ParquetMetaData, ParquetError> {
    let needed = usize::try_from(footer_length(tail)?).unwrap_or(usize::MAX);
    let start = tail.len().checked_sub(needed).ok_or_else(|| {
        ParquetError::General(format!(
            "the footer should have {needed} bytes, but the file is shorter"
        ))
    })?;
    ParquetMetaDataReader::decode_metadata(&tail[start..tail.len() - FOOTER_SIZE])
}

fn parse(tail: &[u8]) -> Result<Footer, FooterError> {
    let metadata = metadata(tail)?;
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default();
    Ok(Footer {
        columns: types(&metadata)?,
        rows,
        notes: notes(&metadata),
        codecs: codecs(&metadata),
    })
}

/// The notes of Mixlake, by their names without the prefix.
pub(crate) fn notes(metadata: &ParquetMetaData) -> BTreeMap<String, String> {
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

/// The type of a column. Files of other writers can have columns that are never null; they count too.
fn column_type(column: &ColumnDescriptor) -> Result<ColumnType, FooterError> {
    let flat = column.path().parts().len() == 1 && column.max_rep_level() == 0;
    let known = leaf_type(column).filter(|_| flat);
    known.ok_or_else(|| FooterError::ForeignType(column.path().string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Superseded, Transform};
    use bytes::Bytes;
    use mixlake_domain::{Slice, Zone};
    use mixlake_schema::Registry;

    fn file() -> Bytes {
        let slice = Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC);
        let options = Options::of("1".parse().unwrap());
        let registry = Registry::default();
        let mut transform =
            Transform::new(options, slice, registry, Superseded::default()).unwrap();
        let line = b"{\"event\":\"e\",\"properties\":{\"time\":1794300000,\"count\":2}}\n";
        transform.push(line).unwrap();
        transform.finish().unwrap().files.remove(0).bytes
    }

    fn whole(tail: &[u8], size: usize) -> Footer {
        match Footer::read(tail, size as u64).unwrap() {
            TailRead::Whole(footer) => footer,
            TailRead::Needs(bytes) => panic!("it needs {bytes} bytes"),
        }
    }

    #[test]
    fn a_footer_tells_columns_rows_and_notes() {
        let file = file();
        let footer = whole(&file, file.len());
        assert_eq!(footer.rows, 1);
        assert!(footer.columns.contains(&("count".to_owned(), ColumnType::Number)));
        assert_eq!(footer.notes["rows"], "1");
    }

    #[test]
    fn a_tail_that_is_too_short_says_how_many_bytes_are_needed() {
        let file = file();
        let tail = &file[file.len() - FOOTER_SIZE..];
        let TailRead::Needs(needed) = Footer::read(tail, file.len() as u64).unwrap() else {
            panic!("eight bytes hold no footer")
        };
        let tail = &file[file.len() - usize::try_from(needed).unwrap()..];
        assert_eq!(whole(tail, file.len()), whole(&file, file.len()));
    }

    #[test]
    fn a_file_that_is_shorter_than_its_footer_is_an_error() {
        let file = file();
        for length in [0, FOOTER_SIZE - 1, FOOTER_SIZE, FOOTER_SIZE + 9] {
            let cut = &file[file.len() - length..];
            let result = Footer::read(cut, cut.len() as u64);
            assert!(matches!(result, Err(FooterError::Parquet(_))), "{length}: {result:?}");
        }
    }
}
