//! Encodes the columns of a buffer as the column chunks of one row group, on several threads.

use crate::chunk::{Chunk, Encoder};
use crate::column::SparseColumn;
use crate::places::Places;
use crate::values::arranged;
use mixlake_schema::{Column, ColumnId};
use parquet::errors::Result;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A row group whose columns are encoded and compressed; a column without values is not there.
pub(crate) struct RowGroup {
    pub rows: usize,
    /// In the order of their ids.
    pub chunks: Vec<(ColumnId, Chunk)>,
}

/// What a chunk takes beside its bytes: metadata, statistics and indexes. It counts where hundreds
/// of tables have thousands of small chunks.
const CHUNK_BYTES: usize = 2 << 10;

impl RowGroup {
    /// Bytes held, about.
    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.bytes.len() + CHUNK_BYTES).sum()
    }

    /// Encodes rows. `columns` are the table's. The number of threads changes no byte.
    pub(crate) fn encode(
        sparse: &[(ColumnId, &SparseColumn)],
        places: &Places,
        columns: &[Column],
        threads: NonZero<usize>,
    ) -> Result<Self> {
        let threads = threads.get().min(sparse.len());
        let next = AtomicUsize::new(0);
        let work = || encode_some(sparse, &next, places, columns);
        let mut chunks = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut chunks = work()?;
            for other in others {
                let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                chunks.extend(theirs?);
            }
            Ok::<_, parquet::errors::ParquetError>(chunks)
        })?;
        chunks.sort_unstable_by_key(|&(id, _)| id);
        Ok(Self { rows: places.rows, chunks })
    }
}

/// Encodes columns that nobody has taken yet until none is left.
fn encode_some(
    sparse: &[(ColumnId, &SparseColumn)],
    next: &AtomicUsize,
    places: &Places,
    columns: &[Column],
) -> Result<Vec<(ColumnId, Chunk)>> {
    let mut encoder = Encoder::new()?;
    let mut chunks = Vec::new();
    while let Some(&(id, sparse)) = sparse.get(next.fetch_add(1, Ordering::Relaxed)) {
        if let Some((present, values)) = arranged(sparse, places) {
            let column = &columns[id];
            let filtered = column.built_in && column.name == "distinct_id";
            let chunk = encoder.chunk(column, places.rows, &present, values.as_ref(), filtered)?;
            chunks.push((id, chunk));
        }
    }
    Ok(chunks)
}
