//! Reads one line of the engage API's `results`, `{"$distinct_id": id, "$properties": {...}}`, and says what is
//! wrong with one that is no profile.
//!
//! Only `$distinct_id` has a meaning of its own. All properties become columns, those called `time` or
//! `distinct_id` too.

use crate::reading::bad_line::BadLine;
use crate::reading::event::{Event, Span};
use crate::reading::keys::Keys;
use crate::reading::mend::mended;
use crate::reading::parse::{Field, check_name, fields, object, once};
use crate::reading::value::Value;
use crate::reading::vocabulary::Vocabulary;
use foldhash::HashMap;
use mixlake_domain::{DateTime, Timestamp, Zone};
use std::borrow::Cow;

/// The property that says when the person was last seen.
const LAST_SEEN: &str = "$last_seen";

/// Reads a line. Answers the line that the places of the profile are in: the same one, or one in which half of a
/// surrogate pair was replaced.
pub(crate) fn read<'a>(
    line: &'a [u8],
    vocabulary: &mut Vocabulary,
    profile: &mut Event,
) -> Result<Cow<'a, str>, BadLine> {
    let utf8 = simdutf8::compat::from_utf8(line);
    let line = mended(utf8.map_err(|e| BadLine::NotUtf8(e.valid_up_to()))?);
    let number = vocabulary.event("");
    profile.clear(number);
    parse(&line, vocabulary.keys(number), profile)?;
    Ok(line)
}

fn parse(line: &str, keys: &mut Keys, profile: &mut Event) -> Result<(), BadLine> {
    let (mut id, mut properties, mut others) = (None, None, Vec::new());
    for (key, json) in fields("line", line)? {
        match &*key {
            "$distinct_id" => once("$distinct_id", &mut id, json)?,
            "$properties" => once("$properties", &mut properties, json)?,
            // Mixpanel has no other field. If it adds one, its values are kept.
            _ => others.push((key, json)),
        }
    }
    identify(profile, line, id.ok_or(BadLine::Missing("$distinct_id"))?)?;
    let mut inner = object("$properties", properties.ok_or(BadLine::Missing("$properties"))?)?;
    inner.extend(others);
    add_properties(profile, line, inner, keys)
}

/// An identifier is text, even where it is a number.
fn identify(profile: &mut Event, line: &str, json: &str) -> Result<(), BadLine> {
    let value =
        Value::from_json(json).map_err(|error| BadLine::not_json("$distinct_id", &error))?;
    let value = match value {
        Value::Number(_) | Value::Boolean(_) => Value::Text(Cow::Borrowed(json)),
        Value::Null | Value::Text(_) => value,
    };
    match &value {
        Value::Text(text) if !text.is_empty() => {
            profile.distinct_id = Some(profile.packed(&value, line).as_text());
            Ok(())
        }
        Value::Text(_) | Value::Number(_) | Value::Boolean(_) | Value::Null => {
            Err(BadLine::Missing("$distinct_id"))
        }
    }
}

fn add_properties(
    profile: &mut Event,
    line: &str,
    fields: Vec<Field<'_>>,
    keys: &mut Keys,
) -> Result<(), BadLine> {
    let mut walk = keys.walk(profile.number);
    let mut values: HashMap<_, Value<'_>> = HashMap::default();
    for (name, json) in fields {
        check_name("$properties", &name)?;
        let key = keys.next(&mut walk, &name);
        let value = Value::from_json(json).map_err(|error| BadLine::not_json(&name, &error))?;
        match values.get(&key) {
            // Null says nothing, and the same value again says nothing new.
            Some(earlier) if value == Value::Null || value == *earlier => {}
            Some(_) => return Err(BadLine::DuplicateKey(name.into_owned())),
            None if value == Value::Null => {}
            None => {
                if let Value::Text(text) = &value
                    && name == LAST_SEEN
                {
                    profile.processing_ms = milliseconds(text);
                }
                let packed = profile.packed(&value, line);
                profile.add_column(key, Span::of(json, line), packed);
                values.insert(key, value);
            }
        }
    }
    Ok(())
}

