//! Encoded rows of a day of a table, in the format of the table.

use crate::encode::Encoded;
use crate::file::assemble;
use crate::json::JsonLines;
use crate::metadata::Chunk;
use crate::transform::TransformError;
use bytes::Bytes;
use mixlake_domain::DataFormat;
use mixlake_schema::{Column, ColumnId};
use parquet::file::metadata::KeyValue;
use std::collections::BTreeSet;

/// The encoded rows of a file to be; all of one format.
pub(crate) enum Groups {
    Parquet(Vec<RowGroup>),
    Json(Vec<JsonLines>),
}

/// A row group whose columns are encoded and compressed; a column without values is not there.
pub(crate) struct RowGroup {
    pub rows: usize,
    /// In the order of their ids.
    pub chunks: Vec<(ColumnId, Chunk)>,
}

/// What a chunk takes beside its bytes when its file is put together: metadata, statistics and
/// indexes. It counts where tables have thousands of small chunks.
const CHUNK_BYTES: usize = 2 << 10;

impl RowGroup {
    /// Bytes that it takes until its file is whole, about.
    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.bytes.len() + CHUNK_BYTES).sum()
    }
}

impl Groups {
    pub(crate) fn new(format: DataFormat) -> Self {
        match format {
            DataFormat::Parquet => Self::Parquet(Vec::new()),
            DataFormat::Json => Self::Json(Vec::new()),
        }
    }

    /// Adds so many encoded rows.
    pub(crate) fn add(&mut self, rows: usize, encoded: Encoded) {
        match self {
            Self::Parquet(groups) => groups.push(RowGroup { rows, chunks: encoded.chunks }),
            Self::Json(groups) => groups.extend(encoded.lines),
        }
    }

    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Parquet(groups) => groups.iter().map(RowGroup::memory).sum(),
            Self::Json(groups) => groups.iter().map(|lines| lines.gzip.len()).sum(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Parquet(groups) => groups.iter().map(|group| group.rows).sum(),
            Self::Json(groups) => groups.iter().map(|lines| lines.rows).sum(),
        }
    }

    /// The file, and the names of its columns.
    pub(crate) fn into_file(
        self,
        columns: &[Column],
        clustered: bool,
        metadata: Vec<KeyValue>,
    ) -> Result<(Bytes, Vec<String>), TransformError> {
        match self {
            Self::Parquet(groups) => Ok(assemble(groups, columns, clustered, metadata)?),
            Self::Json(groups) => {
                let used: BTreeSet<ColumnId> =
                    groups.iter().flat_map(|lines| &lines.used).copied().collect();
                let names = used.iter().map(|&id| columns[id].name.clone()).collect();
                let members: Vec<&[u8]> = groups.iter().map(|lines| &*lines.gzip).collect();
                Ok((members.concat().into(), names))
            }
        }
    }
}
