//! What the times of a project's events mean, and the bounds of a slice in these times.

use mixlake_domain::{Timestamp, Zone};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// How Mixpanel writes the time of an event, in `time`, `event["$time"]` and the dates of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTime {
    /// As an instant: projects created since 2023-01-01.
    Utc,
    /// As the local time in the project's zone, written as if it were UTC: projects created before.
    WallClock(Zone),
}

impl EventTime {
    /// The rule for a project.
    #[must_use]
    pub fn of_project(created_before_2023: bool, zone: &Zone) -> Self {
        if created_before_2023 { Self::WallClock(zone.clone()) } else { Self::Utc }
    }

    /// The first event time, written as if it were UTC, that is not before an instant.
    ///
    /// It never decreases from one instant to the next. So slices without gaps and overlaps give ranges
    /// of event times without gaps and overlaps, however the clocks change.
    pub(crate) fn bound(&self, instant: Timestamp) -> Timestamp {
        match self {
            Self::Utc => instant,
            Self::WallClock(zone) => wall_bound(zone, instant),
        }
    }
}

fn wall_bound(zone: &Zone, instant: Timestamp) -> Timestamp {
    let reading = reading(zone, instant);
    let first = zone.instant_of(zone.local(instant));
    if first < instant {
        return end_of_repeated(zone, first, instant);
    }
    // Local times skipped just before this instant (clocks set forward) belong to what follows.
    let Ok(before) = instant.checked_sub(SECOND) else { return reading };
    self::reading(zone, before).checked_add(SECOND).map_or(reading, |skipped| skipped.min(reading))
}

/// The local time as if it were UTC.
fn reading(zone: &Zone, instant: Timestamp) -> Timestamp {
    Zone::UTC.instant_of(zone.local(instant))
}

/// The first local time that does not repeat. All repeated local times mean their first occurrence,
/// which is before any instant of the second pass. `first` is in the first pass, `again` in the second.
fn end_of_repeated(zone: &Zone, first: Timestamp, again: Timestamp) -> Timestamp {
    let (mut low, mut high) = (first.as_second(), again.as_second());
    while high - low > 1 {
        let middle = low.midpoint(high);
        if is_second_pass(zone, middle) { high = middle } else { low = middle }
    }
    // `low` is the last second before the clocks are set back.
    Timestamp::from_second(low)
        .map(|last| reading(zone, last))
        .and_then(|reading| reading.checked_add(SECOND))
        .unwrap_or(again)
}

