//! The texts of a column, and which of them are equal.

use crate::event::Part;
use crate::numbering::{Different, different, hasher};
use std::hash::BuildHasher;

/// Texts behind one another, each behind its row and its length.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    texts: usize,
}

/// What stands before a text.
const HEAD: usize = 2 * size_of::<u32>();

/// Where a text stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    start: u32,
    length: u32,
}

/// The texts with their places.
pub(crate) struct Placed<'a> {
    bytes: &'a [u8],
    /// The row of each text.
    pub rows: Vec<u32>,
    /// The place of each text.
    pub places: Vec<Place>,
}

impl Place {
    /// How many bytes the text takes in a page.
    pub(crate) fn plain_bytes(self) -> usize {
        size_of::<u32>() + self.length as usize
    }
}

impl Texts {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
    pub(crate) fn push(&mut self, row: u32, text: Part<'_>) {
        let head = u64::from(text.len() as u32) << 32 | u64::from(row);
        self.bytes.extend_from_slice(&head.to_le_bytes());
        text.append_to(&mut self.bytes);
        self.texts += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.texts = 0;
    }

    /// Bytes held, room for more included.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Finds out where each text is.
    pub(crate) fn placed(&self) -> Placed<'_> {
        u32::try_from(self.bytes.len()).expect("a row group is cut before 4 GiB");
        let mut rows = Vec::with_capacity(self.texts);
        let mut places = Vec::with_capacity(self.texts);
        let mut rest = &self.bytes[..];
        let mut start = 0;
        while let Some((head, texts)) = rest.split_first_chunk::<HEAD>() {
            let [row, length] = halves(u64::from_le_bytes(*head));
            start += HEAD as u32;
            rows.push(row);
            places.push(Place { start, length });
            start += length;
            rest = &texts[length as usize..];
        }
        Placed { bytes: &self.bytes, rows, places }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
fn halves(both: u64) -> [u32; 2] {
    [both as u32, (both >> 32) as u32]
}

impl Placed<'_> {
    /// The row of each text, and what is said of it.
    pub(crate) fn each<T: Copy>(&self, said: &[T]) -> impl Iterator<Item = (u32, T)> + Clone {
        self.rows.iter().copied().zip(said.iter().copied())
    }

    #[inline]
    pub(crate) fn get(&self, place: Place) -> &[u8] {
        &self.bytes[place.start as usize..][..place.length as usize]
    }

    /// Appends a text behind its length, as pages have it; so it stands here.
    #[inline]
    pub(crate) fn append_plain(&self, place: Place, out: &mut Vec<u8>) {
        let start = place.start as usize;
        Part::new(self.bytes, start - size_of::<u32>(), start + place.length as usize)
            .append_to(out);
    }

    /// Tells equal texts; none if too many are different.
    pub(crate) fn different(&self) -> Option<Different<Place>> {
        let hash = |place: Place| hasher().hash_one(self.get(place));
        different(&self.places, hash, |a, b| self.get(a) == self.get(b))
    }
}

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

    proptest! {
        #[test]
        fn the_first_bytes_order_texts(a in "[a\0é]{0,12}", b in "[a\0é]{0,12}") {
            let [a, b] = [a.as_bytes(), b.as_bytes()];
            let order = prefix(a).cmp(&prefix(b));
            prop_assert!(order.is_eq() || order == a.cmp(b));
        }
    }
}
