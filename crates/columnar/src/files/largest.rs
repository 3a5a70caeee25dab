//! Sizes by number. Their sum and the largest are known without a loop over all of them.

use std::collections::BTreeSet;

/// The sizes that are not zero.
#[derive(Debug, Default)]
pub(crate) struct Largest {
    sizes: BTreeSet<(usize, usize)>,
    total: usize,
}

impl Largest {
    /// Changes the size of this number.
    pub(crate) fn set(&mut self, number: usize, before: usize, now: usize) {
        if before == now {
            return;
        }
        self.sizes.remove(&(before, number));
        if now > 0 {
            self.sizes.insert((now, number));
        }
        self.total = self.total - before + now;
    }

    /// The sum of all sizes.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The number with the largest size, of equal ones the greatest; none if all are zero.
    pub(crate) fn largest(&self) -> Option<usize> {
        self.sizes.last().map(|&(_, number)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_knows_what_a_look_at_all_would_find(
            changes in prop::collection::vec((0_usize..6, 0_usize..4), 0..40),
        ) {
            let (mut largest, mut sizes) = (Largest::default(), [0; 6]);
            for (number, now) in changes {
                largest.set(number, sizes[number], now);
                sizes[number] = now;
                prop_assert_eq!(largest.total(), sizes.iter().sum::<usize>());
                let expected = (0..6).max_by_key(|&number| sizes[number]);
                prop_assert_eq!(largest.largest(), expected.filter(|&number| sizes[number] > 0));
            }
        }
    }
}
