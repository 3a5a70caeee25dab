//! Converts a line of a JSON pipeline to a line of the export API.
//!
//! Values and keys keep their bytes: a number of forty digits keeps its forty digits. Fields that the
//! pipeline writes next to `properties` move to where the export API has them. Only a time that is text
//! becomes a number, as in the export API.

use mixlake_columnar::time_milliseconds;
use mixlake_domain::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Fields of a pipeline's line, and the properties of the export API that hold them.
const PROPERTIES: [(&str, &str); 5] = [
    ("time", "time"),
    ("distinct_id", "distinct_id"),
    ("insert_id", "$insert_id"),
    ("device_id", "$device_id"),
    ("user_id", "$user_id"),
];

/// The line as the export API would send it; `None` if it is not an event of a pipeline.
pub(super) fn export_line(line: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(line).ok()?;
    let Fields(fields) = serde_json::from_str(text).ok()?;
    let one = |name: &str| one(&fields, name);
    if one("event")?.is_some() {
        return None;
    }
    let name = one("event_name")??;
    let inner = one("properties")?.unwrap_or("{}");
    let Fields(properties) = serde_json::from_str(inner).ok()?;
    let mut moved = Members::default();
    for (field, property) in PROPERTIES {
        let Some(value) = one(field)? else { continue };
        // If the properties have the same value, it is written once. If they have another value, the
        // line is bad, like a line with any other duplicate key.
        let says_it =
            |own: &Field<'_>| own.is(property) && is_same(property, own.value.get(), value);
        if !properties.iter().any(says_it) {
            moved.add(&quoted(property), &in_export(property, value));
        }
    }
    let mut times: Vec<&str> = Vec::new();
    for own in &properties {
        let value = own.value.get();
        if !own.is(TIME) {
            moved.add(own.key.get(), value);
        } else if !times.iter().any(|time| is_same(TIME, time, value)) {
            times.push(value);
            moved.add(own.key.get(), &in_export(TIME, value));
        }
    }
    let mut all = Members::default();
    all.add(&quoted("event"), name);
    all.add(&quoted("properties"), &moved.finish());
    let known = |own: &Field<'_>| {
        let fields = PROPERTIES.iter().map(|(field, _)| *field);
        fields.chain(["event_name", "properties"]).any(|name| own.is(name))
    };
    for own in fields.iter().filter(|own| !known(own)) {
        all.add(own.key.get(), own.value.get());
    }
    Some(all.finish().into_bytes())
}

/// The value of a field: `None` if there are several, `Some(None)` if there is none. Null is not a
/// value, and the same value twice counts as one.
#[expect(clippy::option_option, reason = "two answers that a caller tells apart by `?`")]
fn one<'a>(fields: &[Field<'a>], name: &str) -> Option<Option<&'a str>> {
    let values = fields.iter().filter(|own| own.is(name)).map(|own| own.value.get());
    let mut values = values.filter(|value| *value != "null");
    let first = values.next();
    let same = values.all(|value| first.is_some_and(|first| is_same(name, first, value)));
    same.then_some(first)
}

const TIME: &str = "time";

/// Whether two values of a property are the same; for times, whether they are the same instant.
fn is_same(property: &str, one: &str, other: &str) -> bool {
    let same_instant = || instant(one).is_some_and(|one| instant(other) == Some(one));
    one == other || (property == TIME && same_instant())
}

/// A value as the export API has it: there a time is a number.
fn in_export<'a>(property: &str, value: &'a str) -> Cow<'a, str> {
    if property != TIME || !value.starts_with('"') {
        return Cow::Borrowed(value);
    }
    match instant(value) {
        Some(milliseconds) => {
            let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000);
            Cow::Owned(if rest == 0 { seconds.to_string() } else { format!("{seconds}.{rest:03}") })
        }
        // A value that is not a time is quarantined as received.
        None => Cow::Borrowed(value),
    }
}

