//! The slices of a date, and those that ended by a time.

use super::{Basis, Minutes, Slice, SliceKind};
use crate::zone::Zone;
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

/// A range of time in which the local time is in one hour and runs on without a change.
struct LocalHour {
    hour: i8,
    again: bool,
    /// How many seconds of the local hour had passed at its start.
    passed: i64,
    start: Timestamp,
    end: Timestamp,
}

impl Slice {
    /// A whole local day.
    #[must_use]
    pub fn day(date: Date, zone: &Zone) -> Self {
        let end = date.tomorrow().map_or(Timestamp::MAX, |next| zone.start_of(next));
        of(date, SliceKind::Day, zone.start_of(date), end)
    }

    /// The hours of a local day in order: 23, 24 or 25 of them, without gap or overlap. If the clock
    /// changes within an hour, one slice ends there and another begins.
    #[must_use]
    pub fn hours(date: Date, zone: &Zone) -> Vec<Self> {
        let hours = local_hours(date, zone).into_iter();
        let slice = |LocalHour { hour, again, start, end, .. }| {
            of(date, SliceKind::Hour { hour, again }, start, end)
        };
        hours.map(slice).collect()
    }

    /// The slices of so many minutes of a local day in order, without gap or overlap, each within one of
    /// its hours. They begin and end at multiples of their length on the local clock; where an hour is cut
    /// by a change of the clock, so is the slice.
    #[must_use]
    pub fn minutes(date: Date, length: Minutes, zone: &Zone) -> Vec<Self> {
        let hours = local_hours(date, zone).into_iter();
        hours.flat_map(|hour| hour.minutes(date, length)).collect()
    }

    /// The hours that ended in the hour before an instant, in order. This is usually one hour, and two
    /// if a clock changed by less than an hour. So a caller that asks every hour gets each hour once.
    #[must_use]
    pub fn hours_ended_by(instant: Timestamp, zone: &Zone) -> Vec<Self> {
        let before = earlier(instant, SignedDuration::from_hours(1));
        ended(before, instant, zone, |date| Self::hours(date, zone))
    }

    /// The slices of so many minutes that ended in as many minutes before an instant, in order. So a
    /// caller that asks as often gets each once.
    #[must_use]
    pub fn minutes_ended_by(instant: Timestamp, length: Minutes, zone: &Zone) -> Vec<Self> {
        let before = earlier(instant, SignedDuration::from_mins(length.count().into()));
        ended(before, instant, zone, |date| Self::minutes(date, length, zone))
    }

    /// The days that ended since yesterday at the same time, in order. A caller that asks every day at
    /// the same time (of the zone or of UTC) gets every day; a clock change may return a day twice.
    #[must_use]
    pub fn days_ended_by(instant: Timestamp, zone: &Zone) -> Vec<Self> {
        let wall = zone.local(instant);
        let yesterday = wall.checked_sub(Span::new().days(1)).unwrap_or(wall);
        let day_before = earlier(instant, SignedDuration::from_hours(24));
        let before = zone.instant_of(yesterday).min(day_before);
        ended(before, instant, zone, |date| vec![Self::day(date, zone)])
    }
}

impl LocalHour {
    fn minutes(&self, date: Date, length: Minutes) -> Vec<Slice> {
        let &Self { hour, again, passed, start, end } = self;
        let minute =
            |minute: i8| start + SignedDuration::from_secs(60 * i64::from(minute) - passed);
        let minutes = (0..60).step_by(length.count().unsigned_abs().into());
        let slice = |from: i8| {
            let kind = SliceKind::Minutes { hour, again, from, length };
            of(date, kind, minute(from).max(start), minute(from + length.count()).min(end))
        };
        minutes.map(slice).filter(|slice| slice.start < slice.end).collect()
    }
}

fn of(date: Date, kind: SliceKind, start: Timestamp, end: Timestamp) -> Slice {
    Slice { date, kind, basis: Basis::EventTime, start, end }
}

fn local_hours(date: Date, zone: &Zone) -> Vec<LocalHour> {
    let day = Slice::day(date, zone);
    let mut hours: Vec<LocalHour> = Vec::with_capacity(25);
    let mut start = day.start;
    while start < day.end {
        let wall = zone.local(start);
        let (hour, passed) =
            (wall.hour(), i64::from(wall.minute()) * 60 + i64::from(wall.second()));
        let end = (start + SignedDuration::from_secs(3600 - passed)).min(day.end);
        let end = zone.next_change(start).map_or(end, |change| end.min(change));
        let again = hours.iter().any(|earlier| earlier.hour == hour);
        hours.push(LocalHour { hour, again, passed, start, end });
        start = end;
    }
    hours
}

/// The slices that ended after one instant and not after another.
fn ended(
    before: Timestamp,
    instant: Timestamp,
    zone: &Zone,
    of_date: impl Fn(Date) -> Vec<Slice>,
) -> Vec<Slice> {
    let slices = dates_from(before, instant, zone).into_iter().flat_map(of_date);
    slices.filter(|slice| before < slice.end && slice.end <= instant).collect()
}

