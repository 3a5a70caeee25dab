//! The names of slices.

use super::{Basis, Minutes, SliceKind};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a slice within its project, as used in object names and manifests.
///
/// | label | slice |
/// |---|---|
/// | `2026-11-10` | a day |
/// | `2026-11-10T13` | an hour |
/// | `2026-10-25T02b` | the second pass over an hour, when clocks are set back |
/// | `2026-11-10T13_15to30` | a quarter of an hour, from minute 15 on |
/// | `2026-11-10T13_15to20` | five minutes |
/// | `i2026-11-10T13` | an hour of ingestion |
///
/// S3 and Hive encode none of its characters. Labels of a kind of time sort as their slices: a slice comes
/// before the shorter ones in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SliceLabel {
    date: Date,
    kind: SliceKind,
    basis: Basis,
}

/// The text is not a slice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SliceError {
    /// Not a label.
    #[error(
        "not a date (2026-11-10), an hour (2026-11-10T13) or minutes (2026-11-10T13_15to30): {0:?}"
    )]
    Malformed(String),
    /// The time is skipped on that day.
    #[error("{0:?} does not occur in {1}: the clocks are set forward at that hour")]
    Skipped(String, String),
    /// The second pass over a time that is not repeated on that day.
    #[error("{0:?} does not occur in {1}: the clocks are not set back at that hour")]
    NotRepeated(String, String),
}

impl SliceLabel {
    pub(super) fn new(date: Date, kind: SliceKind, basis: Basis) -> Self {
        Self { date, kind, basis }
    }

    /// The label of a whole day.
    #[must_use]
    pub fn day(date: Date, basis: Basis) -> Self {
        Self { date, kind: SliceKind::Day, basis }
    }

    /// The local date of the slice.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
    }

    /// Day, hour or minutes.
    #[must_use]
    pub fn kind(&self) -> SliceKind {
        self.kind
    }

    /// Whether the slice is a whole day.
    #[must_use]
    pub fn is_day(&self) -> bool {
        self.kind == SliceKind::Day
    }

    /// Which time of its events is in the slice.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// Whether two slices of a project overlap in time: then one of them covers the other.
    /// Slices of ingestion do not overlap with those of event time: the start of ingestion separates
    /// their events.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Whether all of the other slice lies in this one: it is the same slice, or an hour of this day, or
    /// minutes of this day, hour or quarter.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.date == other.date && self.basis == other.basis && self.kind.covers(other.kind)
    }
}

impl fmt::Display for SliceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.basis {
            Basis::EventTime => "",
            Basis::Ingestion => "i",
        })?;
        write!(f, "{}", self.date)?;
        let second_pass = if self.kind.is_second_pass() { "b" } else { "" };
        match self.kind {
            SliceKind::Day => Ok(()),
            SliceKind::Hour { hour, .. } => write!(f, "T{hour:02}{second_pass}"),
            SliceKind::Minutes { hour, from, length, .. } => {
                write!(f, "T{hour:02}{second_pass}_{from:02}to{:02}", from + length.count())
            }
        }
    }
}

impl From<SliceLabel> for String {
    fn from(label: SliceLabel) -> Self {
        label.to_string()
    }
}

impl TryFrom<String> for SliceLabel {
    type Error = SliceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse(&text).ok_or(SliceError::Malformed(text))
    }
}

fn parse(text: &str) -> Option<SliceLabel> {
    let (basis, rest) = match text.strip_prefix('i') {
        Some(rest) => (Basis::Ingestion, rest),
        None => (Basis::EventTime, text),
    };
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    let date = (date.len() == 10).then(|| date.parse().ok()).flatten()?;
    let kind = time.map_or(Some(SliceKind::Day), parse_time)?;
    Some(SliceLabel { date, kind, basis })
}

