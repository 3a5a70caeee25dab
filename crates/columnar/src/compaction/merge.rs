//! Merges files column by column.

use super::CompactionBounds;
use super::drawers::Drawers;
use super::keys::{self, Events, Run, SortedBy};
use super::order::{self, NewGroup, Order};
use super::output::{self, Compacted, EncodedGroup};
use super::plan::{self, EventRows};
use super::scratch::{Scratch, numbers_of};
use crate::files::encode::encode_column;
use crate::options::compression::Compression;
use crate::parquet::page::ChunkEncoder;
use crate::parquet::source_file::SourceFile;
use crate::rows::row_order::RowOrder;
use crate::rows::rows_hash::{RowSums, RowsHash};
use mixlake_schema::{Column, ColumnId, Registry};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// How files are merged.
#[derive(Debug, Clone, Copy)]
pub struct Compaction<'a> {
    /// The registry of the table.
    pub registry: &'a Registry,
    /// The name of the table.
    pub table: &'a str,
    /// The compression of the new files.
    pub compression: Compression,
    /// The version that the files name as their writer.
    pub version: &'a str,
    /// Bounds of memory and files.
    pub bounds: CompactionBounds,
    /// The folder of temporary files.
    pub scratch: &'a Path,
}

/// A file that is merged.
#[derive(Debug)]
pub struct CompactionInput<R> {
    /// The file.
    pub file: R,
    /// The hash of its rows.
    pub rows_hash: RowsHash,
}

/// Files cannot be merged. Nothing is lost, because they stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// A file cannot be read, or has columns that the registry does not know.
    #[error("a file cannot be read or written")]
    Parquet(#[from] ParquetError),
    /// The folder of temporary files failed.
    #[error(
        "cannot use a temporary file. Compaction needs about three times as much room there as the day's files have bytes; TMPDIR names the folder"
    )]
    Scratch(#[from] io::Error),
    /// The registry has no such table.
    #[error("the registry has no table {0}")]
    NoTable(String),
    /// The merged rows are not the rows of the files.
    #[error(
        "the merged rows are not those that the manifest lists: their hash is {got}, and it should be {wanted}. `mixlake doctor --deep` finds damaged files"
    )]
    OtherRows {
        /// The hash of the rows that the files should have.
        wanted: RowsHash,
        /// The hash of the rows that were found.
        got: RowsHash,
    },
}

impl<'a> Compaction<'a> {
    /// Merges files. Of rows with the same event and time, those of the first file come first, so the same files
    /// in the same order give the same bytes.
    pub fn merge<R: ChunkReader>(
        &self,
        inputs: Vec<CompactionInput<R>>,
    ) -> Result<Compacted<'a>, CompactionError> {
        let table = self.registry.tables().get(self.table);
        let columns = table.ok_or_else(|| CompactionError::NoTable(self.table.to_owned()))?;
        let columns = columns.columns();
        let wanted = inputs.iter().map(|input| input.rows_hash).sum();
        let open = |input: CompactionInput<R>| SourceFile::open(input.file, columns);
        let files = inputs.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let (groups, chunks) = self.groups(&files, columns)?;
        let got = groups.iter().map(|group| group.hash).sum();
        if wanted != got {
            return Err(CompactionError::OtherRows { wanted, got });
        }
        let notes = output::notes(files.iter().map(|file| &file.notes), self.registry);
        Ok(Compacted::new(*self, columns, groups, chunks, notes))
    }

    /// The encoded row groups, and the file with their column chunks.
    fn groups<R: ChunkReader>(
        &self,
        files: &[SourceFile<'_, R>],
        columns: &[Column],
    ) -> Result<(Vec<EncodedGroup>, Scratch), CompactionError> {
        let used: BTreeSet<ColumnId> = files.iter().flat_map(SourceFile::ids).collect();
        let mut lasting = Scratch::new(self.scratch)?;
        let (runs, order) = self.order(files, columns, used.len(), &mut lasting)?;
        let mut sums = Scratch::new(self.scratch)?;
        let mut groups = Vec::with_capacity(order.groups.len());
        for group in &order.groups {
            let sums = sums.append(&RowSums::new(group.rows as usize).to_bytes())?;
            groups.push(EncodedGroup {
                rows: group.rows,
                hash: RowsHash::default(),
                chunks: Vec::new(),
                sums,
            });
        }
        let mut work = Work {
            files,
            columns,
            runs,
            order,
            lasting,
            sums,
            values: Scratch::new(self.scratch)?,
            chunks: Scratch::new(self.scratch)?,
            encoder: ChunkEncoder::new(self.compression)?,
            ready: Vec::new(),
            held: 0,
            bound: self.bounds.values,
            groups,
        };
        for id in used {
            work.column(id)?;
        }
        work.encode()?;
        work.end()
    }

    fn order<R: ChunkReader>(
        &self,
        files: &[SourceFile<'_, R>],
        columns: &[Column],
        used: usize,
        lasting: &mut Scratch,
    ) -> Result<(Vec<Run>, Order), CompactionError> {
        let (mut events, mut keys) = (Events::new(), Scratch::new(self.scratch)?);
        let by = SortedBy::of(columns);
        let mut runs = Vec::new();
        for file in files.iter().enumerate() {
            runs.extend(keys::read(file, by, &mut events, &mut keys, lasting)?);
        }
        let sorted = events.sorted();
        let mut ranks = vec![0; sorted.len()];
        for (rank, &event) in (0..).zip(&sorted) {
            ranks[event as usize] = rank;
        }
        let most = u64::from(self.bounds.group_rows);
        let rows: Vec<EventRows> =
            sorted.iter().map(|&event| events.rows_of(event, most, self.bounds.values)).collect();
        let groups = plan::groups(&rows, plan::least(used, most));
        let order = order::merge(&runs, &ranks, &groups, &mut keys, lasting)?;
        Ok((runs, order))
    }
}

/// A merge under way.
struct Work<'a, R> {
    files: &'a [SourceFile<'a, R>],
    columns: &'a [Column],
    runs: Vec<Run>,
    order: Order,
    /// Places and positions.
    lasting: Scratch,
    /// The sums of the cells of each row.
    sums: Scratch,
    /// Values that do not fit in memory.
    values: Scratch,
    /// Encoded column chunks.
    chunks: Scratch,
    encoder: ChunkEncoder,
    /// Columns that were read and are not encoded yet.
    ready: Vec<(ColumnId, Drawers)>,
    /// The bytes of their values.
    held: usize,
    bound: usize,
    groups: Vec<EncodedGroup>,
}

