//! An unnamed temporary file. The system removes it when the compaction ends, in whatever way.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

/// A file that is written at its end and read anywhere.
#[derive(Debug)]
pub(super) struct Scratch {
    file: File,
    end: u64,
}

impl Scratch {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile_in(folder)?, end: 0 })
    }

    /// Adds bytes. Answers where they are.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<Range<u64>> {
        let start = self.end;
        self.write(start, bytes)?;
        self.end += bytes.len() as u64;
        Ok(start..self.end)
    }

    /// Replaces bytes that are there.
    pub(super) fn write(&mut self, start: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(start))?;
        self.file.write_all(bytes)
    }

    /// Reads bytes, behind those that `out` has.
    pub(super) fn read(&mut self, range: Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let before = out.len();
        out.resize(before + length, 0);
        self.file.seek(SeekFrom::Start(range.start))?;
        self.file.read_exact(&mut out[before..])
    }

    /// Where the next bytes will be.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.end = 0;
        self.file.set_len(0)
    }

    pub(super) fn into_file(self) -> File {
        self.file
    }
}

/// Numbers as they are stored.
pub(super) fn bytes_of(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Numbers as they were stored.
pub(super) fn numbers_of(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect()
}
