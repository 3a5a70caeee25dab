//! Small words: numbers, dates, names of others.

use mixlake_folder::{DateRange, Dates};
use std::borrow::Cow;

/// A text that no terminal obeys: control characters but line ends are escaped.
pub fn clean(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && c != '\n';
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    Cow::Owned(clean)
}

/// `1,234,567`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `1,234 rows`.
pub fn some(count: u64, what: &str) -> String {
    format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" })
}

/// Dates that follow one another are told as ranges, a few of them.
pub fn dates(dates: &Dates) -> String {
    const MOST: usize = 10;
    let range = |DateRange { from, to, .. }: &DateRange| {
        if from == to { from.to_string() } else { format!("{from} to {to}") }
    };
    let ranges = dates.ranges(MOST);
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// An argument as a shell takes it.
pub fn shell(argument: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return Cow::Borrowed(argument);
    }
    Cow::Owned(format!("'{}'", argument.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("Größe\n", "Größe\n")]
    #[case::escape("a\u{1b}[2Jb", "a\\u{1b}[2Jb")]
    #[case::c1("a\u{9b}b\u{7f}", "a\\u{9b}b\\u{7f}")]
    #[case::tab_and_return("a\tb\r\n", "a\\tb\\r\n")]
    fn what_a_terminal_obeys_is_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(clean(text), expected);
    }

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1_000, "1,000")]
    #[case(12_345_678, "12,345,678")]
    fn numbers_can_be_read(#[case] value: u64, #[case] expected: &str) {
        assert_eq!(number(value), expected);
    }

    #[rstest]
    #[case("./lake", "./lake")]
    #[case("s3://b/p", "s3://b/p")]
    #[case("my lake", "'my lake'")]
    #[case("it's", r"'it'\''s'")]
    #[case("", "''")]
    fn arguments_can_be_pasted(#[case] argument: &str, #[case] expected: &str) {
        assert_eq!(shell(argument), expected);
    }
}
