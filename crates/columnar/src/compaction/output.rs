//! Puts the encoded row groups together as files.

use super::merge::{Compaction, CompactionError};
use super::scratch::Scratch;
use crate::files::data_file::{event_notes, pair};
use crate::parquet::column_order;
use crate::parquet::metadata::ColumnChunk;
use crate::parquet::row_group::RowGroup;
use crate::parquet::writer::FileWriter;
use crate::rows::rows_hash::RowsHash;
use bytes::Bytes;
use mixlake_schema::{Column, ColumnId, Registry};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::reader::{ChunkReader, Length};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Take};
use std::ops::Range;
use std::sync::Arc;

/// A row group whose column chunks are in a file.
pub(super) struct EncodedGroup {
    pub rows: u32,
    pub hash: RowsHash,
    pub chunks: Vec<(ColumnId, ColumnChunk<Range<u64>>)>,
    /// Where the sums of the cells of its rows are stored.
    pub sums: Range<u64>,
}

impl EncodedGroup {
    fn bytes(&self) -> u64 {
        self.chunks.iter().map(|(_, chunk)| chunk.bytes.end - chunk.bytes.start).sum()
    }
}

/// The merged rows, ready to be written.
pub struct Compacted<'a> {
    how: Compaction<'a>,
    columns: &'a [Column],
    /// The row groups of each file.
    files: Vec<Vec<EncodedGroup>>,
    chunks: Arc<File>,
    notes: Vec<KeyValue>,
}

/// A new file.
#[derive(Debug)]
pub struct CompactedFile {
    /// An unnamed temporary file.
    pub file: File,
    /// Its size.
    pub bytes: u64,
    /// The number of rows.
    pub rows: u64,
    /// The hash of its rows.
    pub rows_hash: RowsHash,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
}

impl<'a> Compacted<'a> {
    pub(super) fn new(
        how: Compaction<'a>,
        columns: &'a [Column],
        groups: Vec<EncodedGroup>,
        chunks: Scratch,
        notes: Vec<KeyValue>,
    ) -> Self {
        let files = divided(groups, how.bounds.file_bytes);
        Self { how, columns, files, chunks: Arc::new(chunks.into_file()), notes }
    }

    /// How many files there are; none if there are no rows.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Writes a file. Each is written once. `notes` are added to its footer, such as its slice.
    pub fn write(
        &mut self,
        number: usize,
        notes: &[(&str, String)],
    ) -> Result<CompactedFile, CompactionError> {
        let groups = std::mem::take(&mut self.files[number]);
        let used: BTreeSet<ColumnId> =
            groups.iter().flat_map(|group| group.chunks.iter().map(|(id, _)| *id)).collect();
        let rows = groups.iter().map(|group| u64::from(group.rows)).sum::<u64>();
        let rows_hash: RowsHash = groups.iter().map(|group| group.hash).sum();
        let (is_sorted, width) = (groups.len() == 1, used.len());
        let described = (self.how.compression, self.how.version);
        let out = tempfile::tempfile_in(self.how.scratch)?;
        let mut writer = FileWriter::new(out, used, self.columns, is_sorted, described)?;
        for group in groups {
            let stored = |chunk: ColumnChunk<Range<u64>>| chunk.map(|range| self.stored(range));
            let chunks = group.chunks.into_iter().map(|(id, chunk)| (id, stored(chunk)));
            let chunks = chunks.collect();
            writer.group(RowGroup { rows: group.rows as usize, chunks })?;
        }
        let columns = writer.columns();
        let own = [("rows", rows.to_string()), ("rows_hash", rows_hash.to_string())];
        let own = own.into_iter().chain([("version", self.how.version.to_owned())]);
        let own = own.chain(notes.iter().cloned()).map(|(key, value)| pair(key, value));
        let mut file = writer.finish(self.notes.iter().cloned().chain(own).collect())?;
        column_order::of_types_in(&mut file, width)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(CompactedFile { file, bytes, rows, rows_hash, columns })
    }

    fn stored(&self, range: Range<u64>) -> Stored {
        Stored { file: Arc::clone(&self.chunks), range }
    }
}

/// Cuts row groups into files of nearly equal size.
fn divided(groups: Vec<EncodedGroup>, file_bytes: u64) -> Vec<Vec<EncodedGroup>> {
    let total: u64 = groups.iter().map(EncodedGroup::bytes).sum();
    let number = ((total + file_bytes / 2) / file_bytes).max(1);
    let mut files: Vec<Vec<EncodedGroup>> = Vec::new();
    let mut before = 0;
    for group in groups {
        let bytes = group.bytes();
        // A row group belongs to the file in which its middle is.
        let file = ((before + bytes / 2) * number / total.max(1)).min(number - 1);
        if files.is_empty() || file >= files.len() as u64 {
            files.push(Vec::new());
        }
        before += bytes;
        files.last_mut().expect("there is one").push(group);
    }
    files
}

/// The notes that the merged files have in common with theirs: project, table and events.
pub(super) fn notes<'a>(
    files: impl Iterator<Item = &'a BTreeMap<String, String>> + Clone,
    registry: &Registry,
) -> Vec<KeyValue> {
    let common = ["project", "table", "event"].into_iter().filter_map(|key| {
        let value = files.clone().find_map(|notes| notes.get(key))?;
        Some(pair(key, value.clone()))
    });
    let mut notes: Vec<KeyValue> = common.collect();
    let named = files.filter_map(|notes| notes.get("events"));
    notes.extend(event_notes(named, registry));
    notes
}

/// A column chunk in a file.
struct Stored {
    file: Arc<File>,
    range: Range<u64>,
}

impl Length for Stored {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl ChunkReader for Stored {
    type T = Take<BufReader<File>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let left = self.len().saturating_sub(start);
        Ok(self.file.get_read(self.range.start + start)?.take(left))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.file.get_bytes(self.range.start + start, length)
    }
}
