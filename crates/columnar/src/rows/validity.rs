//! Which rows of a row group have a value in a column.

use crate::rows::row_order::{DROPPED, RowOrder};
use std::ops::Range;

/// Which rows of a row group have a value in a column, and at which position each value is written.
///
/// Rows are sorted, so the values of most columns lie near each other. The bitmap covers only the words
/// from the first value to the last; rows outside cost nothing.
#[derive(Debug)]
pub(crate) struct Validity {
    /// The position of each value, in the order in which the values came. [`DROPPED`] for a row that is
    /// not written.
    positions: Vec<u32>,
    /// The number of the first word of the bitmap.
    first: usize,
    words: Vec<u64>,
    /// How many values there are before each word.
    before: Vec<u32>,
    pub values: usize,
    /// The first position, if all positions from there to the last have a value.
    dense_from: Option<usize>,
}

/// A bitmap of which only some words are stored. All other words are zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bitmap<'a> {
    /// The number of the first word.
    pub first: usize,
    pub words: &'a [u64],
}

impl Bitmap<'_> {
    pub(crate) const NONE: Self = Self { first: 0, words: &[] };

    /// The word of this number.
    #[inline]
    pub(crate) fn word(self, number: usize) -> u64 {
        self.words.get(number.wrapping_sub(self.first)).copied().unwrap_or(0)
    }

    /// The words that can have bits, and their numbers.
    pub(crate) fn words(self) -> impl Iterator<Item = (usize, u64)> {
        (self.first..).zip(self.words.iter().copied())
    }

    /// The bits of a range of words, counted from its beginning.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let start = range.start.max(self.first);
        let end = range.end.min(self.first + self.words.len());
        let words = self.words.get(start - self.first..end.saturating_sub(self.first));
        Self { first: start - range.start, words: words.unwrap_or_default() }
    }

    /// A copy of the bits of any range, counted from its beginning. Bits after the range are zero.
    pub(crate) fn copied(self, range: Range<usize>) -> Vec<u64> {
        let (word, shift) = (range.start / 64, range.start % 64);
        let shifted = |number: usize| match shift {
            0 => self.word(number),
            _ => self.word(number) >> shift | self.word(number + 1) << (64 - shift),
        };
        let mut words: Vec<u64> = (word..word + range.len().div_ceil(64)).map(shifted).collect();
        if let (Some(last), behind @ 1..) = (words.last_mut(), range.len() % 64) {
            *last &= (1 << behind) - 1;
        }
        words
    }
}

/// Rows and their values, block by block. Each block knows its length, so a loop over it needs no check
/// for each value.
pub(crate) trait InBlocks<T>:
    Iterator<Item: ExactSizeIterator<Item = (u32, T)>> + Clone
{
}

impl<T, I> InBlocks<T> for I
where
    I: Iterator + Clone,
    I::Item: ExactSizeIterator<Item = (u32, T)>,
{
}

impl Validity {
    /// The validity of a column with values in these rows. None if none of the rows is written.
    pub(crate) fn of(
        rows: impl Iterator<Item: ExactSizeIterator<Item = u32>> + Clone,
        order: &RowOrder,
    ) -> Option<Self> {
        let mut positions = Vec::with_capacity(rows.clone().map(|block| block.len()).sum());
        rows.for_each(|block| positions.extend(block.map(|row| order.positions[row as usize])));
        // `DROPPED` is the greatest number, and zero when one is added to it.
        let least = *positions.iter().min().filter(|&&least| least != DROPPED)? as usize;
        let end = positions.iter().map(|position| position.wrapping_add(1)).max()? as usize;
        let first = least / 64;
        let mut words = vec![0_u64; end.div_ceil(64) - first];
        for &position in positions.iter().filter(|&&position| position != DROPPED) {
            words[position as usize / 64 - first] |= 1 << (position % 64);
        }
        let mut values = 0;
        let before = words.iter().map(|word| {
            let before = values;
            values += word.count_ones();
            before
        });
        let before = before.collect();
        let values = values as usize;
        let dense_from = (values == end - least).then_some(least);
        Some(Self { positions, first, words, before, values, dense_from })
    }

    /// The validity of a column with these values, and the values in the order of their positions.
    pub(crate) fn with<T: Copy + Default>(
        values: impl InBlocks<T>,
        order: &RowOrder,
    ) -> Option<(Self, Vec<T>)> {
        let rows = values.clone().map(|block| block.map(|(row, _)| row));
        let validity = Self::of(rows, order)?;
        let arranged = validity.arrange(values.map(|block| block.map(|(_, value)| value)));
        Some((validity, arranged))
    }

