//! Why a line is no event. Every reason begins with the name of the wrong field, or with `line` if no field
//! is wrong.

use crate::reading::keys::NAME_BYTES;
use std::fmt;

/// Why a line is no event. It goes to quarantine with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Not UTF-8.
    #[error("line: not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Longer than the bound.
    #[error("line: longer than {0} bytes; only the first {0} are kept here")]
    TooLong(usize),
    /// JSON, but no object.
    #[error("line: must be a JSON object")]
    NotAnObject,
    /// Not JSON: the line, or a part of it.
    #[error("{}: not JSON: {error}", Field(field))]
    NotJson {
        /// The field; `line` for the whole line.
        field: String,
        /// What is wrong.
        error: String,
    },
    /// A field that every event has.
    #[error("{0}: the field is missing")]
    Missing(&'static str),
    /// A field of a JSON pipeline's line in place of `event`.
    #[error(
        "event: the field is missing; event_name is a field of Mixpanel's JSON pipelines, which event_source=raw_pipeline reads"
    )]
    OfPipeline,
    /// A field that has a value of another type than every event has there.
    #[error("{field}: must be {expected}")]
    NotA {
        /// The field.
        field: &'static str,
        /// The type that it has in an event, with its article.
        expected: &'static str,
    },
    /// The same key twice with different values: which one counts is not defined.
    #[error("{}: the key occurs twice with different values", Field(_0))]
    DuplicateKey(String),
    /// The name of the event, or of a property, is longer than the bound.
    #[error("{field}: a name is longer than {NAME_BYTES} bytes; it begins with {begin:?}")]
    LongName {
        /// `event` or `properties`.
        field: &'static str,
        /// Its first characters.
        begin: String,
    },
    /// `time` is no number in the range of dates.
    #[error(
        "time: must be a number of seconds, milliseconds or microseconds between 1970 and 9999; it is {0}"
    )]
    BadTime(String),
}

/// As much of a name as a reason tells.
const SHOWN: usize = 64;

impl BadLine {
    /// The field, or a part of it, is not JSON.
    pub(crate) fn not_json(field: &str, error: &serde_json::Error) -> Self {
        Self::NotJson { field: field.to_owned(), error: error.to_string() }
    }

    /// The name is too long.
    pub(crate) fn long_name(field: &'static str, name: &str) -> Self {
        Self::LongName { field, begin: name.chars().take(SHOWN).collect() }
    }
}

/// The name of a field at the beginning of a reason: on one line, and cut if it is long.
struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        for c in rest.by_ref().take(SHOWN) {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        if rest.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use crate::options::Bounds;
    use crate::{Options, Superseded, Transform};
    use flate2::read::GzDecoder;
    use mixlake_domain::{Slice, Zone};
    use mixlake_schema::Registry;
    use std::io::Read;

    /// The reasons that lines are quarantined with.
    fn reasons(lines: &[Vec<u8>]) -> Vec<String> {
        let bounds = Bounds { line_bytes: 4_000, ..Bounds::default() };
        let options = Options { bounds, ..Options::of("42".parse().unwrap()) };
        let slice = Slice::day("2024-03-05".parse().unwrap(), &Zone::UTC);
        let (registry, known) = (Registry::default(), Superseded::default());
        let mut transform = Transform::new(options, slice, registry, known).unwrap();
        for line in lines {
            transform.push(line).unwrap();
            transform.push(b"\n").unwrap();
        }
        let file = transform.finish().unwrap().quarantine.unwrap();
        let mut text = String::new();
        GzDecoder::new(&file[..]).read_to_string(&mut text).unwrap();
        let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
        records
            .map(|record: serde_json::Value| record["reason"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_reason_begins_with_the_field_that_is_wrong() {
        let with = |properties: &str| format!(r#"{{"event":"e","properties":{{{properties}}}}}"#);
        let long = "n".repeat(1_025);
        let shown = "n".repeat(64);
        let cases: Vec<(Vec<u8>, String)> = [
            ("\"cut".into(), "line: not JSON: EOF while parsing a string at line 1 column 4"),
            ("oops".into(), "line: not JSON: expected value at line 1 column 1"),
            (with(r#""time":1,"x":NaN"#), "line: not JSON: expected value at line 1 column 41"),
            (with(r#""time":1,"x":"\x""#), "line: not JSON: invalid escape at line 1 column 43"),
            ("[1]".into(), "line: must be a JSON object"),
            ("x".repeat(4_001), "line: longer than 4000 bytes; only the first 4000 are kept here"),
            (r#"{"properties":{"time":1}}"#.into(), "event: the field is missing"),
            (
                r#"{"event":null,"properties":{"time":1}}"#.into(),
                "event: the field is missing",
            ),
            (r#"{"event":"e"}"#.into(), "properties: the field is missing"),
            (with(r#""x":1"#), "time: the field is missing"),
            (r#"{"event":1,"properties":{}}"#.into(), "event: must be a string"),
            (r#"{"event":"e","properties":[]}"#.into(), "properties: must be an object"),
            (
                r#"{"event":"e","event":"f","properties":{"time":1}}"#.into(),
                "event: the key occurs twice with different values",
            ),
            (
                r#"{"event":"e","properties":{"time":1},"properties":{"time":2}}"#.into(),
                "properties: the key occurs twice with different values",
            ),
            (with(r#""time":1,"a\nb":1,"a\nb":2"#), r"a\nb: the key occurs twice with different values"),
            (
                with(&format!(r#""time":1,"{0}":1,"{0}":2"#, "k".repeat(70))),
                &format!("{}...: the key occurs twice with different values", "k".repeat(64)),
            ),
            (
                format!(r#"{{"event":"{long}","properties":{{"time":1}}}}"#),
                &format!("event: a name is longer than 1024 bytes; it begins with {shown:?}"),
            ),
            (
                with(&format!(r#""time":1,"{long}":1"#)),
                &format!("properties: a name is longer than 1024 bytes; it begins with {shown:?}"),
            ),
            (
                with(r#""time":"noon""#),
                "time: must be a number of seconds, milliseconds or microseconds between 1970 and 9999; it is \"noon\"",
            ),
            (
                with(r#""time":null"#),
                "time: must be a number of seconds, milliseconds or microseconds between 1970 and 9999; it is null",
            ),
            // Lines of a JSON pipeline.
            (
                r#"{"event_name":"e","time":"noon","properties":{}}"#.into(),
                "time: must be a number of seconds, milliseconds or microseconds between 1970 and 9999; it is \"noon\"",
            ),
            (
                r#"{"event_name":"e","time":1,"properties":{"time":2}}"#.into(),
                "time: the key occurs twice with different values",
            ),
            (r#"{"event_name":1,"properties":{}}"#.into(), "event_name: must be a string"),
            (
                r#"{"event_name":"e","time":1,"properties":{"x":1}}"#.into(),
                "event: the field is missing; event_name is a field of Mixpanel's JSON pipelines, which event_source=raw_pipeline reads",
            ),
        ]
        .into_iter()
        .map(|(line, reason): (String, &str)| (line.into_bytes(), reason.to_owned()))
        .chain([(b"{\"event\":\"\xff".to_vec(), "line: not UTF-8 at byte 10".to_owned())])
        .collect();
        let (mut lines, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        // A last line that is no JSON would end the stream.
        lines.push(with(r#""time":1"#).into_bytes());
        assert_eq!(reasons(&lines), expected);
    }
}
