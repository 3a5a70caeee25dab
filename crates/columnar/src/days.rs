//! The days that a slice writes to: the rows being collected for each, and its files.

use crate::buffer::Buffer;
use crate::dedup::Place;
use crate::encode::RowGroup;
use crate::file::assemble;
use crate::options::Options;
use crate::transform::TransformError;
use bytes::Bytes;
use mixlake_domain::{Date, SliceLabel};
use mixlake_schema::{MASTER_TABLE, Registry};
use parquet::file::metadata::KeyValue;
use std::collections::BTreeMap;

/// A Parquet file of one day of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The table.
    pub table: String,
    /// The value of the partition.
    pub date: Date,
    /// Counts from 0 within slice, table and date.
    pub part: usize,
    /// The number of rows.
    pub rows: u64,
    /// The names of the columns, in order.
    pub columns: Vec<String>,
    /// The file.
    pub bytes: Bytes,
}

/// What is needed to encode rows and to name where they come from.
pub(crate) struct Context<'a> {
    pub options: &'a Options,
    pub registry: &'a Registry,
    pub slice: SliceLabel,
}

/// All days of a slice. Nearly always it is one; late and early events add others.
#[derive(Default)]
pub(crate) struct Days {
    by_date: BTreeMap<Date, Day>,
    /// Bytes of all rows that are not yet encoded.
    memory: usize,
    buffers: u32,
    ready: Vec<DataFile>,
}

#[derive(Default)]
struct Day {
    buffer: Buffer,
    buffer_id: u32,
    /// The memory of the buffer that is counted already.
    counted: usize,
    groups: Vec<RowGroup>,
    parts: usize,
}

impl Days {
    fn day(&mut self, date: Date) -> &mut Day {
        self.by_date.entry(date).or_insert_with(|| {
            self.buffers += 1;
            Day { buffer_id: self.buffers, ..Day::default() }
        })
    }

    /// The rows being collected for a date.
    pub(crate) fn buffer(&mut self, date: Date) -> &mut Buffer {
        &mut self.day(date).buffer
    }

    /// Where the next row of a date will be.
    pub(crate) fn next_place(&mut self, date: Date) -> Place {
        let day = self.day(date);
        Place { buffer: day.buffer_id, row: day.buffer.next_row() }
    }

    /// Takes a row back. Answers whether it could: not if it is encoded already.
    pub(crate) fn drop_row(&mut self, date: Date, place: Place) -> bool {
        let day = self.day(date);
        let here = day.buffer_id == place.buffer;
        if here {
            day.buffer.drop_row(place.row);
        }
        here
    }

    /// Encodes what is full after a row was added to a date.
    pub(crate) fn settle(
        &mut self,
        date: Date,
        context: &Context<'_>,
    ) -> Result<(), TransformError> {
        let bounds = context.options.bounds;
        let day = self.day(date);
        let memory = day.buffer.memory();
        let (grown, full) = (memory - day.counted, day.buffer.rows() >= bounds.group_rows);
        day.counted = memory;
        self.memory += grown;
        if full {
            self.encode(date, context)?;
        }
        while self.memory > bounds.buffer_bytes {
            let largest = self.by_date.iter().max_by_key(|(_, day)| day.counted);
            let Some((&date, _)) = largest else { break };
            self.encode(date, context)?;
        }
        Ok(())
    }

    /// Encodes and ends everything.
    pub(crate) fn end(&mut self, context: &Context<'_>) -> Result<(), TransformError> {
        let dates: Vec<Date> = self.by_date.keys().copied().collect();
        for date in dates {
            self.encode(date, context)?;
            self.end_file(date, context)?;
        }
        Ok(())
    }

    /// The files that are complete.
    pub(crate) fn take_files(&mut self) -> Vec<DataFile> {
        std::mem::take(&mut self.ready)
    }

    fn encode(&mut self, date: Date, context: &Context<'_>) -> Result<(), TransformError> {
        self.buffers += 1;
        let buffer_id = self.buffers;
        let day = self.day(date);
        let buffer = std::mem::take(&mut day.buffer);
        let counted = std::mem::take(&mut day.counted);
        day.buffer_id = buffer_id;
        if buffer.rows() > 0 {
            let columns = context.registry.tables()[MASTER_TABLE].columns();
            day.groups.push(RowGroup::encode(buffer, &ranks(context), columns)?);
        }
        let encoded: usize = day.groups.iter().map(RowGroup::memory).sum();
        self.memory -= counted;
        if encoded >= context.options.bounds.file_bytes {
            self.end_file(date, context)?;
        }
        Ok(())
    }

    fn end_file(&mut self, date: Date, context: &Context<'_>) -> Result<(), TransformError> {
        let day = self.day(date);
        let groups = std::mem::take(&mut day.groups);
        if groups.is_empty() {
            return Ok(());
        }
        let part = day.parts;
        day.parts += 1;
        let rows = groups.iter().map(|group| group.rows as u64).sum();
        let columns = context.registry.tables()[MASTER_TABLE].columns();
        let (bytes, columns) = assemble(groups, columns, metadata(context, rows))?;
        let table = MASTER_TABLE.to_owned();
        self.ready.push(DataFile { table, date, part, rows, columns, bytes });
        Ok(())
    }
}

/// The place of each event, by its number, among the event names.
fn ranks(context: &Context<'_>) -> Vec<u32> {
    let events = context.registry.events();
    let mut numbers: Vec<usize> = (0..events.len()).collect();
    numbers.sort_by_key(|&number| &events[number].name);
    let mut ranks = vec![0; events.len()];
    for (rank, number) in (0..).zip(numbers) {
        ranks[number] = rank;
    }
    ranks
}

/// What a file says of itself.
fn metadata(context: &Context<'_>, rows: u64) -> Vec<KeyValue> {
    let pair = |key: &str, value: String| KeyValue::new(format!("mixlake.{key}"), value);
    vec![
        pair("project", context.options.project.to_string()),
        pair("table", MASTER_TABLE.to_owned()),
        pair("slice", context.slice.to_string()),
        pair("rows", rows.to_string()),
        pair("version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}
