//! Sorts records that do not fit in memory: sorted runs in an unnamed temporary file, which are merged.
//!
//! Each record comes out once. The system removes the file when the work ends, in whatever way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::Path;

/// What can be sorted.
pub(super) trait Record: Ord + Sized {
    /// The bytes that it takes in memory, about.
    fn size(&self) -> usize;
    /// Writes it so that [`Self::read`] reads it back.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
    /// Reads one.
    fn read(from: &mut dyn Read) -> io::Result<Self>;
}

/// How much memory the work may take, and where temporary files are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk<'a> {
    pub folder: &'a Path,
    /// The bytes of records in memory, about.
    pub memory: usize,
}

/// So many runs are merged at a time. Each has a piece in memory.
const MERGED: usize = 128;

/// What is read of a file at a time.
const READ: usize = 64 << 10;

/// Takes records in any order.
pub(super) struct Sorter<'a, R> {
    disk: Disk<'a>,
    records: Vec<R>,
    bytes: usize,
    runs: Vec<Tape<R>>,
}

impl<'a, R: Record> Sorter<'a, R> {
    pub(super) fn new(disk: Disk<'a>) -> Self {
        Self { disk, records: Vec::new(), bytes: 0, runs: Vec::new() }
    }

    pub(super) fn push(&mut self, record: R) -> io::Result<()> {
        self.bytes += record.size();
        self.records.push(record);
        if self.bytes > self.disk.memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.records.sort_unstable();
        self.records.dedup();
        let mut run = Tape::new(self.disk)?;
        self.records.drain(..).try_for_each(|record| run.push(&record))?;
        self.bytes = 0;
        self.runs.push(run);
        if self.runs.len() == MERGED {
            let mut one = Tape::new(self.disk)?;
            let mut merged = Sorted::Merged(Merge::new(std::mem::take(&mut self.runs))?);
            while let Some(record) = merged.next()? {
                one.push(&record)?;
            }
            self.runs.push(one);
        }
        Ok(())
    }

    /// All records in order, each once.
    pub(super) fn sorted(mut self) -> io::Result<Sorted<R>> {
        if self.runs.is_empty() {
            self.records.sort_unstable();
            self.records.dedup();
            return Ok(Sorted::InMemory(self.records.into_iter()));
        }
        if !self.records.is_empty() {
            self.spill()?;
        }
        Ok(Sorted::Merged(Merge::new(self.runs)?))
    }
}

/// Records in order.
pub(super) enum Sorted<R> {
    InMemory(std::vec::IntoIter<R>),
    Merged(Merge<R>),
}

impl<R: Record> Sorted<R> {
    pub(super) fn next(&mut self) -> io::Result<Option<R>> {
        match self {
            Self::InMemory(records) => Ok(records.next()),
            Self::Merged(merge) => merge.next(),
        }
    }
}

/// Merges runs.
pub(super) struct Merge<R> {
    runs: Vec<Reader<R>>,
    heads: BinaryHeap<Reverse<(R, usize)>>,
}

impl<R: Record> Merge<R> {
    fn new(runs: Vec<Tape<R>>) -> io::Result<Self> {
        let runs = runs.into_iter().map(Tape::into_reader).collect::<io::Result<_>>()?;
        let mut merge = Self { runs, heads: BinaryHeap::new() };
        (0..merge.runs.len()).try_for_each(|run| merge.advance(run))?;
        Ok(merge)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        let next = self.runs[run].next()?;
        self.heads.extend(next.map(|record| Reverse((record, run))));
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<R>> {
        let Some(Reverse((record, run))) = self.heads.pop() else { return Ok(None) };
        self.advance(run)?;
        while let Some(Reverse((same, _))) = self.heads.peek()
            && *same == record
        {
            if let Some(Reverse((_, run))) = self.heads.pop() {
                self.advance(run)?;
            }
        }
        Ok(Some(record))
    }
}

/// Records in a temporary file, in the order in which they were added.
pub(super) struct Tape<R> {
    file: BufWriter<File>,
    records: u64,
    of: PhantomData<R>,
}

impl<R: Record> Tape<R> {
    pub(super) fn new(disk: Disk<'_>) -> io::Result<Self> {
        let file = BufWriter::with_capacity(READ, tempfile::tempfile_in(disk.folder)?);
        Ok(Self { file, records: 0, of: PhantomData })
    }

    pub(super) fn push(&mut self, record: &R) -> io::Result<()> {
        self.records += 1;
        record.write(&mut self.file)
    }

    pub(super) fn into_reader(self) -> io::Result<Reader<R>> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut reader = Reader {
            file: Pieces { file, piece: Vec::new(), at: 0 },
            records: self.records,
            left: 0,
            of: PhantomData,
        };
        reader.rewind()?;
        Ok(reader)
    }
}

/// Reads a tape.
pub(super) struct Reader<R> {
    file: Pieces,
    records: u64,
    left: u64,
    of: PhantomData<R>,
}

impl<R: Record> Reader<R> {
    pub(super) fn next(&mut self) -> io::Result<Option<R>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        R::read(&mut self.file).map(Some)
    }

    /// Goes back to the first record.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.left = self.records;
        self.file.piece.clear();
        self.file.at = 0;
        self.file.file.seek(SeekFrom::Start(0)).map(drop)
    }
}

/// Reads a file in pieces. A piece is allocated when the first one is read.
struct Pieces {
    file: File,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.piece.resize(READ, 0);
            let read = self.file.read(&mut self.piece)?;
            self.piece.truncate(read);
            self.at = 0;
        }
        let length = to.len().min(self.piece.len() - self.at);
        to[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// The bytes that a text takes in memory, about.
pub(super) fn text_size(text: &str) -> usize {
    size_of::<String>() + text.len().next_multiple_of(16)
}

pub(super) fn write_text(to: &mut dyn Write, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(text.as_bytes())
}

pub(super) fn read_text(from: &mut dyn Read) -> io::Result<String> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut text)?;
    String::from_utf8(text).map_err(|_| ErrorKind::InvalidData.into())
}

pub(super) fn read_number(from: &mut dyn Read) -> io::Result<u64> {
    let mut number = [0; 8];
    from.read_exact(&mut number)?;
    Ok(u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    impl Record for String {
        fn size(&self) -> usize {
            text_size(self)
        }

        fn write(&self, to: &mut dyn Write) -> io::Result<()> {
            write_text(to, self)
        }

        fn read(from: &mut dyn Read) -> io::Result<Self> {
            read_text(from)
        }
    }

    fn sorted(records: &[String], memory: usize) -> Vec<String> {
        let folder = std::env::temp_dir();
        let mut sorter = Sorter::new(Disk { folder: &folder, memory });
        for record in records {
            sorter.push(record.clone()).unwrap();
        }
        let mut all = sorter.sorted().unwrap();
        std::iter::from_fn(|| all.next().unwrap()).collect()
    }

    #[test]
    fn more_runs_than_are_merged_at_a_time_are_merged_in_steps() {
        let records: Vec<String> =
            (0..1_000).map(|number| (number * 7 % 500).to_string()).collect();
        let expected: Vec<String> =
            records.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(sorted(&records, 1), expected, "each record is a run");
        assert_eq!(sorted(&records, 1 << 20), expected, "all are in memory");
    }

    proptest! {
        #[test]
        fn each_record_comes_out_once_and_in_order(
            records in prop::collection::vec("[a-d\u{e9}]{0,3}", 0..200), memory in 1_usize..2_000,
        ) {
            let expected: BTreeSet<String> = records.iter().cloned().collect();
            prop_assert_eq!(sorted(&records, memory), Vec::from_iter(expected));
        }
    }
}
