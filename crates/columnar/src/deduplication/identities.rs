//! The sorted list of the identities of the rows of a file. It is stored beside the file, so that other slices
//! that may have the same rows can leave them out.

use crate::deduplication::identity::RowIdentity;
use bytes::Bytes;
use foldhash::HashSet;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// The list begins with its name and version. They are as long as an identity.
const HEAD: &[u8; LENGTH] = b"mixlake rows v1\n";

const LENGTH: usize = 16;

/// The identities of rows; a row without an `$insert_id` has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities(Bytes);

/// What the identity of a row is made of.
#[derive(Debug, Clone, Copy)]
pub struct RowKey<'a> {
    /// The original name of the event.
    pub event: &'a str,
    /// The `distinct_id`.
    pub distinct_id: Option<&'a str>,
    /// In milliseconds since 1970.
    pub time: i64,
    /// The `$insert_id`.
    pub insert_id: &'a str,
}

/// The bytes are no identities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file does not hold row identities in a format that this version reads")]
pub struct NoIdentities;

impl Identities {
    pub(crate) fn of(mut rows: Vec<u128>) -> Self {
        rows.sort_unstable();
        let mut bytes = Vec::with_capacity((rows.len() + 1) * LENGTH);
        bytes.extend_from_slice(HEAD);
        // The most significant byte first: bytes are in the order of the numbers.
        bytes.extend(rows.into_iter().flat_map(u128::to_be_bytes));
        Self(bytes.into())
    }

    /// All identities of some lists, in so many new lists of nearly equal length.
    pub fn merged(lists: &[Self], parts: usize) -> impl Iterator<Item = Self> {
        let rows: usize = lists.iter().map(|list| list.rows().len()).sum();
        let each = rows.div_ceil(parts.max(1));
        let mut lists: Vec<_> = lists.iter().map(|list| list.rows().iter()).collect();
        let heads = lists.iter_mut().enumerate();
        let heads = heads.filter_map(|(list, rows)| Some(Reverse((*rows.next()?, list))));
        let mut heads: BinaryHeap<Reverse<([u8; LENGTH], usize)>> = heads.collect();
        (0..parts).map(move |_| {
            let mut bytes = Vec::with_capacity((each + 1) * LENGTH);
            bytes.extend_from_slice(HEAD);
            while bytes.len() < (each + 1) * LENGTH
                && let Some(mut head) = heads.peek_mut()
            {
                let Reverse((row, list)) = *head;
                bytes.extend_from_slice(&row);
                match lists[list].next() {
                    Some(next) => head.0.0 = *next,
                    None => {
                        PeekMut::pop(head);
                    }
                }
            }
            Self(bytes.into())
        })
    }

    /// Reads what [`Self::bytes`] gave.
    pub fn read(bytes: Bytes) -> Result<Self, NoIdentities> {
        let whole = bytes.len().is_multiple_of(LENGTH);
        if whole && bytes.starts_with(HEAD) { Ok(Self(bytes)) } else { Err(NoIdentities) }
    }

    /// The list as it is stored.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The hash in the name of the object that stores them, as 32 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(&self.0).to_hex()[..32].to_owned()
    }

    /// The identities without those of some rows; `None` if none is left.
    #[must_use]
    pub fn without<'a>(&self, rows: impl IntoIterator<Item = RowKey<'a>>) -> Option<Self> {
        let mut room = Vec::new();
        let identity = |row: RowKey<'a>| {
            let RowKey { event, distinct_id, time, insert_id } = row;
            RowIdentity::new(event, distinct_id, time, insert_id, &mut room).number()
        };
        let gone: HashSet<u128> = rows.into_iter().map(identity).collect();
        let all = self.rows().iter().map(|row| u128::from_be_bytes(*row));
        let rest: Vec<u128> = all.filter(|row| !gone.contains(row)).collect();
        (!rest.is_empty()).then(|| Self::of(rest))
    }

    fn rows(&self) -> &[[u8; LENGTH]] {
        self.0[LENGTH..].as_chunks().0
    }

    /// The identities that two files have in common.
    pub(crate) fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u128> + 'a {
        let (mut ours, mut theirs) = (self.rows(), other.rows());
        std::iter::from_fn(move || {
            while let (Some((a, more)), Some((b, further))) =
                (ours.split_first(), theirs.split_first())
            {
                match a.cmp(b) {
                    Ordering::Less => ours = more,
                    Ordering::Greater => theirs = further,
                    Ordering::Equal => {
                        (ours, theirs) = (more, further);
                        return Some(u128::from_be_bytes(*a));
                    }
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn what_two_files_have_in_common_is_found(
            one in prop::collection::btree_set(0_u128..40, 0..30),
            other in prop::collection::btree_set(0_u128..40, 0..30),
        ) {
            let file = |rows: &BTreeSet<u128>| Identities::of(rows.iter().rev().copied().collect());
            let read = Identities::read(file(&one).bytes().clone()).unwrap();
            let common: Vec<u128> = read.common(&file(&other)).collect();
            prop_assert_eq!(common, one.intersection(&other).copied().collect::<Vec<_>>());
        }

        #[test]
        fn merged_lists_have_all_rows_once_and_in_order(
            lists in prop::collection::vec(prop::collection::vec(any::<u128>(), 0..20), 0..5),
            parts in 1_usize..5,
        ) {
            let all: Vec<Identities> = lists.iter().cloned().map(Identities::of).collect();
            let merged: Vec<Identities> = Identities::merged(&all, parts).collect();
            prop_assert_eq!(merged.len(), parts);
            let read = |list: &Identities| Identities::read(list.bytes().clone()).unwrap();
            let rows = |list: Identities| list.rows().iter().map(|row| u128::from_be_bytes(*row)).collect::<Vec<_>>();
            let rows: Vec<u128> = merged.iter().map(read).flat_map(rows).collect();
            let mut expected: Vec<u128> = lists.concat();
            expected.sort_unstable();
            prop_assert_eq!(rows, expected);
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&b""[..], b"mixlake rows v2\n", b"mixlake rows v1\nabc"] {
            assert_eq!(Identities::read(Bytes::from_static(bytes)), Err(NoIdentities));
        }
    }
}
