//! Slices: half-open ranges of time that are exported as a whole or not at all.
//!
//! A slice is a local day or a local hour of the project's zone. It never crosses a day, so all slices
//! that overlap it have its date. Its label names objects; two slices of a day never share a label.
//! Most slices are ranges of the time at which events happened. Slices of ingestion are ranges of the
//! time at which Mixpanel processed the events; their labels begin with `i`.

use crate::zone::Zone;
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The length of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SliceKind {
    /// A whole local day.
    Day,
    /// A local hour; `again` marks the second pass over an hour when clocks are set back.
    Hour {
        /// The local hour, 0 to 23.
        hour: i8,
        /// Whether that hour already occurred on the same day.
        again: bool,
    },
}

/// An event this close to an edge of its slice, in seconds, may be in the neighbouring slice too.
const EDGE: i64 = 60;

/// Which time of an event determines its slice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// When it happened.
    #[default]
    EventTime,
    /// When Mixpanel processed it.
    Ingestion,
}

/// A half-open range of time `[start, end)` within one local day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slice {
    date: Date,
    kind: SliceKind,
    basis: Basis,
    start: Timestamp,
    end: Timestamp,
}

/// The text is not a slice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SliceError {
    /// Neither a date nor an hour.
    #[error("not a date (2026-11-10) or an hour (2026-11-10T13): {0:?}")]
    Malformed(String),
    /// The hour is skipped on that day.
    #[error("{0:?} does not occur in {1}: the clocks are set forward at that hour")]
    Skipped(String, String),
}

impl Slice {
    /// A whole local day.
    #[must_use]
    pub fn day(date: Date, zone: &Zone) -> Self {
        let end = date.tomorrow().map_or(Timestamp::MAX, |next| zone.start_of(next));
        let (kind, basis) = (SliceKind::Day, Basis::EventTime);
        Self { date, kind, basis, start: zone.start_of(date), end }
    }

    /// The hours of a local day in order: 23, 24 or 25 of them, without gap or overlap. If the clock
    /// changes within an hour, one slice ends there and another begins.
    #[must_use]
    pub fn hours(date: Date, zone: &Zone) -> Vec<Self> {
        let day = Self::day(date, zone);
        let mut hours: Vec<Self> = Vec::with_capacity(25);
        let mut start = day.start;
        while start < day.end {
            let wall = zone.local(start);
            let seconds_left = 3600 - i64::from(wall.minute()) * 60 - i64::from(wall.second());
            let end = (start + SignedDuration::from_secs(seconds_left)).min(day.end);
            let end = zone.next_change(start).map_or(end, |change| end.min(change));
            let again = hours
                .iter()
                .any(|h| matches!(h.kind, SliceKind::Hour { hour, .. } if hour == wall.hour()));
            let kind = SliceKind::Hour { hour: wall.hour(), again };
            hours.push(Self { date, kind, basis: Basis::EventTime, start, end });
            start = end;
        }
        hours
    }

    /// The same range of the other kind of time.
    #[must_use]
    pub fn by(self, basis: Basis) -> Self {
        Self { basis, ..self }
    }

    /// The hours that ended in the hour before an instant, in order. This is usually one hour, and two
    /// if a clock changed by less than an hour. So a caller that asks every hour gets each hour once.
    #[must_use]
    pub fn hours_ended_by(instant: Timestamp, zone: &Zone) -> Vec<Self> {
        let before = earlier(instant, 1);
        let days = Self::days_from(before, instant, zone);
        let hours = days.into_iter().flat_map(|day| Self::hours(day.date, zone));
        hours.filter(|hour| before < hour.end && hour.end <= instant).collect()
    }

    /// The days that ended since yesterday at the same time, in order. A caller that asks every day at
    /// the same time (of the zone or of UTC) gets every day; a clock change may return a day twice.
    #[must_use]
    pub fn days_ended_by(instant: Timestamp, zone: &Zone) -> Vec<Self> {
        let wall = zone.local(instant);
        let yesterday = wall.checked_sub(Span::new().days(1)).unwrap_or(wall);
        let before = zone.instant_of(yesterday).min(earlier(instant, 24));
        let mut days = Self::days_from(before, instant, zone);
        days.retain(|day| before < day.end && day.end <= instant);
        days
    }

    /// The days that overlap a range of time, and possibly the day before them. A date that a zone
    /// skips is not a day.
    fn days_from(start: Timestamp, end: Timestamp, zone: &Zone) -> Vec<Self> {
        let first = zone.date_of(start);
        let dates = first.yesterday().unwrap_or(first).series(Span::new().days(1));
        let days = dates.take_while(|date| *date <= zone.date_of(end));
        days.map(|date| Self::day(date, zone)).filter(|day| day.start < day.end).collect()
    }

    /// Parses a label: `2026-11-10`, `2026-11-10T13`, or `2026-10-25T02b` for the second 2 o'clock;
    /// `i2026-11-10T13` is an hour of ingestion.
    pub fn parse(text: &str, zone: &Zone) -> Result<Self, SliceError> {
        let label: SliceLabel = text.to_owned().try_into()?;
        Self::of_label(label, zone)
            .ok_or_else(|| SliceError::Skipped(text.to_owned(), zone.to_string()))
    }

