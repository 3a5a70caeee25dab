//! What happened to every line of the input, and the dates of its events.

use mixlake_domain::{Date, Slice, Timestamp, Zone};
use serde::Serialize;
use std::collections::BTreeMap;

/// The lines of the input: those of the slices, of other dates and of other events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Lines that are not blank.
    pub lines: u64,
    /// Lines that belong to a slice.
    pub taken: u64,
    /// Events of dates that were not requested.
    pub outside_dates: u64,
    /// Events of requested dates whose names were not requested.
    pub not_selected: u64,
    /// The dates of all events.
    pub dates: Dates,
    /// The dates that were not requested.
    pub other_dates: Dates,
}

/// The number of events per date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dates(BTreeMap<Date, u64>);

/// Consecutive dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateRange {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// The events of all these dates.
    pub events: u64,
}

impl Dates {
    pub(super) fn add(&mut self, date: Date, events: u64) {
        *self.0.entry(date).or_default() += events;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Date, u64)> {
        self.0.iter().map(|(date, events)| (*date, *events))
    }

    /// Whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of events of a date.
    #[must_use]
    pub fn events_of(&self, date: Date) -> u64 {
        self.0.get(&date).copied().unwrap_or_default()
    }

    /// The dates as ranges without gaps, up to a maximum number. The last range covers all later dates,
    /// including gaps.
    #[must_use]
    pub fn ranges(&self, most: usize) -> Vec<DateRange> {
        let mut ranges: Vec<DateRange> = Vec::new();
        for (&date, &events) in &self.0 {
            let full = ranges.len() >= most;
            match ranges.last_mut() {
                Some(last) if full || last.to.tomorrow().is_ok_and(|next| next == date) => {
                    last.to = date;
                    last.events += events;
                }
                Some(_) | None => ranges.push(DateRange { from: date, to: date, events }),
            }
        }
        ranges
    }
}

/// Counts events by date. Most events have the date of the previous one, which saves a lookup.
#[derive(Debug)]
pub(super) struct DateCounter {
    zone: Zone,
    current: Option<(Slice, u64)>,
    dates: Dates,
}

impl DateCounter {
    pub(super) fn new(zone: Zone) -> Self {
        Self { zone, current: None, dates: Dates::default() }
    }

    pub(super) fn event(&mut self, time: Timestamp) {
        match &mut self.current {
            Some((day, events)) if day.contains(time) => *events += 1,
            Some(_) | None => {
                self.settle();
                let day = Slice::day(self.zone.date_of(time), &self.zone);
                self.current = Some((day, 1));
            }
        }
    }

    pub(super) fn finish(mut self) -> Dates {
        self.settle();
        self.dates
    }

    fn settle(&mut self) {
        if let Some((day, events)) = self.current.take() {
            self.dates.add(day.date(), events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn range(from: &str, to: &str, events: u64) -> DateRange {
        DateRange { from: date(from), to: date(to), events }
    }

    #[test]
    fn dates_are_told_as_ranges_and_only_so_many() {
        let mut dates = Dates::default();
        for day in ["2026-11-30", "2026-12-01", "2026-12-03", "2026-12-05", "2026-12-09"] {
            dates.add(date(day), 2);
        }
        assert_eq!(
            dates.ranges(3),
            [
                range("2026-11-30", "2026-12-01", 4),
                range("2026-12-03", "2026-12-03", 2),
                range("2026-12-05", "2026-12-09", 4),
            ]
        );
    }

    #[test]
    fn a_date_is_one_of_the_zone() {
        let mut counter = DateCounter::new(Zone::parse("America/New_York").unwrap());
        for time in ["2026-11-10T04:59:59Z", "2026-11-10T05:00:00Z", "2026-11-10T04:59:59Z"] {
            counter.event(time.parse().unwrap());
        }
        let dates = counter.finish();
        assert_eq!(dates.events_of(date("2026-11-09")), 2);
        assert_eq!(dates.events_of(date("2026-11-10")), 1);
    }
}
