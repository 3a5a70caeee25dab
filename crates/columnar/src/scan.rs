//! Reads a line in its common form, in one pass and without building values.
//!
//! Everything unusual (an escape in a key, a field that Mixpanel does not send today, any fault) is
//! answered with `None`: then `event.rs` reads the line, slowly, and says what is wrong. So this
//! file only has to be right about what it accepts, and a property test holds the two together.

use crate::event::{self, BadLine, Event, Property};
use crate::keys::{KeyId, Keys, Walk};
use crate::value::{self, Value};
use crate::vocabulary::Vocabulary;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// Reads a line in any form. `room` is for its properties.
pub(crate) fn read<'a>(
    line: &'a [u8],
    vocabulary: &mut Vocabulary,
    room: Vec<Property<'a>>,
) -> Result<Event<'a>, BadLine> {
    let common = std::str::from_utf8(line).ok().and_then(|line| event(line, vocabulary, room));
    common.map_or_else(|| event::parse(line, vocabulary), Ok)
}

/// Reads a line in its common form.
fn event<'a>(
    line: &'a str,
    vocabulary: &mut Vocabulary,
    room: Vec<Property<'a>>,
) -> Option<Event<'a>> {
    let mut cursor = Cursor { text: line, bytes: line.as_bytes(), at: 0 };
    cursor.open(b'{')?;
    cursor.key("event")?;
    let name = cursor.string()?;
    cursor.after(b',')?;
    cursor.key("properties")?;
    let number = vocabulary.event(name);
    let mut event = Event::new(Cow::Borrowed(name), number, room);
    cursor.properties(&mut event, vocabulary.keys(number))?;
    cursor.after(b'}')?;
    cursor.space();
    (cursor.at == line.len() && !event.time.is_empty()).then_some(event)
}

