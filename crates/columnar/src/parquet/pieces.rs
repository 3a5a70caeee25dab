//! Encoded bytes in blocks. Growing copies little. A block is freed when the last chunk in it has been copied
//! to a file, so a file and all of its chunks are never in memory at the same time.

use bytes::{Buf, Bytes};
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read, Write};
use std::ops::Range;

/// The size of a block that is full.
const BLOCK: usize = 1 << 20;

/// A block begins with room for so many bytes, and doubles.
const FIRST: usize = 4 << 10;

/// Blocks of bytes under construction.
#[derive(Default)]
pub(crate) struct Arena {
    full: Vec<Bytes>,
    last: Vec<u8>,
}

impl Arena {
    /// The blocks. All but the last are full.
    pub(crate) fn finish(mut self) -> Vec<Bytes> {
        if !self.last.is_empty() {
            self.last.shrink_to_fit();
            self.full.push(self.last.into());
        }
        self.full
    }
}

impl Write for Arena {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(BLOCK - self.last.len());
        if self.last.capacity() - self.last.len() < fits {
            let wanted = (self.last.len() + fits).next_power_of_two().clamp(FIRST, BLOCK);
            self.last.reserve_exact(wanted - self.last.len());
        }
        self.last.extend_from_slice(&bytes[..fits]);
        if self.last.len() == BLOCK {
            self.full.push(std::mem::take(&mut self.last).into());
        }
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that lie in one block or in several.
#[derive(Debug, Clone)]
pub(crate) struct Pieces(Vec<Bytes>);

impl Pieces {
    /// A range of all bytes in the blocks of an [`Arena`].
    pub(crate) fn of(blocks: &[Bytes], range: Range<usize>) -> Self {
        let some = range.start / BLOCK..range.end.div_ceil(BLOCK);
        let piece = |(block, number): (&Bytes, usize)| {
            let start = number * BLOCK;
            let end = range.end.min(start + BLOCK) - start;
            block.slice(range.start.saturating_sub(start)..end)
        };
        Self(blocks[some.clone()].iter().zip(some).map(piece).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        Self::len(self) as u64
    }
}

impl ChunkReader for Pieces {
    type T = PiecesReader;

    fn get_read(&self, start: u64) -> Result<PiecesReader> {
        let mut reader = PiecesReader(self.0.clone().into_iter(), Bytes::new());
        io::copy(&mut reader.by_ref().take(start), &mut io::sink())?;
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads one piece after another.
pub(crate) struct PiecesReader(std::vec::IntoIter<Bytes>, Bytes);

impl Read for PiecesReader {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.1.is_empty() {
            match self.0.next() {
                Some(next) => self.1 = next,
                None => return Ok(0),
            }
        }
        let length = room.len().min(self.1.len());
        self.1.copy_to_slice(&mut room[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn what_was_written_is_read_wherever_blocks_end(
            lengths in prop::collection::vec(0_usize..BLOCK, 1..6),
            skip in 0_u64..40,
        ) {
            let mut arena = Arena::default();
            let mut ranges = vec![];
            let (mut all, mut seed) = (0, 1_u32);
            for &length in &lengths {
                let bytes: Vec<u8> = (0..length).map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed.to_le_bytes()[3]
                }).collect();
                arena.write_all(&bytes).unwrap();
                ranges.push((all..all + length, bytes));
                all += length;
            }
            let blocks = arena.finish();
            prop_assert_eq!(blocks.len(), all.div_ceil(BLOCK));
            for (range, bytes) in ranges {
                let pieces = Pieces::of(&blocks, range);
                prop_assert_eq!(pieces.len(), bytes.len());
                let skip = skip.min(bytes.len() as u64);
                let mut read = Vec::new();
                pieces.get_read(skip).unwrap().read_to_end(&mut read).unwrap();
                prop_assert!(read == bytes[usize::try_from(skip).unwrap()..]);
            }
        }
    }
}
