//! An event as positions in its line, so that reading it makes no copies.

use crate::reading::bad_line::BadLine;
use crate::reading::keys::KeyId;
use crate::reading::value::Value;
use crate::rows::part::Part;
use mixlake_domain::{Timestamp, Zone};
use mixlake_schema::ValueType;
use std::borrow::Cow;

/// An event, not yet placed in a table. The same one is filled by line after line.
#[derive(Debug, Default)]
pub(crate) struct Event {
    /// The number of its name.
    pub number: usize,
    /// The JSON text of its time; empty if it has none.
    pub time: Span,
    pub distinct_id: Option<Text>,
    /// None if it is missing, null or empty.
    pub insert_id: Option<Text>,
    /// `mp_processing_time_ms`, where it is a number.
    pub processing_ms: Option<f64>,
    /// Without `time`, `distinct_id` and nulls.
    pub properties: Vec<Property>,
    /// Texts that stand in the line with escapes.
    unescaped: String,
}

/// A property of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub key: KeyId,
    /// Its value's JSON text.
    pub json: Span,
    pub value: Packed,
}

/// A part of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// A text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// As it stands in the line.
    Line(Span),
    /// Among the texts that had escapes.
    Unescaped(Span),
}

/// A value as it goes into a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    Number(f64),
    /// Text; also arrays, objects and numbers that do not fit a number column, as JSON text.
    Text(Text),
}

/// A scalar as two numbers, which stay in registers. Variants with fields of several sizes are put
/// together in memory, field by field, and a processor that reads them back as a whole has to wait until
/// all that it wrote before has arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    kind: Kind,
    bits: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Null,
    Boolean,
    Number,
    Line,
    Unescaped,
}

impl Packed {
    pub(crate) const NULL: Self = Self { kind: Kind::Null, bits: 0 };

    #[inline]
    pub(crate) fn boolean(boolean: bool) -> Self {
        Self { kind: Kind::Boolean, bits: boolean.into() }
    }

    #[inline]
    pub(crate) fn number(number: f64) -> Self {
        Self { kind: Kind::Number, bits: number.to_bits() }
    }

    #[inline]
    pub(crate) fn text(text: Text) -> Self {
        let (kind, Span { start, end }) = match text {
            Text::Line(span) => (Kind::Line, span),
            Text::Unescaped(span) => (Kind::Unescaped, span),
        };
        Self { kind, bits: u64::from(end) << 32 | u64::from(start) }
    }

    /// The type of column that takes it; none for null.
    #[inline]
    pub(crate) fn value_type(self) -> Option<ValueType> {
        // Looked up: of a choice the processor would have to guess the outcome.
        const TYPES: [Option<ValueType>; 5] = {
            let mut types = [None; 5];
            types[Kind::Boolean as usize] = Some(ValueType::Boolean);
            types[Kind::Number as usize] = Some(ValueType::Number);
            types[Kind::Line as usize] = Some(ValueType::String);
            types[Kind::Unescaped as usize] = Some(ValueType::String);
            types
        };
        TYPES[self.kind as usize]
    }

    pub(crate) fn scalar(self) -> Scalar {
        match self.value_type() {
            None => Scalar::Null,
            Some(ValueType::Boolean) => Scalar::Boolean(self.as_boolean()),
            Some(ValueType::Number) => Scalar::Number(self.as_number()),
            Some(ValueType::String) => Scalar::Text(self.as_text()),
        }
    }

    /// The value, if it is a boolean.
    #[inline]
    pub(crate) fn as_boolean(self) -> bool {
        self.bits != 0
    }

    /// The value, if it is a number.
    #[inline]
    pub(crate) fn as_number(self) -> f64 {
        f64::from_bits(self.bits)
    }

    /// The value, if it is a text.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    pub(crate) fn as_text(self) -> Text {
        let span = Span { start: self.bits as u32, end: (self.bits >> 32) as u32 };
        if self.kind == Kind::Unescaped { Text::Unescaped(span) } else { Text::Line(span) }
    }
}

