//! One JSON value of an event: which type it is for a column, and its value as exactly that type.

use std::borrow::Cow;

/// A value as it goes into a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text; also arrays, objects and numbers that do not fit a number column, as JSON text.
    Text(Cow<'a, str>),
    /// A number that is exactly what the source says, or the double nearest to its decimals.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// Absent.
    Null,
}

impl<'a> Value<'a> {
    /// Reads the text of a JSON value that is known to be well-formed but for its escapes.
    pub(crate) fn from_json(json: &'a str) -> serde_json::Result<Self> {
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
pub(crate) fn text(json: &str) -> serde_json::Result<Cow<'_, str>> {
    let inner = &json[1..json.len() - 1];
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).map(Cow::Owned)
}

/// The largest magnitude of an integer that is a number: 2^53. Up to it, a double holds every integer.
/// Beyond it, a double holds some integers and not others; all of them are text, so that the values of an
/// id are in one column, whatever their last digits are.
const LARGEST_INTEGER: u64 = 1 << 53;

/// The double that stands for a JSON number. None for an integer beyond [`LARGEST_INTEGER`] and for a
/// number beyond the range of a double: these are text.
pub(crate) fn number(json: &str) -> Option<f64> {
    let value: f64 = json.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    if is_large_integer(json) {
        return None;
    }
    // Too small to be told from zero.
    let mantissa = json.split(['e', 'E']).next().unwrap_or(json);
    if value == 0.0 && mantissa.contains(|c: char| ('1'..='9').contains(&c)) {
        return None;
    }
    Some(value)
}

/// Whether the number is written as an integer (without a fraction and an exponent) that is too large.
fn is_large_integer(json: &str) -> bool {
    // An integer of 15 digits is never too large.
    json.len() > 15
        && !json.contains(['.', 'e', 'E'])
        && json.trim_start_matches('-').parse().map_or(true, |n: u64| n > LARGEST_INTEGER)
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
    #[case::the_least_exact("-9007199254740992", Some(-9_007_199_254_740_992.0))]
    #[case::the_first_lost("9007199254740993", None)]
    #[case::the_first_lost_below_zero("-9007199254740993", None)]
    #[case::large_and_a_double("18014398509481984", None)]
    #[case::beyond_64_bits("36893488147419103232", None)]
    #[case::large_decimal("3928097563762691601.0", Some(3_928_097_563_762_691_601.0))]
    #[case::large_with_exponent("1e17", Some(1e17))]
    #[case::too_large("1e400", None)]
    #[case::too_small("1e-400", None)]
    #[case::zero("0e-400", Some(0.0))]
    fn a_number_is_exact_or_left_as_text(#[case] json: &str, #[case] expected: Option<f64>) {
        assert_eq!(number(json), expected);
    }

    #[test]
    fn four_hundred_digits_stay_text() {
        let digits = "7".repeat(400);
        assert_eq!(Value::from_json(&digits).unwrap(), Value::Text(Cow::Borrowed(&digits)));
    }

    proptest! {
        #[test]
        fn an_integer_is_a_number_by_its_magnitude_and_keeps_its_digits(
            n in prop_oneof![any::<i64>(), -9_007_199_254_741_000_i64..=9_007_199_254_741_000],
        ) {
            let json = n.to_string();
            let value = number(&json);
            prop_assert_eq!(value.is_some(), n.unsigned_abs() <= 1 << 53);
            if let Some(value) = value {
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
