//! Decompresses gzip of one or more members to its verified end.
//!
//! Zeros after a member are padding, which tapes and some object stores add. Anything else is an error,
//! because it may be events.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// The first bytes of every member.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The unpacked bytes of all members.
pub(super) struct Gunzip<R> {
    /// None at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(packed: R) -> Self {
        Self { member: Some(GzDecoder::new(packed)) }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            let length = member.read(buffer).map_err(told)?;
            if length > 0 {
                self.member = Some(member);
                return Ok(length);
            }
            self.member = next_member(member.into_inner())?.map(GzDecoder::new);
        }
        Ok(0)
    }
}

/// What follows a member, if it may be another member.
fn next_member<R: BufRead>(mut rest: R) -> io::Result<Option<R>> {
    loop {
        let bytes = match rest.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(&first) = bytes.first() else { return Ok(None) };
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 {
            rest.consume(zeros);
        } else if first == MAGIC[0] {
            return Ok(Some(rest));
        } else {
            let what = "has bytes after its gzip data that are neither gzip nor padding; \
                        the file is damaged, or two files were joined";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
    }
}

/// What a decompression error means for the file. Other errors are read errors.
fn told(error: io::Error) -> io::Error {
    let kind = error.kind();
    if kind == io::ErrorKind::UnexpectedEof {
        return io::Error::new(kind, "is truncated: its gzip data ends too early");
    }
    if matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
        let what = format!("is damaged: its gzip data cannot be unpacked ({error})");
        return io::Error::new(kind, what);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use rstest::rstest;
    use std::io::Write;

    fn gzip(text: &str) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    }

    /// Reads in pieces of a few bytes, so that members and padding are split.
    fn unpacked(packed: impl Into<Vec<u8>>) -> Result<String, String> {
        let mut text = String::new();
        let pieces = io::BufReader::with_capacity(3, io::Cursor::new(packed.into()));
        Gunzip::new(pieces).read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[rstest]
    #[case::one(gzip("a"), "a")]
    #[case::several([gzip("a"), gzip(""), gzip("b")].concat(), "ab")]
    #[case::padding([gzip("a"), vec![0; 1000]].concat(), "a")]
    #[case::padding_between([gzip("a"), vec![0; 5], gzip("b")].concat(), "ab")]
    fn every_member_is_unpacked(#[case] packed: Vec<u8>, #[case] text: &str) {
        assert_eq!(unpacked(packed).unwrap(), text);
    }

    #[rstest]
    #[case::text([gzip("a"), b"more".to_vec()].concat(), "neither gzip nor padding")]
    #[case::text_behind_padding([gzip("a"), vec![0; 7], b"x".to_vec()].concat(), "neither gzip nor padding")]
    #[case::no_member([gzip("a"), MAGIC.to_vec(), b"xxxxxxxxxxxxxxxxxx".to_vec()].concat(), "cannot be unpacked")]
    fn other_bytes_at_the_end_fail(#[case] packed: Vec<u8>, #[case] words: &str) {
        let error = unpacked(packed).unwrap_err();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn a_cut_anywhere_fails() {
        let first = gzip("a").len();
        let packed = [gzip("a"), gzip("b")].concat();
        for cut in (1..packed.len()).filter(|cut| *cut != first) {
            let error = unpacked(&packed[..cut]).unwrap_err();
            assert!(error.contains("is truncated"), "at {cut}: {error}");
        }
    }
}
