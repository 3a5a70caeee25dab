//! Slices: half-open ranges of time that are exported as a whole or not at all.
//!
//! A slice is a local day of the project's zone, a local hour, or 15 or 5 minutes of a local hour. It never
//! crosses the slice that is the next longer one, so two slices are apart or one covers the other, and all
//! slices that overlap it have its date. Its label names objects; two slices of a day never share a label.
//! Most slices are ranges of the time at which events happened. Slices of ingestion are ranges of the
//! time at which Mixpanel processed the events; their labels begin with `i`.

mod kind;
mod label;
mod times;

pub use kind::{Minutes, SliceKind};
pub use label::{SliceError, SliceLabel};

use crate::zone::Zone;
use jiff::Timestamp;
use jiff::civil::Date;
use std::fmt;

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

impl Slice {
    /// The same range of the other kind of time.
    #[must_use]
    pub fn by(self, basis: Basis) -> Self {
        Self { basis, ..self }
    }

    /// Parses a label; see [`SliceLabel`].
    pub fn parse(text: &str, zone: &Zone) -> Result<Self, SliceError> {
        let label: SliceLabel = text.to_owned().try_into()?;
        Self::of_label(label, zone).ok_or_else(|| {
            let (text, zone) = (text.to_owned(), zone.to_string());
            if label.kind().is_second_pass() {
                SliceError::NotRepeated(text, zone)
            } else {
                SliceError::Skipped(text, zone)
            }
        })
    }

    /// The slice of a label in a zone; none for a time that the zone skips, or does not repeat, on that day.
    #[must_use]
    pub fn of_label(label: SliceLabel, zone: &Zone) -> Option<Self> {
        let (date, kind) = (label.date(), label.kind());
        let slice = match kind {
            SliceKind::Day => Some(Self::day(date, zone)),
            SliceKind::Hour { .. } => {
                Self::hours(date, zone).into_iter().find(|slice| slice.kind == kind)
            }
            SliceKind::Minutes { length, .. } => {
                Self::minutes(date, length, zone).into_iter().find(|slice| slice.kind == kind)
            }
        };
        slice.map(|slice| slice.by(label.basis()))
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

    /// The label: the date, then the hour, then the minutes.
    #[must_use]
    pub fn label(&self) -> SliceLabel {
        SliceLabel::new(self.date, self.kind, self.basis)
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn slice(label: &str, zone: &str) -> Slice {
        Slice::parse(label, &Zone::parse(zone).unwrap()).unwrap()
    }

    #[test]
    fn the_second_pass_over_an_hour_has_its_own_label() {
        let first = slice("2026-10-25T02", "Europe/Berlin");
        let second = slice("2026-10-25T02b", "Europe/Berlin");
        assert_eq!(first.end(), second.start());
        assert_eq!(second.to_string(), "2026-10-25T02b");
        let minutes = slice("2026-10-25T02b_00to05", "Europe/Berlin");
        assert_eq!(minutes.start(), second.start());
    }

    #[rstest]
    #[case::hour("Europe/Berlin", "2026-03-29T02")]
    #[case::minutes_of_a_skipped_hour("Europe/Berlin", "2026-03-29T02_15to30")]
    #[case::skipped_minutes_of_an_hour("Australia/Lord_Howe", "2026-10-04T02_00to15")]
    fn a_skipped_time_is_refused_with_its_reason(#[case] zone: &str, #[case] label: &str) {
        let zone = Zone::parse(zone).unwrap();
        let error = Slice::parse(label, &zone).unwrap_err();
        assert_eq!(error, SliceError::Skipped(label.to_owned(), zone.to_string()));
    }

    #[rstest]
    #[case::hour("Europe/Berlin", "2026-11-10T02b")]
    #[case::minutes("Australia/Lord_Howe", "2026-04-05T01b_00to15")]
    fn a_second_pass_that_there_is_not_is_refused_with_its_reason(
        #[case] zone: &str,
        #[case] label: &str,
    ) {
        let zone = Zone::parse(zone).unwrap();
        let error = Slice::parse(label, &zone).unwrap_err();
        assert_eq!(error, SliceError::NotRepeated(label.to_owned(), zone.to_string()));
    }

    #[test]
    fn only_what_is_near_an_edge_or_beyond_may_be_in_the_neighbouring_slice() {
        let hour = slice("2026-11-10T13", "UTC");
        let inside = |text: &str| hour.is_well_inside(text.parse().unwrap());
        assert!(inside("2026-11-10T13:01:00Z") && inside("2026-11-10T13:58:59Z"));
        assert!(!inside("2026-11-10T13:00:59Z") && !inside("2026-11-10T13:59:00Z"));
        assert!(!inside("2026-11-10T12:30:00Z") && !inside("2026-11-10T14:30:00Z"));
    }

    #[test]
    fn neighbours_share_an_edge_also_over_midnight() {
        let slice = |label| slice(label, "UTC");
        let day = slice("2026-11-10");
        assert!(day.shares_an_edge_with(&slice("2026-11-11T00")));
        assert!(slice("2026-11-09T23").shares_an_edge_with(&day));
        assert!(slice("2026-11-09T23_55to60").shares_an_edge_with(&day));
        assert!(!day.shares_an_edge_with(&slice("2026-11-11T01")));
    }
}
