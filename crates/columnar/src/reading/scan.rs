//! Reads a line in its common form, in one pass and without building values.
//!
//! For an unusual line (an escape in a key, a field that Mixpanel does not send today, any fault) it returns
//! `None`. Then `parse.rs` reads the line, slowly, and says what is wrong. So this file only has to be right
//! about what it accepts. A property test compares the two.

use crate::reading::bad_line::BadLine;
use crate::reading::event::{Event, Packed, Span, Text};
use crate::reading::keys::{KeyId, Keys, NAME_BYTES, Walk};
use crate::reading::mend::needs_mending;
use crate::reading::parse;
use crate::reading::value;
use crate::reading::vocabulary::Vocabulary;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use wide::u8x32;

/// Reads a line in any form, and answers it as text; owned if half of a surrogate pair was replaced in it.
pub(crate) fn read<'a>(
    line: &'a [u8],
    vocabulary: &mut Vocabulary,
    event: &mut Event,
) -> Result<Cow<'a, str>, BadLine> {
    let utf8 = simdutf8::compat::from_utf8(line);
    let line = utf8.map_err(|e| BadLine::NotUtf8(e.valid_up_to()))?;
    match common(line, vocabulary, event) {
        Some(()) => Ok(Cow::Borrowed(line)),
        None => parse::read(line, vocabulary, event),
    }
}

/// Reads a line in its common form; none if it has another.
pub(crate) fn common(line: &str, vocabulary: &mut Vocabulary, event: &mut Event) -> Option<()> {
    let line = line.trim_end_matches([' ', '\t', '\r']);
    if has_control(line.as_bytes()) {
        return None;
    }
    let reader = Reader { text: line, bytes: line.as_bytes() };
    let at = reader.expect(b'{', 0)?;
    let at = reader.key("event", at)?;
    let (name, at) = reader.string(at)?;
    let name = short(name.get(line))?;
    let number = vocabulary.event(name);
    event.clear(number);
    let at = reader.expect(b',', at)?;
    let at = reader.key("properties", at)?;
    let at = reader.properties(at, event, vocabulary.keys(number))?;
    let at = reader.expect(b'}', at)?;
    (at == line.len() && !event.time.is_empty()).then_some(())
}

/// Reads the parts of a line. Each begins at a place, and answers what it found and the place behind
/// it: places that are handed on stay in registers, those that are kept do not.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

/// What was read, and the place behind it; none if it has no common form.
type Found<T> = Option<(T, usize)>;

