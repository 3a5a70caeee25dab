//! Recognizes input that is not an export, and names its format, so that the user knows what to do.

use mixlake_columnar::Line;
use serde_json::{Map, Value};

/// The expected format.
const EXPECTED: &str = "expected JSON lines of the export API, plain or gzip: \
                        {\"event\": ..., \"properties\": {...}}";

/// The longest part of a foreign message that is repeated.
const SHOWN: usize = 200;

/// The message for input in another format.
pub(super) fn looks_like(what: &str) -> String {
    format!("looks like {what}; {EXPECTED}")
}

/// Formats that are recognized by their first bytes.
pub(super) fn by_first_bytes(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some("a zip archive"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("a zstd file"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some("a bzip2 file"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("an xz file"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16 text"),
        [first, 0, second, 0, ..] | [0, first, 0, second, ..] if *first > 0 && *second > 0 => {
            Some("UTF-16 text")
        }
        _ => None,
    }
}

/// The message for input without any event, from its first lines and whether its last line is
/// incomplete.
pub(super) fn without_events(lines: &[Vec<u8>], cut: bool) -> String {
    let line = |number: usize| Some(String::from_utf8_lossy(lines.get(number)?));
    let (first, second) = (line(0).unwrap_or_default(), line(1));
    let (first, second) = (first.trim(), second.as_deref().map(str::trim));
    match serde_json::from_str(first) {
        Ok(Value::Object(fields)) => of_object(&fields),
        Ok(_) => looks_like("JSON lines of something else"),
        Err(_) if !first.starts_with(['{', '[']) => looks_like(of_text(first, second)),
        Err(_) if second.is_some_and(|line| !line.starts_with('{')) => {
            looks_like("JSON records over several lines, in a form that Mixlake does not read")
        }
        Err(_) if cut => CUT.to_owned(),
        Err(_) => looks_like("damaged JSON"),
    }
}

/// The message for input whose last line is incomplete.
pub(super) const CUT: &str =
    "ends in the middle of a line: it was truncated, or is still being written";

/// The error in the last line of an export, if there is one: an object with an error, or text. A line
/// that begins like an event is one bad line.
pub(super) fn error_at_end(line: Line<'_>) -> Option<String> {
    let Line::Whole(bytes) = line else { return None };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) if !fields.contains_key("event") => error_of(&fields),
        Ok(_) => None,
        Err(_) if bytes.trim_ascii_start().starts_with(b"{") => None,
        Err(_) => Some(String::from_utf8_lossy(bytes).trim().chars().take(SHOWN).collect()),
    }
}

fn of_object(fields: &Map<String, Value>) -> String {
    let has = |name: &str| fields.contains_key(name);
    if has("event") && has("properties") {
        return "has no line with a time that can be read: `time` in `properties`, \
                in seconds or milliseconds since 1970"
            .to_owned();
    }
    if has("$distinct_id") && has("$properties") {
        return looks_like(
            "profiles of the Engage API, which are not events; export them with data_source=people",
        );
    }
    if has("event_name") {
        return looks_like("files of a JSON pipeline, which event_source=raw_pipeline reads");
    }
    if has("event") {
        return looks_like("flat events, whose properties are not in `properties`");
    }
    match error_of(fields) {
        Some(error) => looks_like(&format!("an error instead of events ({error})")),
        None => looks_like("JSON lines of something else"),
    }
}

fn error_of(fields: &Map<String, Value>) -> Option<String> {
    let error = fields.get("error")?;
    let text = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
    Some(text.chars().take(SHOWN).collect())
}

fn of_text(first: &str, second: Option<&str>) -> &'static str {
    let start = first.to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return "HTML";
    }
    if start.starts_with('<') {
        return "HTML or XML";
    }
    if first.contains('\0') {
        return "binary data";
    }
    let is_table = |separator: char| {
        let cells = first.matches(separator).count();
        cells > 0 && second.is_none_or(|line| line.matches(separator).count() >= cells)
    };
    if [',', ';', '\t'].into_iter().any(is_table) { "CSV" } else { "text" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::csv(
        "event,time,city\nA,1709600000,\"Rome, Italy\"\n",
        "looks like CSV; expected JSON lines"
    )]
    #[case::csv_of_one_line("event;time", "looks like CSV")]
    #[case::tabs("event\ttime\nA\t1\n", "looks like CSV")]
    #[case::html("\n<!DOCTYPE html>\n<html>", "looks like HTML;")]
    #[case::xml("<?xml version=\"1.0\"?>", "HTML or XML")]
    #[case::engage(
        r#"{"$distinct_id":"u","$properties":{"$city":"Rome"}}"#,
        "profiles of the Engage API"
    )]
    #[case::flat(r#"{"event":"x","time":1}"#, "looks like flat events")]
    #[case::pipeline(r#"{"event_name":"x","time":1,"properties":{}}"#, "raw_pipeline reads")]
    #[case::error(r#"{"error":"Internal error","request":"/api"}"#, "(Internal error)")]
    #[case::error_object(r#"{"error":{"code":3}}"#, "an error instead of events ({\"code\":3})")]
    #[case::no_time(r#"{"event":"x","properties":{}}"#, "no line with a time that can be read")]
    #[case::others(r#"{"a":1}"#, "JSON lines of something else")]
    #[case::prose("no events today", "looks like text")]
    #[case::broken("{\"event\":\n", "damaged JSON")]
    #[case::over_lines("{\"event\":\"e\",\n\"properties\":{}}", "JSON records over several lines")]
    #[case::numbers("[1,2]\n[3,4]", "JSON lines of something else")]
    #[case::binary("a\0b,c", "binary")]
    fn what_is_no_export_is_called_by_its_name(#[case] text: &str, #[case] words: &str) {
        let lines: Vec<_> = text.trim().lines().map(|line| line.as_bytes().to_vec()).collect();
        let what = without_events(&lines, false);
        assert!(what.contains(words), "{what}");
    }

    #[rstest]
    #[case::zip(b"PK\x03\x04....", Some("a zip archive"))]
    #[case::zstd(b"\x28\xb5\x2f\xfd....", Some("a zstd file"))]
    #[case::parquet(b"PAR1....", Some("a Parquet file"))]
    #[case::bzip2(b"BZh91AY", Some("a bzip2 file"))]
    #[case::xz(b"\xfd7zXZ\0\0", Some("an xz file"))]
    #[case::little_endian_mark(b"\xff\xfe{\0", Some("UTF-16 text"))]
    #[case::big_endian_mark(b"\xfe\xff\0{", Some("UTF-16 text"))]
    #[case::little_endian(b"{\0\"\0e\0", Some("UTF-16 text"))]
    #[case::big_endian(b"\0{\0\"\0e", Some("UTF-16 text"))]
    #[case::lines(b"{\"event\"", None)]
    #[case::nothing(b"", None)]
    fn some_formats_are_known_by_their_first_bytes(
        #[case] start: &[u8],
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(by_first_bytes(start), expected);
    }

    #[rstest]
    #[case::error(r#"{"error":"timeout"}"#, Some("timeout"))]
    #[case::event(r#"{"event":"e","error":"mine"}"#, None)]
    #[case::text("upstream timed out ", Some("upstream timed out"))]
    #[case::half_an_event(r#"{"event":"e","pro"#, None)]
    #[case::no_event("[1]", None)]
    fn a_last_line_may_be_an_error(#[case] line: &str, #[case] expected: Option<&str>) {
        assert_eq!(error_at_end(Line::Whole(line.as_bytes())).as_deref(), expected);
    }

    #[test]
    fn a_long_message_is_not_repeated_whole() {
        let line = format!(r#"{{"error":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(error_at_end(Line::Whole(line.as_bytes())).unwrap().len(), SHOWN);
    }
}