    /// Puts values, which come in the order of their rows, in the order of their positions.
    pub(crate) fn arrange<T: Copy + Default>(
        &self,
        values: impl Iterator<Item: ExactSizeIterator<Item = T>>,
    ) -> Vec<T> {
        let mut arranged = vec![T::default(); self.values];
        let mut left = self.positions.as_slice();
        for block in values {
            let (positions, behind) = left.split_at(block.len());
            left = behind;
            let kept = block.zip(positions).filter(|&(_, &position)| position != DROPPED);
            match self.dense_from {
                Some(first) => kept.for_each(|(value, &at)| arranged[at as usize - first] = value),
                None => kept.for_each(|(value, &at)| arranged[self.rank(at)] = value),
            }
        }
        arranged
    }

    /// How many values there are before a position.
    #[inline]
    fn rank(&self, position: u32) -> usize {
        let (word, bit) = (position as usize / 64 - self.first, position % 64);
        let below = self.words[word] & ((1 << bit) - 1);
        (self.before[word] + below.count_ones()) as usize
    }

    /// Frees what only [`Self::arrange`] needs.
    pub(crate) fn without_positions(self) -> Self {
        Self { positions: Vec::new(), before: Vec::new(), ..self }
    }

    /// The position of each value, in the order in which the values came. [`DROPPED`] for a row that is
    /// not written.
    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> {
        self.positions.iter().copied()
    }

    /// The first position with a value, if all positions from there to the last have one.
    pub(crate) fn dense_from(&self) -> Option<usize> {
        self.dense_from
    }

    /// By position: whether there is a value.
    pub(crate) fn bits(&self) -> Bitmap<'_> {
        Bitmap { first: self.first, words: &self.words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_in_the_order_of_their_positions(
            rows in prop::collection::vec((any::<bool>(), any::<bool>()), 0..300)
                .prop_shuffle(),
            everywhere in any::<bool>(),
            seed in any::<u64>(),
        ) {
            // Each row: whether it is written, and whether it has a value.
            let filled = |(written, filled)| (written, filled || everywhere);
            let rows: Vec<(bool, bool)> = rows.into_iter().map(filled).collect();
            let mut order: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].0).collect();
            order.sort_by_key(|&row| (row as u64).wrapping_mul(seed | 1));
            let mut positions = vec![DROPPED; rows.len()];
            for (position, &row) in (0..).zip(&order) {
                positions[row] = position;
            }
            let row_order = RowOrder { positions, rows: order.len() };
            let with: Vec<u32> = (0..).zip(&rows).filter(|(_, r)| r.1).map(|(row, _)| row).collect();
            let blocks = with.chunks(7).map(|block| block.iter().map(|&row| (row, row)));
            let arranged = Validity::with(blocks, &row_order);
            let expected: Vec<u32> = order.iter().filter(|&&row| rows[row].1).map(|&row| u32::try_from(row).unwrap()).collect();
            let Some((validity, values)) = arranged else {
                prop_assert!(expected.is_empty());
                return Ok(());
            };
            prop_assert_eq!(values, expected);
            let bits: Vec<bool> = order.iter().map(|&row| rows[row].1).collect();
            let is = |bits: Bitmap<'_>, at: usize| bits.word(at / 64) >> (at % 64) & 1 == 1;
            let all = (0..bits.len()).map(|at| is(validity.bits(), at));
            prop_assert_eq!(all.collect::<Vec<_>>(), bits.clone());
            for range in [0..bits.len(), bits.len() / 3..bits.len() / 2, bits.len() / 5..bits.len()] {
                let words = validity.bits().copied(range.clone());
                let copied = Bitmap { first: 0, words: &words };
                let all = (0..words.len() * 64).map(|at| is(copied, at));
                let expected = bits[range].iter().copied().chain(std::iter::repeat(false));
                prop_assert!(all.zip(expected).all(|(is, expected)| is == expected));
            }
            let words = bits.len().div_ceil(64);
            for start in 0..words {
                for end in start..=words {
                    let part = validity.bits().part(start..end);
                    prop_assert!(part.words.is_empty() || part.first + part.words.len() <= end - start);
                    let range = 64 * start..bits.len().min(64 * end);
                    let same = range.clone().all(|at| is(part, at - 64 * start) == bits[at]);
                    prop_assert!(same, "{start}..{end}");
                }
            }
        }
    }
}