    /// The slice of a label in a zone; none for an hour that the zone skips on that day.
    #[must_use]
    pub fn of_label(label: SliceLabel, zone: &Zone) -> Option<Self> {
        let slice = match label.kind {
            SliceKind::Day => Some(Self::day(label.date, zone)),
            SliceKind::Hour { .. } => {
                Self::hours(label.date, zone).into_iter().find(|s| s.kind == label.kind)
            }
        };
        slice.map(|slice| slice.by(label.basis))
    }

    /// The local date of the slice.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
    }

    /// Day or hour.
    #[must_use]
    pub fn kind(&self) -> SliceKind {
        self.kind
    }

    /// Which time of its events is in the slice.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// The first instant inside.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant after.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether an instant lies in the slice.
    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// Whether an instant is so far inside the slice that no other slice has the event, even if the
    /// bounds of the source are slightly wrong.
    #[must_use]
    pub fn is_well_inside(&self, instant: Timestamp) -> bool {
        let seconds = instant.as_second();
        seconds - self.start.as_second() >= EDGE && self.end.as_second() - seconds > EDGE
    }

    /// Whether one of two slices ends where the other begins.
    #[must_use]
    pub fn shares_an_edge_with(&self, other: &Self) -> bool {
        self.end == other.start || other.end == self.start
    }

    /// The label: the date, and the hour for an hour.
    #[must_use]
    pub fn label(&self) -> SliceLabel {
        SliceLabel { date: self.date, kind: self.kind, basis: self.basis }
    }
}

fn earlier(instant: Timestamp, hours: i64) -> Timestamp {
    instant.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN)
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label().fmt(f)
    }
}

/// The name of a slice within its project, as used in object names and manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SliceLabel {
    date: Date,
    kind: SliceKind,
    basis: Basis,
}

impl SliceLabel {
    /// The local date of the slice.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
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

    /// Whether two slices of a project overlap in time: the same slice, or a day and an hour of it.
    /// Slices of ingestion do not overlap with those of event time: the start of ingestion separates
    /// their events.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.date == other.date
            && self.basis == other.basis
            && (self.kind == other.kind
                || self.kind == SliceKind::Day
                || other.kind == SliceKind::Day)
    }

    /// Whether all of the other slice lies in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.overlaps(other) && (self == other || self.is_day())
    }
}

