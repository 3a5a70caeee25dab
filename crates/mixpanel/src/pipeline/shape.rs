//! From a line of a JSON pipeline to a line of the export API.
//!
//! Values keep their bytes: a number of forty digits has forty digits behind it, too. What the
//! pipeline names beside `properties` goes where the export API has it.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Fields of a pipeline's line, and the properties that the export API has them as.
const PROPERTIES: [(&str, &str); 5] = [
    ("time", "time"),
    ("distinct_id", "distinct_id"),
    ("insert_id", "$insert_id"),
    ("device_id", "$device_id"),
    ("user_id", "$user_id"),
];

/// The line as the export API would send it; `None` for one that is no event of a pipeline.
pub(super) fn export_line(line: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(line).ok()?;
    let Fields(fields) = serde_json::from_str(text).ok()?;
    let find = |name: &str| {
        let mut found = fields.iter().filter(|(key, _)| key == name);
        // Of a field that is there twice nobody knows which counts.
        (found.next(), found.next().is_none())
    };
    let one = |name: &str| match find(name) {
        (found, true) => Some(found.map(|(_, value)| value.get())),
        (_, false) => None,
    };
    if one("event")?.is_some() {
        return None;
    }
    let name = one("event_name")??;
    let inner = one("properties")?.filter(|value| *value != "null").unwrap_or("{}");
    let Fields(properties) = serde_json::from_str(inner).ok()?;
    let mut moved = Members::default();
    for (field, property) in PROPERTIES {
        let value = one(field)?.filter(|value| *value != "null");
        let Some(value) = value else { continue };
        // Where the properties say it too, it is said once; where they say otherwise, the line is
        // as bad as one with any other key that is there twice.
        if !properties.iter().any(|(key, own)| key == property && own.get() == value) {
            moved.add(property, value);
        }
    }
    for (key, value) in &properties {
        moved.add(key, value.get());
    }
    let mut all = Members::default();
    all.add("event", name);
    all.add("properties", &moved.finish());
    let known = |key: &str| {
        key == "event_name"
            || key == "properties"
            || PROPERTIES.iter().any(|(field, _)| *field == key)
    };
    for (key, value) in fields.iter().filter(|(key, _)| !known(key)) {
        all.add(key, value.get());
    }
    Some(all.finish().into_bytes())
}

/// The members of a JSON object that is being written.
#[derive(Default)]
struct Members(String);

impl Members {
    fn add(&mut self, key: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&serde_json::Value::from(key).to_string());
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

/// The fields of a JSON object as they stand, also those that are there twice.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

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
        while let Some(key) = map.next_key::<String>()? {
            fields.push((Cow::Owned(key), map.next_value()?));
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
    #[case::twice(r#"{"event_name":"e","time":1,"time":1,"properties":{}}"#)]
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
