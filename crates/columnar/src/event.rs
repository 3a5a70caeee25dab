//! Reads one line of the export API: `{"event": name, "properties": {...}}`.
//!
//! The structure is checked by `serde_json`; each value is kept as its JSON text, so that a
//! number keeps every digit until its type is known.

use crate::value::{self, Value};
use mixlake_domain::{Timestamp, Zone};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An event, not yet placed in a table. `properties` leaves out `time` and `distinct_id`.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub name: Cow<'a, str>,
    /// The JSON text of the number.
    pub time: &'a str,
    pub distinct_id: Option<Cow<'a, str>>,
    /// The JSON text of `$insert_id`; none if it is missing, null or empty.
    pub insert_id: Option<&'a str>,
    /// `mp_processing_time_ms`, where it is a number.
    pub processing_ms: Option<f64>,
    pub properties: Vec<(Cow<'a, str>, &'a str, Value<'a>)>,
}

/// Why a line is no event. It goes to quarantine with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object with the fields of an event.
    #[error("not an event: {0}")]
    NotAnEvent(&'static str),
    /// The same key twice: which value counts is not defined.
    #[error("the key {0:?} occurs twice")]
    DuplicateKey(String),
    /// `time` is missing or no number in the range of dates.
    #[error("time is not a number of seconds or milliseconds since 1970: {0}")]
    BadTime(String),
    /// A string has a broken escape sequence.
    #[error("the value of {0:?} has a broken escape sequence")]
    BadString(String),
    /// Longer than the bound.
    #[error("longer than {0} bytes; only these are kept here")]
    TooLong(usize),
}

/// The fields of a JSON object as they stand: keys, and values as JSON text.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

/// Reads a line.
pub(crate) fn parse(line: &[u8]) -> Result<Event<'_>, BadLine> {
    let text = std::str::from_utf8(line).map_err(|e| BadLine::NotUtf8(e.valid_up_to()))?;
    let top = fields(text)?;
    let mut name = None;
    let mut inner = None;
    let mut others = Vec::new();
    for (key, json) in top {
        match &*key {
            "event" if name.is_some() => return Err(BadLine::DuplicateKey("event".into())),
            "properties" if inner.is_some() => {
                return Err(BadLine::DuplicateKey("properties".into()));
            }
            "event" if json.starts_with('"') => {
                name = Some(value::text(json).map_err(|_| BadLine::BadString("event".into()))?);
            }
            "event" => return Err(BadLine::NotAnEvent("event is not a string")),
            "properties" if json.starts_with('{') => inner = Some(fields(json)?),
            "properties" => return Err(BadLine::NotAnEvent("properties is not an object")),
            // Mixpanel has no other field; were it to add one, its values would be kept.
            _ => others.push((key, json)),
        }
    }
    let name = name.ok_or(BadLine::NotAnEvent("it has no event"))?;
    let mut inner = inner.ok_or(BadLine::NotAnEvent("it has no properties"))?;
    inner.append(&mut others);
    from_fields(name, inner)
}

fn from_fields<'a>(
    name: Cow<'a, str>,
    fields: Vec<(Cow<'a, str>, &'a str)>,
) -> Result<Event<'a>, BadLine> {
    if let Some(key) = repeated(&fields) {
        return Err(BadLine::DuplicateKey(key));
    }
    let mut event = Event {
        name,
        time: "",
        distinct_id: None,
        insert_id: None,
        processing_ms: None,
        properties: Vec::with_capacity(fields.len()),
    };
    for (key, json) in fields {
        let value =
            Value::from_json(json).map_err(|_| BadLine::BadString(key.clone().into_owned()))?;
        match &*key {
            "time" => {
                event.time = json;
                continue;
            }
            "distinct_id" => {
                event.distinct_id = as_text(json, value);
                continue;
            }
            "$insert_id" if json != r#""""# && value != Value::Null => event.insert_id = Some(json),
            "mp_processing_time_ms" => event.processing_ms = value::number(json),
            _ => {}
        }
        event.properties.push((key, json, value));
    }
    if event.time.is_empty() {
        return Err(BadLine::BadTime("it is missing".into()));
    }
    Ok(event)
}

/// An identifier is text, even where the event carries a number.
fn as_text<'a>(json: &'a str, value: Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::Text(text) => Some(text),
        Value::Number(_) | Value::Boolean(_) => Some(Cow::Borrowed(json)),
        Value::Null => None,
    }
}

/// The instant that the JSON text of a time means. With a zone, the text is the wall clock of that
/// zone written as if it were UTC.
pub(crate) fn instant(json: &str, wall_clock: Option<&Zone>) -> Result<Timestamp, BadLine> {
    let written = Timestamp::from_millisecond(milliseconds(json)?)
        .map_err(|_| BadLine::BadTime(json.chars().take(64).collect()))?;
    Ok(match wall_clock {
        None => written,
        Some(zone) => zone.instant_of(Zone::UTC.local(written)),
    })
}