impl fmt::Display for SliceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.basis {
            Basis::EventTime => "",
            Basis::Ingestion => "i",
        })?;
        match self.kind {
            SliceKind::Day => write!(f, "{}", self.date),
            SliceKind::Hour { hour, again } => {
                write!(f, "{}T{hour:02}{}", self.date, if again { "b" } else { "" })
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
        let malformed = || SliceError::Malformed(text.clone());
        let (basis, rest) = match text.strip_prefix('i') {
            Some(rest) => (Basis::Ingestion, rest),
            None => (Basis::EventTime, &*text),
        };
        let (date, hour) = rest.split_once('T').map_or((rest, None), |(d, h)| (d, Some(h)));
        if date.len() != 10 {
            return Err(malformed());
        }
        let date = date.parse().map_err(|_| malformed())?;
        let Some(hour) = hour else { return Ok(Self { date, kind: SliceKind::Day, basis }) };
        let (digits, again) = hour.strip_suffix('b').map_or((hour, false), |h| (h, true));
        match digits.parse() {
            Ok(hour @ 0..24) if digits.len() == 2 => {
                Ok(Self { date, kind: SliceKind::Hour { hour, again }, basis })
            }
            _ => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::plain("UTC", "2026-11-10", 24)]
    #[case::clocks_forward("Europe/Berlin", "2026-03-29", 23)]
    #[case::clocks_back("Europe/Berlin", "2026-10-25", 25)]
    #[case::clocks_back_at_midnight("America/Havana", "2020-11-01", 25)]
    #[case::within_an_hour("Pacific/Chatham", "2026-09-27", 24)]
    #[case::within_an_hour_back("Pacific/Chatham", "2026-04-05", 26)]
    fn a_day_has_the_hours_its_zone_gives_it(
        #[case] name: &str,
        #[case] on: &str,
        #[case] hours: usize,
    ) {
        assert_eq!(Slice::hours(date(on), &zone(name)).len(), hours);
    }

    #[test]
    fn the_second_pass_over_an_hour_has_its_own_label() {
        let berlin = zone("Europe/Berlin");
        let first = Slice::parse("2026-10-25T02", &berlin).unwrap();
        let second = Slice::parse("2026-10-25T02b", &berlin).unwrap();
        assert_eq!(first.end(), second.start());
        assert_eq!(second.to_string(), "2026-10-25T02b");
    }

    #[rstest]
    #[case::word("yesterday")]
    #[case::minute("2026-11-10T13:00")]
    #[case::no_such_hour("2026-11-10T24")]
    #[case::no_such_day("2026-02-30")]
    #[case::compact("20261110")]
    #[case::one_digit("2026-11-10T1")]
    fn what_is_no_label_is_refused(#[case] text: &str) {
        let error = Slice::parse(text, &Zone::UTC).unwrap_err();
        assert_eq!(error, SliceError::Malformed(text.to_owned()));
    }

    #[test]
    fn a_skipped_hour_is_refused_with_its_reason() {
        let error = Slice::parse("2026-03-29T02", &zone("Europe/Berlin")).unwrap_err();
        assert!(error.to_string().contains("does not occur in Europe/Berlin"), "{error}");
    }

    #[rstest]
    #[case::on_time("2026-11-10T14:05:00Z", "UTC", &["2026-11-10T13"])]
    #[case::on_the_hour("2026-11-10T14:00:00Z", "UTC", &["2026-11-10T13"])]
    #[case::past_midnight("2026-11-10T00:05:00Z", "UTC", &["2026-11-09T23"])]
    #[case::half_hour_zone("2026-11-10T14:05:00Z", "Asia/Kolkata", &["2026-11-10T18"])]
    #[case::after_the_gap("2026-03-29T01:10:00Z", "Europe/Berlin", &["2026-03-29T01"])]
    #[case::gap_of_half_an_hour("2026-10-03T16:10:00Z", "Australia/Lord_Howe", &["2026-10-04T01", "2026-10-04T02"])]
    fn the_scheduled_slice_is_the_last_whole_hour(
        #[case] at: &str,
        #[case] name: &str,
        #[case] labels: &[&str],
    ) {
        assert_eq!(all(&Slice::hours_ended_by(at.parse().unwrap(), &zone(name))), labels);
    }

    fn all(slices: &[Slice]) -> Vec<String> {
        slices.iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case::plain("2026-11-10T03:10:00Z", "Europe/Berlin", &["2026-11-09"])]
    #[case::before_midnight("2026-11-10T22:10:00Z", "Europe/Berlin", &["2026-11-09"])]
    #[case::in_the_short_day("2026-03-28T22:30:00Z", "Europe/Berlin", &["2026-03-27"])]
    #[case::after_the_short_day("2026-03-29T22:30:00Z", "Europe/Berlin", &["2026-03-28", "2026-03-29"])]
    fn the_scheduled_days_are_those_that_ended_since_the_last_schedule(
        #[case] at: &str,
        #[case] name: &str,
        #[case] labels: &[&str],
    ) {
        assert_eq!(all(&Slice::days_ended_by(at.parse().unwrap(), &zone(name))), labels);
    }

    #[test]
    fn only_what_is_near_an_edge_or_beyond_may_be_in_the_neighbouring_slice() {
        let hour = Slice::parse("2026-11-10T13", &Zone::UTC).unwrap();
        let inside = |text: &str| hour.is_well_inside(text.parse().unwrap());
        assert!(inside("2026-11-10T13:01:00Z") && inside("2026-11-10T13:58:59Z"));
        assert!(!inside("2026-11-10T13:00:59Z") && !inside("2026-11-10T13:59:00Z"));
        assert!(!inside("2026-11-10T12:30:00Z") && !inside("2026-11-10T14:30:00Z"));
    }

    #[test]
    fn neighbours_share_an_edge_also_over_midnight() {
        let slice = |label: &str| Slice::parse(label, &Zone::UTC).unwrap();
        let day = slice("2026-11-10");
        assert!(day.shares_an_edge_with(&slice("2026-11-11T00")));
        assert!(slice("2026-11-09T23").shares_an_edge_with(&day));
        assert!(!day.shares_an_edge_with(&slice("2026-11-11T01")));
    }

    #[test]
    fn a_day_and_its_hours_overlap_and_other_pairs_do_not() {
        let label = |text: &str| SliceLabel::try_from(text.to_owned()).unwrap();
        assert!(label("2026-11-10").overlaps(&label("2026-11-10T05")));
        assert!(!label("2026-11-10T05").overlaps(&label("2026-11-10T06")));
        assert!(!label("2026-11-10").overlaps(&label("2026-11-11")));
        assert!(label("i2026-11-10").overlaps(&label("i2026-11-10T05")));
        assert!(!label("2026-11-10").overlaps(&label("i2026-11-10")), "of another time");
    }

    proptest! {
        #[test]
        fn the_hours_cover_their_day_once_and_their_labels_differ(
            days in 0_i32..20_000,
            name in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu",
                "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "America/Havana",
                "Pacific/Chatham", "America/Caracas",
            ]),
        ) {
            let zone = zone(name);
            let date = date("1975-01-01").checked_add(Span::new().days(days)).unwrap();
            let day = Slice::day(date, &zone);
            let hours = Slice::hours(date, &zone);
            let mut at = day.start();
            for hour in &hours {
                prop_assert_eq!(hour.start(), at);
                at = hour.end();
                prop_assert_eq!(&Slice::parse(&hour.to_string(), &zone).unwrap(), hour);
                let ingestion = hour.clone().by(Basis::Ingestion);
                prop_assert_eq!(Slice::parse(&ingestion.to_string(), &zone).unwrap(), ingestion);
            }
            prop_assert_eq!(at, day.end());
        }
    }
}