/// The time of a text such as `2026-11-20T15:27:32`, in milliseconds since 1970. Without an offset it is UTC.
#[expect(clippy::cast_precision_loss, reason = "a double holds the milliseconds of all years")]
fn milliseconds(text: &str) -> Option<f64> {
    let instant = text.parse::<Timestamp>().ok();
    let wall_clock = || text.parse::<DateTime>().ok().map(|time| Zone::UTC.instant_of(time));
    instant.or_else(wall_clock).map(|time| time.as_millisecond() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Reads a line: the identifier, the properties with their JSON, and the time of `$last_seen`.
    #[expect(clippy::type_complexity, reason = "a test names it once")]
    fn read(line: &str) -> Result<(String, Vec<(String, String)>, Option<f64>), BadLine> {
        let (mut vocabulary, mut profile) = (Vocabulary::default(), Event::default());
        let line = super::read(line.as_bytes(), &mut vocabulary, &mut profile)?;
        let keys = vocabulary.keys(profile.number);
        let listed = profile.properties.iter();
        let listed = listed.map(|p| (keys.name(p.key).to_owned(), p.json.get(&line).to_owned()));
        let id = profile.text(profile.distinct_id.unwrap(), &line).to_owned();
        Ok((id, listed.collect(), profile.processing_ms))
    }

    #[test]
    fn every_property_is_kept_whatever_it_is_called() {
        let line = r#"{"$distinct_id":7,"$properties":{"time":1,"distinct_id":"x","$insert_id":2,"n":null,"l":[1, {}]},"new":true}"#;
        let (id, properties, _) = read(line).unwrap();
        let expected = [
            ("time", "1"),
            ("distinct_id", "\"x\""),
            ("$insert_id", "2"),
            ("l", "[1, {}]"),
            ("new", "true"),
        ];
        assert_eq!(id, "7");
        assert_eq!(properties, expected.map(|(key, json)| (key.to_owned(), json.to_owned())));
    }

    #[rstest]
    #[case::no_zone("2026-11-20T15:27:32", Some(1_795_188_452_000.0))]
    #[case::utc("2026-11-20T15:27:32.429Z", Some(1_795_188_452_429.0))]
    #[case::offset("2026-11-20T16:27:32+01:00", Some(1_795_188_452_000.0))]
    #[case::space("2026-11-20 15:27:32", Some(1_795_188_452_000.0))]
    #[case::no_time("yesterday", None)]
    fn the_time_last_seen_is_read(#[case] text: &str, #[case] expected: Option<f64>) {
        let line = format!(r#"{{"$distinct_id":"a","$properties":{{"$last_seen":"{text}"}}}}"#);
        let (_, properties, time) = read(&line).unwrap();
        assert_eq!(time, expected);
        assert_eq!(properties, [("$last_seen".to_owned(), format!("\"{text}\""))], "it is text");
    }

    #[rstest]
    #[case(r#"{"$properties":{}}"#, "$distinct_id: the field is missing")]
    #[case(r#"{"$distinct_id":null,"$properties":{}}"#, "$distinct_id: the field is missing")]
    #[case(r#"{"$distinct_id":"","$properties":{}}"#, "$distinct_id: the field is missing")]
    #[case(r#"{"$distinct_id":"a"}"#, "$properties: the field is missing")]
    #[case(r#"{"$distinct_id":"a","$properties":[]}"#, "$properties: must be an object")]
    #[case(r#"{"event":"e","properties":{"time":1}}"#, "$distinct_id: the field is missing")]
    #[case(
        r#"{"$distinct_id":"a","$properties":{"x":1,"x":2}}"#,
        "x: the key occurs twice with different values"
    )]
    #[case("[1]", "line: must be a JSON object")]
    #[case("oops", "line: not JSON: expected value at line 1 column 1")]
    fn what_is_no_profile_has_a_reason(#[case] line: &str, #[case] reason: &str) {
        assert_eq!(read(line).unwrap_err().to_string(), reason);
    }
}
