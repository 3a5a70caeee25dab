//! Puts encoded row groups together as a Parquet file.

use crate::options::Options;
use crate::parquet::column_order;
use crate::parquet::leaf::leaf;
use crate::parquet::page::ChunkEncoder;
use crate::parquet::row_group::RowGroup;
use bytes::Bytes;
use mixlake_schema::{Column, ColumnId};
use parquet::basic::Repetition;
use parquet::errors::Result;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use std::collections::BTreeSet;
use std::sync::Arc;

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
    let root = root(&used, columns)?;
    let properties = properties(&used, columns, is_sorted, options.version);
    // As much as is held already, so that it need not grow: chunks are let go as they are written.
    let held = groups.iter().map(RowGroup::memory).sum();
    let mut writer = SerializedFileWriter::new(Vec::with_capacity(held), root, properties)?;
    let mut encoder = ChunkEncoder::new(options.compression)?;
    let described = writer.schema_descr().columns().to_vec();
    for group in groups {
        let mut target = writer.next_row_group()?;
        let mut chunks = group.chunks.into_iter().peekable();
        let nulls = encoder.nulls(group.rows)?.among(&encoder.take()?);
        for (&id, descriptor) in used.iter().zip(&described) {
            let chunk = match chunks.next_if(|(next, _)| *next == id) {
                Some((_, chunk)) => chunk,
                None => nulls.clone(),
            };
            let (column_type, descriptor) = (columns[id].column_type, descriptor.clone());
            let (bytes, close) = chunk.close(column_type, descriptor, options.compression)?;
            target.append_column(&bytes, close)?;
        }
        target.close()?;
    }
    for pair in metadata.into_iter().chain([origins(&used, columns)]) {
        writer.append_key_value_metadata(pair);
    }
    let names = used.iter().map(|&id| columns[id].name.clone()).collect();
    let mut bytes = writer.into_inner()?;
    column_order::of_types(&mut bytes, used.len())?;
    bytes.shrink_to_fit();
    Ok((bytes.into(), names))
}

/// Where each column comes from, in the order of the file: name, property and type. A registry that is
/// older than the file is completed from this.
fn origins(used: &BTreeSet<ColumnId>, columns: &[Column]) -> KeyValue {
    let columns = used.iter().map(|&id| &columns[id]);
    let columns: Vec<_> =
        columns.map(|c| [c.name.as_str(), c.property.as_str(), c.column_type.name()]).collect();
    let json = serde_json::to_string(&columns).expect("texts can always be written as JSON");
    KeyValue::new("mixlake.columns".to_owned(), json)
}

fn root(used: &BTreeSet<ColumnId>, columns: &[Column]) -> Result<TypePtr> {
    let fields = used.iter().map(|&id| leaf(&columns[id])).collect::<Result<Vec<_>>>()?;
    let root = Type::group_type_builder("event")
        .with_repetition(Repetition::REQUIRED)
        .with_fields(fields)
        .build()?;
    Ok(Arc::new(root))
}

/// What the file says of how it was written. Parquet names the sorting columns of a row group. Some engines
/// take them for the order of the whole file and then group it wrongly (`DataFusion` 55), so a file of several
/// row groups, each sorted for itself, does not name any.
fn properties(
    used: &BTreeSet<ColumnId>,
    columns: &[Column],
    is_sorted: bool,
    version: &str,
) -> WriterPropertiesPtr {
    let index = |name: &str| {
        let mut columns = used.iter().map(|&id| &columns[id]);
        let index = columns.position(|column| column.built_in && column.name == name)?;
        i32::try_from(index).ok()
    };
    let by = ["mp_event_name", "time"].into_iter().filter(|_| is_sorted).filter_map(index);
    let ascending = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
    let properties = WriterProperties::builder()
        .set_created_by(format!("mixlake version {version}"))
        .set_sorting_columns(is_sorted.then(|| by.map(ascending).collect()));
    Arc::new(properties.build())
}
