//! The encoded rows of one day of one table, in the format of the table.

use crate::error::TransformError;
use crate::files::encode::Encoded;
use crate::files::json::JsonLines;
use crate::options::Options;
use crate::parquet::file::assemble;
use crate::parquet::row_group::RowGroup;
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

/// What it takes then: metadata, statistics and indexes. It counts where tables have thousands of small
/// chunks.
const DESCRIBED: usize = 1_536;

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
            Self::Json(groups) => groups.iter().map(JsonLines::memory).sum(),
        }
    }

    /// Bytes that are needed beside to put the file together, about.
    pub(crate) fn described(&self) -> usize {
        match self {
            Self::Parquet(groups) => groups.iter().map(|it| it.chunks.len() * DESCRIBED).sum(),
            Self::Json(_) => 0,
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
        options: &Options,
        metadata: Vec<KeyValue>,
    ) -> Result<(Bytes, Vec<String>), TransformError> {
        match self {
            Self::Parquet(groups) => Ok(assemble(groups, columns, options, metadata)?),
            Self::Json(groups) => {
                let used: BTreeSet<ColumnId> =
                    groups.iter().flat_map(|lines| &lines.used).copied().collect();
                let names = used.iter().map(|&id| columns[id].name.clone()).collect();
                let length = groups.iter().map(JsonLines::memory).sum();
                let mut file = Vec::with_capacity(length);
                // Each block is let go when it is copied.
                for block in groups.into_iter().flat_map(|lines| lines.gzip) {
                    file.extend_from_slice(&block);
                }
                Ok((file.into(), names))
            }
        }
    }
}
