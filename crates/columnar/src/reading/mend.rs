//! Replaces escapes of half a surrogate pair (`\ud83d` without the `\ude00` that belongs to it). They come from
//! clients that cut a text in the middle of an emoji.
//!
//! JSON has two escapes for such a character. One half alone stands for no character, and no text in
//! UTF-8 can hold it. Each half is replaced by the escape of U+FFFD, which is as long, wherever it
//! stands: in names, in values, and in JSON that is kept as text.

use std::borrow::Cow;

/// The same JSON with U+FFFD for each half of a surrogate pair; borrowed if there is none.
pub(crate) fn mended(json: &str) -> Cow<'_, str> {
    let mut halves = halves(json).peekable();
    if halves.peek().is_none() {
        return Cow::Borrowed(json);
    }
    let mut mended = String::with_capacity(json.len());
    let mut copied = 0;
    for half in halves {
        mended.push_str(&json[copied..half]);
        mended.push_str(REPLACEMENT);
        copied = half + REPLACEMENT.len();
    }
    mended.push_str(&json[copied..]);
    Cow::Owned(mended)
}

/// Whether there is half of a surrogate pair.
pub(crate) fn needs_mending(json: &str) -> bool {
    halves(json).next().is_some()
}

const REPLACEMENT: &str = "\\ufffd";

/// The first or the second half of a surrogate pair.
#[derive(PartialEq)]
enum Half {
    First,
    Second,
}

/// Where the halves begin that have no other half.
fn halves(json: &str) -> impl Iterator<Item = usize> {
    let bytes = json.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let start = at + memchr::memchr(b'\\', rest)?;
            let escape = &bytes[start..];
            let Some(found) = half(escape) else {
                // The character behind a backslash belongs to it, also if it is a backslash.
                at = start + 2;
                continue;
            };
            let next = escape.get(REPLACEMENT.len()..).and_then(half);
            if found == Half::First && next == Some(Half::Second) {
                at = start + 2 * REPLACEMENT.len();
                continue;
            }
            at = start + REPLACEMENT.len();
            return Some(start);
        }
    })
}

/// The half of a pair that the bytes begin with: `\ud8..` to `\udb..`, or `\udc..` to `\udf..`.
fn half(bytes: &[u8]) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', third, fourth, fifth, ..] = bytes else { return None };
    if !(fourth.is_ascii_hexdigit() && fifth.is_ascii_hexdigit()) {
        return None;
    }
    match third {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::First),
        b'c'..=b'f' | b'C'..=b'F' => Some(Half::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::first_half_alone(r#""cut \ud83d""#, r#""cut \ufffd""#)]
    #[case::second_half_alone(r#""\uDC00x""#, r#""\ufffdx""#)]
    #[case::pair(r#""\ud83d\ude00""#, r#""\ud83d\ude00""#)]
    #[case::first_half_before_a_pair(r#""\ud83d\uD83D\uDE00""#, r#""\ufffd\uD83D\uDE00""#)]
    #[case::halves_in_the_wrong_order(r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#)]
    #[case::second_half_behind_text(r#""\ud83d \ude00""#, r#""\ufffd \ufffd""#)]
    #[case::no_escape(r#""\\ud83d""#, r#""\\ud83d""#)]
    #[case::escape_behind_a_backslash(r#""\\\ud83d""#, r#""\\\ufffd""#)]
    #[case::other_character(r#""\ud7ff\u0041""#, r#""\ud7ff\u0041""#)]
    #[case::no_hexadecimal_digits(r#""\ud8x0""#, r#""\ud8x0""#)]
    #[case::cut_short("\"\\ud83", "\"\\ud83")]
    #[case::backslash_at_the_end("\"\\", "\"\\")]
    fn half_a_pair_is_replaced(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(mended(json), expected);
        assert_eq!(needs_mending(json), json != expected);
    }

    proptest! {
        #[test]
        fn what_is_mended_is_text_as_a_lenient_reader_sees_it(
            parts in prop::collection::vec(prop::sample::select(vec![
                r"\ud83d", r"\udbff", r"\ude00", r"\uDC00", r"\u00e9", r"\\", r"\n", "x", "ud83d", "é",
            ]), 0..12),
        ) {
            let json = format!("\"{}\"", parts.concat());
            // What the escapes stand for, in UTF-16.
            let mut units = Vec::new();
            for part in &parts {
                match part.strip_prefix(r"\u") {
                    Some(hex) => units.push(u16::from_str_radix(hex, 16).unwrap()),
                    None => units.extend(part.replace(r"\\", "\\").replace(r"\n", "\n").encode_utf16()),
                }
            }
            let read: String = serde_json::from_str(&mended(&json)).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
            prop_assert_eq!(mended(&json).len(), json.len());
        }
    }
}