/// What follows the `T`.
fn parse_time(text: &str) -> Option<SliceKind> {
    let (hour, minutes) =
        text.split_once('_').map_or((text, None), |(hour, minutes)| (hour, Some(minutes)));
    let (digits, again) = hour.strip_suffix('b').map_or((hour, false), |digits| (digits, true));
    let hour = two_digits(digits).filter(|hour| *hour < 24)?;
    let Some(minutes) = minutes else { return Some(SliceKind::Hour { hour, again }) };
    let (from, to) = minutes.split_once("to")?;
    let (from, to) = (two_digits(from)?, two_digits(to)?);
    let length = Minutes::ALL.into_iter().find(|length| from + length.count() == to)?;
    let is_one = from % length.count() == 0 && to <= 60;
    is_one.then_some(SliceKind::Minutes { hour, again, from, length })
}

fn two_digits(text: &str) -> Option<i8> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn label(text: &str) -> SliceLabel {
        SliceLabel::try_from(text.to_owned()).unwrap()
    }

    #[rstest]
    #[case::word("yesterday")]
    #[case::minute("2026-11-10T13:00")]
    #[case::no_such_hour("2026-11-10T24")]
    #[case::no_such_day("2026-02-30")]
    #[case::compact("20261110")]
    #[case::one_digit("2026-11-10T1")]
    #[case::sign("2026-11-10T+1")]
    #[case::no_minutes("2026-11-10T13_")]
    #[case::one_minute("2026-11-10T13_15")]
    #[case::other_length("2026-11-10T13_10to20")]
    #[case::backwards("2026-11-10T13_30to15")]
    #[case::between_two_quarters("2026-11-10T13_05to20")]
    #[case::between_two_fives("2026-11-10T13_03to08")]
    #[case::after_the_hour("2026-11-10T13_60to75")]
    #[case::minutes_without_an_hour("2026-11-10T_00to15")]
    fn what_is_no_label_is_refused(#[case] text: &str) {
        let error = SliceLabel::try_from(text.to_owned()).unwrap_err();
        assert_eq!(error, SliceError::Malformed(text.to_owned()));
    }

    #[rstest]
    #[case::hour_of_a_day("2026-11-10", "2026-11-10T05")]
    #[case::minutes_of_a_day("2026-11-10", "2026-11-10T05_10to15")]
    #[case::quarter_of_an_hour("2026-11-10T05", "2026-11-10T05_15to30")]
    #[case::five_minutes_of_an_hour("2026-11-10T05b", "2026-11-10T05b_55to60")]
    #[case::five_minutes_of_a_quarter("2026-11-10T05_15to30", "2026-11-10T05_25to30")]
    #[case::ingestion("i2026-11-10", "i2026-11-10T05")]
    fn a_longer_slice_covers_the_shorter_ones_in_it(#[case] longer: &str, #[case] shorter: &str) {
        let (longer, shorter) = (label(longer), label(shorter));
        assert!(longer.covers(&shorter) && !shorter.covers(&longer));
        assert!(longer.overlaps(&shorter) && shorter.overlaps(&longer));
        assert!(longer < shorter);
    }

    #[rstest]
    #[case::other_hour("2026-11-10T05", "2026-11-10T06")]
    #[case::other_date("2026-11-10", "2026-11-11")]
    #[case::of_another_time("2026-11-10", "i2026-11-10")]
    #[case::other_quarter("2026-11-10T05_00to15", "2026-11-10T05_15to30")]
    #[case::minutes_of_another_hour("2026-11-10T06", "2026-11-10T05_15to30")]
    #[case::minutes_of_the_second_pass("2026-11-10T05", "2026-11-10T05b_15to30")]
    #[case::minutes_of_another_quarter("2026-11-10T05_00to15", "2026-11-10T05_15to20")]
    #[case::minutes_of_a_quarter_of_another_hour("2026-11-10T05_15to30", "2026-11-10T06_15to20")]
    fn other_slices_do_not_overlap(#[case] one: &str, #[case] other: &str) {
        let (one, other) = (label(one), label(other));
        assert!(!one.overlaps(&other) && !other.overlaps(&one));
    }

    #[test]
    fn texts_sort_as_their_slices() {
        let texts = [
            "2026-11-10",
            "2026-11-10T02",
            "2026-11-10T02_00to05",
            "2026-11-10T02_05to10",
            "2026-11-10T02_55to60",
            "2026-11-10T02b",
            "2026-11-10T02b_00to15",
            "2026-11-10T03",
        ];
        assert!(texts.is_sorted());
        assert!(texts.map(label).is_sorted());
    }
}
