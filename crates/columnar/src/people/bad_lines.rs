//! Finds the words of a line that is no event. Such a line may not be JSON, so every text in quotes and every
//! run of characters between separators is a word.

/// Calls `is_wanted` for each word of a line until it answers true.
pub(crate) fn any_word(line: &[u8], is_wanted: &mut dyn FnMut(&str) -> bool) -> bool {
    let line = String::from_utf8_lossy(line);
    words(&line, is_wanted) || quoted(&line, is_wanted)
}

/// The characters that no identifier has, or that stand around it.
fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '"' | '\'' | ',' | ';' | '{' | '}' | '[' | ']' | '(' | ')')
        || matches!(c, '<' | '>' | '=' | '&' | '|' | '\\' | '\u{fffd}')
}

/// The runs between separators, and the runs between colons within them: `user:u1` and `$device:d1`.
fn words(text: &str, is_wanted: &mut dyn FnMut(&str) -> bool) -> bool {
    text.split(separates).filter(|word| !word.is_empty()).any(|word| {
        let (outer, parts) = (word.trim_matches(':'), word.split(':'));
        is_wanted(outer) || parts.filter(|part| *part != outer).any(&mut *is_wanted)
    })
}

/// The texts in quotes, without their escapes.
fn quoted(text: &str, is_wanted: &mut dyn FnMut(&str) -> bool) -> bool {
    let bytes = text.as_bytes();
    let (mut start, mut at) = (None, 0);
    while at < bytes.len() {
        match (bytes[at], start) {
            (b'\\', Some(_)) => at += 1,
            (b'"', None) => start = Some(at),
            (b'"', Some(from)) => {
                if text_is_wanted(&text[from..=at], is_wanted) {
                    return true;
                }
                // Of a line that was cut within a text, this quote may begin the next one.
                start = Some(at);
            }
            _ => {}
        }
        at += 1;
    }
    false
}

fn text_is_wanted(json: &str, is_wanted: &mut dyn FnMut(&str) -> bool) -> bool {
    let Ok(text) = serde_json::from_str::<String>(json) else { return false };
    is_wanted(&text) || json.contains('\\') && words(&text, is_wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::json(r#"{"event":1,"properties":{"distinct_id":"an n"}}"#)]
    #[case::cut(r#"n n","distinct_id":"an n","tim"#)]
    #[case::escaped(r#"{"distinct_id":"an\u0020n""#)]
    fn a_text_in_quotes_is_a_word(#[case] line: &str) {
        assert!(any_word(line.as_bytes(), &mut |word| word == "an n"), "{line}");
    }

    #[rstest]
    #[case::number(r#"{"distinct_id":4711,"#)]
    #[case::csv("signup,4711,2026-11-10")]
    #[case::query("id=4711&x=1")]
    #[case::nested(r#"{"a":"{\"distinct_id\":4711}"}"#)]
    #[case::device(r#"["$device:4711"]"#)]
    fn a_run_between_separators_is_a_word(#[case] line: &str) {
        assert!(any_word(line.as_bytes(), &mut |word| word == "4711"), "{line}");
        assert!(!any_word(line.as_bytes(), &mut |word| word == "471"), "{line}");
    }

    #[test]
    fn bytes_that_are_no_text_end_a_word() {
        assert!(any_word(b"\xff4711\xfe", &mut |word| word == "4711"));
    }
}
