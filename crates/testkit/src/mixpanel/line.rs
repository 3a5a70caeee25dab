//! One line of the data, and its fields that the API uses.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::ops::Range;

/// From this number on it is milliseconds: as seconds it would be the year 5138.
const FIRST_MILLISECOND_TIME: f64 = 1e11;

/// A line without its line end.
#[derive(Debug, Clone)]
pub(super) struct Line {
    raw: Bytes,
    event: Option<String>,
    time: Option<EventTime>,
}

/// When an event happened, and the position of this in the line.
#[derive(Debug, Clone)]
struct EventTime {
    ms: i64,
    digits: Range<usize>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: BTreeMap<String, &'a RawValue>,
}

impl Line {
    /// Any bytes are a line; not every line is an event.
    pub(super) fn new(raw: Bytes) -> Self {
        let (event, time) = std::str::from_utf8(&raw).map_or((None, None), read);
        Self { raw, event, time }
    }

    /// The event's name; `None` if the line is not an event.
    pub(super) fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// The event's time in milliseconds since 1970, UTC.
    pub(super) fn time_ms(&self) -> Option<i64> {
        self.time.as_ref().map(|time| time.ms)
    }

    /// A property's value as JSON text.
    pub(super) fn property(&self, name: &str) -> Option<String> {
        let envelope: Envelope<'_> = serde_json::from_slice(&self.raw).ok()?;
        envelope.properties.get(name).map(|value| value.get().to_owned())
    }

    /// Appends the line and its end unchanged, except for the digits of the time.
    pub(super) fn write(&self, time_in_ms: bool, out: &mut Vec<u8>) {
        match &self.time {
            Some(EventTime { ms, digits }) => {
                let value = if time_in_ms { *ms } else { ms.div_euclid(1000) };
                out.extend_from_slice(&self.raw[..digits.start]);
                out.extend_from_slice(value.to_string().as_bytes());
                out.extend_from_slice(&self.raw[digits.end..]);
            }
            None => out.extend_from_slice(&self.raw),
        }
        out.push(b'\n');
    }
}

fn read(text: &str) -> (Option<String>, Option<EventTime>) {
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else { return (None, None) };
    let event = envelope.event.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let time = envelope.properties.get("time").and_then(|raw| {
        let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
        Some(EventTime { ms: milliseconds(raw.get())?, digits: start..start + raw.get().len() })
    });
    (event, time)
}

/// Parses seconds (with or without a fraction) or milliseconds to milliseconds.
fn milliseconds(number: &str) -> Option<i64> {
    let value: f64 = serde_json::from_str(number).ok()?;
    let ms = if value.abs() >= FIRST_MILLISECOND_TIME { value } else { value * 1000.0 };
    // Above this, doubles cannot hold every millisecond, and no calendar date exists.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
    (ms.abs() < 2e14).then(|| ms.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn written(raw: &str, time_in_ms: bool) -> String {
        let mut out = Vec::new();
        Line::new(Bytes::from(raw.to_owned())).write(time_in_ms, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[rstest]
    #[case::seconds("1602611311", "1602611311000", "1602611311")]
    #[case::fraction("1704784217.602", "1704784217602", "1704784217")]
    #[case::milliseconds("1602611311999", "1602611311999", "1602611311")]
    #[case::before_1970("-0.5", "-500", "-1")]
    fn only_the_digits_of_the_time_change(
        #[case] time: &str,
        #[case] ms: &str,
        #[case] seconds: &str,
    ) {
        let line = |time: &str| {
            format!(
                r#"{{ "event":"a",  "properties" : {{"t":{{"time":1}},"time": {time} ,"x":1e400}}}}"#
            )
        };
        assert_eq!(written(&line(time), true), line(ms) + "\n");
        assert_eq!(written(&line(time), false), line(seconds) + "\n");
    }

    #[rstest]
    #[case::cut(r#"{"event":"a","properties":{"time":16"#)]
    #[case::no_time(r#"{"event":"a","properties":{}}"#)]
    #[case::a_word(r#"{"event":"a","properties":{"time":"yesterday"}}"#)]
    #[case::out_of_every_calendar(r#"{"event":"a","properties":{"time":1e300}}"#)]
    #[case::not_json("export terminated early")]
    fn a_line_without_a_time_is_served_as_it_is(#[case] raw: &str) {
        assert_eq!(Line::new(Bytes::from(raw.to_owned())).time_ms(), None);
        assert_eq!(written(raw, true), format!("{raw}\n"));
    }
}
