//! Encoded rows of a day of a table, in the format of the table.

use crate::buffer::Buffer;
use crate::days::Context;
use crate::encode::RowGroup;
use crate::file::assemble;
use crate::json::JsonLines;
use crate::options::EventNameForm;
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

    /// Encodes rows and adds them.
    pub(crate) fn add(
        &mut self,
        buffer: &Buffer,
        columns: &[Column],
        context: &Context<'_>,
    ) -> Result<(), TransformError> {
        let threads = context.options.bounds.threads;
        let (sparse, places) = buffer.columns(ranks(context).as_deref());
        match self {
            Self::Parquet(groups) => {
                groups.push(RowGroup::encode(&sparse, &places, columns, threads)?);
            }
            Self::Json(groups) => {
                let lines = JsonLines::encode(&sparse, &places, columns);
                groups.push(lines.map_err(TransformError::Json)?);
            }
        }
        Ok(())
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

/// The place of each event, by its number, in the order of what `mp_event_name` says; none if rows
/// are not sorted.
fn ranks(context: &Context<'_>) -> Option<Vec<u32>> {
    if !context.options.clustered {
        return None;
    }
    let events = context.registry.events();
    let mut numbers: Vec<usize> = (0..events.len()).collect();
    numbers.sort_by_key(|&number| match context.options.event_name {
        EventNameForm::Cleaned => &events[number].name,
        EventNameForm::Raw => &events[number].event,
    });
    let mut ranks = vec![0; events.len()];
    for (rank, number) in (0..).zip(numbers) {
        ranks[number] = rank;
    }
    Some(ranks)
}
