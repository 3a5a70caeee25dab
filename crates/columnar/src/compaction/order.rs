//! Merges the runs: which rows each new row group takes from each run, and in which order.

use super::keys::{KEY, Key, Run};
use super::scratch::{Scratch, bytes_of};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;
use std::ops::Range;

/// The rows that a row group takes from a run: those up to a place in the order of the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The place after the last.
    pub end: u32,
    /// The number of the first of them within the row group, before sorting.
    pub first: u32,
}

/// A new row group.
pub(super) struct NewGroup {
    pub rows: u32,
    /// Where the position of each row is stored. Rows are numbered run by run.
    pub positions: Range<u64>,
}

/// The order of all rows.
pub(super) struct Order {
    pub groups: Vec<NewGroup>,
    /// By run, then by row group.
    pub cuts: Vec<Vec<Cut>>,
}

/// The next row of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    /// The rank of its event.
    event: u32,
    time: i64,
    /// Of equal rows, those of the first run come first.
    run: u32,
}

/// Merges the runs into row groups of these sizes. `ranks` are those of the events.
pub(super) fn merge(
    runs: &[Run],
    ranks: &[u32],
    groups: &[u64],
    keys: &mut Scratch,
    positions: &mut Scratch,
) -> io::Result<Order> {
    let mut readers: Vec<KeyReader> = runs.iter().map(KeyReader::new).collect();
    let mut heap = BinaryHeap::with_capacity(runs.len());
    for (run, reader) in (0..).zip(&mut readers) {
        heap.extend(reader.next(keys)?.map(|key| Reverse(Head::of(key, run, ranks))));
    }
    let mut order = Order { groups: Vec::new(), cuts: vec![Vec::new(); runs.len()] };
    let mut sources: Vec<u32> = Vec::new();
    for &rows in groups {
        sources.clear();
        while (sources.len() as u64) < rows
            && let Some(mut head) = heap.peek_mut()
        {
            let run = head.0.run;
            sources.push(run);
            match readers[run as usize].next(keys)? {
                Some(key) => head.0 = Head::of(key, run, ranks),
                None => {
                    PeekMut::pop(head);
                }
            }
        }
        let group = order.cut(&sources, positions)?;
        order.groups.push(group);
    }
    Ok(order)
}

impl Head {
    fn of(key: Key, run: u32, ranks: &[u32]) -> Self {
        Self { event: ranks[key.event as usize], time: key.time, run }
    }
}

impl Order {
    /// Ends a row group whose rows come from these runs.
    fn cut(&mut self, sources: &[u32], positions: &mut Scratch) -> io::Result<NewGroup> {
        let mut counts = vec![0_u32; self.cuts.len()];
        for &run in sources {
            counts[run as usize] += 1;
        }
        let mut first = 0;
        for (cuts, count) in self.cuts.iter_mut().zip(&mut counts) {
            let end = cuts.last().map_or(0, |cut| cut.end) + *count;
            cuts.push(Cut { end, first });
            // From here on, the number of the next row of the run.
            first += std::mem::replace(count, first);
        }
        let mut all = vec![0; sources.len()];
        for (position, &run) in (0..).zip(sources) {
            let number = &mut counts[run as usize];
            all[*number as usize] = position;
            *number += 1;
        }
        Ok(NewGroup { rows: first, positions: positions.append(&bytes_of(&all))? })
    }
}

/// What is read of a run at a time.
const READ: u64 = 1_024 * KEY as u64;

/// Reads the keys of a run.
struct KeyReader {
    left: Range<u64>,
    piece: Vec<u8>,
    at: usize,
}

impl KeyReader {
    fn new(run: &Run) -> Self {
        Self { left: run.keys.clone(), piece: Vec::new(), at: 0 }
    }

    fn next(&mut self, keys: &mut Scratch) -> io::Result<Option<Key>> {
        if self.at == self.piece.len() {
            if self.left.is_empty() {
                self.piece = Vec::new();
                self.at = 0;
                return Ok(None);
            }
            let end = self.left.end.min(self.left.start + READ);
            self.piece.clear();
            keys.read(self.left.start..end, &mut self.piece)?;
            self.left.start = end;
            self.at = 0;
        }
        let bytes = self.piece[self.at..].first_chunk::<KEY>();
        self.at += KEY;
        Ok(bytes.map(|bytes| Key::of_bytes(*bytes)))
    }
}
