//! Encodes the rows of a buffer, aside: with several threads, the next rows are read meanwhile.

use crate::buffer::Buffer;
use crate::chunk::Encoder;
use crate::days::Context;
use crate::json::JsonLines;
use crate::metadata::Chunk;
use crate::options::EventNameForm;
use crate::places::Places;
use crate::transform::TransformError;
use crate::values::arranged;
use mixlake_domain::DataFormat;
use mixlake_schema::{Column, ColumnId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

/// What was made of rows, in the format of their table; by one thread, or in the end by all.
#[derive(Default)]
pub(crate) struct Encoded {
    /// The columns that have values, in the order of their ids.
    pub chunks: Vec<(ColumnId, Chunk)>,
    pub lines: Option<JsonLines>,
}

/// Rows that are being encoded. The number of threads changes no byte.
pub(crate) struct Encoding {
    work: Arc<Work>,
    others: Vec<JoinHandle<Result<Encoded, TransformError>>>,
}

/// What the threads share.
struct Work {
    buffer: Buffer,
    /// The places of events, by their numbers, in the order of their names; none if rows are not sorted.
    ranks: Option<Vec<u32>>,
    /// Made by who comes first.
    places: OnceLock<Places>,
    /// The columns of the table that are in the buffer.
    columns: Vec<(ColumnId, Column)>,
    format: DataFormat,
    /// How many pieces somebody has taken: a piece is a column, or all JSON lines.
    taken: AtomicUsize,
}

impl Encoding {
    /// Begins to encode rows; `columns` are the table's. With one thread all is done in [`Self::end`].
    pub(crate) fn begin(buffer: Buffer, columns: &[Column], context: &Context<'_>) -> Self {
        let used: Vec<_> = buffer.columns().map(|(id, _)| (id, columns[id].clone())).collect();
        let pieces = match context.options.format {
            DataFormat::Parquet => used.len(),
            DataFormat::Json => 1,
        };
        let work = Arc::new(Work {
            buffer,
            ranks: ranks(context),
            places: OnceLock::new(),
            columns: used,
            format: context.options.format,
            taken: AtomicUsize::new(0),
        });
        let other = |_| {
            let work = Arc::clone(&work);
            thread::spawn(move || work.pieces())
        };
        let others = context.options.bounds.threads.get() - 1;
        let others = (0..others.min(pieces)).map(other).collect();
        Self { work, others }
    }

    /// Bytes held by the rows.
    pub(crate) fn memory(&self) -> usize {
        self.work.buffer.size().holds
    }

    /// Encodes what nobody has taken yet, waits for the others, and gives the buffer back, still with
    /// its rows.
    pub(crate) fn end(self) -> Result<(Encoded, Buffer), TransformError> {
        let Encoded { mut chunks, mut lines } = self.work.pieces()?;
        for other in self.others {
            let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            chunks.extend(theirs.chunks);
            lines = lines.or(theirs.lines);
        }
        let work = Arc::into_inner(self.work).expect("the others have ended");
        // Those of each thread are in order: what keeps runs only has to merge them.
        chunks.sort_by_key(|&(id, _)| id);
        Ok((Encoded { chunks, lines }, work.buffer))
    }
}

impl Work {
    /// Encodes pieces until none is left.
    fn pieces(&self) -> Result<Encoded, TransformError> {
        let mut encoded = Encoded::default();
        match self.format {
            DataFormat::Parquet => encoded.chunks = self.chunks()?,
            DataFormat::Json if self.take() == 0 => {
                let lines = JsonLines::encode(&self.buffer, self.places(), &self.columns);
                encoded.lines = Some(lines.map_err(TransformError::Json)?);
            }
            DataFormat::Json => {}
        }
        Ok(encoded)
    }

    fn chunks(&self) -> parquet::errors::Result<Vec<(ColumnId, Chunk)>> {
        let places = self.places();
        let mut encoder = Encoder::new()?;
        let mut chunks = Vec::new();
        while let Some((id, column)) = self.columns.get(self.take()) {
            if let Some((present, values)) = arranged(self.buffer.of_column(*id), places) {
                let filtered = column.built_in && column.name == "distinct_id";
                let values = values.as_ref();
                let chunk = encoder.chunk(places.rows, &present, values, filtered)?;
                chunks.push((*id, chunk));
            }
        }
        Ok(chunks)
    }

    fn take(&self) -> usize {
        self.taken.fetch_add(1, Ordering::Relaxed)
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| self.buffer.places(self.ranks.as_deref()))
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
