//! Dictionaries: the distinct values of a column, and for each row the index of its value.

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// The distinct values of a column, and each value as an index into them.
pub(crate) struct Dictionary<T> {
    /// The distinct values, in the order in which they came first.
    pub values: Vec<T>,
    /// For each value of the column, its index among the distinct values.
    pub indices: Vec<u32>,
}

/// Room for so many distinct values is allocated at the start.
const ROOM: usize = 512;

/// After one value in `EARLY`, and at least `LEAST` values, the share of distinct values is checked. If it
/// is above `SHARE`, a dictionary cannot pay, and the rest is not looked at. Where half of all values are
/// distinct in the end, seven in eight are by then.
const EARLY: usize = 8;
const LEAST: usize = 64;
const SHARE: (usize, usize) = (15, 16);

/// Builds the dictionary of a column. None if so many values are distinct that a dictionary cannot pay.
pub(crate) fn build<T: Copy>(
    column: impl ExactSizeIterator<Item = T>,
    hash: impl Fn(T) -> u64,
    equal: impl Fn(T, T) -> bool,
) -> Option<Dictionary<T>> {
    let (most, early) = (most_distinct(column.len()), (column.len() / EARLY).max(LEAST));
    let mut table: HashTable<u32> = HashTable::with_capacity(most.min(ROOM));
    let mut values: Vec<T> = Vec::new();
    let mut indices = Vec::with_capacity(column.len());
    for (seen, value) in column.enumerate() {
        if seen == early && values.len() * SHARE.1 > seen * SHARE.0 {
            return None;
        }
        let hashed = hash(value);
        let index = match table.find(hashed, |&index| equal(values[index as usize], value)) {
            Some(&index) => index,
            None if values.len() == most => return None,
            None => {
                let index = u32::try_from(values.len()).ok()?;
                values.push(value);
                table.insert_unique(hashed, index, |&index| hash(values[index as usize]));
                index
            }
        };
        indices.push(index);
    }
    Some(Dictionary { values, indices })
}

/// How many of so many values may be distinct for a dictionary to pay.
pub(crate) fn most_distinct(values: usize) -> usize {
    values / 2 + 1
}

/// Replaces each index by its rank in `order`.
pub(crate) fn reindex(indices: &mut [u32], order: &[u32]) {
    let most = order.iter().max().map_or(0, |&most| most as usize + 1);
    let mut ranks = vec![0; most];
    for (rank, &index) in (0..).zip(order) {
        ranks[index as usize] = rank;
    }
    for index in indices {
        *index = ranks[*index as usize];
    }
}

/// Hashes without a random seed: equal values have equal hashes in every run.
pub(crate) fn hasher() -> FixedState {
    FixedState::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::BuildHasher;

    fn of(column: &[u32]) -> Option<Dictionary<u32>> {
        build(column.iter().copied(), |value| hasher().hash_one(value), |a, b| a == b)
    }

    #[test]
    fn a_column_of_nearly_only_distinct_values_gets_no_dictionary() {
        let distinct: Vec<u32> = (0..4_000).collect();
        assert!(of(&distinct).is_none());
        let any = |number: u32| (hasher().hash_one(number) % 2_000) as u32;
        let half: Vec<u32> = (0..4_000).map(any).collect();
        assert!(of(&half).is_some(), "half of them are distinct");
        let few: Vec<u32> = (0..32).chain(0..32).collect();
        assert!(of(&few).is_some(), "the early check needs more values");
    }

    proptest! {
        #[test]
        fn an_index_leads_to_its_value(column in prop::collection::vec(0_u32..40, 0..200)) {
            if let Some(Dictionary { values, indices }) = of(&column) {
                let again: Vec<u32> = indices.iter().map(|&index| values[index as usize]).collect();
                prop_assert_eq!(again, column);
                let mut once = values.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), values.len());
            }
        }
    }
}
