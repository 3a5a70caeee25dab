//! The texts of a column, and which of them are equal.

use crate::blocks::{Blocks, Size};
use crate::numbering::{Different, different, hasher};
use crate::part::{AT_ONCE, Part};
use std::hash::BuildHasher;

/// Texts behind one another, each behind its row and its length.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Blocks<u8>,
    texts: usize,
}

/// What stands before a text.
const HEAD: usize = 2 * size_of::<u32>();

/// Where a text stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    block: u32,
    start: u32,
    length: u32,
}

/// Texts to look at by their places.
pub(crate) struct View<'a>(Vec<&'a [u8]>);

/// All texts with their rows and places.
pub(crate) struct Placed<'a> {
    pub view: View<'a>,
    rows: Vec<u32>,
    places: Vec<Place>,
    longest: usize,
}

impl Place {
    /// How many bytes the text takes in a page.
    pub(crate) fn plain_bytes(self) -> usize {
        size_of::<u32>() + self.length as usize
    }
}

impl Texts {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call puts its arguments into memory")]
    #[expect(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
    pub(crate) fn push(&mut self, row: u32, text: Part<'_>) {
        let head = u64::from(text.len() as u32) << 32 | u64::from(row);
        let bytes = self.bytes.room(HEAD + text.len().max(AT_ONCE));
        bytes.extend_from_slice(&head.to_le_bytes());
        text.append_to(bytes);
        self.bytes.prefetch();
        self.texts += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.texts = 0;
    }

    pub(crate) fn size(&self) -> Size {
        self.bytes.size()
    }

    /// Gives back what no text is in.
    pub(crate) fn give_back(&mut self) {
        self.bytes.give_back();
    }

    /// Finds out where each text is.
    #[expect(clippy::cast_possible_truncation, reason = "a block holds less than 4 GiB")]
    pub(crate) fn placed(&self) -> Placed<'_> {
        let blocks: Vec<&[u8]> = self.bytes.iter().collect();
        let mut rows = Vec::with_capacity(self.texts);
        let mut places = Vec::with_capacity(self.texts);
        let mut longest = 0;
        for (block, &bytes) in (0..).zip(&blocks) {
            let (mut rest, mut start) = (bytes, 0);
            while let Some((head, texts)) = rest.split_first_chunk::<HEAD>() {
                let [row, length] = halves(u64::from_le_bytes(*head));
                start += HEAD as u32;
                rows.push(row);
                places.push(Place { block, start, length });
                start += length;
                longest = longest.max(length as usize);
                rest = &texts[length as usize..];
            }
        }
        Placed { view: View(blocks), rows, places, longest }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
fn halves(both: u64) -> [u32; 2] {
    [both as u32, (both >> 32) as u32]
}

impl Placed<'_> {
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = u32> + Clone {
        self.rows.iter().copied()
    }

    /// The place of each text.
    pub(crate) fn places(&self) -> impl ExactSizeIterator<Item = Place> {
        self.places.iter().copied()
    }

    /// Tells equal texts; none if too many are different.
    pub(crate) fn different(&self) -> Option<Different<Place>> {
        let (hasher, places) = (hasher(), self.places.iter().copied());
        let get = |place| self.view.get(place);
        if self.longest >= SHORT {
            return different(places, |place| hasher.hash_one(get(place)), |a, b| get(a) == get(b));
        }
        // As numbers, they are hashed and compared without a look at where they stand.
        let shorts = places.map(|place| (self.view.short(place), place));
        let found = different(shorts, |(short, _)| hasher.hash_one(short), |a, b| a.0 == b.0)?;
        let first = found.first.into_iter().map(|(_, place)| place).collect();
        Some(Different { first, numbers: found.numbers })
    }
}

impl View<'_> {
    #[inline]
    pub(crate) fn get(&self, place: Place) -> &[u8] {
        &self.behind(place)[..place.length as usize]
    }

    /// Hands each text to `each`, in the order of their coming.
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

    /// A text and all that stands behind it in its block.
    #[inline]
    fn behind(&self, place: Place) -> &[u8] {
        &self.0[place.block as usize][place.start as usize..]
    }

    /// Appends a text behind its length, as pages have it; so it stands here.
    #[inline]
    pub(crate) fn append_plain(&self, place: Place, out: &mut Vec<u8>) {
        let (block, start) = (self.0[place.block as usize], place.start as usize);
        Part::new(block, start - size_of::<u32>(), start + place.length as usize).append_to(out);
    }

    /// A text that is shorter than a number of sixteen bytes, with its length in the last of them.
    #[inline]
    fn short(&self, place: Place) -> u128 {
        let text = self.get(place);
        let bytes = match self.behind(place).first_chunk::<SHORT>() {
            Some(more) => u128::from_le_bytes(*more) & !(u128::MAX << (8 * text.len())),
            None => text.iter().rev().fold(0, |number, &byte| number << 8 | u128::from(byte)),
        };
        bytes | (text.len() as u128) << 120
    }
}

/// Texts of fewer bytes are short.
const SHORT: usize = 16;

/// Eight bytes that order texts as their first eight do: most comparisons end there.
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

    fn placed(texts: &[Vec<u8>]) -> Texts {
        let mut all = Texts::default();
        (0..).zip(texts).for_each(|(row, text)| all.push(row, Part::whole(text)));
        all
    }

    proptest! {
        #[test]
        fn texts_come_back_and_equal_ones_have_one_number(
            texts in prop::collection::vec(prop::collection::vec(0_u8..3, 0..18), 1..40),
            most in 3_usize..18,
        ) {
            let texts: Vec<Vec<u8>> =
                texts.into_iter().map(|text| text[..text.len().min(most)].to_vec()).collect();
            let all = placed(&texts);
            let all = all.placed();
            let get = |place| all.view.get(place);
            let back: Vec<&[u8]> = all.places.iter().copied().map(get).collect();
            prop_assert_eq!(&back, &texts);
            if let Some(Different { first, numbers }) = all.different() {
                let again: Vec<&[u8]> = numbers.iter().map(|&n| get(first[n as usize])).collect();
                prop_assert_eq!(&again, &texts);
                let different: std::collections::HashSet<&Vec<u8>> = texts.iter().collect();
                prop_assert_eq!(first.len(), different.len());
            }
        }

        #[test]
        fn the_first_bytes_order_texts(a in "[a\0é]{0,12}", b in "[a\0é]{0,12}") {
            let [a, b] = [a.as_bytes(), b.as_bytes()];
            let order = prefix(a).cmp(&prefix(b));
            prop_assert!(order.is_eq() || order == a.cmp(b));
        }
    }
}