/// The dates of a range of time, and possibly the one before. A date that a zone skips is none.
fn dates_from(start: Timestamp, end: Timestamp, zone: &Zone) -> Vec<Date> {
    let first = zone.date_of(start);
    let dates = first.yesterday().unwrap_or(first).series(Span::new().days(1));
    let dates = dates.take_while(|date| *date <= zone.date_of(end));
    let is_there = |date: &Date| {
        let day = Slice::day(*date, zone);
        day.start < day.end
    };
    dates.filter(is_there).collect()
}

fn earlier(instant: Timestamp, duration: SignedDuration) -> Timestamp {
    instant.checked_sub(duration).unwrap_or(Timestamp::MIN)
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

    fn all(slices: &[Slice]) -> Vec<String> {
        slices.iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case::plain("UTC", "2026-11-10", 24, 96, 288)]
    #[case::clocks_forward("Europe/Berlin", "2026-03-29", 23, 92, 276)]
    #[case::clocks_back("Europe/Berlin", "2026-10-25", 25, 100, 300)]
    #[case::clocks_back_at_midnight("America/Havana", "2020-11-01", 25, 100, 300)]
    #[case::half_an_hour_forward("Australia/Lord_Howe", "2026-10-04", 24, 94, 282)]
    #[case::within_an_hour("Pacific/Chatham", "2026-09-27", 24, 92, 276)]
    #[case::within_an_hour_back("Pacific/Chatham", "2026-04-05", 26, 100, 300)]
    fn a_day_has_the_slices_its_zone_gives_it(
        #[case] name: &str,
        #[case] on: &str,
        #[case] hours: usize,
        #[case] quarters: usize,
        #[case] fives: usize,
    ) {
        assert_eq!(Slice::hours(date(on), &zone(name)).len(), hours);
        let minutes = |length| Slice::minutes(date(on), length, &zone(name)).len();
        assert_eq!(Minutes::ALL.map(minutes), [quarters, fives]);
    }

    /// The clocks of Monrovia were set forward by 44 minutes and 30 seconds at midnight.
    #[test]
    fn a_slice_that_a_change_of_the_clock_cuts_is_shorter() {
        let [fifteen, five] = Minutes::ALL
            .map(|length| Slice::minutes(date("1972-01-07"), length, &zone("Africa/Monrovia")));
        assert_eq!(all(&fifteen[..2]), ["1972-01-07T00_30to45", "1972-01-07T00_45to60"]);
        assert_eq!(all(&five[..2]), ["1972-01-07T00_40to45", "1972-01-07T00_45to50"]);
        for first in [&fifteen[0], &five[0]] {
            assert_eq!(first.start(), "1972-01-07T00:44:30Z".parse().unwrap());
            assert_eq!(first.end(), "1972-01-07T00:45:00Z".parse().unwrap());
        }
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

    #[rstest]
    #[case::on_time("2026-11-10T14:04:00Z", "UTC", Minutes::Fifteen, &["2026-11-10T13_45to60"])]
    #[case::on_the_minute("2026-11-10T14:15:00Z", "UTC", Minutes::Fifteen, &["2026-11-10T14_00to15"])]
    #[case::five("2026-11-10T14:16:00Z", "UTC", Minutes::Five, &["2026-11-10T14_10to15"])]
    #[case::past_midnight("2026-11-10T00:02:00Z", "UTC", Minutes::Five, &["2026-11-09T23_55to60"])]
    #[case::three_quarters_zone("2026-11-10T14:04:00Z", "Asia/Kathmandu", Minutes::Fifteen, &["2026-11-10T19_30to45"])]
    #[case::second_pass("2026-10-25T01:04:00Z", "Europe/Berlin", Minutes::Fifteen, &["2026-10-25T02_45to60"])]
    #[case::after_the_second_pass("2026-10-25T02:04:00Z", "Europe/Berlin", Minutes::Fifteen, &["2026-10-25T02b_45to60"])]
    fn the_scheduled_slice_is_the_last_whole_one_of_so_many_minutes(
        #[case] at: &str,
        #[case] name: &str,
        #[case] length: Minutes,
        #[case] labels: &[&str],
    ) {
        assert_eq!(all(&Slice::minutes_ended_by(at.parse().unwrap(), length, &zone(name))), labels);
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

    proptest! {
        #[test]
        fn the_slices_of_a_length_cover_their_day_once_and_their_labels_differ(
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
            let minutes = Minutes::ALL.map(|length| Slice::minutes(date, length, &zone));
            for slices in minutes.iter().chain([&Slice::hours(date, &zone)]) {
                let mut at = day.start();
                for slice in slices {
                    prop_assert_eq!(slice.start(), at);
                    at = slice.end();
                }
                prop_assert_eq!(at, day.end());
                // All parts of the day are equal, so some stand for all.
                for slice in slices.iter().step_by(1 + slices.len() / 30) {
                    prop_assert_eq!(&Slice::parse(&slice.to_string(), &zone).unwrap(), slice);
                    let ingestion = slice.clone().by(Basis::Ingestion);
                    prop_assert_eq!(Slice::parse(&ingestion.to_string(), &zone).unwrap(), ingestion);
                }
            }
        }
    }
}