fn is_second_pass(zone: &Zone, second: i64) -> bool {
    Timestamp::from_second(second).is_ok_and(|at| zone.instant_of(zone.local(at)) < at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_domain::{Date, Minutes, Slice, SliceKind};
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("Europe/Berlin", "2026-11-10T13", "2026-11-10T13:00:00Z", "2026-11-10T14:00:00Z")]
    #[case::before_the_gap(
        "Europe/Berlin",
        "2026-03-29T01",
        "2026-03-29T01:00:00Z",
        "2026-03-29T02:00:00Z"
    )]
    #[case::after_the_gap(
        "Europe/Berlin",
        "2026-03-29T03",
        "2026-03-29T02:00:00Z",
        "2026-03-29T04:00:00Z"
    )]
    #[case::first_pass(
        "Europe/Berlin",
        "2026-10-25T02",
        "2026-10-25T02:00:00Z",
        "2026-10-25T03:00:00Z"
    )]
    #[case::second_pass(
        "Europe/Berlin",
        "2026-10-25T02b",
        "2026-10-25T03:00:00Z",
        "2026-10-25T03:00:00Z"
    )]
    #[case::half_an_hour_back(
        "Australia/Lord_Howe",
        "2026-04-05T01",
        "2026-04-05T01:00:00Z",
        "2026-04-05T02:00:00Z"
    )]
    #[case::midnight_skipped(
        "America/Sao_Paulo",
        "2018-11-04",
        "2018-11-04T00:00:00Z",
        "2018-11-05T00:00:00Z"
    )]
    #[case::midnight_twice(
        "America/Havana",
        "2026-11-01",
        "2026-11-01T00:00:00Z",
        "2026-11-02T00:00:00Z"
    )]
    fn a_slice_has_the_readings_that_mean_it(
        #[case] zone: &str,
        #[case] slice: &str,
        #[case] start: &str,
        #[case] end: &str,
    ) {
        let zone = Zone::parse(zone).unwrap();
        let slice = Slice::parse(slice, &zone).unwrap();
        let time = EventTime::of_project(true, &zone);
        let bounds = (time.bound(slice.start()), time.bound(slice.end()));
        assert_eq!(bounds, (start.parse().unwrap(), end.parse().unwrap()));
    }

    /// Whether a slice contains the instant that a local time means. Local times that were skipped mean instants of
    /// the hour after the gap; all of them are fetched with its first minutes.
    fn is_in(slice: &Slice, reading: Timestamp, meant: Timestamp, zone: &Zone) -> bool {
        let is_hour = matches!(slice.kind(), SliceKind::Hour { .. });
        let was_skipped = zone.local(meant) != Zone::UTC.local(reading);
        slice.contains(meant)
            || !is_hour && was_skipped && meant < slice.start() + Duration::from_hours(1)
    }

    /// Every slice of ten years, compared with the rule for a single local time. The tests of
    /// `mixlake-domain` compare that rule with the time zone database.
    #[rstest]
    #[case::berlin("Europe/Berlin")]
    #[case::new_york("America/New_York")]
    #[case::half_an_hour("Australia/Lord_Howe")]
    #[case::at_midnight("America/Sao_Paulo")]
    #[case::around_ramadan("Africa/Casablanca")]
    fn the_slices_of_ten_years_have_each_reading_once_and_where_it_belongs(
        #[case] name: &str,
        #[values(None, Some(Minutes::Fifteen))] length: Option<Minutes>,
    ) {
        let zone = Zone::parse(name).unwrap();
        let slices = |date| match length {
            None => Slice::hours(date, &zone),
            Some(length) => Slice::minutes(date, length, &zone),
        };
        let time = EventTime::of_project(true, &zone);
        let first: Date = "2016-01-01".parse().unwrap();
        let mut at = time.bound(zone.start_of(first));
        let days = first.series(mixlake_domain::Span::new().days(1));
        for slice in days.take(3653).flat_map(slices) {
            assert_eq!(time.bound(slice.start()), at, "{name} {slice}");
            let end = time.bound(slice.end());
            while at < end {
                let meant = zone.instant_of(Zone::UTC.local(at));
                assert!(is_in(&slice, at, meant, &zone), "{name} {slice}: {at}");
                at += Duration::from_mins(15);
            }
            assert_eq!(at, end);
        }
    }

    proptest! {
        /// The rule of the domain (`Zone::instant_of`) and the bounds agree: the slice that fetches a
        /// local time is the slice that contains it.
        #[test]
        fn a_reading_is_fetched_by_the_slice_it_means(
            days in 0_i32..8000,
            seconds in 0_i64..86_400,
            name in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu",
                "America/Sao_Paulo", "America/Havana", "Africa/Casablanca",
            ]),
        ) {
            let zone = Zone::parse(name).unwrap();
            let time = EventTime::of_project(true, &zone);
            let epoch: Date = "2005-01-01".parse().unwrap();
            let midnight = Zone::UTC.start_of(epoch).as_second() + i64::from(days) * 86_400;
            let reading = Timestamp::from_second(midnight + seconds).unwrap();
            let meant = zone.instant_of(Zone::UTC.local(reading));
            let date = zone.date_of(meant);
            for slices in [Slice::hours(date, &zone), Slice::minutes(date, Minutes::Five, &zone)] {
                let fetching: Vec<_> = slices
                    .iter()
                    .filter(|s| time.bound(s.start()) <= reading && reading < time.bound(s.end()))
                    .collect();
                prop_assert_eq!(fetching.len(), 1);
                prop_assert!(is_in(fetching[0], reading, meant, &zone));
            }
        }
    }
}
