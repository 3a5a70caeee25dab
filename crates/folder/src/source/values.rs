//! Splits JSON values in any layout into records: the elements of arrays, and objects next to each
//! other.
//!
//! It finds only the end of each value and does not parse more. A record becomes one line: line ends
//! between its parts become spaces.

use super::problem::Problem;
use mixlake_columnar::Line;

/// The state after the bytes so far.
pub(super) struct Values {
    limit: usize,
    record: Vec<u8>,
    /// The length of the record, including the part that is not stored.
    seen: usize,
    /// The number of open objects and arrays in the record.
    depth: u64,
    string: Text,
    in_array: bool,
}

/// Whether a byte is in a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

impl Values {
    /// Records longer than `limit` bytes are cut, so that memory stays bounded.
    pub(super) fn new(limit: usize) -> Self {
        let (record, string) = (Vec::new(), Text::Outside);
        Self { limit, record, seen: 0, depth: 0, string, in_array: false }
    }

    pub(super) fn push(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(Line<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        for &byte in piece {
            if self.seen == 0 {
                self.between(byte)?;
            } else if self.ends_before(byte) {
                each(self.line())?;
                self.clear();
                self.between(byte)?;
            } else if self.ends_with(byte) {
                each(self.line())?;
                self.clear();
            }
        }
        Ok(())
    }

    /// Whether every value has ended.
    pub(super) fn end(&self) -> Result<(), Problem> {
        match (self.seen > 0, self.in_array) {
            (true, _) => Err(Problem::unsound("ends in the middle of a record")),
            (false, true) => Err(Problem::unsound("ends in the middle of a JSON array")),
            (false, false) => Ok(()),
        }
    }

    /// A byte between records.
    fn between(&mut self, byte: u8) -> Result<(), Problem> {
        match (byte, self.in_array) {
            // The last three are the byte order mark at the start of each file, if files were joined.
            (b' ' | b'\t' | b'\r' | b'\n', _) | (b',', true) | (0xef | 0xbb | 0xbf, false) => {}
            (b'[', false) => self.in_array = true,
            (b']', true) => self.in_array = false,
            (b'{', _) | (_, true) => self.begin(byte),
            (_, false) => {
                let what = "is damaged: it has something else between its JSON values";
                return Err(Problem::unsound(what));
            }
        }
        Ok(())
    }

    fn begin(&mut self, byte: u8) {
        self.depth = u64::from(matches!(byte, b'{' | b'['));
        self.string = if byte == b'"' { Text::Inside } else { Text::Outside };
        self.keep(byte);
    }

    /// Whether the byte follows a record that is not an object.
    fn ends_before(&self, byte: u8) -> bool {
        self.string == Text::Outside && self.depth == 0 && matches!(byte, b',' | b']')
    }

    /// Adds a byte to the record, and returns whether it is the last.
    fn ends_with(&mut self, byte: u8) -> bool {
        match self.string {
            Text::Escaped => self.string = Text::Inside,
            Text::Inside => match byte {
                b'\\' => self.string = Text::Escaped,
                b'"' => self.string = Text::Outside,
                _ => {}
            },
            Text::Outside => match byte {
                b'"' => self.string = Text::Inside,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.keep(byte);
                    return self.depth == 0;
                }
                _ => {}
            },
        }
        self.keep(byte);
        false
    }

    /// A line end in a string is invalid JSON. As a tab it stays invalid, and the record stays one
    /// line.
    fn keep(&mut self, byte: u8) {
        self.seen += 1;
        if self.record.len() < self.limit {
            self.record.push(match (byte, self.string) {
                (b'\n', Text::Outside) => b' ',
                (b'\n', Text::Inside | Text::Escaped) => b'\t',
                (byte, _) => byte,
            });
        }
    }

    fn clear(&mut self) {
        self.record.clear();
        self.seen = 0;
    }

    fn line(&self) -> Line<'_> {
        if self.seen > self.limit {
            Line::TooLong { start: &self.record, end: b"" }
        } else {
            Line::Whole(&self.record)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn records(text: &str, piece: usize) -> Result<Vec<String>, String> {
        let mut values = Values::new(64);
        let mut found = Vec::new();
        let told = |problem| match problem {
            Problem::Unsound(what) => what,
            Problem::Spill(error) => error.to_string(),
        };
        for piece in text.as_bytes().chunks(piece) {
            let each = |line: Line<'_>| {
                found.push(match line {
                    Line::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                    Line::TooLong { start, .. } => format!("too long: {}", start.len()),
                });
                Ok(())
            };
            values.push(piece, each).map_err(told)?;
        }
        values.end().map_err(told)?;
        Ok(found)
    }

    #[rstest]
    #[case::array(r#"[{"a":1},{"b":[2,"]}"]}]"#, &[r#"{"a":1}"#, r#"{"b":[2,"]}"]}"#])]
    #[case::array_lines("[\n{\"a\":1},\n{\"b\":2}\n]\n", &[r#"{"a":1}"#, r#"{"b":2}"#])]
    #[case::pretty("{\n \"a\": {\n }\n}\n{\n}", &["{  \"a\": {  } }", "{ }"])]
    #[case::arrays_beside(r#"[{"a":1}] [{"b":2}]{"c":3}"#, &[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#])]
    #[case::escapes(r#"[{"a\"}":"\\"},{}]"#, &[r#"{"a\"}":"\\"}"#, "{}"])]
    #[case::others(r#"[1, "x,]", [2,[3]] ,null]"#, &["1", r#""x,]""#, "[2,[3]]", "null"])]
    #[case::line_end_in_a_text("[\"a\nb\",{\"c\":\"\\\n\"}]", &["\"a\tb\"", "{\"c\":\"\\\t\"}"])]
    #[case::empty("[] []", &[])]
    #[case::marks("\u{feff}[{}]\n\u{feff}[{}]", &["{}", "{}"])]
    fn every_value_is_a_record(#[case] text: &str, #[case] expected: &[&str]) {
        for piece in 1..=text.len() {
            let found = records(text, piece).unwrap();
            let found: Vec<&str> = found.iter().map(|record| record.trim_end()).collect();
            assert_eq!(found, expected, "in pieces of {piece}");
        }
    }

    #[rstest]
    #[case::record(r#"[{"a":1},{"b":"#, "in the middle of a record")]
    #[case::array(r#"[{"a":1},"#, "in the middle of a JSON array")]
    #[case::text(r#"[{"a":1}] oops"#, "something else")]
    fn what_is_not_whole_is_no_input(#[case] text: &str, #[case] words: &str) {
        let error = records(text, 5).unwrap_err();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn a_record_past_the_bound_is_cut() {
        let text = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(1000));
        assert_eq!(records(&text, 7).unwrap(), ["too long: 64", "{}"]);
    }
}
