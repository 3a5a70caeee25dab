//! Which of some values are equal.

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Equal values are one.
pub(crate) struct Different<T> {
    /// The first of each that are equal.
    pub first: Vec<T>,
    /// For each value, which of the different ones it is.
    pub numbers: Vec<u32>,
}

/// Different values that there is room for from the start.
const ROOM: usize = 512;

/// Looked at after one part in so many, and no less than some: values of which more than this share
/// are different there are not worth numbering to the end. Of values that come in any order and of
/// which half are different in the end, seven in eight are by then.
const EARLY: usize = 8;
const LEAST: usize = 64;
const SHARE: (usize, usize) = (15, 16);

/// Tells equal values; none if so many are different that a dictionary cannot pay.
pub(crate) fn different<T: Copy>(
    values: impl ExactSizeIterator<Item = T>,
    hash: impl Fn(T) -> u64,
    equal: impl Fn(T, T) -> bool,
) -> Option<Different<T>> {
    let (most, early) = (most(values.len()), (values.len() / EARLY).max(LEAST));
    let mut table: HashTable<u32> = HashTable::with_capacity(most.min(ROOM));
    let mut first: Vec<T> = Vec::new();
    let mut numbers = Vec::with_capacity(values.len());
    for (seen, value) in values.enumerate() {
        if seen == early && first.len() * SHARE.1 > seen * SHARE.0 {
            return None;
        }
        let hashed = hash(value);
        let number = match table.find(hashed, |&number| equal(first[number as usize], value)) {
            Some(&number) => number,
            None if first.len() == most => return None,
            None => {
                let number = u32::try_from(first.len()).ok()?;
                first.push(value);
                table.insert_unique(hashed, number, |&number| hash(first[number as usize]));
                number
            }
        };
        numbers.push(number);
    }
    Some(Different { first, numbers })
}

/// How many of so many values may be different for a dictionary to pay.
pub(crate) fn most(values: usize) -> usize {
    values / 2 + 1
}

/// Numbers things anew by their place in `order`.
pub(crate) fn renumber(numbers: &mut [u32], order: &[u32]) {
    let most = order.iter().max().map_or(0, |&most| most as usize + 1);
    let mut ranks = vec![0; most];
    for (rank, &number) in (0..).zip(order) {
        ranks[number as usize] = rank;
    }
    for number in numbers {
        *number = ranks[*number as usize];
    }
}

/// The same for the same bytes, always.
pub(crate) fn hasher() -> FixedState {
    FixedState::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::BuildHasher;

    fn of(values: &[u32]) -> Option<Different<u32>> {
        different(values.iter().copied(), |value| hasher().hash_one(value), |a, b| a == b)
    }

    #[test]
    fn what_is_nearly_all_different_is_not_numbered_to_the_end() {
        let different: Vec<u32> = (0..4_000).collect();
        assert!(of(&different).is_none());
        let any = |number: u32| (hasher().hash_one(number) % 2_000) as u32;
        let half: Vec<u32> = (0..4_000).map(any).collect();
        assert!(of(&half).is_some(), "half of them are different");
        let few: Vec<u32> = (0..32).chain(0..32).collect();
        assert!(of(&few).is_some(), "of a few, nothing can be told early");
    }

    proptest! {
        #[test]
        fn a_number_leads_to_its_value(values in prop::collection::vec(0_u32..40, 0..200)) {
            if let Some(Different { first, numbers }) = of(&values) {
                let again: Vec<u32> = numbers.iter().map(|&n| first[n as usize]).collect();
                prop_assert_eq!(again, values);
                let mut once = first.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), first.len());
            }
        }
    }
}