/// The instant of a time in milliseconds since 1970: a number as the export API has it, or a text.
fn instant(json: &str) -> Option<i64> {
    if !json.starts_with('"') {
        return time_milliseconds(json);
    }
    let text: String = serde_json::from_str(json).ok()?;
    let instant = text.parse().or_else(|_| in_utc(&text)).ok()?;
    // A number of seconds from 10^11 on would be read as milliseconds.
    Some(instant.as_millisecond()).filter(|time| (0..100_000_000_000_000).contains(time))
}

/// The instant of a text without an offset: warehouses write UTC like this.
fn in_utc(text: &str) -> Result<Timestamp, jiff::Error> {
    let civil: jiff::civil::DateTime = text.strip_suffix(" UTC").unwrap_or(text).parse()?;
    Ok(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
}

/// A name that needs no escapes, as JSON.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The members of a JSON object that is being written.
#[derive(Default)]
struct Members(String);

impl Members {
    /// Adds a key and a value, both as JSON.
    fn add(&mut self, key: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(key);
        self.0.push(':');
        self.0.push_str(value);
    }

    fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

/// The fields of a JSON object in their original form, including duplicates.
struct Fields<'a>(Vec<Field<'a>>);

/// A field in its original form.
struct Field<'a> {
    key: &'a RawValue,
    value: &'a RawValue,
}

