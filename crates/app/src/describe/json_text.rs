//! Tells from the bounds of a text column whether all of its values are JSON text.
//!
//! Lists and objects are stored as text, and the registry does not say which columns have them. But if
//! the least and the greatest text both begin with `{`, so do all others.

use mixlake_columnar::TextBounds;
use serde::de::IgnoredAny;

/// The JSON text of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonText {
    /// Objects, with a key of one of them. None: no key is known.
    Object(Option<String>),
    /// Lists.
    List,
}

impl JsonText {
    /// The JSON text of a column with these bounds; none if some of its values are other text.
    pub(super) fn of(bounds: &TextBounds) -> Option<Self> {
        let TextBounds { min, min_is_exact, max } = bounds;
        let begin = min.chars().next()?;
        if !max.starts_with(begin) || (*min_is_exact && !is_json(min)) {
            return None;
        }
        let rest = min[begin.len_utf8()..].trim_start();
        match begin {
            '{' if rest.starts_with(['"', '}']) => Some(Self::Object(first_key(rest))),
            '[' if *min_is_exact || begins_json(rest) => Some(Self::List),
            _ => None,
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether a list can go on like this: `[test] my text` cannot.
fn begins_json(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit() || "\"{[]-".contains(c))
        || ["true", "false", "null"].iter().any(|word| rest.starts_with(word))
}

/// The key that an object begins with, if the text has all of it.
fn first_key(rest: &str) -> Option<String> {
    serde_json::Deserializer::from_str(rest).into_iter::<String>().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn key(key: &str) -> JsonText {
        JsonText::Object(Some(key.to_owned()))
    }

    #[rstest]
    #[case::object(r#"{"a":1}"#, true, r#"{"b":2}"#, Some(key("a")))]
    #[case::spaces(r#"{ "a b" : 1}"#, true, r#"{"b":2}"#, Some(key("a b")))]
    #[case::escapes(r#"{"it\"s\u00e9":1}"#, true, r#"{"b":2}"#, Some(key("it\"sé")))]
    #[case::cut_in_a_value(r#"{"a":"xxx"#, false, r#"{"b"#, Some(key("a")))]
    #[case::cut_in_a_key(r#"{"aaaa"#, false, r#"{"b"#, Some(JsonText::Object(None)))]
    #[case::empty_objects("{}", true, "{}", Some(JsonText::Object(None)))]
    #[case::list("[1]", true, r#"["x"]"#, Some(JsonText::List))]
    #[case::cut_list(r#"["aaaa"#, false, "[nullb", Some(JsonText::List))]
    #[case::list_and_object("[1]", true, r#"{"a":1}"#, None)]
    #[case::text_and_list("12,50", true, "[1]", None)]
    #[case::text_in_brackets("[App] Opened", true, "[Web] Opened", None)]
    #[case::long_text_in_brackets("[App] Opened for the first time", false, "[Web]", None)]
    #[case::text_in_braces("{name}", true, "{name}", None)]
    #[case::empty_text("", true, "{}", None)]
    fn json_text_is_known_by_its_bounds(
        #[case] min: &str,
        #[case] min_is_exact: bool,
        #[case] max: &str,
        #[case] expected: Option<JsonText>,
    ) {
        let bounds = TextBounds { min: min.to_owned(), min_is_exact, max: max.to_owned() };
        assert_eq!(JsonText::of(&bounds), expected);
    }
}