impl Span {
    /// Lines are bounded far below 4 GiB.
    #[expect(clippy::cast_possible_truncation, reason = "the bound of a line is checked")]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The position of a part of a line.
    pub(crate) fn of(part: &str, line: &str) -> Self {
        let start = part.as_ptr().addr() - line.as_ptr().addr();
        Self::new(start, start + part.len())
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(crate) fn get(self, line: &str) -> &str {
        &line[self.start as usize..self.end as usize]
    }
}

impl Event {
    /// Forgets the last event.
    pub(crate) fn clear(&mut self, number: usize) {
        self.number = number;
        self.time = Span::default();
        self.distinct_id = None;
        self.insert_id = None;
        self.processing_ms = None;
        self.properties.clear();
        self.unescaped.clear();
    }

    /// Keeps a text that is no part of the line.
    pub(crate) fn unescaped(&mut self, text: &str) -> Text {
        let start = self.unescaped.len();
        self.unescaped.push_str(text);
        Text::Unescaped(Span::new(start, self.unescaped.len()))
    }

    /// Keeps a value.
    pub(crate) fn packed(&mut self, value: &Value<'_>, line: &str) -> Packed {
        match value {
            Value::Null => Packed::NULL,
            Value::Boolean(boolean) => Packed::boolean(*boolean),
            Value::Number(number) => Packed::number(*number),
            Value::Text(Cow::Borrowed(text)) => Packed::text(Text::Line(Span::of(text, line))),
            Value::Text(Cow::Owned(text)) => Packed::text(self.unescaped(text)),
        }
    }

    /// A text of this event.
    #[inline]
    pub(crate) fn text<'a>(&'a self, text: Text, line: &'a str) -> &'a str {
        match text {
            Text::Line(span) => span.get(line),
            Text::Unescaped(span) => span.get(&self.unescaped),
        }
    }

    /// A text of this event, and the bytes that it is a part of.
    #[inline]
    pub(crate) fn part<'a>(&'a self, text: Text, line: &'a str) -> Part<'a> {
        let (Text::Line(Span { start, end }) | Text::Unescaped(Span { start, end })) = text;
        let all = if matches!(text, Text::Line(_)) { line } else { &self.unescaped };
        Part::new(all.as_bytes(), start as usize, end as usize)
    }

    /// Adds a property, or puts it in the place that is made for it.
    #[inline]
    pub(crate) fn add(&mut self, key: KeyId, json: Span, value: Packed, line: &str) {
        if key.is_known() && self.takes(key, json, value, line) {
            return;
        }
        if value.kind != Kind::Null {
            self.properties.push(Property { key, json, value });
        }
    }

    /// Adds a property that becomes a column, whatever it is called.
    pub(crate) fn add_column(&mut self, key: KeyId, json: Span, value: Packed) {
        self.properties.push(Property { key, json, value });
    }

