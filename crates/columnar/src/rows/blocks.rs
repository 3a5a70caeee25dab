//! A list of values in blocks. Growing it moves no value, and frees no memory that is too small for the next
//! allocation.

use prefetch_index::prefetch_index;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// The first block has so many bytes, each further one twice as many as the last, up to a bound. With a
/// table for each event there are hundreds of thousands of columns of a few values.
const FIRST: usize = 128;
const LARGEST: usize = 32 << 10;

/// Values in the order of their coming.
#[derive(Debug)]
pub(crate) struct Blocks<T> {
    /// The block that is being filled, here because every value touches it.
    last: Vec<T>,
    /// The blocks before it, and behind those blocks that were used before and are empty.
    others: Vec<Vec<T>>,
    full: usize,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { last: Vec::new(), others: Vec::new(), full: 0 }
    }
}

impl<T> Blocks<T> {
    /// The end of the last block, with room for so many values.
    #[inline]
    pub(crate) fn room(&mut self, values: usize) -> &mut Vec<T> {
        if self.last.capacity() - self.last.len() < values {
            self.next(values);
        }
        &mut self.last
    }

    /// Adds a value.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        self.room(1).push(value);
        self.prefetch();
    }

    /// Asks for the line of the cache behind the one that is being filled: with hundreds of columns the
    /// processor does not foresee which it will be, and each value that begins a line would wait for it.
    #[inline]
    pub(crate) fn prefetch(&self) {
        prefetch_index(&self.last, self.last.len() + LINE / size_of::<T>());
    }

    #[cold]
    fn next(&mut self, values: usize) {
        let fits = |block: &Vec<T>| block.capacity() >= values;
        let mut next = match self.others.get(self.full) {
            Some(block) if fits(block) => self.others.swap_remove(self.full),
            _ => {
                let twice = 2 * self.last.capacity() * size_of::<T>();
                let bytes = twice.clamp(FIRST, LARGEST);
                Vec::with_capacity(values.max(bytes / size_of::<T>()))
            }
        };
        std::mem::swap(&mut self.last, &mut next);
        if next.capacity() > 0 {
            self.others.insert(self.full, next);
            self.full += 1;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[T]> + Clone {
        self.others[..self.full].iter().chain([&self.last]).map(Vec::as_slice)
    }

    /// Forgets the values and keeps the blocks; the first is the first again.
    pub(crate) fn clear(&mut self) {
        self.last.clear();
        self.others[..self.full].iter_mut().for_each(Vec::clear);
        if let Some(first) = self.others[..self.full].first_mut() {
            std::mem::swap(first, &mut self.last);
        }
        self.full = 0;
    }

    /// Gives the blocks back that no value is in.
    pub(crate) fn give_back(&mut self) {
        self.others.truncate(self.full);
    }

    /// What the values take.
    pub(crate) fn size(&self) -> Size {
        let values = self.others.iter().chain([&self.last]).map(Vec::capacity).sum::<usize>();
        let holds = values * size_of::<T>() + self.others.capacity() * size_of::<Vec<T>>();
        let needs = match self.iter().map(size_of_val).sum::<usize>() {
            0 => 0,
            bytes => bytes.max(FIRST) + bytes.min(LARGEST) / 2,
        };
        Size { holds, needs }
    }
}

/// Bytes in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    /// With room for more.
    pub holds: usize,
    /// What new blocks would hold, about: of the same values always the same, whatever blocks there are.
    pub needs: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_stay_in_order(lengths in prop::collection::vec(1_usize..2_000, 0..60)) {
            let mut blocks = Blocks::default();
            // What was there before changes nothing.
            for round in 0..2_u32 {
                blocks.clear();
                let mut expected = Vec::new();
                for (&length, number) in lengths.iter().zip(round..) {
                    let before = blocks.iter().map(<[u32]>::len).sum::<usize>();
                    prop_assert_eq!(before, expected.len());
                    let values = vec![number; length];
                    blocks.room(length).extend_from_slice(&values);
                    expected.extend(values);
                }
                prop_assert_eq!(blocks.iter().flatten().copied().collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn many_values_take_little_more_than_their_bytes() {
        let mut blocks = Blocks::default();
        (0..1_000_000_u64).for_each(|value| blocks.room(1).push(value));
        let Size { holds, needs } = blocks.size();
        assert!(holds < 8_000_000 + 2 * LARGEST, "{holds}");
        assert!(needs.abs_diff(holds) < 2 * LARGEST, "{needs}");
    }
}
