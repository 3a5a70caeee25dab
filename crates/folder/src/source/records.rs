//! Splits the bytes of an input into records: one per line, or one per JSON value.

use super::problem::Problem;
use super::values::Values;
use mixlake_columnar::{Bounds, Line, LineSplitter};

/// How records are separated.
pub(super) enum Records {
    /// One record per line.
    Lines(LineSplitter),
    /// JSON values in any layout: arrays of records, or records over several lines.
    Values(Values),
}

/// Some editors write it at the start of UTF-8 files; joined files contain it in the middle.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl Records {
    /// Recognizes the form by the start of the input. It is JSON values only if a file of lines cannot
    /// begin like this, because the first line may be invalid.
    pub(super) fn of(start: &[u8]) -> Self {
        // One more than the limit, so that the transformation detects that the line is too long.
        let limit = Bounds::default().line_bytes + 1;
        let text = without_mark(start).trim_ascii_start();
        let behind = text.get(1..).unwrap_or_default();
        let alone =
            behind.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) == Some(&b'\n');
        let values = match (text.first(), behind.trim_ascii_start().first()) {
            (Some(b'['), Some(b'{' | b']')) => true,
            (Some(b'{'), Some(b'"')) => alone,
            (_, _) => false,
        };
        if values {
            Self::Values(Values::new(limit))
        } else {
            Self::Lines(LineSplitter::new(limit))
        }
    }

    /// Passes every record that ends in this piece to `each`.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(Line<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        match self {
            Self::Lines(lines) => lines.push(piece, |line| each(unmarked(line))),
            Self::Values(values) => values.push(piece, each),
        }
    }

    /// What is left at the end of the input. Only a line may be without an end.
    pub(super) fn rest(&self) -> Result<Line<'_>, Problem> {
        match self {
            Self::Lines(lines) => Ok(unmarked(lines.rest())),
            Self::Values(values) => values.end().map(|()| Line::Whole(b"")),
        }
    }
}

fn unmarked(line: Line<'_>) -> Line<'_> {
    match line {
        Line::Whole(bytes) => Line::Whole(without_mark(bytes)),
        Line::TooLong { .. } => line,
    }
}

fn without_mark(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(MARK) {
        bytes = rest;
    }
    bytes
}
