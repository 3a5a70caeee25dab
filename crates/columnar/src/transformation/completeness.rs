//! Checks from its lines whether a stream is complete.

use crate::error::TransformError;
use crate::reading::lines::{Line, LineSplitter};
use crate::reading::parse;
use crate::reading::peek::{early_end, error_end, is_blank};

/// Looks at a stream without transforming it: for those who have to know that it is whole before
/// anything is made of it.
#[derive(Debug)]
pub struct Completeness {
    lines: LineSplitter,
    received: u64,
    /// The last line that is not blank, without its end.
    last: Vec<u8>,
    /// Whether a line before it begins as events do.
    objects: bool,
}

impl Completeness {
    /// Begins a stream. A last line that is longer than the limit counts as cut.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { lines: LineSplitter::new(limit), received: 0, last: Vec::new(), objects: false }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), TransformError> {
        let Self { received, last, objects, .. } = self;
        self.lines.push(piece, |line| {
            let (Line::Whole(end) | Line::TooLong { end, .. }) = line;
            if matches!(line, Line::Whole(bytes) if is_blank(bytes)) {
                return Ok(());
            }
            *received += 1;
            *objects |= last.trim_ascii_start().starts_with(b"{");
            last.clear();
            last.extend_from_slice(end);
            match early_end(end) {
                Some(text) => Err(TransformError::TerminatedEarly(text)),
                None => Ok(()),
            }
        })
    }

    /// Ends the stream. An export that is one stream says by its last line that it failed.
    pub fn finish(self, one_stream: bool) -> Result<(), TransformError> {
        let rest = self.lines.rest();
        whole(rest, self.received)?;
        let looks_like_an_event = |line: &[u8]| line.trim_ascii_start().starts_with(b"{");
        let (last, objects) = match rest {
            Line::Whole(rest) if !is_blank(rest) => {
                (rest, self.objects || looks_like_an_event(&self.last))
            }
            Line::Whole(_) | Line::TooLong { .. } => (&*self.last, self.objects),
        };
        match error_end(last).filter(|_| one_stream) {
            // Nothing came that looks like an event: it is no export at all.
            Some(text) if !objects => {
                let reasons = vec![format!("the last one is {text:?}")];
                Err(TransformError::NoEvent { lines: self.received, reasons })
            }
            Some(text) => Err(TransformError::EndsWithError(text)),
            None => Ok(()),
        }
    }
}

/// Whether what follows the last line end is nothing, or all of a line.
pub(crate) fn whole(rest: Line<'_>, received: u64) -> Result<(), TransformError> {
    match rest {
        Line::Whole(rest) if is_blank(rest) || parse::is_whole(rest) => Ok(()),
        Line::Whole(end) | Line::TooLong { end, .. } => match early_end(end) {
            Some(text) => Err(TransformError::TerminatedEarly(text)),
            None => Err(TransformError::CutLine(received)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Every piece is one byte.
    fn judged(text: impl AsRef<[u8]>) -> String {
        let mut completeness = Completeness::new(60);
        let pushed = text.as_ref().chunks(1).try_for_each(|piece| completeness.push(piece));
        match pushed.and_then(|()| completeness.finish(true)) {
            Ok(()) => "whole".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[rstest]
    #[case::nothing("")]
    #[case::lines("{\"event\":\"e\"}\n\n{}\n \n")]
    #[case::no_last_line_end("{\"event\":\"e\"}\n{\"event\":\"terminated early\"}")]
    #[case::odd_lines("oops\nterminated earl\n{}\n")]
    #[case::an_event_that_names_an_error("{}\n{\"event\":\"e\",\"error\":1}\n")]
    fn a_stream_that_ends_with_a_line_is_whole(#[case] text: &str) {
        assert_eq!(judged(text), "whole");
    }

    #[rstest]
    #[case::cut("{}\n{\"event\":", "in the middle of a line, after 1")]
    #[case::words("{}\nexport terminated early\n", "terminated early")]
    #[case::words_alone("Terminated Early", "Terminated Early")]
    #[case::words_behind_half_a_line("{\"event\":\"terminated early\n\n", "terminated early")]
    #[case::only_an_error("{\"error\":\"oops\"}\n", "none of the 1 lines")]
    #[case::an_error("{}\n{\"error\":\"Timeout\"}\n\n", "Timeout")]
    #[case::an_error_without_a_line_end("{}\n{\"error\":\"Timeout\"}", "Timeout")]
    #[case::text_at_the_end("{}\n{}\nupstream timed out\n", "upstream timed out")]
    fn a_stream_that_stops_is_not(#[case] text: &str, #[case] said: &str) {
        let judged = judged(text);
        assert!(judged.contains(said), "{judged}");
    }

    #[rstest]
    #[case::within_a_character(b"{}\n{\"x\":\"Z\xC3export terminated early\n", "\"export")]
    #[case::without_a_line_end(b"{}\n{\"x\":\"Z\xC3terminated early", "\"terminated")]
    #[case::past_the_bound(&[&[b'a'; 100][..], b"export terminated early \n"].concat(), "\"export")]
    fn words_behind_half_a_line_of_any_bytes_end_a_stream(#[case] text: &[u8], #[case] said: &str) {
        let judged = judged(text);
        assert!(judged.contains(said) && judged.contains("stopped before"), "{judged}");
    }

    #[test]
    fn a_last_line_past_the_bound_counts_as_cut() {
        let long = format!("{{}}\n\"{}\"", "a".repeat(60));
        assert!(judged(&long).contains("in the middle of a line"));
    }
}
