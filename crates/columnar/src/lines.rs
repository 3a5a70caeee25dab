//! Cuts a stream of bytes into lines.
//!
//! Only `\n` ends a line: U+2028 and escaped newlines occur inside strings.

/// Collects pieces of any size until they hold a whole line.
#[derive(Debug)]
pub struct LineSplitter {
    partial: Vec<u8>,
    /// How long the current line is, including what was not kept of it.
    seen: usize,
    limit: usize,
}

/// A line without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// The first bytes of a line that is longer than the limit.
    TooLong(&'a [u8]),
}

impl LineSplitter {
    /// Lines longer than `limit` bytes are cut, so that memory stays bounded.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { partial: Vec::new(), seen: 0, limit }
    }

    /// Hands every line that ends in this piece to `each`.
    pub fn push<E>(
        &mut self,
        mut piece: &[u8],
        mut each: impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (head, rest) = piece.split_at(end);
            if self.seen == 0 {
                each(cut(head, head.len(), self.limit))?;
            } else {
                self.keep(head);
                each(cut(&self.partial, self.seen, self.limit))?;
                self.partial.clear();
                self.seen = 0;
            }
            piece = &rest[1..];
        }
        self.keep(piece);
        Ok(())
    }

    /// What follows the last line end.
    #[must_use]
    pub fn rest(&self) -> Line<'_> {
        cut(&self.partial, self.seen, self.limit)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.seen += bytes.len();
    }
}

fn cut(bytes: &[u8], length: usize, limit: usize) -> Line<'_> {
    if length > limit { Line::TooLong(&bytes[..limit]) } else { Line::Whole(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All lines, the rest last; a line that is too long is marked.
    fn lines(pieces: &[&[u8]], limit: usize) -> Vec<(bool, Vec<u8>)> {
        let own = |line: Line<'_>| match line {
            Line::Whole(bytes) => (false, bytes.to_vec()),
            Line::TooLong(bytes) => (true, bytes.to_vec()),
        };
        let mut splitter = LineSplitter::new(limit);
        let mut found = Vec::new();
        for piece in pieces {
            splitter
                .push(piece, |line| {
                    found.push(own(line));
                    Ok::<_, ()>(())
                })
                .unwrap();
        }
        found.push(own(splitter.rest()));
        found
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_lines(
            text in "[ab\n]{0,60}",
            cuts in prop::collection::vec(0_usize..60, 0..6),
            limit in 1_usize..12,
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            let expected: Vec<_> = text
                .split('\n')
                .map(|l| (l.len() > limit, l.as_bytes()[..l.len().min(limit)].to_vec()))
                .collect();
            prop_assert_eq!(lines(&pieces, limit), expected);
        }
    }
}
