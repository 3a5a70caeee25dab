//! A Parquet file of Mixlake whose rows are read to be written again.

use crate::parquet::decode::{Cells, ChunkPlace};
use crate::parquet::footer;
use crate::parquet::leaf;
use crate::rows::column::SparseColumn;
use crate::rows::part::Part;
use mixlake_schema::{Column, ColumnId, ColumnType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, ColumnPath};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file, and where its column chunks are. A day has hundreds of files, and each may have thousands of columns,
/// so what all files have in common is not kept here.
pub(crate) struct SourceFile<'a, R> {
    reader: R,
    table: &'a [Column],
    /// For each leaf, the column of the table.
    ids: Vec<ColumnId>,
    pub groups: Vec<SourceGroup>,
    /// The notes whose names begin with `mixlake.`, by the rest of their names, without the columns.
    pub notes: BTreeMap<String, String>,
}

/// A row group.
pub(crate) struct SourceGroup {
    pub rows: u32,
    /// By leaf. None for a column without values.
    places: Vec<Option<ChunkPlace>>,
}

impl<'a, R: ChunkReader> SourceFile<'a, R> {
    /// Reads the footer. Each column must be one of the table's.
    pub(crate) fn open(reader: R, table: &'a [Column]) -> Result<Self> {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&reader)?;
        let by_name: BTreeMap<&str, ColumnId> =
            table.iter().enumerate().map(|(id, column)| (column.name.as_str(), id)).collect();
        let id = |leaf: &ColumnDescPtr| {
            let column_type = leaf::column_type(leaf);
            let id =
                by_name.get(leaf.name()).filter(|id| Some(table[**id].column_type) == column_type);
            id.copied().ok_or_else(|| {
                let name = leaf.path().string();
                ParquetError::General(format!("the registry has no column {name} of its type"))
            })
        };
        let leaves = metadata.file_metadata().schema_descr().columns();
        let ids = leaves.iter().map(id).collect::<Result<_>>()?;
        let groups = metadata.row_groups().iter().map(SourceGroup::of).collect::<Result<_>>()?;
        let mut notes = footer::notes(&metadata);
        notes.remove("columns");
        Ok(Self { reader, table, ids, groups, notes })
    }

    /// The columns of the file.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ColumnId> {
        self.ids.iter().copied()
    }

    /// The columns that have values in a row group, and the bytes of their pages, not compressed.
    pub(crate) fn plain_bytes(
        &self,
        group: usize,
    ) -> impl Iterator<Item = (ColumnId, ColumnType, u64)> {
        let places = self.ids.iter().zip(&self.groups[group].places);
        places.filter_map(move |(id, place)| {
            Some((*id, self.table[*id].column_type, place.as_ref()?.plain))
        })
    }

    /// Reads the values of a column in a row group. A column that the file does not have has none.
    pub(crate) fn read(
        &self,
        group: usize,
        column: ColumnId,
        cells: &mut impl Cells,
    ) -> Result<()> {
        let Some(at) = self.ids.iter().position(|id| *id == column) else { return Ok(()) };
        let (group, column) = (&self.groups[group], &self.table[column]);
        let Some(place) = &group.places[at] else { return Ok(()) };
        let path = ColumnPath::from(column.name.clone());
        let leaf = Arc::new(ColumnDescriptor::new(leaf::leaf(column)?, 1, 0, path));
        place.read(&self.reader, &leaf, (column.column_type, group.rows), cells)
    }
}

impl SourceGroup {
    fn of(group: &RowGroupMetaData) -> Result<Self> {
        let places = group.columns().iter().map(ChunkPlace::of).collect::<Result<_>>()?;
        Ok(Self { rows: u32::try_from(group.num_rows())?, places })
    }
}

impl Cells for SparseColumn {
    fn text(&mut self, row: u32, text: Part<'_>) {
        self.push_text(row, text);
    }

    fn fixed(&mut self, row: u32, bits: u64) {
        self.push_bits(row, bits);
    }

