//! Removes lines from an object with bad lines.

use crate::reading::quarantine::Quarantine;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::{self, Read};

/// A line of the object.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow, default)]
    line: Option<Cow<'a, str>>,
    #[serde(default)]
    line_base64: Option<String>,
}

/// How many bad lines `is_wanted` finds, and the object without them; `None` if no line is left. Lines that
/// stay are written as an export writes them.
pub fn without_bad_lines(
    object: &[u8],
    is_wanted: impl Fn(&[u8]) -> bool,
) -> io::Result<(u64, Option<Bytes>)> {
    let mut text = Vec::new();
    MultiGzDecoder::new(object).read_to_end(&mut text)?;
    let mut rest = Quarantine::new();
    let mut removed = 0;
    for json in text.split(|byte| *byte == b'\n').filter(|json| !json.is_empty()) {
        let record: Record<'_> = serde_json::from_slice(json)?;
        let decoded = record.line_base64.map(|line| STANDARD.decode(line)).transpose();
        let decoded = decoded.map_err(io::Error::other)?;
        let text = record.line.as_deref().unwrap_or_default().as_bytes();
        let line = decoded.as_deref().unwrap_or(text);
        if is_wanted(line) || is_wanted(record.reason.as_bytes()) {
            removed += 1;
        } else {
            rest.add_with(line, record.reason.into_owned())?;
        }
    }
    Ok((removed, rest.finish()?.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::bad_line::BadLine;

    fn object(lines: &[&[u8]]) -> Bytes {
        let mut quarantine = Quarantine::new();
        for line in lines {
            quarantine.add(line, &BadLine::NotAnObject).unwrap();
        }
        quarantine.finish().unwrap().1.unwrap()
    }

    #[test]
    fn the_object_is_as_if_the_lines_had_never_come() {
        let all = object(&[b"[1,\"ann\"]", b"[2,\"b\xf6b\"]", b"\xff ann"]);
        let is_ann = |line: &[u8]| String::from_utf8_lossy(line).contains("ann");
        let (removed, rest) = without_bad_lines(&all, is_ann).unwrap();
        assert_eq!((removed, rest), (2, Some(object(&[b"[2,\"b\xf6b\"]"]))));
        let (removed, rest) = without_bad_lines(&all, |_| true).unwrap();
        assert_eq!((removed, rest), (3, None));
        assert!(without_bad_lines(b"no gzip", is_ann).is_err());
    }
}
