//! Writes a Parquet file row group by row group, to wherever its bytes go.

use crate::options::compression::Compression;
use crate::parquet::leaf::leaf;
use crate::parquet::page::ChunkEncoder;
use crate::parquet::row_group::RowGroup;
use mixlake_schema::{Column, ColumnId};
use parquet::basic::Repetition;
use parquet::errors::Result;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, Type, TypePtr};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

/// A file under construction.
pub(crate) struct FileWriter<'a, W: Write + Send> {
    writer: SerializedFileWriter<W>,
    /// The columns of the file.
    used: BTreeSet<ColumnId>,
    /// The columns of the table.
    columns: &'a [Column],
    described: Vec<ColumnDescPtr>,
    compression: Compression,
    /// Makes the chunks of columns without values.
    encoder: ChunkEncoder,
}

impl<'a, W: Write + Send> FileWriter<'a, W> {
    /// A file with the columns `used` of a table. If `is_sorted`, it will have one row group, whose rows are
    /// sorted by event and time.
    pub(crate) fn new(
        out: W,
        used: BTreeSet<ColumnId>,
        columns: &'a [Column],
        is_sorted: bool,
        (compression, version): (Compression, &str),
    ) -> Result<Self> {
        let root = root(&used, columns)?;
        let properties = properties(&used, columns, is_sorted, version);
        let writer = SerializedFileWriter::new(out, root, properties)?;
        let described = writer.schema_descr().columns().to_vec();
        let encoder = ChunkEncoder::new(compression)?;
        Ok(Self { writer, used, columns, described, compression, encoder })
    }

    /// Writes a row group. A column of the file that it does not have is null in all of its rows.
    pub(crate) fn group<B: ChunkReader>(&mut self, group: RowGroup<B>) -> Result<()> {
        let mut target = self.writer.next_row_group()?;
        let mut chunks = group.chunks.into_iter().peekable();
        let nulls = self.encoder.nulls(group.rows)?.among(&self.encoder.take()?);
        for (&id, descriptor) in self.used.iter().zip(&self.described) {
            let (column_type, descriptor) = (self.columns[id].column_type, descriptor.clone());
            if let Some((_, chunk)) = chunks.next_if(|(next, _)| *next == id) {
                let (bytes, close) = chunk.close(column_type, descriptor, self.compression)?;
                target.append_column(&bytes, close)?;
            } else {
                let chunk = nulls.clone();
                let (bytes, close) = chunk.close(column_type, descriptor, self.compression)?;
                target.append_column(&bytes, close)?;
            }
        }
        target.close()?;
        Ok(())
    }

    /// The names of the columns, in order.
    pub(crate) fn columns(&self) -> Vec<String> {
        self.used.iter().map(|&id| self.columns[id].name.clone()).collect()
    }

    /// Writes the footer with these notes. The file is not complete until [`super::column_order`] has
    /// corrected its end.
    pub(crate) fn finish(self, metadata: Vec<KeyValue>) -> Result<W> {
        let Self { mut writer, used, columns, .. } = self;
        for pair in metadata.into_iter().chain([origins(&used, columns)]) {
            writer.append_key_value_metadata(pair);
        }
        writer.into_inner()
    }
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
