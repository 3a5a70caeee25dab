//! Spills identities of rows that do not fit in memory to sorted runs in a temporary file.
//!
//! The file has no name, so the system removes it when the transformation ends, in whatever way.

use crate::deduplication::far_apart::FarApart;
use crate::deduplication::identity::{Age, Record, RowIdentity};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The bytes of a record.
const RECORD: usize = 32;

/// What is read of each run at a time.
const READ: usize = 16 << 10;

/// Bytes of the disk that are left to others.
const RESERVE: u64 = 16 << 20;

/// The folder of temporary files, and how to ask how many bytes its disk has left.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    free: fn(&Path) -> io::Result<u64>,
}

impl Default for Disk {
    fn default() -> Self {
        Self { folder: tempfile::env::temp_dir(), free: free_bytes }
    }
}

/// What a process without rights of its own may still write to the disk of a folder.
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

impl Disk {
    /// An error if the disk has no room for a run of so many records behind those that are there. Found out
    /// before, because a full disk would also fail others who write to it.
    fn check(&self, records: u64, before: u64) -> Result<(), FarApart> {
        let free = (self.free)(&self.folder)?;
        if records * RECORD as u64 + RESERVE > free {
            return Err(self.full(free, records + before));
        }
        Ok(())
    }

    fn full(&self, free: u64, rows: u64) -> FarApart {
        let needed = (rows * RECORD as u64).div_ceil(1 << 20);
        let folder = self.folder.display().to_string();
        FarApart::DiskFull { folder, free_mb: free >> 20, rows, needed_mb: needed }
    }

    /// The error of a write: a disk that others have filled meanwhile is full too.
    fn write_error(&self, error: io::Error, rows: u64) -> FarApart {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return self.full((self.free)(&self.folder).unwrap_or(0), rows);
        }
        error.into()
    }
}

/// Sorted runs of records on disk, each ascending by identity.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    disk: Disk,
    file: Option<File>,
    /// How many records each run has.
    lengths: Vec<u64>,
}

impl Spill {
    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, mut records: Vec<Record>) -> Result<(), FarApart> {
        let (added, before) = (records.len() as u64, self.lengths.iter().sum::<u64>());
        self.disk.check(added, before)?;
        records.sort_unstable_by_key(|(row, _)| row.number());
        let written = self.write(&records);
        written.map_err(|error| self.disk.write_error(error, before + added))?;
        self.lengths.push(added);
        Ok(())
    }

    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.disk.folder)?),
        };
        file.seek(SeekFrom::End(0))?;
        let mut out = BufWriter::new(file);
        for (row, age) in records {
            out.write_all(&row.number().to_le_bytes())?;
            out.write_all(&age.to_bytes())?;
        }
        out.flush()
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
        let broken = |_| io::Error::from(ErrorKind::InvalidData);
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

    fn records(rows: u128) -> Vec<Record> {
        let age = Age::new(None, RowIdentity::of_number(1));
        (0..rows).map(|row| (RowIdentity::of_number(row), age)).collect()
    }

    fn with(free: fn(&Path) -> io::Result<u64>) -> Spill {
        Spill { disk: Disk { folder: "/tmp".into(), free }, ..Spill::default() }
    }

    #[test]
    fn a_run_for_which_the_disk_has_no_room_is_an_error_before_it_is_written() {
        let mut runs = with(|_| Ok(RESERVE + 32_000));
        runs.add(records(600)).unwrap();
        // The lookup always answers the same: this run alone is too large.
        let error = runs.add(records(1_001)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the temporary folder /tmp has only 16 MB free. The identities of the 1601 rows so far need 1 MB \
             there, and some space must stay free for others. Give the function more ephemeral storage \
             (parameter ExportStorage of the template), set TMPDIR to a larger disk, or export shorter slices"
        );
        assert_eq!(runs.lengths, [600], "the run was not written");
    }

    #[test]
    fn a_disk_that_fills_up_while_a_run_is_written_is_the_same_error() {
        let disk = Disk { folder: "/tmp".into(), free: |_| Ok(0) };
        let error = disk.write_error(ErrorKind::StorageFull.into(), 16 << 20);
        let told = error.to_string();
        assert!(told.contains("/tmp has only 0 MB free") && told.contains("need 512 MB"), "{told}");
        let other = disk.write_error(ErrorKind::PermissionDenied.into(), 1);
        assert!(matches!(other, FarApart::File(_)), "{other}");
    }

    #[test]
    fn the_disk_of_temporary_files_tells_what_is_free() {
        let disk = Disk::default();
        assert!((disk.free)(&disk.folder).unwrap() > 0);
        assert!((disk.free)(Path::new("/no such folder")).is_err());
    }

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
            let mut on_file = Spill::default();
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
