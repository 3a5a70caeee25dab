//! Filters on events, in addition to time.

use std::str::FromStr;

/// An allow-list of event names; an empty one allows all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventNames(Vec<String>);

/// A name in the allow-list is empty.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("events must be event names as Mixpanel shows them; number {0} of the list is empty")]
pub struct EventNamesError(pub(crate) usize);

impl EventNames {
    /// Takes names as shown in Mixpanel, not as cleaned by the lake.
    pub fn new(names: Vec<String>) -> Result<Self, EventNamesError> {
        match names.iter().position(|name| name.trim().is_empty()) {
            Some(index) => Err(EventNamesError(index + 1)),
            None => Ok(Self(names)),
        }
    }

    /// The names; empty means all events.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The names as a JSON array; `None` if all events are wanted.
    pub(crate) fn to_json(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| serde_json::json!(self.0).to_string())
    }
}

/// A segmentation expression of the user. Mixpanel checks its meaning. This type only ensures that it
/// cannot leave its parentheses when it is combined with the bounds of the slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhereExpression(String);

/// The expression cannot be combined with the bounds of a slice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WhereExpressionError {
    /// Nothing but white space.
    #[error(
        "where is empty; leave it out, or give an expression such as properties[\"plan\"] == \"paid\""
    )]
    Empty,
    /// A parenthesis or bracket too many or too few.
    #[error("where has unbalanced parentheses or brackets: {0:?}")]
    Unbalanced(String),
    /// A string without an end.
    #[error("where has an unterminated string: {0:?}")]
    OpenString(String),
}

impl WhereExpression {
    /// The expression as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WhereExpression {
    type Err = WhereExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err(WhereExpressionError::Empty);
        }
        let mut nesting = Nesting::default();
        if !text.chars().all(|c| nesting.take(c)) {
            return Err(WhereExpressionError::Unbalanced(text.to_owned()));
        }
        match (nesting.quote, nesting.open.is_empty()) {
            (Some(_), _) => Err(WhereExpressionError::OpenString(text.to_owned())),
            (None, false) => Err(WhereExpressionError::Unbalanced(text.to_owned())),
            (None, true) => Ok(Self(text.to_owned())),
        }
    }
}

/// Tracks open strings and parentheses while an expression is read.
#[derive(Default)]
struct Nesting {
    /// The closing characters that are still expected.
    open: Vec<char>,
    quote: Option<char>,
    escaped: bool,
}

impl Nesting {
    /// Whether the character is allowed here.
    fn take(&mut self, c: char) -> bool {
        if let Some(quote) = self.quote {
            if c == quote && !self.escaped {
                self.quote = None;
            }
            self.escaped = c == '\\' && !self.escaped;
            return true;
        }
        match c {
            '"' | '\'' => self.quote = Some(c),
            '(' => self.open.push(')'),
            '[' => self.open.push(']'),
            ')' | ']' => return self.open.pop() == Some(c),
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain(r#"properties["plan"] == "paid""#)]
    #[case::grouped(r#"(properties["a"] == 1 or (properties["b"] == 2))"#)]
    #[case::parenthesis_in_a_string(r#"properties["a"] == "x) or (y""#)]
    #[case::escaped_quote(r#"properties["a"] == "\") or (\"""#)]
    #[case::single_quotes(r#"properties['a'] == 'it"s )'"#)]
    fn an_expression_that_closes_what_it_opens_is_taken(#[case] text: &str) {
        assert_eq!(text.parse::<WhereExpression>().unwrap().as_str(), text);
    }

    #[rstest]
    #[case::blank("  ")]
    #[case::breaks_out(r#"properties["a"] == 1) or (properties["b"] == 2"#)]
    #[case::open(r#"(properties["a"] == 1"#)]
    #[case::crossed(r#"(properties["a"[)])"#)]
    #[case::open_string(r#"properties["a"] == "x"#)]
    fn an_expression_that_would_leave_its_parentheses_is_refused(#[case] text: &str) {
        assert!(text.parse::<WhereExpression>().is_err());
    }

    #[test]
    fn an_empty_name_is_refused_by_its_place() {
        let error = EventNames::new(vec!["a".into(), " ".into()]).unwrap_err();
        assert!(error.to_string().contains("number 2"), "{error}");
    }
}
