//! Reads one line of the export API, `{"event": name, "properties": {...}}`, in any form that JSON
//! allows, and says what is wrong with one that is no event. (`scan.rs` reads the common form.)
//!
//! The structure is checked by `serde_json`; each value is kept as its JSON text, so that a
//! number keeps every digit until its type is known.

use crate::keys::{KeyId, Keys, Twice};
use crate::value::{self, Value};
use crate::vocabulary::Vocabulary;
use mixlake_domain::{Timestamp, Zone};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An event, not yet placed in a table. `properties` leaves out `time`, `distinct_id` and nulls.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub name: Cow<'a, str>,
    /// The same for events of the same name.
    pub number: usize,
    /// The JSON text of the number.
    pub time: &'a str,
    pub distinct_id: Option<Cow<'a, str>>,
    /// `$insert_id` as text; none if it is missing, null or empty.
    pub insert_id: Option<Cow<'a, str>>,
    /// `mp_processing_time_ms`, where it is a number.
    pub processing_ms: Option<f64>,
    pub properties: Vec<Property<'a>>,
}

/// A property of an event.
#[derive(Debug)]
pub(crate) struct Property<'a> {
    pub key: KeyId,
    pub json: &'a str,
    pub value: Value<'a>,
}

impl<'a> Event<'a> {
    /// An event without properties; they go into a list that may have room already.
    pub(crate) fn new(name: Cow<'a, str>, number: usize, mut room: Vec<Property<'a>>) -> Self {
        room.clear();
        Self {
            name,
            number,
            time: "",
            distinct_id: None,
            insert_id: None,
            processing_ms: None,
            properties: room,
        }
    }

    /// Adds a property, or puts it in the place that is made for it.
    pub(crate) fn add(&mut self, property: Property<'a>) {
        let Property { key, json, value } = property;
        match key {
            KeyId::TIME => {
                self.time = json;
                return;
            }
            KeyId::DISTINCT_ID => {
                self.distinct_id = as_text(json, value);
                return;
            }
            KeyId::INSERT_ID => {
                self.insert_id = as_text(json, value.clone()).filter(|id| !id.is_empty());
            }
            KeyId::PROCESSING => self.processing_ms = value::number(json),
            _ => {}
        }
        if value != Value::Null {
            self.properties.push(Property { key, json, value });
        }
    }
}

/// The same list without its properties, for those of another line.
pub(crate) fn emptied(mut properties: Vec<Property<'_>>) -> Vec<Property<'static>> {
    properties.clear();
    // Nothing is mapped; collecting in place keeps the memory.
    properties.into_iter().map(|_| unreachable!("the list is empty")).collect()
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

/// Reads a line, and says what is wrong with it if it is no event.
pub(crate) fn parse<'a>(
    line: &'a [u8],
    vocabulary: &mut Vocabulary,
) -> Result<Event<'a>, BadLine> {
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
    let number = vocabulary.event(&name);
    from_fields(Event::new(name, number, Vec::new()), inner, vocabulary.keys(number))
}

fn from_fields<'a>(
    mut event: Event<'a>,
    fields: Vec<(Cow<'a, str>, &'a str)>,
    keys: &mut Keys,
) -> Result<Event<'a>, BadLine> {
    let mut walk = keys.walk(event.number);
    for (name, json) in fields {
        let duplicate = |Twice| BadLine::DuplicateKey(name.clone().into_owned());
        let key = keys.next(&mut walk, &name).map_err(duplicate)?;
        let value =
            Value::from_json(json).map_err(|_| BadLine::BadString(name.clone().into_owned()))?;
        event.add(Property { key, json, value });
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
/// milliseconds. Seconds reach 10^11 in the year 5138, milliseconds did in 1973. What is finer than
/// a millisecond is cut, so that no event moves into the next second or day.
fn milliseconds(json: &str) -> Result<i64, BadLine> {
    const LAST: i64 = 253_402_300_800_000; // the year 10000
    let bad = || BadLine::BadTime(json.chars().take(64).collect());
    let (seconds, fraction) = json.split_once('.').unwrap_or((json, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return exponential(json).ok_or_else(bad);
    }
    let whole: i64 = seconds.parse().map_err(|_| bad())?;
    let time = if whole >= 100_000_000_000 {
        whole
    } else {
        let thousandths = fraction.bytes().chain(*b"000").take(3);
        thousandths.fold(whole, |time, digit| time * 10 + i64::from(digit - b'0'))
    };
    if (0..LAST).contains(&time) { Ok(time) } else { Err(bad()) }
}

/// A time such as 1.6e9, which no exporter writes but JSON allows.
fn exponential(json: &str) -> Option<i64> {
    let starts_like_a_number = json.starts_with(|c: char| c.is_ascii_digit());
    let number: f64 = starts_like_a_number.then(|| json.parse().ok())??;
    let time = if number >= 1e11 { number } else { number * 1000.0 };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..253_402_300_800_000.0).contains(&time).then(|| time.floor() as i64)
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

    /// Reads a line, with the keys of its properties as text.
    fn read(line: &[u8]) -> Result<(Event<'_>, Vec<String>), BadLine> {
        let mut vocabulary = Vocabulary::default();
        let event = parse(line, &mut vocabulary)?;
        let keys = vocabulary.keys(event.number);
        let listed = event.properties.iter().map(|p| keys.name(p.key).to_owned()).collect();
        Ok((event, listed))
    }

    fn reason(line: &str) -> String {
        read(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_event_keeps_its_properties_in_their_order() {
        let line =
            br#"{"event":"A b","properties":{"time":1,"distinct_id":7,"z":1,"\u0061":[1, 2]}}"#;
        let (event, keys) = read(line).unwrap();
        assert_eq!((&*event.name, event.time), ("A b", "1"));
        assert_eq!(event.distinct_id.as_deref(), Some("7"));
        assert_eq!(keys, ["z", "a"]);
        let values: Vec<_> = event.properties.iter().map(|p| p.json).collect();
        assert_eq!(values, ["1", "[1, 2]"]);
    }

    #[test]
    fn a_field_that_mixpanel_may_add_is_kept_as_a_property() {
        let (_, keys) = read(br#"{"event":"a","added":1,"properties":{"time":1}}"#).unwrap();
        assert_eq!(keys, ["added"]);
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
        let (event, _) = read(line.as_bytes()).unwrap();
        assert_eq!(event.properties[0].json.len(), 100_000);
    }

    #[rstest]
    #[case::seconds("1602611311", Some(1_602_611_311_000))]
    #[case::fraction("1704784217.602", Some(1_704_784_217_602))]
    #[case::milliseconds("1762912803123", Some(1_762_912_803_123))]
    #[case::finer_than_milliseconds("1794268799.9996", Some(1_794_268_799_999))]
    #[case::one_decimal("1794268799.5", Some(1_794_268_799_500))]
    #[case::huge("99999999999999999999999", None)]
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
            let _ = read(&bytes).is_ok();
        }

        #[test]
        fn every_value_comes_out_as_it_went_in(
            values in prop::collection::btree_map("[a-zA-Z$ é\"\\\\]{1,8}", json_value(), 0..12)
        ) {
            let mut properties: serde_json::Map<_, _> = values.into_iter().collect();
            properties.insert("time".into(), 5.into());
            let line = serde_json::json!({"event": "e", "properties": properties}).to_string();
            let (event, keys) = read(line.as_bytes()).unwrap();
            let filled = properties.values().filter(|value| !value.is_null()).count();
            prop_assert_eq!(event.properties.len() + 1, filled);
            for (Property { json, value, .. }, key) in event.properties.iter().zip(&keys) {
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