impl Field<'_> {
    /// Whether it has this name, which may contain escapes.
    fn is(&self, name: &str) -> bool {
        let key = self.key.get();
        if key.contains('\\') {
            // A key with half of a surrogate pair is not text, and not one of the names that are
            // searched for.
            serde_json::from_str(key).is_ok_and(|key: String| key == name)
        } else {
            key.len() == name.len() + 2 && key[1..].starts_with(name)
        }
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key()? {
            fields.push(Field { key, value: map.next_value()? });
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn converted(line: &str) -> Option<String> {
        export_line(line.as_bytes()).map(|line| String::from_utf8(line).unwrap())
    }

    #[rstest]
    #[case::all(
        r#"{"event_name":"A b","time":1602611311.5,"distinct_id":"u","insert_id":"i","device_id":"d","user_id":"u","properties":{"$city":"Köln","n":1e400}}"#,
        r#"{"event":"A b","properties":{"time":1602611311.5,"distinct_id":"u","$insert_id":"i","$device_id":"d","$user_id":"u","$city":"Köln","n":1e400}}"#
    )]
    #[case::nothing_else(
        r#"{"properties":{},"event_name":"e","time":1}"#,
        r#"{"event":"e","properties":{"time":1}}"#
    )]
    #[case::null_is_nothing(
        r#"{"event_name":"e","time":1,"user_id":null,"properties":null}"#,
        r#"{"event":"e","properties":{"time":1}}"#
    )]
    #[case::said_twice(
        r#"{"event_name":"e","time":1,"insert_id":"i","properties":{"$insert_id":"i","time":1}}"#,
        r#"{"event":"e","properties":{"$insert_id":"i","time":1}}"#
    )]
    #[case::said_twice_beside(
        r#"{"event_name":"e","time":null,"time":1,"time":1.0,"event_name":"e","properties":{}}"#,
        r#"{"event":"e","properties":{"time":1}}"#
    )]
    #[case::text(
        r#"{"event_name":"e","time":"2024-03-05T00:53:20Z","properties":{}}"#,
        r#"{"event":"e","properties":{"time":1709600000}}"#
    )]
    #[case::text_with_a_fraction(
        r#"{"event_name":"e","time":"2024-03-05T00:53:20.0129999Z"}"#,
        r#"{"event":"e","properties":{"time":1709600000.012}}"#
    )]
    #[case::text_with_an_offset(
        r#"{"event_name":"e","time":"2024-03-05T02:53:20+02:00"}"#,
        r#"{"event":"e","properties":{"time":1709600000}}"#
    )]
    #[case::text_without_an_offset(
        r#"{"event_name":"e","time":"2024-03-05 00:53:20.5"}"#,
        r#"{"event":"e","properties":{"time":1709600000.500}}"#
    )]
    #[case::text_of_a_warehouse(
        r#"{"event_name":"e","time":"2024-03-05 00:53:20 UTC"}"#,
        r#"{"event":"e","properties":{"time":1709600000}}"#
    )]
    #[case::text_within(
        r#"{"event_name":"e","properties":{"\u0074ime":"2024-03-05T00:53:20Z","a":"2024-03-05T00:53:20Z"}}"#,
        r#"{"event":"e","properties":{"\u0074ime":1709600000,"a":"2024-03-05T00:53:20Z"}}"#
    )]
    #[case::early_text(
        r#"{"event_name":"e","time":"1972-01-01T00:00:00.001Z"}"#,
        r#"{"event":"e","properties":{"time":63072000.001}}"#
    )]
    #[case::the_same_instant_in_every_way(
        r#"{"event_name":"e","time":1709600000.0,"properties":{"time":1709600000000,"time":"2024-03-05T00:53:20Z","time":1709600000000999,"time":null}}"#,
        r#"{"event":"e","properties":{"time":1709600000000,"time":null}}"#
    )]
    #[case::no_time(
        r#"{"event_name":"e","time":"noon","properties":{}}"#,
        r#"{"event":"e","properties":{"time":"noon"}}"#
    )]
    #[case::before_1970(
        r#"{"event_name":"e","time":"1969-12-31T23:59:59Z"}"#,
        r#"{"event":"e","properties":{"time":"1969-12-31T23:59:59Z"}}"#
    )]
    #[case::half_a_surrogate_pair(
        r#"{"event_name":"e\ud83d","time":1,"properties":{"k\ud83d":"\ude00"}}"#,
        r#"{"event":"e\ud83d","properties":{"time":1,"k\ud83d":"\ude00"}}"#
    )]
    #[case::said_otherwise(
        r#"{"event_name":"e","time":1,"properties":{"time":2}}"#,
        r#"{"event":"e","properties":{"time":1,"time":2}}"#
    )]
    #[case::other_fields_stay(
        r#"{"event_name":"e","time":1,"mp_new":[1, 2],"properties":{"a":{ "b" : 0.10 }}}"#,
        r#"{"event":"e","properties":{"time":1,"a":{ "b" : 0.10 }},"mp_new":[1, 2]}"#
    )]
    #[case::escapes(
        r#"{"event_name":"q\"\u00e9","time":1,"properties":{"k\n":"\ud83d\ude00"}}"#,
        r#"{"event":"q\"\u00e9","properties":{"time":1,"k\n":"\ud83d\ude00"}}"#
    )]
    fn fields_go_where_the_export_api_has_them(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(converted(line).unwrap(), expected);
    }

    #[rstest]
    #[case::no_json("oops")]
    #[case::no_object("[1]")]
    #[case::no_name(r#"{"time":1,"properties":{}}"#)]
    #[case::of_the_export_api(r#"{"event":"e","properties":{"time":1}}"#)]
    #[case::both(r#"{"event":"e","event_name":"e","time":1,"properties":{}}"#)]
    #[case::twice(r#"{"event_name":"e","time":1,"time":2,"properties":{}}"#)]
    #[case::odd_properties(r#"{"event_name":"e","time":1,"properties":[]}"#)]
    fn what_is_no_event_of_a_pipeline_is_not_touched(#[case] line: &str) {
        assert_eq!(converted(line), None);
    }

    proptest! {
        #[test]
        fn no_digit_of_a_number_is_lost(number in "-?[1-9][0-9]{0,60}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?") {
            let line = format!(r#"{{"event_name":"e","time":{number},"properties":{{"n":{number}}}}}"#);
            let expected = format!(r#"{{"event":"e","properties":{{"time":{number},"n":{number}}}}}"#);
            prop_assert_eq!(converted(&line), Some(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = export_line(&bytes);
        }
    }
}
