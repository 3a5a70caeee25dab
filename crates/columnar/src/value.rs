//! One JSON value of an event: which type it is for a column, and its value as exactly that type.

use std::borrow::Cow;

/// A value as it goes into a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text; also arrays, objects and numbers that a double cannot hold, as JSON text.
    Text(Cow<'a, str>),
    /// A number that is exactly what the source says, or the double nearest to its decimals.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// Absent.
    Null,
}

/// The escape sequences of a JSON string are wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadString;

impl<'a> Value<'a> {
    /// Reads the text of a JSON value that is known to be well-formed but for its escapes.
    pub(crate) fn from_json(json: &'a str) -> Result<Self, BadString> {
        match json.as_bytes().first() {
            Some(b'"') => text(json).map(Value::Text),
            Some(b'{' | b'[') => Ok(Value::Text(Cow::Borrowed(json))),
            Some(b't') => Ok(Value::Boolean(true)),
            Some(b'f') => Ok(Value::Boolean(false)),
            Some(b'n') | None => Ok(Value::Null),
            Some(_) => Ok(number(json).map_or(Value::Text(Cow::Borrowed(json)), Value::Number)),
        }
    }
}

/// The text of a JSON string, quotes included.
pub(crate) fn text(json: &str) -> Result<Cow<'_, str>, BadString> {
    let inner = &json[1..json.len() - 1];
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).map(Cow::Owned).map_err(|_| BadString)
}

/// The double that stands for a JSON number; none if it would not be the same number: an integer
/// with digits that a double cannot hold, or a number beyond its range.
pub(crate) fn number(json: &str) -> Option<f64> {
    let value: f64 = json.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let is_integer = !json.contains(['.', 'e', 'E']);
    // Up to 15 digits every integer is a double.
    if is_integer && json.len() > 15 && format!("{value:.0}") != json {
        return None;
    }
    // Too small to be told from zero.
    let mantissa = json.split(['e', 'E']).next().unwrap_or(json);
    if value == 0.0 && mantissa.contains(|c: char| ('1'..='9').contains(&c)) {
        return None;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::integer("42", Some(42.0))]
    #[case::negative("-7", Some(-7.0))]
    #[case::decimal("12.5", Some(12.5))]
    #[case::exponent("1e3", Some(1000.0))]
    #[case::the_last_exact("9007199254740992", Some(9_007_199_254_740_992.0))]
    #[case::the_first_lost("9007199254740993", None)]
    #[case::large_but_exact("18014398509481984", Some(18_014_398_509_481_984.0))]
    #[case::too_large("1e400", None)]
    #[case::too_small("1e-400", None)]
    #[case::zero("0e-400", Some(0.0))]
    fn a_number_is_exact_or_left_as_text(#[case] json: &str, #[case] expected: Option<f64>) {
        assert_eq!(number(json), expected);
    }

    #[test]
    fn four_hundred_digits_stay_text() {
        let digits = "7".repeat(400);
        assert_eq!(Value::from_json(&digits), Ok(Value::Text(Cow::Borrowed(&digits))));
    }

    proptest! {
        #[test]
        fn every_integer_keeps_its_digits(n in any::<i64>()) {
            let json = n.to_string();
            if let Some(value) = number(&json) {
                prop_assert_eq!(format!("{value:.0}"), json);
            }
        }

        #[test]
        fn every_finite_double_reads_back(x in any::<f64>().prop_filter("finite", |x| x.is_finite())) {
            let json = serde_json::to_string(&x).unwrap();
            prop_assert_eq!(number(&json), Some(x));
        }
    }
}