/// A place in a line.
struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// White space, then this byte.
    fn after(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// White space, then this byte, then white space.
    fn open(&mut self, byte: u8) -> Option<()> {
        self.after(byte)?;
        self.space();
        Some(())
    }

    /// A key that must be this one, and what stands between it and its value.
    fn key(&mut self, name: &str) -> Option<()> {
        self.space();
        (self.string()? == name).then_some(())?;
        self.open(b':')
    }

    fn properties(&mut self, event: &mut Event<'a>, keys: &mut Keys) -> Option<()> {
        self.open(b'{')?;
        let mut walk = keys.walk(event.number);
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.property(event, keys, &mut walk)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
            self.space();
        }
    }

    fn property(&mut self, event: &mut Event<'a>, keys: &mut Keys, walk: &mut Walk) -> Option<()> {
        let key = self.property_key(keys, walk)?;
        let start = self.at;
        let value = self.value()?;
        let json = &self.text[start..self.at];
        event.add(Property { key, json, value });
        Some(())
    }

    /// A key, and what stands between it and its value.
    fn property_key(&mut self, keys: &mut Keys, walk: &mut Walk) -> Option<KeyId> {
        if let Some(found) = keys.written(walk, &self.bytes[self.at..]) {
            let (key, length) = found.ok()?;
            self.at += length;
            self.space();
            return Some(key);
        }
        let name = self.string()?;
        self.open(b':')?;
        keys.next(walk, name).ok()
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.text_value(),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' | b'[' => self.nested(),
            b't' => self.literal("true", Value::Boolean(true)),
            b'f' => self.literal("false", Value::Boolean(false)),
            b'n' => self.literal("null", Value::Null),
            _ => None,
        }
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = start + special(&self.bytes[start..])?;
        if self.bytes[end] != b'"' {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    fn text_value(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        if let Some(text) = self.string() {
            return Some(Value::Text(Cow::Borrowed(text)));
        }
        let mut end = start + 1;
        loop {
            end += special(&self.bytes[end..])?;
            match self.bytes[end] {
                b'"' => break,
                b'\\' => end += 2,
                _ => return None,
            }
            if end >= self.bytes.len() {
                return None;
            }
        }
        self.at = end + 1;
        value::text(&self.text[start..=end]).ok().map(Value::Text)
    }

    fn nested(&mut self) -> Option<Value<'a>> {
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let length = values.byte_offset();
        self.at += length;
        Some(Value::Text(Cow::Borrowed(&rest[..length])))
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let digits = self.at;
        let mut integer = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            integer = integer.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let length = self.at - digits;
        if length == 0 || (length > 1 && self.bytes[digits] == b'0') {
            return None;
        }
        if !matches!(self.peek(), Some(b'.' | b'e' | b'E')) && length <= 15 {
            #[expect(clippy::cast_precision_loss, reason = "15 digits fit exactly")]
            let number = integer as f64;
            return Some(Value::Number(if negative { -number } else { number }));
        }
        self.fraction()?;
        let json = &self.text[start..self.at];
        Some(value::number(json).map_or(Value::Text(Cow::Borrowed(json)), Value::Number))
    }

    fn fraction(&mut self) -> Option<()> {
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// The distance to the first quote, backslash or control character; eight bytes at a time.
fn special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes[at..].iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\');
    rest.map(|offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reading gives, with keys as text: the fast one, and the slow one.
    fn both(line: &str) -> (Option<String>, Result<String, String>) {
        let told = |event: &Event<'_>, keys: &Keys| {
            let properties: Vec<_> =
                event.properties.iter().map(|p| (keys.name(p.key), p.json, &p.value)).collect();
            let (time, id) = (event.time, &event.distinct_id);
            let (insert, age) = (&event.insert_id, event.processing_ms);
            format!("{} {time} {id:?} {insert:?} {age:?} {properties:?}", event.name)
        };
        let mut vocabulary = Vocabulary::default();
        let fast = event(line, &mut vocabulary, Vec::new());
        let fast = fast.map(|e| told(&e, vocabulary.keys(e.number)));
        let mut vocabulary = Vocabulary::default();
        let slow = event::parse(line.as_bytes(), &mut vocabulary);
        let slow = slow.map(|e| told(&e, vocabulary.keys(e.number)));
        (fast, slow.map_err(|e| e.to_string()))
    }

    #[test]
    fn the_common_form_is_read_here() {
        let line = r#"{"event":"A b","properties":{"time":1,"distinct_id":"x","$insert_id":"i","a":-1.5e3,"b":[1,{"c":"]"}],"d":"q\"\u00e9","e":null,"f":true,"ü":"ü"}}"#;
        let (fast, slow) = both(line);
        assert_eq!(fast.unwrap(), slow.unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_read_here_is_what_the_slow_reading_gives(
            line in "\\{\"event\":\"[a-z\\\\\\\\\"]{0,3}\",\"properties\":\\{\"time\":[0-9]{1,3}(,\"[a-cé\\\\\\\\]{1,2}\":(-?[0-9]{0,18}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,3})?|\"[a\\\\\\\\\"nu0-9\u{1}é]{0,12}\"|\\[[0-9,\\[\\]\"]{0,4}\\]|\\{\\}|true|truth|null|nul)){0,4} ?\\}\\}? ?",
        ) {
            let (fast, slow) = both(&line);
            if let Some(fast) = fast {
                prop_assert_eq!(Ok(fast), slow, "{}", line);
            }
        }

        #[test]
        fn a_broken_line_is_read_here_only_if_it_is_not_broken(
            position in 0_usize..140, byte in any::<u8>(),
        ) {
            let mut line = br#"{"event":"A b","properties":{"time":1.5,"distinct_id":"x","a":-10,"b":[1,{"c":"]"}],"d":"q\"\u00e9","e":null,"f":true}}"#.to_vec();
            let at = position % line.len();
            line[at] = byte;
            if let Ok(line) = std::str::from_utf8(&line) {
                let (fast, slow) = both(line);
                if let Some(fast) = fast {
                    prop_assert_eq!(Ok(fast), slow, "{}", line);
                }
            }
        }

        #[test]
        fn the_first_special_byte_is_found(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let expected = bytes.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\');
            prop_assert_eq!(special(&bytes), expected);
        }
    }
}
