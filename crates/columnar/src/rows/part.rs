//! A range of bytes, with access to the bytes after it.
//!
//! To copy a fixed number of bytes is faster than to copy the exact number. The surplus bytes are overwritten
//! by the next copy.

/// A range of bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    all: &'a [u8],
    start: usize,
    end: usize,
}

/// A short range is copied as this many bytes.
pub(crate) const AT_ONCE: usize = 32;

impl<'a> Part<'a> {
    #[inline]
    pub(crate) fn new(all: &'a [u8], start: usize, end: usize) -> Self {
        Self { all, start, end }
    }

    pub(crate) fn whole(all: &'a [u8]) -> Self {
        Self::new(all, 0, all.len())
    }

    /// The bytes of the range.
    pub(crate) fn bytes(self) -> &'a [u8] {
        &self.all[self.start..self.end]
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.end - self.start
    }

    /// Appends the bytes of the range.
    #[inline]
    pub(crate) fn append_to(self, out: &mut Vec<u8>) {
        match self.all[self.start..].first_chunk::<AT_ONCE>() {
            Some(more) if self.len() <= AT_ONCE => {
                let end = out.len() + self.len();
                out.extend_from_slice(more);
                out.truncate(end);
            }
            _ => out.extend_from_slice(&self.all[self.start..self.end]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_part_is_appended_and_nothing_else(
            all in prop::collection::vec(any::<u8>(), 0..90), ends in any::<[prop::sample::Index; 2]>(),
        ) {
            let mut ends = ends.map(|end| end.index(all.len() + 1));
            ends.sort_unstable();
            let mut out = b"before".to_vec();
            Part::new(&all, ends[0], ends[1]).append_to(&mut out);
            prop_assert_eq!(out, [b"before", &all[ends[0]..ends[1]]].concat());
        }
    }
}
