//! Encodes the rows of a buffer. With several threads, the next rows are read at the same time.

use crate::error::TransformError;
use crate::files::context::Context;
use crate::files::json::JsonLines;
use crate::options::compression::Compression;
use crate::options::{EventNameForm, Options};
use crate::parquet::metadata::ColumnChunk;
use crate::parquet::page::{ChunkEncoder, ChunkInBlocks};
use crate::parquet::row_group::memory_of;
use crate::parquet::values::arranged;
use crate::rows::buffer::{Buffer, Sorting};
use crate::rows::column::SparseColumn;
use crate::rows::row_order::RowOrder;
use crate::rows::rows_hash::{ColumnHash, RowSums, RowsHash};
use crate::transformation::subject::Subject;
use mixlake_domain::DataFormat;
use mixlake_schema::{Column, ColumnId, EventName};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

/// What was made of rows, in the format of their table.
pub(crate) struct Encoded {
    /// The columns that have values, in the order of their ids.
    pub chunks: Vec<(ColumnId, ColumnChunk)>,
    pub lines: Option<JsonLines>,
    pub rows_hash: RowsHash,
}

/// What one thread made of them.
#[derive(Default)]
struct Share {
    chunks: Vec<(ColumnId, ColumnChunk)>,
    lines: Option<JsonLines>,
    sums: RowSums,
}

impl Encoded {
    /// Bytes held.
    pub(crate) fn memory(&self) -> usize {
        memory_of(&self.chunks) + self.lines.as_ref().map_or(0, JsonLines::memory)
    }
}

/// Rows that are being encoded. The number of threads changes no byte.
pub(crate) struct Encoding {
    work: Arc<Work>,
    others: Vec<JoinHandle<Result<Share, TransformError>>>,
}

/// What the threads share.
struct Work {
    buffer: Buffer,
    sorting: Sorting,
    /// Made by who comes first.
    row_order: OnceLock<RowOrder>,
    /// The columns of the table that are in the buffer.
    columns: Vec<(ColumnId, Column)>,
    format: DataFormat,
    compression: Compression,
    /// How many pieces somebody has taken: a piece is a column, or all JSON lines.
    taken: AtomicUsize,
}

/// Of fewer rows, starting a thread costs as much as what it would do.
const WORTH_A_THREAD: usize = 1_024;

/// Rows of longer lines are encoded by one thread: each thread holds some pages, and those are large then.
const HUGE_LINE: usize = 1 << 20;

impl Encoding {
    /// Begins to encode rows; `columns` are the table's. Without other threads all is done in
    /// [`Self::end`].
    pub(crate) fn begin(
        buffer: Buffer,
        columns: &[Column],
        sorting: Sorting,
        options: &Options,
    ) -> Self {
        let used: Vec<_> = buffer.columns().map(|(id, _)| (id, columns[id].clone())).collect();
        let pieces = match options.format {
            DataFormat::Parquet => used.len(),
            DataFormat::Json => 1,
        };
        let alone = buffer.rows() < WORTH_A_THREAD || buffer.longest_line() > HUGE_LINE;
        let others = if alone { 0 } else { options.bounds.threads.get() - 1 };
        let work = Arc::new(Work {
            buffer,
            sorting,
            row_order: OnceLock::new(),
            columns: used,
            format: options.format,
            compression: options.compression,
            taken: AtomicUsize::new(0),
        });
        let other = |_| {
            let work = Arc::clone(&work);
            thread::spawn(move || work.pieces(&mut None))
        };
        let others = (0..others.min(pieces)).map(other).collect();
        Self { work, others }
    }

    /// Whether no other thread works on it.
    pub(crate) fn is_alone(&self) -> bool {
        self.others.is_empty()
    }

    /// Bytes held by the rows, and by what each thread sums of them.
    pub(crate) fn memory(&self) -> usize {
        let sums = self.work.buffer.rows() * size_of::<u64>() * (1 + self.others.len());
        self.work.buffer.size().holds + sums
    }

