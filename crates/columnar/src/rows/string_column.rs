//! A column of strings.

use crate::rows::blocks::{Blocks, Size};
use crate::rows::dictionary::{self, Dictionary, hasher};
use crate::rows::part::{AT_ONCE, Part};
use std::hash::BuildHasher;

/// The strings of a column, one after another in blocks. Before each are its row and its length.
#[derive(Debug, Default)]
pub(crate) struct StringColumn {
    bytes: Blocks<u8>,
    count: usize,
}

/// The bytes before a string: its row and its length.
const HEAD: usize = 2 * size_of::<u32>();

/// Where a string is in the blocks of its column.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StringRef {
    block: u32,
    start: u32,
    length: u32,
}

/// The strings of a column, to be read by their refs.
pub(crate) struct Strings<'a>(Vec<&'a [u8]>);

/// The strings of a column, with the row and the ref of each.
pub(crate) struct LocatedStrings<'a> {
    pub strings: Strings<'a>,
    rows: Vec<u32>,
    refs: Vec<StringRef>,
    longest: usize,
}

impl StringRef {
    /// How many bytes the string takes in a page.
    pub(crate) fn plain_bytes(self) -> usize {
        size_of::<u32>() + self.length as usize
    }
}

impl StringColumn {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call puts its arguments into memory")]
    #[expect(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
    pub(crate) fn push(&mut self, row: u32, string: Part<'_>) {
        let head = u64::from(string.len() as u32) << 32 | u64::from(row);
        let bytes = self.bytes.room(HEAD + string.len().max(AT_ONCE));
        bytes.extend_from_slice(&head.to_le_bytes());
        string.append_to(bytes);
        self.bytes.prefetch();
        self.count += 1;
    }

    /// Appends all rows and strings, to be stored.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        self.bytes.iter().for_each(|block| out.extend_from_slice(block));
    }

    /// Adds rows and strings that were stored.
    pub(crate) fn extend_from(&mut self, stored: &[u8]) {
        let mut at = 0;
        while let Some(head) = stored[at..].first_chunk::<HEAD>() {
            let [row, length] = halves(u64::from_le_bytes(*head));
            let end = at + HEAD + length as usize;
            self.push(row, Part::new(stored, at + HEAD, end));
            at = end;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    pub(crate) fn size(&self) -> Size {
        self.bytes.size()
    }

    /// Frees the memory that holds no string.
    pub(crate) fn give_back(&mut self) {
        self.bytes.give_back();
    }

    /// Finds where each string is.
    #[expect(clippy::cast_possible_truncation, reason = "a block holds less than 4 GiB")]
    pub(crate) fn locate(&self) -> LocatedStrings<'_> {
        let blocks: Vec<&[u8]> = self.bytes.iter().collect();
        let mut rows = Vec::with_capacity(self.count);
        let mut refs = Vec::with_capacity(self.count);
        let mut longest = 0;
        for (block, &bytes) in (0..).zip(&blocks) {
            let (mut rest, mut start) = (bytes, 0);
            while let Some((head, texts)) = rest.split_first_chunk::<HEAD>() {
                let [row, length] = halves(u64::from_le_bytes(*head));
                start += HEAD as u32;
                rows.push(row);
                refs.push(StringRef { block, start, length });
                start += length;
                longest = longest.max(length as usize);
                rest = &texts[length as usize..];
            }
        }
        LocatedStrings { strings: Strings(blocks), rows, refs, longest }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
fn halves(both: u64) -> [u32; 2] {
    [both as u32, (both >> 32) as u32]
}

impl LocatedStrings<'_> {
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = u32> + Clone {
        self.rows.iter().copied()
    }

    /// The ref of each string.
    pub(crate) fn refs(&self) -> impl ExactSizeIterator<Item = StringRef> {
        self.refs.iter().copied()
    }

    /// The dictionary of the strings. None if too many are distinct.
    pub(crate) fn dictionary(&self) -> Option<Dictionary<StringRef>> {
        let (hasher, refs) = (hasher(), self.refs.iter().copied());
        let get = |at| self.strings.get(at);
        if self.longest >= SHORT {
            return dictionary::build(refs, |at| hasher.hash_one(get(at)), |a, b| get(a) == get(b));
        }
        // Short strings are hashed and compared as numbers, which needs no look at the blocks.
        let shorts = refs.map(|at| (self.strings.short(at), at));
        let found =
            dictionary::build(shorts, |(short, _)| hasher.hash_one(short), |a, b| a.0 == b.0)?;
        let values = found.values.into_iter().map(|(_, at)| at).collect();
        Some(Dictionary { values, indices: found.indices })
    }
}

impl Strings<'_> {
    #[inline]
    pub(crate) fn get(&self, at: StringRef) -> &[u8] {
        &self.behind(at)[..at.length as usize]
    }

    /// Hands each string to `each`, in the order in which they came.
    #[inline]
    pub(crate) fn each(&self, mut each: impl FnMut(&[u8])) {
        for &block in &self.0 {
            let mut rest = block;
            while let Some((head, texts)) = rest.split_first_chunk::<HEAD>() {
                let [_, length] = halves(u64::from_le_bytes(*head));
                let (text, behind) = texts.split_at(length as usize);
                each(text);
                rest = behind;
            }
        }
    }

    /// A string and all that follows it in its block.
    #[inline]
    fn behind(&self, at: StringRef) -> &[u8] {
        &self.0[at.block as usize][at.start as usize..]
    }

    /// Appends the length of a string and the string, as a page holds them. The block holds them in the
    /// same form.
    #[inline]
    pub(crate) fn append_plain(&self, at: StringRef, out: &mut Vec<u8>) {
        let (block, start) = (self.0[at.block as usize], at.start as usize);
        Part::new(block, start - size_of::<u32>(), start + at.length as usize).append_to(out);
    }

    /// A short string as a number: its bytes, and its length in the last byte.
    #[inline]
    fn short(&self, at: StringRef) -> u128 {
        let text = self.get(at);
        let bytes = match self.behind(at).first_chunk::<SHORT>() {
            Some(more) => u128::from_le_bytes(*more) & !(u128::MAX << (8 * text.len())),
            None => text.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte)),
        };
        bytes | (text.len() as u128) << 120
    }
}

