//! Reads one line of the export API, `{"event": name, "properties": {...}}`, in any form that JSON
//! allows, and says what is wrong with one that is no event. (`scan.rs` reads the common form.)
//!
//! The structure is checked by `serde_json`; each value is kept as its JSON text, so that a
//! number keeps every digit until its type is known.

use crate::reading::bad_line::BadLine;
use crate::reading::event::{self, Event, Span};
use crate::reading::keys::{KeyId, Keys, NAME_BYTES};
use crate::reading::mend::mended;
use crate::reading::value::{self, Value};
use crate::reading::vocabulary::Vocabulary;
use foldhash::HashMap;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The fields of a JSON object as they stand: keys, and values as JSON text.
struct Fields<'a>(Vec<Field<'a>>);

/// A key, and its value as JSON text.
pub(crate) type Field<'a> = (Cow<'a, str>, &'a str);

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

/// Reads a line, and says what is wrong with it if it is no event. Answers the line that the event's
/// places are in: the same one, or one in which half of a surrogate pair was replaced.
pub(crate) fn read<'a>(
    line: &'a str,
    vocabulary: &mut Vocabulary,
    event: &mut Event,
) -> Result<Cow<'a, str>, BadLine> {
    let line = mended(line);
    parse(&line, vocabulary, event)?;
    Ok(line)
}

/// The parts of a line; none is null.
#[derive(Default)]
struct Parts<'a> {
    event: Option<&'a str>,
    properties: Option<&'a str>,
    /// Mixpanel has no other field; were it to add one, its values would be kept.
    others: Vec<Field<'a>>,
}

fn parse(line: &str, vocabulary: &mut Vocabulary, event: &mut Event) -> Result<(), BadLine> {
    let parts = Parts::of(line)?;
    let name = match parts.event {
        Some(json) => name("event", json)?,
        None => return Err(parts.without_event(line)),
    };
    let number = vocabulary.event(&name);
    event.clear(number);
    from_fields(event, line, parts.fields()?, vocabulary.keys(number))
}

impl<'a> Parts<'a> {
    fn of(line: &'a str) -> Result<Self, BadLine> {
        let mut parts = Parts::default();
        for (key, json) in fields("line", line)? {
            match &*key {
                "event" => once("event", &mut parts.event, json)?,
                "properties" => once("properties", &mut parts.properties, json)?,
                _ => parts.others.push((key, json)),
            }
        }
        Ok(parts)
    }

    /// All properties.
    fn fields(self) -> Result<Vec<Field<'a>>, BadLine> {
        let json = self.properties.ok_or(BadLine::Missing("properties"))?;
        let mut inner = object("properties", json)?;
        inner.extend(self.others);
        Ok(inner)
    }

    /// What is wrong with a line that has no event. If it is one of a JSON pipeline, that is what keeps it
    /// from being one of those.
    fn without_event(self, line: &str) -> BadLine {
        let Some(&(_, json)) = self.others.iter().find(|(key, _)| key == "event_name") else {
            return BadLine::Missing("event");
        };
        let of_pipeline = || -> Result<_, BadLine> {
            let (mut vocabulary, mut event) = (Vocabulary::default(), Event::default());
            let number = vocabulary.event(&name("event_name", json)?);
            from_fields(&mut event, line, self.fields()?, vocabulary.keys(number))?;
            event::instant(event.time.get(line), None)
        };
        of_pipeline().err().unwrap_or(BadLine::OfPipeline)
    }
}

/// The name of an event.
fn name<'a>(field: &'static str, json: &'a str) -> Result<Cow<'a, str>, BadLine> {
    if !json.starts_with('"') {
        return Err(BadLine::NotA { field, expected: "a string" });
    }
    let name = value::text(json).map_err(|error| BadLine::not_json(field, &error))?;
    if name.len() > NAME_BYTES { Err(BadLine::long_name("event", &name)) } else { Ok(name) }
}

/// Keeps the value of a field that has one: null is none, and the same value again is no other.
pub(crate) fn once<'a>(
    field: &str,
    kept: &mut Option<&'a str>,
    json: &'a str,
) -> Result<(), BadLine> {
    let value = |json| Value::from_json(json).map_err(|error| BadLine::not_json(field, &error));
    match *kept {
        _ if json == "null" => Ok(()),
        Some(earlier) if value(earlier)? != value(json)? => {
            Err(BadLine::DuplicateKey(field.to_owned()))
        }
        Some(_) => Ok(()),
        None => {
            *kept = Some(json);
            Ok(())
        }
    }
}

fn from_fields(
    event: &mut Event,
    line: &str,
    fields: Vec<Field<'_>>,
    keys: &mut Keys,
) -> Result<(), BadLine> {
    let mut walk = keys.walk(event.number);
    let mut values: HashMap<KeyId, Value<'_>> = HashMap::default();
    for (name, json) in fields {
        check_name("properties", &name)?;
        let key = keys.next(&mut walk, &name);
        let value = value_of(key, json).map_err(|error| BadLine::not_json(&name, &error))?;
        match values.get(&key) {
            // Null says nothing, and the same value again says nothing new.
            Some(earlier) if value == Value::Null || value == *earlier => {}
            Some(_) => return Err(BadLine::DuplicateKey(name.into_owned())),
            None => {
                let packed = event.packed(&value, line);
                event.add(key, Span::of(json, line), packed, line);
                if value != Value::Null {
                    values.insert(key, value);
                }
            }
        }
    }
    if event.time.is_empty() {
        return Err(BadLine::Missing("time"));
    }
    Ok(())
}

