//! What rows are sorted by: reads event and time of each run.

use super::plan::EventRows;
use super::scratch::{Scratch, bytes_of};
use crate::parquet::decode::Cells;
use crate::parquet::source_file::SourceFile;
use crate::rows::part::Part;
use foldhash::HashMap;
use mixlake_schema::{Column, ColumnId, ColumnType};
use parquet::errors::Result;
use parquet::file::reader::ChunkReader;
use std::ops::Range;

/// A row group of an input.
pub(super) struct Run {
    pub file: usize,
    pub group: usize,
    /// Where its keys are, in order.
    pub keys: Range<u64>,
    /// Where the place of each row in that order is stored; `None` if the rows are in order.
    pub places: Option<Range<u64>>,
}

/// The event and the time of a row. Events are numbered in the order in which they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub event: u32,
    pub time: i64,
}

/// The bytes of a stored key.
pub(super) const KEY: usize = 12;

impl Key {
    fn to_bytes(self) -> [u8; KEY] {
        let mut bytes = [0; KEY];
        bytes[..4].copy_from_slice(&self.event.to_le_bytes());
        bytes[4..].copy_from_slice(&self.time.to_le_bytes());
        bytes
    }

    pub(super) fn of_bytes(bytes: [u8; KEY]) -> Self {
        let [a, b, c, d, time @ ..] = bytes;
        Self { event: u32::from_le_bytes([a, b, c, d]), time: i64::from_le_bytes(time) }
    }
}

/// The events that were found, by number.
#[derive(Debug, Default)]
pub(super) struct Events {
    numbers: HashMap<Vec<u8>, u32>,
    /// The name; `None` for rows without one.
    names: Vec<Option<Vec<u8>>>,
    pub rows: Vec<u64>,
    /// The bytes of large values, as far as they were counted.
    pub bytes: Vec<u64>,
}

/// The number of rows without an event.
const NO_EVENT: u32 = 0;

/// A row without a time comes first.
const NO_TIME: i64 = i64::MIN;

/// A column whose values have more bytes on average is large.
const LARGE: u64 = 256;

impl Events {
    pub(super) fn new() -> Self {
        let mut events = Self::default();
        events.add(None);
        events
    }

    fn add(&mut self, name: Option<Vec<u8>>) -> u32 {
        self.names.push(name);
        self.rows.push(0);
        self.bytes.push(0);
        u32::try_from(self.names.len() - 1).expect("a row group names fewer events than 2^32")
    }

    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            *number
        } else {
            let number = self.add(Some(name.to_vec()));
            self.numbers.insert(name.to_vec(), number);
            number
        }
    }

    fn compare(&self, a: Key, b: Key) -> std::cmp::Ordering {
        if a.event == b.event {
            return a.time.cmp(&b.time);
        }
        self.names[a.event as usize].cmp(&self.names[b.event as usize])
    }

    /// The rows of an event, and how many of them a row group may have: no more than fit in memory.
    pub(super) fn rows_of(&self, event: u32, most: u64, memory: usize) -> EventRows {
        let (rows, bytes) = (self.rows[event as usize], self.bytes[event as usize]);
        let fit = (memory as u64).saturating_mul(rows).checked_div(bytes).unwrap_or(most);
        EventRows { rows, most: most.min(fit).max(1) }
    }

    /// The numbers of the events in the order of their names.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..).take(self.names.len()).collect();
        numbers.sort_by(|&a, &b| self.names[a as usize].cmp(&self.names[b as usize]));
        numbers
    }
}

/// The columns that rows are sorted by. A table of one event has no column of its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct SortedBy {
    event: Option<ColumnId>,
    time: Option<ColumnId>,
}

impl SortedBy {
    pub(super) fn of(table: &[Column]) -> Self {
        let find = |name| table.iter().position(|column| column.built_in && column.name == name);
        Self { event: find("mp_event_name"), time: find("time") }
    }
}

/// Reads the keys of all row groups of a file.
pub(super) fn read<R: ChunkReader>(
    (number, file): (usize, &SourceFile<'_, R>),
    by: SortedBy,
    events: &mut Events,
    scratch: &mut Scratch,
    lasting: &mut Scratch,
) -> Result<Vec<Run>> {
    (0..file.groups.len())
        .map(|group| {
            let keys = keys(file, group, by, events)?;
            for key in &keys {
                events.rows[key.event as usize] += 1;
            }
            weigh(file, group, &keys, events)?;
            let (keys, places) = in_order(keys, events);
            let bytes: Vec<u8> = keys.into_iter().flat_map(Key::to_bytes).collect();
            let keys = scratch.append(&bytes)?;
            let places = places.map(|places| lasting.append(&bytes_of(&places))).transpose()?;
            Ok(Run { file: number, group, keys, places })
        })
        .collect()
}

fn keys<R: ChunkReader>(
    file: &SourceFile<'_, R>,
    group: usize,
    by: SortedBy,
    events: &mut Events,
) -> Result<Vec<Key>> {
    let rows = file.groups[group].rows as usize;
    let mut keys = vec![Key { event: NO_EVENT, time: NO_TIME }; rows];
    if let Some(column) = by.event {
        let mut names = Names { events, keys: &mut keys, last: NO_EVENT };
        file.read(group, column, &mut names)?;
    }
    if let Some(column) = by.time {
        file.read(group, column, &mut Times(&mut keys))?;
    }
    Ok(keys)
}

/// Adds the sizes of large values to those of their events.
fn weigh<R: ChunkReader>(
    file: &SourceFile<'_, R>,
    group: usize,
    keys: &[Key],
    events: &mut Events,
) -> Result<()> {
    let large = file.plain_bytes(group).filter(|(_, column_type, bytes)| {
        *column_type == ColumnType::String && *bytes > LARGE * keys.len() as u64
    });
    for (column, ..) in large.collect::<Vec<_>>() {
        file.read(group, column, &mut Weights { keys, bytes: &mut events.bytes })?;
    }
    Ok(())
}

/// The keys in order. If they are not, also the place of each row.
fn in_order(keys: Vec<Key>, events: &Events) -> (Vec<Key>, Option<Vec<u32>>) {
    if keys.is_sorted_by(|a, b| events.compare(*a, *b).is_le()) {
        return (keys, None);
    }
    let mut rows: Vec<u32> = (0..).take(keys.len()).collect();
    // Equal rows stay in their order.
    rows.sort_by(|&a, &b| events.compare(keys[a as usize], keys[b as usize]));
    let mut places = vec![0; keys.len()];
    for (place, &row) in (0..).zip(&rows) {
        places[row as usize] = place;
    }
    (rows.into_iter().map(|row| keys[row as usize]).collect(), Some(places))
}

struct Names<'a> {
    events: &'a mut Events,
    keys: &'a mut [Key],
    last: u32,
}

impl Cells for Names<'_> {
    fn text(&mut self, row: u32, text: Part<'_>) {
        let name = text.bytes();
        // Rows of an event are side by side.
        if self.events.names[self.last as usize].as_deref() != Some(name) {
            self.last = self.events.number(name);
        }
        self.keys[row as usize].event = self.last;
    }
}

struct Times<'a>(&'a mut [Key]);

impl Cells for Times<'_> {
    fn fixed(&mut self, row: u32, bits: u64) {
        self.0[row as usize].time = bits.cast_signed();
    }
}

struct Weights<'a> {
    keys: &'a [Key],
    bytes: &'a mut [u64],
}

impl Cells for Weights<'_> {
    fn text(&mut self, row: u32, text: Part<'_>) {
        self.bytes[self.keys[row as usize].event as usize] += text.len() as u64;
    }
}