    fn boolean(&mut self, row: u32, boolean: bool) {
        self.push_boolean(row, boolean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::encode::encode_column;
    use crate::parquet::column_order;
    use crate::parquet::page::ChunkEncoder;
    use crate::parquet::row_group::RowGroup;
    use crate::parquet::writer::FileWriter;
    use crate::rows::row_order::RowOrder;
    use crate::rows::rows_hash::{RowSums, RowsHash};
    use crate::{Compression, DataFile, Footer, Options, Superseded, Transform, rows_hash_of};
    use bytes::Bytes;
    use mixlake_domain::{Slice, Zone};
    use mixlake_schema::Registry;
    use mixlake_testkit::generate::Shape;
    use parquet::file::metadata::KeyValue;
    use std::collections::BTreeSet;

    fn file(compression: Compression) -> (DataFile, Registry) {
        let slice = Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC);
        let mut options = Options { compression, ..Options::of("1".parse().unwrap()) };
        options.bounds.group_rows = 900;
        let mut transform =
            Transform::new(options, slice, Registry::default(), Superseded::default()).unwrap();
        let mut lines = Vec::new();
        Shape { rows: 2_000, ..Shape::default() }.write(&mut lines).unwrap();
        transform.push(&lines).unwrap();
        let mut done = transform.finish().unwrap();
        (done.files.remove(0), done.registry)
    }

    /// A file of the same rows in the same order, and the hash of its rows.
    fn written_again(
        file: &Bytes,
        columns: &[Column],
        compression: Compression,
    ) -> (Bytes, RowsHash) {
        let source = SourceFile::open(file.clone(), columns).unwrap();
        let used: BTreeSet<ColumnId> = source.ids().collect();
        let described = (compression, env!("CARGO_PKG_VERSION"));
        let mut writer =
            FileWriter::new(Vec::new(), used.clone(), columns, false, described).unwrap();
        let mut encoder = ChunkEncoder::new(compression).unwrap();
        let mut hash = RowsHash::default();
        for (number, group) in source.groups.iter().enumerate() {
            let rows = group.rows as usize;
            let order = RowOrder { positions: (0..group.rows).collect(), rows };
            let mut sums = RowSums::new(rows);
            let mut chunks = Vec::new();
            for &id in &used {
                let mut values = SparseColumn::new(columns[id].column_type);
                source.read(number, id, &mut values).unwrap();
                let chunk = encode_column(&mut encoder, &values, &columns[id], &order, &mut sums);
                chunks.extend(chunk.unwrap().map(|chunk| (id, chunk)));
            }
            hash += sums.hash();
            let blocks = encoder.take().unwrap();
            let chunks = chunks.into_iter().map(|(id, chunk)| (id, chunk.among(&blocks)));
            writer.group(RowGroup { rows, chunks: chunks.collect() }).unwrap();
        }
        let notes = source.notes.iter().filter(|(name, _)| *name != "columns");
        let notes =
            notes.map(|(name, value)| KeyValue::new(format!("mixlake.{name}"), value.clone()));
        let mut bytes = writer.finish(notes.collect()).unwrap();
        column_order::of_types(&mut bytes, used.len()).unwrap();
        (bytes.into(), hash)
    }

    #[test]
    fn a_file_that_is_read_and_written_again_has_the_same_rows_and_notes() {
        for compression in Compression::ALL {
            let (file, registry) = file(compression);
            let columns = registry.tables()[&file.table].columns();
            let (again, hash) = written_again(&file.bytes, columns, compression);
            assert_eq!(hash, file.rows_hash);
            assert_eq!(rows_hash_of(again.clone()).unwrap(), (2_000, file.rows_hash));
            let footer = |file: &Bytes| Footer::read(file, file.len() as u64).unwrap();
            assert_eq!(footer(&again), footer(&file.bytes));
            let (twice, _) = written_again(&again, columns, compression);
            assert!(twice == again, "{}: what is sorted gives the same bytes", compression.name());
        }
    }

    #[test]
    fn a_column_that_the_registry_does_not_know_is_an_error() {
        let (file, registry) = file(Compression::Snappy);
        let mut columns = registry.tables()[&file.table].columns().to_vec();
        columns[1].column_type = ColumnType::Bigint;
        let error = SourceFile::open(file.bytes, &columns).err().unwrap().to_string();
        assert!(error.contains("the registry has no column time of its type"), "{error}");
    }
}