/// Strings of fewer bytes are short.
const SHORT: usize = 16;

/// The first eight bytes of a string as a number. It orders strings as these bytes do, and most
/// comparisons end there.
#[inline]
pub(crate) fn prefix(text: &[u8]) -> u64 {
    let eight = text.first_chunk().copied().unwrap_or_else(|| {
        let mut eight = [0; 8];
        eight[..text.len()].copy_from_slice(text);
        eight
    });
    u64::from_be_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(texts: &[Vec<u8>]) -> StringColumn {
        let mut all = StringColumn::default();
        (0..).zip(texts).for_each(|(row, text)| all.push(row, Part::whole(text)));
        all
    }

    proptest! {
        #[test]
        fn strings_come_back_and_equal_ones_have_one_index(
            texts in prop::collection::vec(prop::collection::vec(0_u8..3, 0..18), 1..40),
            most in 3_usize..18,
        ) {
            let texts: Vec<Vec<u8>> =
                texts.into_iter().map(|text| text[..text.len().min(most)].to_vec()).collect();
            let all = column(&texts);
            let all = all.locate();
            let get = |at| all.strings.get(at);
            let back: Vec<&[u8]> = all.refs.iter().copied().map(get).collect();
            prop_assert_eq!(&back, &texts);
            if let Some(Dictionary { values, indices }) = all.dictionary() {
                let again: Vec<&[u8]> = indices.iter().map(|&n| get(values[n as usize])).collect();
                prop_assert_eq!(&again, &texts);
                let distinct: std::collections::HashSet<&Vec<u8>> = texts.iter().collect();
                prop_assert_eq!(values.len(), distinct.len());
            }
        }

        #[test]
        fn the_first_bytes_order_strings(a in "[a\0é]{0,12}", b in "[a\0é]{0,12}") {
            let [a, b] = [a.as_bytes(), b.as_bytes()];
            let order = prefix(a).cmp(&prefix(b));
            prop_assert!(order.is_eq() || order == a.cmp(b));
        }
    }
}
