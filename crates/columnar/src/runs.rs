//! Identities of rows that memory has no room for: sorted runs in a file without a name.
//!
//! The file is gone with the transformation, whatever ends it.

use crate::dedup::{Age, RowIdentity};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

/// A row that was seen: which, and how new.
pub(crate) type Record = (RowIdentity, Age);

/// The bytes of a record.
const RECORD: usize = 32;

/// What is read of each run at a time.
const READ: usize = 16 << 10;

/// Runs of records, each ascending by identity.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    file: Option<File>,
    /// How many records each run has.
    lengths: Vec<u64>,
}

impl Runs {
    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, mut records: Vec<Record>) -> io::Result<()> {
        records.sort_unstable_by_key(|(row, _)| row.number());
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::End(0))?;
        let mut out = BufWriter::new(file);
        for (row, age) in &records {
            out.write_all(&row.number().to_le_bytes())?;
            out.write_all(&age.to_bytes())?;
        }
        out.flush()?;
        self.lengths.push(records.len() as u64);
        Ok(())
    }

    /// Hands every identity that is there more than once to `each`, in order, with its newest age.
    pub(crate) fn repeated<E: From<io::Error>>(
        self,
        mut each: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(file) = self.file else { return Ok(()) };
        let mut readers = readers(&file, &self.lengths)?;
        let mut heads = BinaryHeap::new();
        let mut ages = vec![None; readers.len()];
        for (run, reader) in readers.iter_mut().enumerate() {
            if let Some((row, age)) = reader.next()? {
                heads.push(Reverse((row.number(), run)));
                ages[run] = Some(age);
            }
        }
        let mut last: Option<(u128, Age, bool)> = None;
        let mut pass = |last: Option<(u128, Age, bool)>| match last {
            Some((row, age, true)) => each((RowIdentity::of_number(row), age)),
            Some((_, _, false)) | None => Ok(()),
        };
        while let Some(Reverse((row, run))) = heads.pop() {
            let age = ages[run].take().expect("every run in the heap has its age kept");
            last = match last {
                Some((same, newest, _)) if same == row => {
                    Some((row, if age.is_newer_than(newest) { age } else { newest }, true))
                }
                other => {
                    pass(other)?;
                    Some((row, age, false))
                }
            };
            if let Some((row, age)) = readers[run].next()? {
                heads.push(Reverse((row.number(), run)));
                ages[run] = Some(age);
            }
        }
        pass(last)
    }
}

/// A reader of each run. They share the file, so each reads a piece at its own place.
fn readers(file: &File, lengths: &[u64]) -> io::Result<Vec<RunReader>> {
    let mut start = 0;
    let mut readers = Vec::with_capacity(lengths.len());
    for length in lengths {
        let end = start + length * RECORD as u64;
        readers.push(RunReader { file: file.try_clone()?, start, end, piece: Vec::new(), at: 0 });
        start = end;
    }
    Ok(readers)
}

struct RunReader {
    file: File,
    /// What is not read yet of the file.
    start: u64,
    end: u64,
    piece: Vec<u8>,
    at: usize,
}

impl RunReader {
    fn next(&mut self) -> io::Result<Option<Record>> {
        if self.at == self.piece.len() && !self.fill()? {
            return Ok(None);
        }
        let record = &self.piece[self.at..self.at + RECORD];
        self.at += RECORD;
        let (row, age) = record.split_at(16);
        let broken = |_| io::Error::from(io::ErrorKind::InvalidData);
        let row = u128::from_le_bytes(row.try_into().map_err(broken)?);
        Ok(Some((RowIdentity::of_number(row), Age::of_bytes(age.try_into().map_err(broken)?))))
    }

    fn fill(&mut self) -> io::Result<bool> {
        let left = usize::try_from(self.end - self.start).unwrap_or(usize::MAX);
        self.piece.resize(left.min(READ), 0);
        self.at = 0;
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_exact(&mut self.piece)?;
        self.start += self.piece.len() as u64;
        Ok(!self.piece.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn what_is_there_several_times_is_told_once_with_its_newest_age(
            runs in prop::collection::vec(
                prop::collection::vec((0_u128..40, 0_u8..5), 0..30), 0..6,
            ),
        ) {
            let age = |processed: u8| {
                Age::new(Some(f64::from(processed)), RowIdentity::of_number(1))
            };
            let mut on_file = Runs::default();
            let mut expected: BTreeMap<u128, Vec<u8>> = BTreeMap::new();
            for run in runs.iter().filter(|run| !run.is_empty()) {
                let records = run.iter().map(|&(row, at)| (RowIdentity::of_number(row), age(at)));
                on_file.add(records.collect()).unwrap();
                for &(row, at) in run {
                    expected.entry(row).or_default().push(at);
                }
            }
            expected.retain(|_, ages| ages.len() > 1);
            let mut told = Vec::new();
            on_file.repeated(|record| { told.push(record); Ok::<_, io::Error>(()) }).unwrap();
            let newest = |(row, ages): (u128, Vec<u8>)| {
                (RowIdentity::of_number(row), age(ages.into_iter().max().unwrap()))
            };
            prop_assert_eq!(told, expected.into_iter().map(newest).collect::<Vec<_>>());
        }
    }
}
