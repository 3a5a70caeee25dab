//! Reads a line in its common form, in one pass and without building values.
//!
//! Everything unusual (an escape in a key, a field that Mixpanel does not send today, any fault) is
//! answered with `None`: then `event.rs` reads the line, slowly, and says what is wrong. So this
//! file only has to be right about what it accepts, and a property test holds the two together.

use crate::event::{BadLine, Event, Property, Scalar, Span, Text};
use crate::keys::{KeyId, Keys, Walk};
use crate::parse;
use crate::value;
use crate::vocabulary::Vocabulary;
use serde::de::IgnoredAny;

/// Reads a line in any form, and answers it as text.
pub(crate) fn read<'a>(
    line: &'a [u8],
    vocabulary: &mut Vocabulary,
    event: &mut Event,
) -> Result<&'a str, BadLine> {
    let line = std::str::from_utf8(line).map_err(|e| BadLine::NotUtf8(e.valid_up_to()))?;
    if common(line, vocabulary, event).is_none() {
        parse::parse(line, vocabulary, event)?;
    }
    Ok(line)
}

/// Reads a line in its common form; none if it has another.
pub(crate) fn common(line: &str, vocabulary: &mut Vocabulary, event: &mut Event) -> Option<()> {
    let line = line.trim_end_matches([' ', '\t', '\r']);
    if has_control(line.as_bytes()) {
        return None;
    }
    let mut cursor = Cursor { text: line, bytes: line.as_bytes(), at: 0 };
    cursor.open(b'{')?;
    cursor.key("event")?;
    let name = cursor.string()?;
    cursor.after(b',')?;
    cursor.key("properties")?;
    let number = vocabulary.event(name);
    event.clear(number);
    cursor.properties(event, vocabulary.keys(number))?;
    cursor.after(b'}')?;
    (cursor.at == line.len() && !event.time.is_empty()).then_some(())
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
        while self.peek() == Some(b' ') {
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

    fn properties(&mut self, event: &mut Event, keys: &mut Keys) -> Option<()> {
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

    #[inline]
    fn property(&mut self, event: &mut Event, keys: &mut Keys, walk: &mut Walk) -> Option<()> {
        let key = self.property_key(keys, walk)?;
        let start = self.at;
        let value = self.value(event)?;
        event.add(Property { key, json: Span::new(start, self.at), value }, self.text);
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

    #[inline]
    fn value(&mut self, event: &mut Event) -> Option<Scalar> {
        match self.peek()? {
            b'"' => self.text_value(event),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' | b'[' => self.nested(),
            b't' => self.literal("true", Scalar::Boolean(true)),
            b'f' => self.literal("false", Scalar::Boolean(false)),
            b'n' => self.literal("null", Scalar::Null),
            _ => None,
        }
    }

    fn literal(&mut self, word: &str, value: Scalar) -> Option<Scalar> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        self.quoted().map(|span| span.get(self.text))
    }

    /// Where a string without escapes stands, its quotes left out.
    #[inline]
    fn quoted(&mut self) -> Option<Span> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = start + special(&self.bytes[start..])?;
        if self.bytes[end] != b'"' {
            return None;
        }
        self.at = end + 1;
        Some(Span::new(start, end))
    }

    #[inline]
    fn text_value(&mut self, event: &mut Event) -> Option<Scalar> {
        match self.quoted() {
            Some(span) => Some(Scalar::Text(Text::Line(span))),
            None => self.escaped(event),
        }
    }

    fn escaped(&mut self, event: &mut Event) -> Option<Scalar> {
        let start = self.at;
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
        let text = value::text(&self.text[start..=end]).ok()?;
        Some(Scalar::Text(event.unescaped(&text)))
    }

    fn nested(&mut self) -> Option<Scalar> {
        let start = self.at;
        if self.skip(NESTED).is_none() {
            self.at = start;
            let rest = &self.text[start..];
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
            values.next()?.ok()?;
            self.at += values.byte_offset();
        }
        Some(Scalar::Text(Text::Line(Span::new(start, self.at))))
    }

    /// Passes over a value in its common form, nested at most so many times.
    fn skip(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.quoted().map(|_| ()),
            open @ (b'{' | b'[') => self.skip_items(open, depth.checked_sub(1)?),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            b't' => self.literal("true", Scalar::Null).map(|_| ()),
            b'f' => self.literal("false", Scalar::Null).map(|_| ()),
            b'n' => self.literal("null", Scalar::Null).map(|_| ()),
            _ => None,
        }
    }

    fn skip_items(&mut self, open: u8, depth: u32) -> Option<()> {
        // `{` and `}`, `[` and `]` are two apart.
        let close = open + 2;
        self.at += 1;
        self.space();
        if self.peek()? == close {
            self.at += 1;
            return Some(());
        }
        loop {
            if open == b'{' {
                self.quoted()?;
                self.open(b':')?;
            }
            self.skip(depth)?;
            self.space();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => self.space(),
                _ if next == close => return Some(()),
                _ => return None,
            }
        }
    }

    #[inline]
    fn number(&mut self) -> Option<Scalar> {
        let start = self.at;
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let digits = self.at;
        let mut mantissa = self.accumulate(0);
        let whole = self.at - digits;
        if whole == 0 || (whole > 1 && self.bytes[digits] == b'0') {
            return None;
        }
        let mut decimals = 0;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let point = self.at;
            mantissa = self.accumulate(mantissa);
            decimals = self.at - point;
            if decimals == 0 {
                return None;
            }
        }
        if whole + decimals > 15 || matches!(self.peek(), Some(b'e' | b'E')) {
            self.at = digits;
            return self.long_number(start);
        }
        // Both are exact, so their quotient is rounded once: it is the nearest double.
        #[expect(clippy::cast_precision_loss, reason = "15 digits fit exactly")]
        let number = mantissa as f64 / TENS[decimals];
        Some(Scalar::Number(if negative { -number } else { number }))
    }

    /// Passes over digits, and puts them behind those of `mantissa`.
    #[inline]
    fn accumulate(&mut self, mut mantissa: u64) -> u64 {
        while let Some(word) = self.bytes[self.at..].first_chunk() {
            let (count, value) = digits(u64::from_le_bytes(*word));
            mantissa = mantissa.wrapping_mul(POWERS[count]).wrapping_add(value);
            self.at += count;
            if count < 8 {
                return mantissa;
            }
        }
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        mantissa
    }

    fn long_number(&mut self, start: usize) -> Option<Scalar> {
        self.digits()?;
        self.fraction()?;
        let span = Span::new(start, self.at);
        let number = value::number(span.get(self.text));
        Some(number.map_or(Scalar::Text(Text::Line(span)), Scalar::Number))
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

/// How deep values are nested that are passed over here.
const NESTED: u32 = 32;

/// The powers of ten that fifteen digits can be divided by.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The powers of ten that fewer than nine digits take.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many of eight characters are digits before any other, and the number that they are.
#[inline]
fn digits(word: u64) -> (usize, u64) {
    let values = word ^ (ONES * 0x30);
    // Sets the highest bit of what is more than nine; a carry only reaches what follows such.
    let others = (values.wrapping_add(ONES * 0x76) | values) & HIGHS;
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // As eight digits, zeros first; then neighbours are joined, to pairs, fours and all eight.
    let eight = values << (64 - 8 * count);
    let pairs = eight.wrapping_mul(10).wrapping_add(eight >> 8);
    let pair = 0x0000_00ff_0000_00ff;
    let left = (pairs & pair).wrapping_mul(100 + (1_000_000 << 32));
    let right = ((pairs >> 16) & pair).wrapping_mul(1 + (10_000 << 32));
    (count as usize, left.wrapping_add(right) >> 32)
}

/// Whether there is a control character. Looked for in the whole line at once, it is not looked for
/// in each string.
fn has_control(line: &[u8]) -> bool {
    line.iter().fold(u8::MAX, |least, &byte| least.min(byte)) < 0x20
}

/// The distance to the first quote or backslash; eight bytes at a time.
#[inline]
fn special(bytes: &[u8]) -> Option<usize> {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes[at..].iter().position(|&b| b == b'"' || b == b'\\');
    rest.map(|offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::told;
    use proptest::prelude::*;

    /// What a reading gives: the fast one, and the slow one.
    fn both(line: &str) -> (Option<String>, Result<String, String>) {
        let (mut vocabulary, mut event) = (Vocabulary::default(), Event::default());
        let fast = common(line, &mut vocabulary, &mut event);
        let fast = fast.map(|()| told(line, &event, &mut vocabulary));
        let (mut vocabulary, mut event) = (Vocabulary::default(), Event::default());
        let slow = parse::parse(line, &mut vocabulary, &mut event);
        let slow = slow.map(|()| told(line, &event, &mut vocabulary));
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
            let expected = bytes.iter().position(|&b| b == b'"' || b == b'\\');
            prop_assert_eq!(special(&bytes), expected);
            prop_assert_eq!(has_control(&bytes), bytes.iter().any(|b| *b < 0x20));
        }

        #[test]
        fn eight_characters_begin_with_the_digits_that_they_begin_with(
            digit in "[0-9]{0,8}", others in any::<[u8; 8]>(),
        ) {
            let bytes: Vec<u8> = digit.bytes().chain(others).take(8).collect();
            let count = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            let value = bytes[..count].iter().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
            let word = u64::from_le_bytes(bytes.try_into().unwrap());
            prop_assert_eq!(digits(word), (count, value));
        }
    }
}
