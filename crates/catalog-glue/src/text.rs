//! Converts text to what Glue accepts.

/// Glue's limit for a comment, in UTF-16 units, as in Java.
const COMMENT: usize = 255;
/// Glue's limit for a description.
const DESCRIPTION: usize = 2048;

/// A comment: one line, cut to the limit.
pub(crate) fn comment(text: &str) -> String {
    fitting(text, COMMENT, |c| c == '\t' || is_printable(c))
}

/// A description: may have several lines.
pub(crate) fn description(text: &str) -> String {
    fitting(text, DESCRIPTION, |c| matches!(c, '\t' | '\r' | '\n') || is_printable(c))
}

/// The characters that the patterns of Glue's API allow.
fn is_printable(c: char) -> bool {
    c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// Replaces characters that are not allowed by a space, and never cuts through a character.
fn fitting(text: &str, limit: usize, allowed: impl Fn(char) -> bool) -> String {
    let mut length = 0;
    text.chars()
        .map(|c| if allowed(c) { c } else { ' ' })
        .take_while(|c| {
            length += c.len_utf16();
            length <= limit
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_one_line() {
        assert_eq!(comment("Plan\r\nName\u{0}\u{FFFF}\t$"), "Plan  Name  \t$");
    }

    #[test]
    fn a_long_comment_is_cut_between_characters() {
        assert_eq!(comment(&"x".repeat(300)), "x".repeat(255));
        // An emoji takes two units: the 128th does not fit in 255.
        assert_eq!(comment(&"😀".repeat(200)), "😀".repeat(127));
        assert_eq!(comment("Größe"), "Größe");
    }

    #[test]
    fn a_description_keeps_its_lines() {
        assert_eq!(description("one\ntwo\u{1}"), "one\ntwo ");
        assert_eq!(description(&"x".repeat(3000)).len(), 2048);
    }
}