    /// Encodes what nobody has taken yet, waits for the others, and gives the buffer back, still with
    /// its rows. The encoder is made if it is not there yet.
    pub(crate) fn end(
        self,
        encoder: &mut Option<ChunkEncoder>,
    ) -> Result<(Encoded, Buffer), TransformError> {
        let Share { mut chunks, mut lines, mut sums } = self.work.pieces(encoder)?;
        for other in self.others {
            let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            chunks.extend(theirs.chunks);
            lines = lines.or(theirs.lines);
            sums.merge(theirs.sums);
        }
        let work = Arc::into_inner(self.work).expect("the others have ended");
        // Those of each thread are in order: what keeps runs only has to merge them.
        chunks.sort_by_key(|&(id, _)| id);
        Ok((Encoded { chunks, lines, rows_hash: sums.hash() }, work.buffer))
    }
}

impl Work {
    /// Encodes pieces until none is left.
    fn pieces(&self, kept: &mut Option<ChunkEncoder>) -> Result<Share, TransformError> {
        let mut done = Share::default();
        match self.format {
            DataFormat::Parquet => {
                let encoder = match kept {
                    Some(encoder) => encoder,
                    None => kept.insert(ChunkEncoder::new(self.compression)?),
                };
                done.sums = RowSums::new(self.row_order().rows);
                done.chunks = self.chunks(encoder, &mut done.sums)?;
            }
            DataFormat::Json if self.take() == 0 => {
                done.sums = RowSums::new(self.row_order().rows);
                let (buffer, columns) = (&self.buffer, &self.columns);
                let lines = JsonLines::encode(buffer, self.row_order(), columns, &mut done.sums);
                done.lines = Some(lines.map_err(TransformError::Json)?);
            }
            DataFormat::Json => {}
        }
        Ok(done)
    }

    fn chunks(
        &self,
        encoder: &mut ChunkEncoder,
        sums: &mut RowSums,
    ) -> parquet::errors::Result<Vec<(ColumnId, ColumnChunk)>> {
        let order = self.row_order();
        let mut chunks = Vec::new();
        while let Some((id, column)) = self.columns.get(self.take()) {
            let values = self.buffer.of_column(*id);
            if let Some(chunk) = encode_column(encoder, values, column, order, sums)? {
                chunks.push((*id, chunk));
            }
        }
        let blocks = encoder.take()?;
        Ok(chunks.into_iter().map(|(id, chunk)| (id, chunk.among(&blocks))).collect())
    }

    fn take(&self) -> usize {
        self.taken.fetch_add(1, Ordering::Relaxed)
    }

    fn row_order(&self) -> &RowOrder {
        self.row_order.get_or_init(|| self.buffer.row_order(&self.sorting))
    }
}

/// Encodes the values of a column in a row group, and adds their cells to the sums of the rows. None if no row
/// that is written has a value.
pub(crate) fn encode_column(
    encoder: &mut ChunkEncoder,
    values: &SparseColumn,
    column: &Column,
    order: &RowOrder,
    sums: &mut RowSums,
) -> parquet::errors::Result<Option<ChunkInBlocks>> {
    let Some((validity, values)) = arranged(values, order) else { return Ok(None) };
    let filtered = column.built_in && column.name == "distinct_id";
    let values = values.as_ref();
    let chunk = encoder.chunk(order.rows, &validity, values, filtered)?;
    values.hash(ColumnHash::new(&column.name, column.column_type), &validity, sums);
    Ok(Some(chunk))
}

/// How the rows of a slice are sorted. The ranks of events are computed again only when there are more
/// events, as names never change.
#[derive(Default)]
pub(crate) struct Ranks(Arc<[u32]>);

impl Ranks {
    pub(crate) fn sorting(&mut self, context: &Context<'_>) -> Sorting {
        let Options { clustered, event_name, .. } = *context.options;
        match context.subject {
            _ if !clustered => Sorting::AsTheyCame,
            Subject::EachEvent(_) | Subject::Profiles(..) => Sorting::ByTime,
            Subject::Events(_) => {
                let events = context.registry.events();
                if self.0.len() != events.len() {
                    self.0 = ranks(events, event_name);
                }
                Sorting::ByEvent(Arc::clone(&self.0))
            }
        }
    }
}

/// By the number of an event: its rank in the order of what `mp_event_name` says.
fn ranks(events: &[EventName], form: EventNameForm) -> Arc<[u32]> {
    let mut numbers: Vec<usize> = (0..events.len()).collect();
    numbers.sort_by_key(|&number| match form {
        EventNameForm::Cleaned => &events[number].name,
        EventNameForm::Raw => &events[number].event,
    });
    let mut ranks = vec![0; events.len()];
    for (rank, number) in (0..).zip(numbers) {
        ranks[number] = rank;
    }
    ranks.into()
}
