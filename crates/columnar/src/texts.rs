//! The texts of a column, and which of them are equal.

use crate::values::TABLE;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Texts behind one another.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
}

/// Equal texts are one.
pub(crate) struct Different {
    /// The first of each that are equal.
    pub first: Vec<u32>,
    /// For each text, which of the different ones it is.
    pub numbers: Vec<u32>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(u32::try_from(self.bytes.len()).expect("a row group is cut before 4 GiB"));
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(crate) fn get(&self, at: u32) -> &[u8] {
        let at = at as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.bytes[start..self.ends[at] as usize]
    }

    /// Bytes held, room for more included.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    /// Tells equal texts; none if more than `most` are different.
    pub(crate) fn different(&self, most: usize) -> Option<Different> {
        let hash = |at: u32| hasher().hash_one(self.get(at));
        let mut table: HashTable<u32> = HashTable::with_capacity(most.min(TABLE));
        let mut first = Vec::new();
        let mut numbers = Vec::with_capacity(self.ends.len());
        for at in (0..).take(self.ends.len()) {
            let same = |&number: &u32| self.get(first[number as usize]) == self.get(at);
            let hashed = hash(at);
            let number = match table.find(hashed, same) {
                Some(&number) => number,
                None if first.len() == most => return None,
                None => {
                    let number = u32::try_from(first.len()).ok()?;
                    first.push(at);
                    table.insert_unique(hashed, number, |&n| hash(first[n as usize]));
                    number
                }
            };
            numbers.push(number);
        }
        Some(Different { first, numbers })
    }
}

/// The same for the same bytes, always.
pub(crate) fn hasher() -> FixedState {
    FixedState::default()
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
