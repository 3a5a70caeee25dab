//! The encoded columns of a row group.

use crate::parquet::metadata::ColumnChunk;
use crate::parquet::pieces::Pieces;
use mixlake_schema::ColumnId;

/// A row group whose columns are encoded and compressed; a column without values is not there.
pub(crate) struct RowGroup<B = Pieces> {
    pub rows: usize,
    /// In the order of their ids.
    pub chunks: Vec<(ColumnId, ColumnChunk<B>)>,
}

/// What a chunk takes beside its bytes until its file is put together.
const HELD: usize = 512;

impl RowGroup {
    /// Bytes that it takes until its file is put together, about.
    pub(crate) fn memory(&self) -> usize {
        memory_of(&self.chunks)
    }
}

/// Bytes that chunks take until their file is put together, about.
pub(crate) fn memory_of(chunks: &[(ColumnId, ColumnChunk)]) -> usize {
    chunks.iter().map(|(_, chunk)| chunk.bytes.len() + HELD).sum()
}
