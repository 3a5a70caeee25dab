//! From the rows as they came to the rows as they are written.

use std::ops::Range;

/// The place of a row that is not written.
pub(crate) const DROPPED: u32 = u32::MAX;

/// Where each row of a buffer is written.
#[derive(Debug)]
pub(crate) struct Places {
    /// By row; [`DROPPED`] for one that is left out.
    pub of: Vec<u32>,
    /// The number of rows that are written.
    pub rows: usize,
}

/// Which rows of a row group have a value in a column, and where its values go.
///
/// Rows are clustered, so the values of most columns lie near each other: between the first and the
/// last of them there is a bitmap, and what lies outside costs nothing.
#[derive(Debug)]
pub(crate) struct Present {
    /// The place of each value in the order of their coming; [`DROPPED`] for one that is left out.
    at: Vec<u32>,
    /// The number of the first word of the bitmap.
    first: usize,
    words: Vec<u64>,
    /// How many values there are before each word.
    before: Vec<u32>,
    pub values: usize,
    /// The first place, if all from there to the last have a value.
    solid: Option<usize>,
}

/// Bits of which only some can be set: all outside of these words are zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits<'a> {
    /// The number of the first word.
    pub first: usize,
    pub words: &'a [u64],
}

impl Bits<'_> {
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

    /// Where the bits of a range of words are, counted from its beginning.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let start = range.start.max(self.first);
        let end = range.end.min(self.first + self.words.len());
        let words = self.words.get(start - self.first..end.saturating_sub(self.first));
        Self { first: start - range.start, words: words.unwrap_or_default() }
    }

    /// The bits of any range, counted from its beginning; behind it there are zeros.
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

/// Rows and their values in blocks, as they lie: what is known to be so long is gone through without
/// a question at each value.
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

impl Present {
    /// The places of these rows, one for each value; none if none of them is written.
    pub(crate) fn of(
        rows: impl Iterator<Item: ExactSizeIterator<Item = u32>> + Clone,
        places: &Places,
    ) -> Option<Self> {
        let mut at = Vec::with_capacity(rows.clone().map(|block| block.len()).sum());
        rows.for_each(|block| at.extend(block.map(|row| places.of[row as usize])));
        // A place that is left out is the greatest number, and the least when one is added to it.
        let least = *at.iter().min().filter(|&&least| least != DROPPED)? as usize;
        let end = at.iter().map(|place| place.wrapping_add(1)).max()? as usize;
        let first = least / 64;
        let mut words = vec![0_u64; end.div_ceil(64) - first];
        for &place in at.iter().filter(|&&place| place != DROPPED) {
            words[place as usize / 64 - first] |= 1 << (place % 64);
        }
        let mut values = 0;
        let before = words.iter().map(|word| {
            let before = values;
            values += word.count_ones();
            before
        });
        let before = before.collect();
        let values = values as usize;
        let solid = (values == end - least).then_some(least);
        Some(Self { at, first, words, before, values, solid })
    }

    /// The places of the rows of these values, and the values in their order.
    pub(crate) fn with<T: Copy + Default>(
        values: impl InBlocks<T>,
        places: &Places,
    ) -> Option<(Self, Vec<T>)> {
        let rows = values.clone().map(|block| block.map(|(row, _)| row));
        let present = Self::of(rows, places)?;
        let arranged = present.arrange(values.map(|block| block.map(|(_, value)| value)));
        Some((present, arranged))
    }

    /// Sets values, which come in the order of their rows, in the order of their places.
    pub(crate) fn arrange<T: Copy + Default>(
        &self,
        values: impl Iterator<Item: ExactSizeIterator<Item = T>>,
    ) -> Vec<T> {
        let mut arranged = vec![T::default(); self.values];
        let mut left = self.at.as_slice();
        for block in values {
            let (at, behind) = left.split_at(block.len());
            left = behind;
            let kept = block.zip(at).filter(|&(_, &place)| place != DROPPED);
            match self.solid {
                Some(first) => kept.for_each(|(value, &at)| arranged[at as usize - first] = value),
                None => kept.for_each(|(value, &at)| arranged[self.rank(at)] = value),
            }
        }
        arranged
    }

    /// How many values there are before a place.
    #[inline]
    fn rank(&self, place: u32) -> usize {
        let (word, bit) = (place as usize / 64 - self.first, place % 64);
        let below = self.words[word] & ((1 << bit) - 1);
        (self.before[word] + below.count_ones()) as usize
    }

    /// Gives back what only [`Self::arrange`] needs.
    pub(crate) fn without_places(self) -> Self {
        Self { at: Vec::new(), before: Vec::new(), ..self }
    }

    /// The place of each value in the order of their coming; [`DROPPED`] for one that is left out.
    pub(crate) fn places(&self) -> impl Iterator<Item = u32> {
        self.at.iter().copied()
    }

    /// The first place with a value, if all from there to the last have one.
    pub(crate) fn solid(&self) -> Option<usize> {
        self.solid
    }

    /// By place: whether there is a value.
    pub(crate) fn bits(&self) -> Bits<'_> {
        Bits { first: self.first, words: &self.words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_in_the_order_of_their_places(
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
            let mut of = vec![DROPPED; rows.len()];
            for (place, &row) in (0..).zip(&order) {
                of[row] = place;
            }
            let places = Places { of, rows: order.len() };
            let with: Vec<u32> = (0..).zip(&rows).filter(|(_, r)| r.1).map(|(row, _)| row).collect();
            let blocks = with.chunks(7).map(|block| block.iter().map(|&row| (row, row)));
            let arranged = Present::with(blocks, &places);
            let expected: Vec<u32> = order.iter().filter(|&&row| rows[row].1).map(|&row| u32::try_from(row).unwrap()).collect();
            let Some((present, values)) = arranged else {
                prop_assert!(expected.is_empty());
                return Ok(());
            };
            prop_assert_eq!(values, expected);
            let bits: Vec<bool> = order.iter().map(|&row| rows[row].1).collect();
            let is = |bits: Bits<'_>, place: usize| bits.word(place / 64) >> (place % 64) & 1 == 1;
            let all = (0..bits.len()).map(|place| is(present.bits(), place));
            prop_assert_eq!(all.collect::<Vec<_>>(), bits.clone());
            for range in [0..bits.len(), bits.len() / 3..bits.len() / 2, bits.len() / 5..bits.len()] {
                let words = present.bits().copied(range.clone());
                let copied = Bits { first: 0, words: &words };
                let all = (0..words.len() * 64).map(|at| is(copied, at));
                let expected = bits[range].iter().copied().chain(std::iter::repeat(false));
                prop_assert!(all.zip(expected).all(|(is, expected)| is == expected));
            }
            let words = bits.len().div_ceil(64);
            for start in 0..words {
                for end in start..=words {
                    let part = present.bits().part(start..end);
                    prop_assert!(part.words.is_empty() || part.first + part.words.len() <= end - start);
                    let places = 64 * start..bits.len().min(64 * end);
                    let same = places.clone().all(|at| is(part, at - 64 * start) == bits[at]);
                    prop_assert!(same, "{start}..{end}");
                }
            }
        }
    }
}