impl Reader<'_> {
    /// The next byte that is no space.
    #[inline]
    fn token(self, at: usize) -> Found<u8> {
        let byte = *self.bytes.get(at)?;
        if byte == b' ' { self.token_behind_spaces(at) } else { Some((byte, at + 1)) }
    }

    #[cold]
    fn token_behind_spaces(self, at: usize) -> Found<u8> {
        let spaces = self.bytes[at..].iter().take_while(|&&byte| byte == b' ').count();
        Some((*self.bytes.get(at + spaces)?, at + spaces + 1))
    }

    /// A byte that must be this one.
    #[inline]
    fn expect(self, byte: u8, at: usize) -> Option<usize> {
        self.token(at).filter(|&(found, _)| found == byte).map(|(_, at)| at)
    }

    /// A key that must be this one, and its colon.
    fn key(self, name: &str, at: usize) -> Option<usize> {
        let (found, at) = self.string(at)?;
        (found.get(self.text) == name).then(|| self.expect(b':', at))?
    }

    fn properties(self, at: usize, event: &mut Event, keys: &mut Keys) -> Option<usize> {
        let mut at = self.expect(b'{', at)?;
        if let (b'}', at) = self.token(at)? {
            return Some(at);
        }
        let mut walk = keys.walk(event.number);
        loop {
            let (key, colon) = match keys.written(&mut walk, &self.bytes[at..]) {
                Some((key, length)) => (key, at + length),
                None => self.other_key(at, keys, &mut walk)?,
            };
            keys.see(key).ok()?;
            let (first, start) = self.token(colon)?;
            let (value, end) = self.value(first, start, event)?;
            event.add(key, Span::new(start - 1, end), value, self.text);
            let (next, behind) = self.token(end)?;
            match next {
                b',' => at = behind,
                b'}' => return Some(behind),
                _ => return None,
            }
        }
    }

    /// A key that does not stand where it is expected, and its colon.
    #[inline(never)]
    fn other_key(self, at: usize, keys: &mut Keys, walk: &mut Walk) -> Found<KeyId> {
        let start = self.token(at)?.1 - 1;
        if let Some((key, length)) = keys.written(walk, &self.bytes[start..]) {
            return Some((key, start + length));
        }
        let (name, at) = self.string(start)?;
        let at = self.expect(b':', at)?;
        Some((keys.next(walk, short(name.get(self.text))?), at))
    }

    /// The rest of a value behind its first byte.
    #[inline]
    fn value(self, first: u8, at: usize, event: &mut Event) -> Found<Packed> {
        // Compared, the most frequent first: a jump through a table is guessed wrong more often.
        if first == b'"' {
            match self.quoted(at) {
                Some((span, at)) => Some((Packed::text(Text::Line(span)), at)),
                None => self.escaped(at, event),
            }
        } else if first == b'-' || first.is_ascii_digit() {
            self.number(at - 1)
        } else {
            self.rare(first, at)
        }
    }

    fn rare(self, first: u8, at: usize) -> Found<Packed> {
        match first {
            b'{' | b'[' => self.nested(first, at),
            b't' => self.literal("true", Packed::boolean(true), at - 1),
            b'f' => self.literal("false", Packed::boolean(false), at - 1),
            b'n' => self.literal("null", Packed::NULL, at - 1),
            _ => None,
        }
    }

    #[inline]
    fn literal(self, word: &str, value: Packed, start: usize) -> Found<Packed> {
        self.bytes[start..].starts_with(word.as_bytes()).then_some((value, start + word.len()))
    }

    /// A string without escapes.
    fn string(self, at: usize) -> Found<Span> {
        self.quoted(self.expect(b'"', at)?)
    }

    /// The rest of a string without escapes behind its first quote.
    #[inline]
    fn quoted(self, at: usize) -> Found<Span> {
        let end = at + special(&self.bytes[at..])?;
        (self.bytes[end] == b'"').then(|| (Span::new(at, end), end + 1))
    }

    #[inline(never)]
    fn escaped(self, at: usize, event: &mut Event) -> Found<Packed> {
        let mut end = at;
        loop {
            end += special(self.bytes.get(end..)?)?;
            if self.bytes[end] == b'"' {
                break;
            }
            end += 2;
        }
        let text = value::text(&self.text[at - 1..=end]).ok()?;
        Some((Packed::text(event.unescaped(&text)), end + 1))
    }

    #[inline(never)]
    fn nested(self, open: u8, at: usize) -> Found<Packed> {
        let start = at - 1;
        let end = self.skip(open, at, NESTED).or_else(|| {
            let rest = &self.text[start..];
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
            values.next()?.ok()?;
            let end = values.byte_offset();
            (!needs_mending(&rest[..end])).then_some(start + end)
        })?;
        Some((Packed::text(Text::Line(Span::new(start, end))), end))
    }

    /// Passes over the rest of a value in its common form, nested at most so many times.
    fn skip(self, first: u8, at: usize, depth: u32) -> Option<usize> {
        match first {
            b'"' => Some(self.quoted(at)?.1),
            b'{' | b'[' => self.skip_items(first, at, depth.checked_sub(1)?),
            b'-' | b'0'..=b'9' => Some(self.number(at - 1)?.1),
            b't' => Some(self.literal("true", Packed::NULL, at - 1)?.1),
            b'f' => Some(self.literal("false", Packed::NULL, at - 1)?.1),
            b'n' => Some(self.literal("null", Packed::NULL, at - 1)?.1),
            _ => None,
        }
    }

    fn skip_items(self, open: u8, at: usize, depth: u32) -> Option<usize> {
        // `{` and `}`, `[` and `]` are two apart.
        let close = open + 2;
        let (mut first, mut at) = self.token(at)?;
        if first == close {
            return Some(at);
        }
        loop {
            if open == b'{' {
                (first == b'"').then_some(())?;
                at = self.expect(b':', self.quoted(at)?.1)?;
                (first, at) = self.token(at)?;
            }
            at = self.skip(first, at, depth)?;
            let (next, behind) = self.token(at)?;
            match next {
                b',' => (first, at) = self.token(behind)?,
                _ if next == close => return Some(behind),
                _ => return None,
            }
        }
    }

    #[inline]
    fn number(self, start: usize) -> Found<Packed> {
        let negative = self.bytes[start] == b'-';
        let digits = start + usize::from(negative);
        let (mut mantissa, mut at) = self.digits(0, digits);
        let whole = at - digits;
        if whole == 0 || (whole > 1 && self.bytes[digits] == b'0') {
            return None;
        }
        let mut decimals = 0;
        if self.bytes.get(at) == Some(&b'.') {
            let point = at + 1;
            (mantissa, at) = self.digits(mantissa, point);
            decimals = at - point;
            if decimals == 0 {
                return None;
            }
        }
        if whole + decimals > 15 || matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            return self.long_number(start, at);
        }
        #[expect(clippy::cast_precision_loss, reason = "15 digits fit exactly")]
        let mut number = mantissa.cast_signed() as f64;
        if decimals > 0 {
            // Both are exact, so their quotient is rounded once: it is the nearest double.
            number /= TENS[decimals % TENS.len()];
        }
        Some((Packed::number(if negative { -number } else { number }), at))
    }

    /// Passes over digits, and puts them behind those of `mantissa`.
    #[inline]
    fn digits(self, mut mantissa: u64, mut at: usize) -> (u64, usize) {
        while let Some(word) = self.bytes[at..].first_chunk() {
            let (count, value) = digits(u64::from_le_bytes(*word));
            mantissa = mantissa.wrapping_mul(POWERS[count % POWERS.len()]).wrapping_add(value);
            at += count;
            if count < 8 {
                return (mantissa, at);
            }
        }
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        (mantissa, at)
    }

    /// A number that has more digits than a double keeps, or an exponent behind its last digit.
    #[inline(never)]
    fn long_number(self, start: usize, mut at: usize) -> Found<Packed> {
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            let signed = matches!(self.bytes.get(at + 1), Some(b'+' | b'-'));
            let exponent = at + 1 + usize::from(signed);
            at = self.digits(0, exponent).1;
            (at > exponent).then_some(())?;
        }
        let span = Span::new(start, at);
        let number = value::number(span.get(self.text));
        Some((number.map_or(Packed::text(Text::Line(span)), Packed::number), at))
    }
}

