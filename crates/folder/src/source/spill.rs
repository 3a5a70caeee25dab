//! Stores lines for several days in one temporary file until they are exported.
//!
//! The file has no name, so it is removed when the process ends. Its blocks are linked: each begins
//! with the position of the next block of the same day. So memory grows neither with the lines nor with
//! the blocks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Bytes of a day that are written at once.
const BLOCK: usize = 256 << 10;

/// Bytes of all days that are buffered in memory.
const BUFFERED: usize = 8 << 20;

/// The header of a block: the position of the next block of the day, or 0, and the length of this
/// block.
const HEAD: usize = 16;

/// The writer while lines are added.
#[derive(Debug)]
pub(super) struct SpillWriter {
    file: File,
    end: u64,
    days: Vec<Day>,
    buffered: usize,
}

#[derive(Debug, Default, Clone)]
struct Day {
    first: Option<u64>,
    last: Option<u64>,
    /// Room for the header, then lines; empty if no line is buffered.
    block: Vec<u8>,
}

impl SpillWriter {
    pub(super) fn new(folder: &Path, days: usize) -> io::Result<Self> {
        Ok(Self::on(tempfile::tempfile_in(folder)?, days))
    }

    fn on(file: File, days: usize) -> Self {
        Self { file, end: 0, days: vec![Day::default(); days], buffered: 0 }
    }

    /// Stores a line for a day.
    pub(super) fn line(&mut self, day: usize, line: &[u8]) -> io::Result<()> {
        let block = &mut self.days[day].block;
        if block.is_empty() {
            block.resize(HEAD, 0);
        }
        block.extend_from_slice(line);
        block.push(b'\n');
        self.buffered += line.len() + 1;
        if block.len() >= BLOCK {
            self.write(day)
        } else if self.buffered >= BUFFERED {
            self.write_all()
        } else {
            Ok(())
        }
    }

    /// All lines were added.
    pub(super) fn finish(mut self) -> io::Result<Spill> {
        self.write_all()?;
        let firsts = self.days.iter().map(|day| day.first).collect();
        Ok(Spill { file: Mutex::new(self.file), firsts })
    }

    fn write_all(&mut self) -> io::Result<()> {
        (0..self.days.len()).try_for_each(|day| self.write(day))
    }

    fn write(&mut self, day: usize) -> io::Result<()> {
        let (at, day) = (self.end, &mut self.days[day]);
        // The memory is freed: thousands of days would otherwise hold more than the buffered lines.
        let mut block = std::mem::take(&mut day.block);
        if block.is_empty() {
            return Ok(());
        }
        let length = (block.len() - HEAD) as u64;
        block[8..HEAD].copy_from_slice(&length.to_le_bytes());
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&block)?;
        if let Some(last) = day.last.replace(at) {
            self.file.seek(SeekFrom::Start(last))?;
            self.file.write_all(&at.to_le_bytes())?;
        }
        day.first.get_or_insert(at);
        self.end = at + block.len() as u64;
        self.buffered -= block.len() - HEAD;
        Ok(())
    }
}

/// Bytes that are read at once. A block can hold one line of many megabytes. Memory of that size which one
/// thread allocates and another one frees stays with the process, so a block is read in pieces.
const PIECE: usize = 256 << 10;

/// How far a day was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    block: u64,
    /// Bytes of its lines that were read.
    read: u64,
}

/// The spill file with the lines of all days. Several readers can read at once.
#[derive(Debug)]
pub(super) struct Spill {
    file: Mutex<File>,
    firsts: Vec<Option<u64>>,
}

impl Spill {
    /// The start of a day; none if the day has no lines.
    pub(super) fn first(&self, day: usize) -> Option<Position> {
        self.firsts[day].map(|block| Position { block, read: 0 })
    }

    /// The next bytes of a day's lines, and the position after them.
    pub(super) fn piece(&self, at: Position) -> io::Result<(Vec<u8>, Option<Position>)> {
        let Position { block, read } = at;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(block))?;
        let (mut next, mut length) = ([0; 8], [0; 8]);
        file.read_exact(&mut next)?;
        file.read_exact(&mut length)?;
        let left = u64::from_le_bytes(length).saturating_sub(read);
        let size = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; size];
        file.seek(SeekFrom::Start(block + HEAD as u64 + read))?;
        file.read_exact(&mut piece)?;
        if left > size as u64 {
            return Ok((piece, Some(Position { block, read: read + size as u64 })));
        }
        // The first block is at 0, so 0 means that no block follows.
        let next = u64::from_le_bytes(next);
        Ok((piece, (next > 0).then_some(Position { block: next, read: 0 })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a day, and in how many pieces they came.
    fn lines_of(spill: &Spill, day: usize) -> (String, usize) {
        let (mut text, mut pieces, mut at) = (String::new(), 0, spill.first(day));
        while let Some(position) = at {
            let (piece, next) = spill.piece(position).unwrap();
            assert!(piece.len() <= PIECE);
            text.push_str(std::str::from_utf8(&piece).unwrap());
            (pieces, at) = (pieces + 1, next);
        }
        (text, pieces)
    }

    #[test]
    fn a_line_of_many_megabytes_comes_in_pieces() {
        let mut writer = SpillWriter::new(&std::env::temp_dir(), 2).unwrap();
        let long = "x".repeat(3 * PIECE + 7);
        for line in ["a", &long, "b"] {
            writer.line(0, line.as_bytes()).unwrap();
            writer.line(1, b"other").unwrap();
        }
        let spill = writer.finish().unwrap();
        let (text, pieces) = lines_of(&spill, 0);
        assert!(text == format!("a\n{long}\nb\n"));
        assert!(pieces >= 4, "{pieces}");
        assert_eq!(lines_of(&spill, 1).0, "other\n".repeat(3));
    }

    #[test]
    fn each_day_gets_its_lines_back_in_order_as_often_as_it_asks() {
        let days = 100;
        let mut writer = SpillWriter::new(&std::env::temp_dir(), days + 1).unwrap();
        let mut expected = vec![String::new(); days];
        let mut most = 0;
        for number in 0..60_000 {
            let (day, line) = (number * number % days, format!("{number}{}", "x".repeat(500)));
            writer.line(day, line.as_bytes()).unwrap();
            most = most.max(writer.days.iter().map(|day| day.block.capacity()).sum());
            expected[day] += &(line + "\n");
        }
        let spill = writer.finish().unwrap();
        for _ in 0..2 {
            for (day, expected) in expected.iter().enumerate() {
                assert!(lines_of(&spill, day).0 == *expected, "day {day}");
            }
        }
        assert!(lines_of(&spill, 0).1 > 2, "there is something to link");
        assert_eq!(lines_of(&spill, days), (String::new(), 0));
        assert!(most <= 2 * BUFFERED + BLOCK, "{most} bytes were buffered");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let full = File::options().read(true).write(true).open("/dev/full").unwrap();
        let mut writer = SpillWriter::on(full, 1);
        writer.line(0, b"x").unwrap();
        assert_eq!(writer.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
