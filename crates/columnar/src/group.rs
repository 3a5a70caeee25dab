//! Encoded rows of a day of a table, in the format of the table.

use crate::encode::{Encoded, RowGroup};
use crate::file::assemble;
use crate::json::JsonLines;
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

impl Groups {
    pub(crate) fn new(format: DataFormat) -> Self {
        match format {
            DataFormat::Parquet => Self::Parquet(Vec::new()),
            DataFormat::Json => Self::Json(Vec::new()),
        }
    }

    pub(crate) fn add(&mut self, encoded: Encoded) {
        match (self, encoded) {
            (Self::Parquet(groups), Encoded::Parquet(group)) => groups.push(group),
            (Self::Json(groups), Encoded::Json(lines)) => groups.push(lines),
            (Self::Parquet(_) | Self::Json(_), _) => unreachable!("a slice has one format"),
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
