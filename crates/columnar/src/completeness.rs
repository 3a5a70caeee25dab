//! Whether a stream of lines is complete, as far as its lines can say.

use crate::lines::{Line, LineSplitter};
use crate::parse;
use crate::peek::{early_end, is_blank};
use crate::transform::TransformError;

/// Looks at a stream without transforming it: for those who have to know that it is whole before
/// anything is made of it.
#[derive(Debug)]
pub struct Completeness {
    lines: LineSplitter,
    received: u64,
}

impl Completeness {
    /// Begins a stream. A last line that is longer than the limit counts as cut.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { lines: LineSplitter::new(limit), received: 0 }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), TransformError> {
        let received = &mut self.received;
        self.lines.push(piece, |line| {
            let (Line::Whole(bytes) | Line::TooLong(bytes)) = line;
            *received += u64::from(!is_blank(bytes));
            match last_words(bytes) {
                Some(text) => Err(TransformError::TerminatedEarly(text)),
                None => Ok(()),
            }
        })
    }

    /// Ends the stream.
    pub fn finish(self) -> Result<(), TransformError> {
        whole(self.lines.rest(), self.received)
    }
}

/// The text with which a line says that the export stopped early. No event ends with a letter.
fn last_words(line: &[u8]) -> Option<String> {
    let ends = line.trim_ascii_end().last().is_some_and(|last| last.eq_ignore_ascii_case(&b'y'));
    if ends { early_end(line) } else { None }
}

/// Whether what follows the last line end is nothing, or all of a line.
pub(crate) fn whole(rest: Line<'_>, received: u64) -> Result<(), TransformError> {
    match rest {
        Line::Whole(rest) if is_blank(rest) || parse::is_whole(rest) => Ok(()),
        Line::Whole(rest) => match early_end(rest) {
            Some(text) => Err(TransformError::TerminatedEarly(text)),
            None => Err(TransformError::CutLine(received)),
        },
        Line::TooLong(_) => Err(TransformError::CutLine(received)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Every piece is one byte.
    fn judged(text: &str) -> String {
        let mut completeness = Completeness::new(60);
        let pushed = text.as_bytes().chunks(1).try_for_each(|piece| completeness.push(piece));
        match pushed.and_then(|()| completeness.finish()) {
            Ok(()) => "whole".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[rstest]
    #[case::nothing("")]
    #[case::lines("{\"event\":\"e\"}\n\n{}\n \n")]
    #[case::no_last_line_end("{\"event\":\"e\"}\n{\"event\":\"terminated early\"}")]
    #[case::odd_lines("oops\nterminated earl\n")]
    fn a_stream_that_ends_with_a_line_is_whole(#[case] text: &str) {
        assert_eq!(judged(text), "whole");
    }

    #[rstest]
    #[case::cut("{}\n{\"event\":", "in the middle of a line, after 1")]
    #[case::words("{}\nexport terminated early\n", "terminated early")]
    #[case::words_alone("Terminated Early", "Terminated Early")]
    #[case::words_behind_half_a_line("{\"event\":\"terminated early\n\n", "terminated early")]
    fn a_stream_that_stops_is_not(#[case] text: &str, #[case] said: &str) {
        let judged = judged(text);
        assert!(judged.contains(said), "{judged}");
    }

    #[test]
    fn a_last_line_past_the_bound_counts_as_cut() {
        let long = format!("{{}}\n\"{}\"", "a".repeat(60));
        assert!(judged(&long).contains("in the middle of a line"));
    }
}