/// A name that is not longer than the bound.
fn short(name: &str) -> Option<&str> {
    (name.len() <= NAME_BYTES).then_some(name)
}

/// How deep values are nested that are passed over here.
const NESTED: u32 = 32;

/// The powers of ten that fifteen digits can be divided by.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The powers of ten by the number of digits, of which there are at most eight.
const POWERS: [u64; 16] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 0, 0, 0, 0, 0, 0, 0];

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

/// The distance to the first quote or backslash.
#[inline]
fn special(mut bytes: &[u8]) -> Option<usize> {
    let mut passed = 0;
    while let Some((chunk, rest)) = bytes.split_first_chunk::<AT_ONCE>() {
        match special_of(chunk) {
            0 => passed += AT_ONCE,
            found => return Some(passed + found.trailing_zeros() as usize),
        }
        bytes = rest;
    }
    let mut chunk = [0; AT_ONCE];
    chunk[..bytes.len()].copy_from_slice(bytes);
    match special_of(&chunk) {
        0 => None,
        found => Some(passed + found.trailing_zeros() as usize),
    }
}

/// The bytes that are looked at at once: most strings are shorter.
const AT_ONCE: usize = 32;

/// Which of these bytes are quotes or backslashes.
#[inline]
fn special_of(chunk: &[u8; AT_ONCE]) -> u32 {
    let chunk = u8x32::new(*chunk);
    let is = |byte| chunk.simd_eq(u8x32::splat(byte));
    (is(b'"') | is(b'\\')).to_bitmask()
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
        let slow = parse::read(line, &mut vocabulary, &mut event);
        let slow = slow.map(|line| told(&line, &event, &mut vocabulary));
        (fast, slow.map_err(|e| e.to_string()))
    }

    /// Texts of few letters, with halves of surrogate pairs.
    fn texts() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec!["a", "b", r"\ud83d", r"\ude00", r"\u0061", r"\\"]);
        prop::collection::vec(parts, 0..4).prop_map(|parts| parts.concat())
    }

    #[test]
    fn names_beyond_the_bound_are_not_read_here() {
        for (name, key) in [(1_025, 1), (1, 1_025)] {
            let (name, key) = ("e".repeat(name), "k".repeat(key));
            let line = format!(r#"{{"event":"{name}","properties":{{"time":1,"{key}":1}}}}"#);
            let (fast, slow) = both(&line);
            assert!(
                fast.is_none() && slow.unwrap_err().contains("a name is longer than 1024 bytes")
            );
        }
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
        fn keys_that_occur_twice_and_halves_of_surrogate_pairs_are_read_alike(
            name in texts(),
            properties in prop::collection::vec((texts(), prop_oneof![
                texts().prop_map(|text| format!("\"{text}\"")),
                texts().prop_map(|text| format!("[\"{text}\",{{\"{text}\":1}}]")),
                prop::sample::select(vec!["1", "1.0", "2", "null", "true", "9007199254740993"])
                    .prop_map(str::to_owned),
            ]), 0..6),
        ) {
            let properties = properties.iter().map(|(key, value)| format!(",\"{key}\":{value}"));
            let properties: String = properties.collect();
            let line = format!(r#"{{"event":"{name}","properties":{{"time":1{properties}}}}}"#);
            let (fast, slow) = both(&line);
            if let Some(fast) = fast {
                prop_assert_eq!(Ok(fast), slow, "{}", line);
            } else if let Err(reason) = slow {
                prop_assert!(reason.ends_with("twice with different values"), "{}", reason);
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