impl<R: ChunkReader> Work<'_, R> {
    /// Reads a column. Columns before it are encoded when their values and its own take too much memory.
    fn column(&mut self, id: ColumnId) -> Result<(), CompactionError> {
        let mut drawers = Drawers::new(self.columns[id].column_type, self.groups.len());
        let (mut bytes, mut places) = (0, Vec::new());
        for number in 0..self.runs.len() {
            let run = &self.runs[number];
            places.clear();
            if let Some(range) = &run.places {
                self.lasting.read(range.clone(), &mut places)?;
            }
            let sorted = run.places.as_ref().map(|_| numbers_of(&places));
            let mut router = drawers.router(&self.order.cuts[number], sorted.as_deref());
            self.files[run.file].read(run.group, id, &mut router)?;
            bytes += router.bytes;
            if self.held + bytes > self.bound {
                self.encode()?;
            }
            if bytes > self.bound {
                drawers.store(&mut self.values)?;
                bytes = 0;
            }
        }
        self.held += bytes;
        self.ready.push((id, drawers));
        Ok(())
    }

    /// Encodes the columns that are ready.
    fn encode(&mut self) -> Result<(), CompactionError> {
        if self.ready.is_empty() {
            return Ok(());
        }
        let mut ready = std::mem::take(&mut self.ready);
        self.held = 0;
        for group in 0..self.groups.len() {
            if ready.iter().any(|(_, drawers)| drawers.has(group)) {
                self.encode_group(group, &mut ready)?;
            }
        }
        // The column that is being read stores values only when no other is ready.
        Ok(self.values.clear()?)
    }

    fn encode_group(
        &mut self,
        number: usize,
        ready: &mut [(ColumnId, Drawers)],
    ) -> Result<(), CompactionError> {
        let Self { columns, order, lasting, sums: all_sums, values, chunks, encoder, .. } = self;
        let NewGroup { rows, positions } = &order.groups[number];
        let group = &mut self.groups[number];
        let mut bytes = Vec::new();
        lasting.read(positions.clone(), &mut bytes)?;
        let order = RowOrder { positions: numbers_of(&bytes), rows: *rows as usize };
        bytes.clear();
        all_sums.read(group.sums.clone(), &mut bytes)?;
        let mut sums = RowSums::of_bytes(&bytes);
        let mut encoded = Vec::new();
        for (id, drawers) in ready {
            if let Some(column) = drawers.take(number, values)? {
                let chunk = encode_column(encoder, &column, &columns[*id], &order, &mut sums)?;
                encoded.extend(chunk.map(|chunk| (*id, chunk)));
            }
        }
        all_sums.write(group.sums.start, &sums.to_bytes())?;
        let start = chunks.end();
        for block in encoder.take()? {
            chunks.append(&block)?;
        }
        let stored = encoded.into_iter().map(|(id, chunk)| (id, chunk.behind(start)));
        group.chunks.extend(stored);
        Ok(())
    }

    /// Adds up the hashes of the rows.
    fn end(mut self) -> Result<(Vec<EncodedGroup>, Scratch), CompactionError> {
        let mut bytes = Vec::new();
        for group in &mut self.groups {
            bytes.clear();
            self.sums.read(group.sums.clone(), &mut bytes)?;
            group.hash = RowSums::of_bytes(&bytes).hash();
        }
        Ok((self.groups, self.chunks))
    }
}
