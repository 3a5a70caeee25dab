//! One hour of each day of a range.

use crate::request;
use crate::settings::Problems;
use mixlake_domain::{Slice, SliceError, SliceKind, SliceLabel, Timestamp, Zone};
use std::time::Duration;

/// The slices of an hour.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HourOfDays {
    /// The slices, in order.
    pub slices: Vec<Slice>,
    /// Why some days do not have the hour.
    pub lacking: Vec<SliceError>,
}

impl From<Vec<Slice>> for HourOfDays {
    fn from(slices: Vec<Slice>) -> Self {
        Self { slices, lacking: Vec::new() }
    }
}

/// The hour `13`, or `02b` for the second pass over an hour, of each day from one date to another. A day that does
/// not have the hour is left out, if another one has it.
pub fn hour_of_days(
    (field, hour): (&str, &str),
    from: (&str, &str),
    to: (&str, &str),
    zone: &Zone,
    latest: Option<(Timestamp, Duration)>,
) -> Result<HourOfDays, Problems> {
    let mut problems = Problems::default();
    if !is_hour(hour) {
        let what = format!(
            "must be an hour from 00 to 23, or 02b for the second pass over an hour when clocks are set back; \
             got {hour:?}"
        );
        problems.add(field, what);
    }
    let dates = request::dates(from, to, zone, latest.map(|(now, _)| now));
    let dates = dates.unwrap_or_else(|others| {
        problems.extend(others);
        Vec::new()
    });
    problems.into_result(())?;
    let mut found = HourOfDays::default();
    for date in dates {
        match Slice::parse(&format!("{date}T{hour}"), zone) {
            Ok(slice) => found.slices.push(slice),
            Err(error) => found.lacking.push(error),
        }
    }
    if let ([], [error, ..]) = (&*found.slices, &*found.lacking) {
        return Err(Problems::one(field, error));
    }
    if let Some((last, latest)) = found.slices.last().zip(latest) {
        request::ended(field, last, zone, latest)?;
    }
    Ok(found)
}

/// Whether a text is an hour of any day.
fn is_hour(text: &str) -> bool {
    let label = SliceLabel::try_from(format!("2026-11-10T{text}"));
    label.is_ok_and(|label| matches!(label.kind(), SliceKind::Hour { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn ask(hour: &str, from: &str, to: &str) -> Result<HourOfDays, String> {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let now = "2026-11-13T10:30:00Z".parse().unwrap();
        let (from, to) = (("--from-date", from), ("--to-date", to));
        let latest = Some((now, Duration::ZERO));
        hour_of_days(("--hour", hour), from, to, &berlin, latest).map_err(|p| p.to_string())
    }

    #[rstest]
    #[case::each_day("13", "2026-11-10", "2026-11-12",
        &["2026-11-10T13", "2026-11-11T13", "2026-11-12T13"], &[])]
    #[case::today("10", "2026-11-13", "2026-11-13", &["2026-11-13T10"], &[])]
    #[case::skipped_on_one_day("02", "2026-03-28", "2026-03-30", &["2026-03-28T02", "2026-03-30T02"],
        &["\"2026-03-29T02\" does not occur in Europe/Berlin: the clocks are set forward at that hour"])]
    #[case::repeated_on_one_day("02b", "2026-10-25", "2026-10-26", &["2026-10-25T02b"],
        &["\"2026-10-26T02b\" does not occur in Europe/Berlin: the clocks are not set back at that hour"])]
    fn each_day_has_the_hour_that_its_zone_gives_it(
        #[case] hour: &str,
        #[case] from: &str,
        #[case] to: &str,
        #[case] slices: &[&str],
        #[case] lacking: &[&str],
    ) {
        let found = ask(hour, from, to).unwrap();
        let texts: Vec<String> = found.slices.iter().map(ToString::to_string).collect();
        assert_eq!(texts, slices);
        let texts: Vec<String> = found.lacking.iter().map(ToString::to_string).collect();
        assert_eq!(texts, lacking);
    }

    #[rstest]
    #[case::one_digit("9", "2026-11-10", "--hour: must be an hour from 00 to 23")]
    #[case::no_such_hour("24", "2026-11-10", "--hour: must be an hour from 00 to 23")]
    #[case::minutes("13_00to15", "2026-11-10", "--hour: must be an hour from 00 to 23")]
    #[case::no_day_has_it(
        "02",
        "2026-03-29",
        "--hour: \"2026-03-29T02\" does not occur in Europe/Berlin"
    )]
    #[case::unfinished(
        "11",
        "2026-11-13",
        "--hour: 2026-11-13T11 has not ended yet in Europe/Berlin"
    )]
    #[case::future("09", "2026-11-14", "--from-date: 2026-11-14 is in the future")]
    fn an_hour_that_cannot_be_exported_says_why(
        #[case] hour: &str,
        #[case] date: &str,
        #[case] expected: &str,
    ) {
        let problems = ask(hour, date, date).unwrap_err();
        assert!(problems.contains(expected), "{problems}");
    }

    #[test]
    fn a_bad_hour_and_a_bad_date_are_told_at_once() {
        let problems = ask("x", "soon", "soon").unwrap_err();
        assert!(problems.contains("--hour:") && problems.contains("--from-date:"), "{problems}");
    }
}
