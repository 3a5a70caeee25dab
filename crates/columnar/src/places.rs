//! From the rows as they came to the rows as they are written.

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

/// Which rows of a row group have a value in a column, as a bitmap, and how many before each word.
#[derive(Debug)]
pub(crate) struct Present {
    pub words: Vec<u64>,
    before: Vec<u32>,
    pub values: usize,
}

impl Present {
    /// The places of these rows; none if none of them is written.
    pub(crate) fn of(rows: impl Iterator<Item = u32>, places: &Places) -> Option<Self> {
        let mut words = vec![0_u64; places.rows.div_ceil(64)];
        rows.for_each(|row| {
            let place = places.of[row as usize];
            if place != DROPPED {
                words[place as usize / 64] |= 1 << (place % 64);
            }
        });
        let mut values = 0;
        let before = words.iter().map(|word| {
            let before = values;
            values += word.count_ones();
            before
        });
        let before = before.collect();
        (values > 0).then_some(Self { words, before, values: values as usize })
    }

    /// The places of the rows of these values, and the values in their order.
    pub(crate) fn with<T: Copy + Default>(
        values: impl Iterator<Item = (u32, T)> + Clone,
        places: &Places,
    ) -> Option<(Self, Vec<T>)> {
        let present = Self::of(values.clone().map(|(row, _)| row), places)?;
        let arranged = present.arrange(values, places);
        Some((present, arranged))
    }

    /// Sets the values of these rows in the order of their places.
    pub(crate) fn arrange<T: Copy + Default>(
        &self,
        values: impl Iterator<Item = (u32, T)>,
        places: &Places,
    ) -> Vec<T> {
        let mut arranged = vec![T::default(); self.values];
        values.for_each(|(row, value)| {
            let place = places.of[row as usize];
            if place != DROPPED {
                let (word, bit) = (place as usize / 64, place % 64);
                let below = self.words[word] & ((1 << bit) - 1);
                arranged[(self.before[word] + below.count_ones()) as usize] = value;
            }
        });
        arranged
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
            seed in any::<u64>(),
        ) {
            // Each row: whether it is written, and whether it has a value.
            let mut order: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].0).collect();
            order.sort_by_key(|&row| (row as u64).wrapping_mul(seed | 1));
            let mut of = vec![DROPPED; rows.len()];
            for (place, &row) in (0..).zip(&order) {
                of[row] = place;
            }
            let places = Places { of, rows: order.len() };
            let with: Vec<u32> = (0..).zip(&rows).filter(|(_, r)| r.1).map(|(row, _)| row).collect();
            let arranged = Present::with(with.iter().map(|&row| (row, row)), &places);
            let expected: Vec<u32> = order.iter().filter(|&&row| rows[row].1).map(|&row| u32::try_from(row).unwrap()).collect();
            prop_assert_eq!(arranged.map_or(Vec::new(), |(_, values)| values), expected);
        }
    }
}