    /// Looks at a property that has a meaning. Answers whether it is no column of its own.
    #[inline(never)]
    fn takes(&mut self, key: KeyId, json: Span, value: Packed, line: &str) -> bool {
        let value = value.scalar();
        match key {
            KeyId::TIME => self.time = json,
            KeyId::DISTINCT_ID => self.distinct_id = as_text(json, value),
            KeyId::INSERT_ID => {
                let id = as_text(json, value);
                self.insert_id = id.filter(|&id| !self.text(id, line).is_empty());
            }
            KeyId::PROCESSING => {
                self.processing_ms = match value {
                    Scalar::Number(number) => Some(number),
                    Scalar::Null | Scalar::Boolean(_) | Scalar::Text(_) => None,
                };
            }
            _ => {}
        }
        matches!(key, KeyId::TIME | KeyId::DISTINCT_ID)
    }
}

/// An identifier is text, even where the event carries a number.
fn as_text(json: Span, value: Scalar) -> Option<Text> {
    match value {
        Scalar::Text(text) => Some(text),
        Scalar::Number(_) | Scalar::Boolean(_) => Some(Text::Line(json)),
        Scalar::Null => None,
    }
}

/// The instant that the JSON text of a time means. With a zone, the text is the wall clock of that
/// zone written as if it were UTC.
pub(crate) fn instant(json: &str, wall_clock: Option<&Zone>) -> Result<Timestamp, BadLine> {
    let written = Timestamp::from_millisecond(milliseconds(json)?)
        .map_err(|_| BadLine::BadTime(json.chars().take(64).collect()))?;
    Ok(match wall_clock {
        None => written,
        Some(zone) => zone.instant_of(Zone::UTC.local(written)),
    })
}

/// The JSON numbers of this size and above are not seconds but milliseconds: as seconds it would be the
/// year 5138, as milliseconds it was in 1973.
const MILLISECONDS: u64 = 100_000_000_000;
/// The JSON numbers of this size and above are microseconds, for the same reason.
const MICROSECONDS: u64 = 1_000 * MILLISECONDS;
/// The year 10000, in milliseconds.
const LAST: u64 = 253_402_300_800_000;

/// Milliseconds since 1970 from the JSON text of a time in seconds, fractional seconds, milliseconds or
/// microseconds. What is finer than a millisecond is cut, so that no event moves into the next second
/// or day.
fn milliseconds(json: &str) -> Result<i64, BadLine> {
    let bad = || BadLine::BadTime(json.chars().take(64).collect());
    let (seconds, fraction) = json.split_once('.').unwrap_or((json, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let Some(whole) = seconds.parse::<u64>().ok().filter(|_| digits(fraction)) else {
        return exponential(json).ok_or_else(bad);
    };
    let time = if whole >= MICROSECONDS {
        whole / 1_000
    } else if whole >= MILLISECONDS {
        whole
    } else {
        let thousandths = fraction.bytes().chain(*b"000").take(3);
        thousandths.fold(whole, |time, digit| time * 10 + u64::from(digit - b'0'))
    };
    if time < LAST { Ok(time.cast_signed()) } else { Err(bad()) }
}

/// A time such as 1.6e9, which no exporter writes but JSON allows.
#[expect(clippy::cast_precision_loss, reason = "a double holds these integers")]
fn exponential(json: &str) -> Option<i64> {
    let starts_like_a_number = json.starts_with(|c: char| c.is_ascii_digit());
    let number: f64 = starts_like_a_number.then(|| json.parse().ok())??;
    let time = if number >= MICROSECONDS as f64 {
        number / 1_000.0
    } else if number >= MILLISECONDS as f64 {
        number
    } else {
        number * 1_000.0
    };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..LAST as f64).contains(&time).then(|| time.floor() as i64)
}

/// Milliseconds since 1970 from the JSON text of a time, if it is a number that an event may have as its
/// time.
#[must_use]
pub fn time_milliseconds(json: &str) -> Option<i64> {
    milliseconds(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::seconds("1602611311", Some(1_602_611_311_000))]
    #[case::fraction("1704784217.602", Some(1_704_784_217_602))]
    #[case::milliseconds("1762912803123", Some(1_762_912_803_123))]
    #[case::finer_than_milliseconds("1794268799.9996", Some(1_794_268_799_999))]
    #[case::one_decimal("1794268799.5", Some(1_794_268_799_500))]
    #[case::microseconds("1709600000123456", Some(1_709_600_000_123))]
    #[case::finer_than_microseconds("1709600000123999.9", Some(1_709_600_000_123))]
    #[case::microseconds_with_exponent("1.6e15", Some(1_600_000_000_000))]
    #[case::last_milliseconds("99999999999999", Some(99_999_999_999_999))]
    #[case::first_microseconds("100000000000000", Some(100_000_000_000))]
    #[case::nanoseconds("1709600000123456789", None)]
    #[case::huge("99999999999999999999999", None)]
    #[case::exponent("1.6e9", Some(1_600_000_000_000))]
    #[case::negative("-1", None)]
    #[case::negative_fraction("-0.5", None)]
    #[case::negative_beyond_milliseconds("-9223372036854775807", None)]
    #[case::text(r#""yesterday""#, None)]
    #[case::null("null", None)]
    #[case::far_future("1e18", None)]
    fn time_is_read_in_each_of_its_units(#[case] json: &str, #[case] expected: Option<i64>) {
        assert_eq!(milliseconds(json).ok(), expected);
    }
}