/// Milliseconds since 1970 from the JSON text of a time in seconds, fractional seconds or
/// milliseconds. Seconds reach 10^11 in the year 5138, milliseconds did in 1973.
fn milliseconds(json: &str) -> Result<i64, BadLine> {
    const LAST: f64 = 253_402_300_800_000.0; // the year 10000
    let bad = || BadLine::BadTime(json.chars().take(64).collect());
    let number: f64 = if json.starts_with(['"', '{', '[', 't', 'f', 'n']) {
        return Err(bad());
    } else {
        json.parse().map_err(|_| bad())?
    };
    let milliseconds = if number >= 1e11 { number } else { number * 1000.0 };
    if !(0.0..LAST).contains(&milliseconds) {
        return Err(bad());
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(milliseconds.round() as i64)
}

/// A key that occurs twice. Events have tens of keys: sorting beats hashing, and most are few.
fn repeated(fields: &[(Cow<'_, str>, &str)]) -> Option<String> {
    let mut keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned())
}

fn fields(json: &str) -> Result<Vec<(Cow<'_, str>, &str)>, BadLine> {
    let fields: Fields<'_> = serde_json::from_str(json).map_err(|error| {
        if error.is_data() {
            BadLine::NotAnEvent("it is not an object")
        } else {
            BadLine::NotJson(error.to_string())
        }
    })?;
    Ok(fields.0)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(32);
                while let Some(Key(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    fields.push((key, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Whether a line is a whole JSON value; the last line of a complete stream is.
pub(crate) fn is_whole(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn reason(line: &str) -> String {
        parse(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_event_keeps_its_properties_in_their_order() {
        let line =
            br#"{"event":"A b","properties":{"time":1,"distinct_id":7,"z":1,"\u0061":[1, 2]}}"#;
        let event = parse(line).unwrap();
        assert_eq!((&*event.name, event.time), ("A b", "1"));
        assert_eq!(event.distinct_id.as_deref(), Some("7"));
        let keys: Vec<_> = event.properties.iter().map(|(k, json, _)| (&**k, *json)).collect();
        assert_eq!(keys, [("z", "1"), ("a", "[1, 2]")]);
    }

    #[test]
    fn a_field_that_mixpanel_may_add_is_kept_as_a_property() {
        let event = parse(br#"{"event":"a","added":1,"properties":{"time":1}}"#).unwrap();
        assert_eq!(event.properties[0].0, "added");
    }

    #[rstest]
    #[case::cut_short(r#"{"event":"a","properties":{"time":1,"x":"#, "not JSON: EOF")]
    #[case::text("export failed", "not JSON: expected value")]
    #[case::list("[1]", "not an event: it is not an object")]
    #[case::no_event(r#"{"properties":{"time":1}}"#, "not an event: it has no event")]
    #[case::no_properties(r#"{"event":"a"}"#, "not an event: it has no properties")]
    #[case::number_event(r#"{"event":1,"properties":{}}"#, "not an event: event is not a string")]
    #[case::no_time(r#"{"event":"a","properties":{"x":1}}"#, "time is not a number")]
    #[case::twice(
        r#"{"event":"a","properties":{"time":1,"x":1,"x":2}}"#,
        "the key \"x\" occurs twice"
    )]
    #[case::twice_escaped(
        r#"{"event":"a","properties":{"time":1,"x":1,"\u0078":2}}"#,
        "occurs twice"
    )]
    #[case::lone_surrogate(
        r#"{"event":"a","properties":{"time":1,"x":"\ud800"}}"#,
        "broken escape"
    )]
    #[case::not_a_number(r#"{"event":"a","properties":{"time":1,"x":NaN}}"#, "not JSON")]
    fn a_line_that_is_no_event_says_why(#[case] line: &str, #[case] expected: &str) {
        assert!(reason(line).contains(expected), "{}", reason(line));
    }

    #[test]
    fn deep_nesting_is_kept_as_text() {
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let line = format!(r#"{{"event":"a","properties":{{"time":1,"x":{deep}}}}}"#);
        let event = parse(line.as_bytes()).unwrap();
        assert_eq!(event.properties[0].1.len(), 100_000);
    }

    #[rstest]
    #[case::seconds("1602611311", Some(1_602_611_311_000))]
    #[case::fraction("1704784217.602", Some(1_704_784_217_602))]
    #[case::milliseconds("1762912803123", Some(1_762_912_803_123))]
    #[case::exponent("1.6e9", Some(1_600_000_000_000))]
    #[case::negative("-1", None)]
    #[case::text(r#""yesterday""#, None)]
    #[case::null("null", None)]
    #[case::far_future("1e18", None)]
    fn time_is_read_in_each_of_its_units(#[case] json: &str, #[case] expected: Option<i64>) {
        assert_eq!(milliseconds(json).ok(), expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes).is_ok();
        }

        #[test]
        fn every_value_comes_out_as_it_went_in(
            values in prop::collection::btree_map("[a-zA-Z$ é\"\\\\]{1,8}", json_value(), 0..12)
        ) {
            let mut properties: serde_json::Map<_, _> = values.into_iter().collect();
            properties.insert("time".into(), 5.into());
            let line = serde_json::json!({"event": "e", "properties": properties}).to_string();
            let event = parse(line.as_bytes()).unwrap();
            prop_assert_eq!(event.properties.len() + 1, properties.len());
            for (key, json, value) in &event.properties {
                let expected = &properties[&**key];
                let back: serde_json::Value = serde_json::from_str(json).unwrap();
                prop_assert_eq!(&back, expected);
                match value {
                    Value::Null => prop_assert!(expected.is_null()),
                    Value::Boolean(b) => prop_assert_eq!(expected.as_bool(), Some(*b)),
                    Value::Number(n) => prop_assert_eq!(expected.as_f64(), Some(*n)),
                    Value::Text(t) if expected.is_string() => prop_assert_eq!(expected.as_str(), Some(&**t)),
                    Value::Text(t) => prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(t).unwrap(), expected),
                }
            }
        }
    }

    fn json_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Into::into),
            ".{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }
}