/// The value as its column holds it.
fn value_of(key: KeyId, json: &str) -> serde_json::Result<Value<'_>> {
    Ok(match Value::from_json(json)? {
        // An identifier is text, even where the event carries a number.
        Value::Number(_) | Value::Boolean(_) if key == KeyId::DISTINCT_ID => {
            Value::Text(Cow::Borrowed(json))
        }
        value @ (Value::Number(_) | Value::Boolean(_) | Value::Text(_) | Value::Null) => value,
    })
}

/// Refuses a property whose name is too long.
pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), BadLine> {
    if name.len() > NAME_BYTES { Err(BadLine::long_name(field, name)) } else { Ok(()) }
}

/// The fields of a field that must be an object.
pub(crate) fn object<'a>(field: &'static str, json: &'a str) -> Result<Vec<Field<'a>>, BadLine> {
    if json.starts_with('{') {
        fields(field, json)
    } else {
        Err(BadLine::NotA { field, expected: "an object" })
    }
}

pub(crate) fn fields<'a>(field: &'static str, json: &'a str) -> Result<Vec<Field<'a>>, BadLine> {
    let fields: Fields<'_> = serde_json::from_str(json).map_err(|error| {
        if error.is_data() { BadLine::NotAnObject } else { BadLine::not_json(field, &error) }
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
    use crate::reading::event::Scalar;
    use proptest::prelude::*;
    use rstest::rstest;

    #[expect(clippy::type_complexity, reason = "a test names it once")]
    /// Reads a line: the event, its name, and its properties with their keys and JSON texts.
    fn read(line: &str) -> Result<(Event, String, Vec<(String, String)>), BadLine> {
        let (mut vocabulary, mut event) = (Vocabulary::default(), Event::default());
        let line = super::read(line, &mut vocabulary, &mut event)?;
        let name = vocabulary.name(event.number).to_owned();
        let keys = vocabulary.keys(event.number);
        let listed = event.properties.iter();
        let listed = listed.map(|p| (keys.name(p.key).to_owned(), p.json.get(&line).to_owned()));
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
    #[case::null_then_a_value(r#""x":null,"x":1"#, r"x=1")]
    #[case::a_value_then_null(r#""x":1,"x":null"#, r"x=1")]
    #[case::only_null(r#""x":null,"x":null"#, "")]
    #[case::the_same_text(r#""x":"a","x":"a""#, r#"x="a""#)]
    #[case::the_same_text_escaped(r#""x":"a","\u0078":"\u0061""#, r#"x="a""#)]
    #[case::the_same_number(r#""x":1,"x":1.0,"x":10e-1"#, r"x=1")]
    #[case::the_same_list(r#""x":[1],"x":[1]"#, r"x=[1]")]
    #[case::within_an_object(r#""x":{"a":1,"a":2}"#, r#"x={"a":1,"a":2}"#)]
    #[case::time(r#""time":null,"time":5,"time":5.0"#, "")]
    #[case::distinct_id(r#""distinct_id":7,"distinct_id":"7","distinct_id":null"#, "")]
    fn a_key_that_says_the_same_twice_is_one(#[case] properties: &str, #[case] expected: &str) {
        let line = format!(r#"{{"event":"a","time":5,"properties":{{{properties}}}}}"#);
        let (event, _, listed) = read(&line).unwrap();
        let listed: Vec<String> =
            listed.iter().map(|(key, json)| format!("{key}={json}")).collect();
        assert_eq!(listed.join(" "), expected);
        assert_eq!(event.time.get(&line), "5");
        let person = event.distinct_id.map(|id| event.text(id, &line));
        assert_eq!(person, properties.contains("distinct_id").then_some("7"));
    }

    #[rstest]
    #[case::numbers(r#""x":1,"x":2"#)]
    #[case::types(r#""x":1,"x":"1""#)]
    #[case::escaped_key(r#""x":1,"\u0078":2"#)]
    #[case::null_between(r#""x":1,"x":null,"x":2"#)]
    #[case::lists(r#""x":[1],"x":[1, 2]"#)]
    fn a_key_that_says_two_things_is_a_contradiction(#[case] properties: &str) {
        let line = format!(r#"{{"event":"a","properties":{{"time":1,{properties}}}}}"#);
        assert_eq!(reason(&line), "x: the key occurs twice with different values");
    }

    #[rstest]
    #[case::event(r#"{"event":"a","event":null,"event":"\u0061","properties":{"time":1}}"#)]
    #[case::properties(
        r#"{"properties":null,"event":"a","properties":{"time":1},"properties":{"time":1}}"#
    )]
    #[case::beside(
        r#"{"event":"a","distinct_id":"u","time":1,"properties":{"time":1,"distinct_id":"u"}}"#
    )]
    fn what_the_line_says_twice_is_one(#[case] line: &str) {
        let (event, name, _) = read(line).unwrap();
        assert_eq!((name.as_str(), event.time.get(line)), ("a", "1"));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_in_names_and_values() {
        let line = r#"{"event":"e\ud83d","properties":{"time":1,"k\ude00":["\ud83d"],"ok":"\ud83d\ude00"}}"#;
        let (_, name, properties) = read(line).unwrap();
        assert_eq!(name, "e\u{fffd}");
        let expected = [("k\u{fffd}", r#"["\ufffd"]"#), ("ok", r#""\ud83d\ude00""#)];
        assert_eq!(properties, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_name_of_1024_bytes_is_read_and_a_longer_one_is_not() {
        let of = |event: usize, key: usize| {
            let (event, key) = ("e".repeat(event), "k".repeat(key));
            format!(r#"{{"event":"{event}","properties":{{"time":1,"{key}":1}}}}"#)
        };
        assert!(read(&of(1_024, 1_024)).is_ok());
        assert!(reason(&of(1_025, 1)).starts_with("event: a name is longer than 1024 bytes"));
        assert!(reason(&of(1, 1_025)).starts_with("properties: a name is longer than 1024 bytes"));
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
