//! Reads one line of the export API, `{"event": name, "properties": {...}}`, in any form that JSON
//! allows, and says what is wrong with one that is no event. (`scan.rs` reads the common form.)
//!
//! The structure is checked by `serde_json`; each value is kept as its JSON text, so that a
//! number keeps every digit until its type is known.

use crate::event::{BadLine, Event, Span};
use crate::keys::{Keys, Twice};
use crate::value::{self, Value};
use crate::vocabulary::Vocabulary;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The fields of a JSON object as they stand: keys, and values as JSON text.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

/// Reads a line, and says what is wrong with it if it is no event.
pub(crate) fn parse(
    line: &str,
    vocabulary: &mut Vocabulary,
    event: &mut Event,
) -> Result<(), BadLine> {
    let top = fields(line)?;
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
    event.clear(number);
    from_fields(event, line, inner, vocabulary.keys(number))
}

fn from_fields(
    event: &mut Event,
    line: &str,
    fields: Vec<(Cow<'_, str>, &str)>,
    keys: &mut Keys,
) -> Result<(), BadLine> {
    let mut walk = keys.walk(event.number);
    for (name, json) in fields {
        let twice = |Twice| BadLine::DuplicateKey(name.clone().into_owned());
        let key = keys.next(&mut walk, &name);
        keys.see(key).map_err(twice)?;
        let value = Value::from_json(json).map_err(|_| BadLine::BadString(name.into_owned()))?;
        let value = event.packed(&value, line);
        event.add(key, Span::of(json, line), value, line);
    }
    if event.time.is_empty() {
        return Err(BadLine::BadTime("it is missing".into()));
    }
    Ok(())
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
    use crate::event::Scalar;
    use proptest::prelude::*;
    use rstest::rstest;

    #[expect(clippy::type_complexity, reason = "a test names it once")]
    /// Reads a line: the event, its name, and its properties with their keys and JSON texts.
    fn read(line: &str) -> Result<(Event, String, Vec<(String, String)>), BadLine> {
        let (mut vocabulary, mut event) = (Vocabulary::default(), Event::default());
        parse(line, &mut vocabulary, &mut event)?;
        let name = vocabulary.name(event.number).to_owned();
        let keys = vocabulary.keys(event.number);
        let listed = event.properties.iter();
        let listed = listed.map(|p| (keys.name(p.key).to_owned(), p.json.get(line).to_owned()));
        let listed = listed.collect();
        Ok((event, name, listed))
    }

    fn reason(line: &str) -> String {
        read(line).unwrap_err().to_string()
    }

    #[test]
    fn an_event_keeps_its_properties_in_their_order() {
        let line =
            r#"{"event":"A b","properties":{"time":1,"distinct_id":7,"z":1,"\u0061":[1, 2]}}"#;
        let (event, name, properties) = read(line).unwrap();
        assert_eq!((name.as_str(), event.time.get(line)), ("A b", "1"));
        assert_eq!(event.distinct_id.map(|id| event.text(id, line)), Some("7"));
        let expected = [("z", "1"), ("a", "[1, 2]")];
        assert_eq!(properties, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_field_that_mixpanel_may_add_is_kept_as_a_property() {
        let (.., properties) = read(r#"{"event":"a","added":1,"properties":{"time":1}}"#).unwrap();
        assert_eq!(properties, [("added".to_owned(), "1".to_owned())]);
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
        let (.., properties) = read(&line).unwrap();
        assert_eq!(properties[0].1.len(), 100_000);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = read(&text).is_ok();
        }

        #[test]
        fn every_value_comes_out_as_it_went_in(
            values in prop::collection::btree_map("[a-zA-Z$ é\"\\\\]{1,8}", json_value(), 0..12)
        ) {
            let mut properties: serde_json::Map<_, _> = values.into_iter().collect();
            properties.insert("time".into(), 5.into());
            let line = serde_json::json!({"event": "e", "properties": properties}).to_string();
            let (event, _, listed) = read(&line).unwrap();
            let filled = properties.values().filter(|value| !value.is_null()).count();
            prop_assert_eq!(event.properties.len() + 1, filled);
            for (property, (key, json)) in event.properties.iter().zip(&listed) {
                let expected = &properties[key];
                let parsed = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
                prop_assert_eq!(&parsed(json), expected);
                match property.value.scalar() {
                    Scalar::Null => prop_assert!(expected.is_null()),
                    Scalar::Boolean(b) => prop_assert_eq!(expected.as_bool(), Some(b)),
                    Scalar::Number(n) => prop_assert_eq!(expected.as_f64(), Some(n)),
                    Scalar::Text(text) => {
                        let text = event.text(text, &line);
                        if let Some(expected) = expected.as_str() { prop_assert_eq!(text, expected) } else { prop_assert_eq!(&parsed(text), expected) }
                    }
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
