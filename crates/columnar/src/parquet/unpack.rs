//! Reads Parquet's hybrid of run lengths and bit packing: the counterpart of `rle.rs`.

use parquet::errors::{ParquetError, Result};

/// A part of a page: equal numbers, or packed ones.
enum Part<'a> {
    Run { length: usize, value: u32 },
    Packed { length: usize, bytes: &'a [u8] },
}

/// The parts of a page, one after another.
struct Parts<'a> {
    bytes: &'a [u8],
    width: u8,
    /// How many numbers are left.
    left: usize,
}

impl<'a> Parts<'a> {
    fn next(&mut self) -> Result<Option<Part<'a>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let header = self.varint()?;
        let length = header >> 1;
        if header & 1 == 0 {
            let value = self.take(usize::from(self.width.div_ceil(8)))?;
            let mut four = [0; 4];
            four[..value.len()].copy_from_slice(value);
            let length = length.min(self.left);
            if length == 0 {
                return Err(cut());
            }
            self.left -= length;
            return Ok(Some(Part::Run { length, value: u32::from_le_bytes(four) }));
        }
        // Packed numbers come in eights, and the last of them may be left over.
        let bytes = length.checked_mul(usize::from(self.width)).ok_or_else(cut)?;
        let bytes = self.take(bytes)?;
        let length = length.saturating_mul(8).min(self.left);
        if length == 0 {
            return Err(cut());
        }
        self.left -= length;
        Ok(Some(Part::Packed { length, bytes }))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or_else(cut)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<usize> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(cut())
    }
}

fn cut() -> ParquetError {
    ParquetError::General("a page ends too early".into())
}

/// Appends the positions, from `first` on, of the levels of one bit that are 1.
pub(crate) fn positions(
    bytes: &[u8],
    count: usize,
    first: u32,
    positions: &mut Vec<u32>,
) -> Result<()> {
    let mut parts = Parts { bytes, width: 1, left: count };
    let mut at = first;
    while let Some(part) = parts.next()? {
        let length = match part {
            Part::Run { length, value: 0 } => length,
            Part::Run { length, value: _ } => {
                positions.extend((at..).take(length));
                length
            }
            Part::Packed { length, bytes } => {
                bits(bytes, length, at, positions);
                length
            }
        };
        at += u32::try_from(length)?;
    }
    Ok(())
}

/// Appends the positions of the bits that are set.
fn bits(bytes: &[u8], length: usize, first: u32, positions: &mut Vec<u32>) {
    for (eight, byte) in (0..).zip(&bytes[..length.div_ceil(8)]) {
        let behind = length - eight as usize * 8;
        let mut left = if behind < 8 { byte & ((1 << behind) - 1) } else { *byte };
        while left != 0 {
            positions.push(first + eight * 8 + left.trailing_zeros());
            left &= left - 1;
        }
    }
}

/// Appends so many numbers of `width` bits each.
pub(crate) fn numbers(bytes: &[u8], width: u8, count: usize, numbers: &mut Vec<u32>) -> Result<()> {
    if width > 32 {
        return Err(cut());
    }
    let mut parts = Parts { bytes, width, left: count };
    while let Some(part) = parts.next()? {
        match part {
            Part::Run { length, value } => numbers.extend(std::iter::repeat_n(value, length)),
            Part::Packed { length, bytes } => packed(bytes, width, length, numbers),
        }
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "the mask leaves at most 32 bits")]
fn packed(bytes: &[u8], width: u8, length: usize, numbers: &mut Vec<u32>) {
    let mask = (1_u64 << width) - 1;
    let (mut bits, mut filled, mut next) = (0_u64, 0_u8, bytes.iter());
    numbers.extend((0..length).map(|_| {
        while filled < width {
            bits |= u64::from(next.next().copied().unwrap_or_default()) << filled;
            filled += 8;
        }
        let number = (bits & mask) as u32;
        bits >>= width;
        filled -= width;
        number
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parquet::rle;
    use crate::rows::validity::Bitmap;
    use proptest::prelude::*;

    /// Runs of equal numbers, long and short ones.
    fn runs(most: u32) -> impl Strategy<Value = Vec<u32>> {
        let runs = prop::collection::vec((0..=most, 1_usize..70), 0..30);
        runs.prop_map(|runs| {
            runs.into_iter()
                .flat_map(|(value, length)| std::iter::repeat_n(value, length))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn levels_that_are_written_are_read_back(levels in runs(1), first in 0_u32..9) {
            let mut words = vec![0_u64; levels.len().div_ceil(64)];
            let set: Vec<u32> = (0..).zip(&levels).filter(|(_, l)| **l == 1).map(|(at, _)| at).collect();
            for &at in &set {
                words[at as usize / 64] |= 1 << (at % 64);
            }
            let mut bytes = Vec::new();
            rle::levels(Bitmap { first: 0, words: &words }, levels.len(), &mut bytes);
            let mut read = Vec::new();
            positions(&bytes, levels.len(), first, &mut read).unwrap();
            let expected: Vec<u32> = set.iter().map(|at| at + first).collect();
            prop_assert_eq!(read, expected);
            let all = bytes.len();
            if !levels.is_empty() {
                prop_assert!(positions(&bytes[..all - 1], levels.len(), 0, &mut Vec::new()).is_err());
            }
        }

        #[test]
        fn numbers_that_are_written_are_read_back(
            (most, values) in prop::sample::select(vec![0_u32, 1, 6, 200, 70_000])
                .prop_flat_map(|most| (Just(most), runs(most))),
        ) {
            let (width, mut bytes) = (rle::width(most as usize), Vec::new());
            rle::indices(&values, width, &mut bytes);
            let mut read = Vec::new();
            numbers(&bytes, width, values.len(), &mut read).unwrap();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn other_bytes_are_an_error_or_some_numbers(
            bytes in prop::collection::vec(any::<u8>(), 0..60), width in 0_u8..40, count in 0_usize..90,
        ) {
            let mut read = Vec::new();
            if numbers(&bytes, width, count, &mut read).is_ok() {
                prop_assert_eq!(read.len(), count);
            }
        }
    }
}
