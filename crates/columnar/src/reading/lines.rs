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
    /// The last bytes of the current line.
    tail: Vec<u8>,
}

/// As much of the end of a line that is too long as is known: what it says may be more important than
/// what it holds.
const TAIL: usize = 64;

/// A line without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// A line that is longer than the limit.
    TooLong {
        /// Its first bytes, up to the limit.
        start: &'a [u8],
        /// Its last bytes, a few.
        end: &'a [u8],
    },
}

impl LineSplitter {
    /// Lines longer than `limit` bytes are cut, so that memory stays bounded.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { partial: Vec::new(), seen: 0, limit, tail: Vec::new() }
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
                each(cut(head, head, head.len(), self.limit))?;
            } else {
                self.keep(head);
                each(self.rest())?;
                self.partial.clear();
                self.tail.clear();
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
        cut(&self.partial, &self.tail, self.seen, self.limit)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.seen += bytes.len();
        self.tail.extend_from_slice(last(bytes));
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }
}

fn last(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(TAIL)..]
}

fn cut<'a>(bytes: &'a [u8], tail: &'a [u8], length: usize, limit: usize) -> Line<'a> {
    if length > limit {
        Line::TooLong { start: &bytes[..limit], end: last(tail) }
    } else {
        Line::Whole(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All lines, the rest last; a line that is too long is marked.
    fn lines(pieces: &[&[u8]], limit: usize) -> Vec<(bool, Vec<u8>)> {
        let own = |line: Line<'_>| match line {
            Line::Whole(bytes) => (false, bytes.to_vec()),
            Line::TooLong { start, end } => (true, [start, b"..", end].concat()),
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
                .map(|l| (l.len() > limit, l))
                .map(|(long, l)| (long, if long { format!("{}..{l}", &l[..limit]) } else { l.to_owned() }))
                .map(|(long, l)| (long, l.into_bytes()))
                .collect();
            prop_assert_eq!(lines(&pieces, limit), expected);
        }
    }

    #[test]
    fn of_a_line_that_is_too_long_the_end_is_known() {
        let line: Vec<u8> = (32..232).collect();
        let pieces = [&line[..90], &line[90..100], &line[100..]];
        let expected = [&line[..20], b"..", &line[200 - TAIL..]].concat();
        assert_eq!(lines(&pieces, 20), [(true, expected.clone())]);
        let text = [&line[..], b"\n"].concat();
        assert_eq!(lines(&[&text], 20), [(true, expected), (false, vec![])]);
    }
}
