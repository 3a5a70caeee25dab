//! Puts encoded row groups together as a Parquet file.

use crate::options::Options;
use crate::parquet::column_order;
use crate::parquet::row_group::RowGroup;
use crate::parquet::writer::FileWriter;
use bytes::Bytes;
use mixlake_schema::{Column, ColumnId};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use std::collections::BTreeSet;

/// Writes a file of these row groups, and names its columns. A column that has no value in any of
/// them is left out.
pub(crate) fn assemble(
    groups: Vec<RowGroup>,
    columns: &[Column],
    options: &Options,
    metadata: Vec<KeyValue>,
) -> Result<(Bytes, Vec<String>)> {
    let used: BTreeSet<ColumnId> =
        groups.iter().flat_map(|g| g.chunks.iter().map(|(id, _)| *id)).collect();
    let is_sorted = options.clustered && groups.len() == 1;
    // As much as is held already, so that it need not grow: chunks are let go as they are written.
    let held = groups.iter().map(RowGroup::memory).sum();
    let out = Vec::with_capacity(held);
    let described = (options.compression, options.version);
    let mut writer = FileWriter::new(out, used, columns, is_sorted, described)?;
    for group in groups {
        writer.group(group)?;
    }
    let names = writer.columns();
    let width = names.len();
    let mut bytes = writer.finish(metadata)?;
    column_order::of_types(&mut bytes, width)?;
    bytes.shrink_to_fit();
    Ok((bytes.into(), names))
}
