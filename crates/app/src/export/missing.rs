//! Finds scheduled slices that are not published.
//!
//! A scheduled run that did not happen or failed leaves a gap in the ledgers. Each run searches the last
//! days for gaps, so nobody has to act after an outage.

use super::{ExportError, Exporter};
use crate::ledger::Ledger;
use mixlake_domain::{Date, Slice, Zone};
use std::collections::BTreeSet;

/// The missing slices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// The slices to export, the oldest first.
    pub slices: Vec<Slice>,
    /// The first and the last of the earlier dates without any slice, if the lake has older slices.
    pub before: Option<(Date, Date)>,
}

/// The scheduled slices of a date, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The date.
    pub date: Date,
    /// All of its slices that should be published by now.
    pub slices: Vec<Slice>,
    /// The longer slices that have ended, the longest first: the date, and its hours if the slices are
    /// shorter. One costs one query, like each of the slices in it.
    pub longer: Vec<Slice>,
}

impl Exporter<'_> {
    /// Returns the expected slices that are not published. Dates ascend. Slices before the first slice
    /// of the lake were never requested, so they are not missing.
    pub async fn missing(&self, expected: &[Expected]) -> Result<Missing, ExportError> {
        let Some(first) = expected.first().map(|of| of.date) else { return Ok(Missing::default()) };
        let dates = self.dates_with_ledgers().await?;
        let last_before = dates.range(..first).next_back().copied();
        let mut begun = last_before.is_some();
        let mut missing = Missing { before: gap(last_before, first), ..Missing::default() };
        for of_date in expected {
            let ledger = if dates.contains(&of_date.date) {
                self.ledger_of(of_date.date).await?
            } else {
                Ledger::default()
            };
            missing.slices.extend(missing_of(of_date, &ledger, begun, self.zone));
            begun |= !ledger.slices.is_empty();
        }
        Ok(missing)
    }

    pub(crate) async fn dates_with_ledgers(&self) -> Result<BTreeSet<Date>, ExportError> {
        let objects = self.store.list(&self.layout.ledgers()).await?;
        Ok(objects.iter().filter_map(|object| self.layout.date_of_ledger(&object.key)).collect())
    }

    pub(super) async fn ledger_of(&self, date: Date) -> Result<Ledger, ExportError> {
        Ok(Ledger::read(self.store, self.layout, date).await?.value.unwrap_or_default())
    }
}

/// The dates without slices before those that are searched.
fn gap(last_before: Option<Date>, first: Date) -> Option<(Date, Date)> {
    let (from, to) = (last_before?.tomorrow().ok()?, first.yesterday().ok()?);
    (from <= to).then_some((from, to))
}

/// The missing slices of a date. `begun` is whether the lake has slices of earlier dates.
pub(crate) fn missing_of(
    expected: &Expected,
    ledger: &Ledger,
    begun: bool,
    zone: &Zone,
) -> Vec<Slice> {
    let first = ledger.slices.first().map(|entry| entry.slice);
    let asked = |slice: &&Slice| begun || first.is_some_and(|first| first <= slice.label());
    let missing = expected.slices.iter().filter(asked);
    let missing = missing.filter(|slice| !ledger.holds(slice, zone)).cloned().collect();
    expected.longer.iter().fold(missing, |missing, longer| in_one(missing, expected, longer))
}

/// The missing slices, with a longer one in the place of those in it if all of these are missing.
fn in_one(mut missing: Vec<Slice>, expected: &Expected, longer: &Slice) -> Vec<Slice> {
    let is_in = |slice: &Slice| longer.label().covers(&slice.label());
    let count = |slices: &[Slice]| slices.iter().filter(|slice| is_in(slice)).count();
    let missing_in = count(&missing);
    if let Some(first) = missing.iter().position(is_in)
        && missing_in > 1
        && missing_in == count(&expected.slices)
    {
        missing.splice(first..first + missing_in, [longer.clone()]);
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, SliceCounts, State};
    use mixlake_domain::Minutes;
    use rstest::rstest;

    fn expected() -> Expected {
        let date: Date = "2026-11-10".parse().unwrap();
        let slices = Slice::hours(date, &Zone::UTC);
        Expected { date, slices, longer: vec![Slice::day(date, &Zone::UTC)] }
    }

    /// The slices of so many minutes that ended before an hour.
    fn minutes(length: Minutes, until: &str) -> Expected {
        let until = Slice::parse(until, &Zone::UTC).unwrap().start();
        let Expected { date, slices: hours, longer } = expected();
        let ended = |slice: &Slice| slice.end() <= until;
        let slices = Slice::minutes(date, length, &Zone::UTC).into_iter().filter(ended).collect();
        let longer = longer.into_iter().chain(hours).filter(ended).collect();
        Expected { date, slices, longer }
    }

    fn ledger(labels: &[&str], state: State) -> Ledger {
        let entry = |label: &&str| Entry {
            slice: (*label).to_owned().try_into().unwrap(),
            state,
            content: String::new(),
            files: None,
            targets: BTreeSet::new(),
            counts: SliceCounts::default(),
            quarantine: None,
        };
        Ledger { slices: labels.iter().map(entry).collect(), ..Ledger::default() }
    }

    fn missing(ledger: &Ledger, begun: bool) -> Vec<String> {
        lacks(&expected(), ledger, begun)
    }

    fn lacks(expected: &Expected, ledger: &Ledger, begun: bool) -> Vec<String> {
        let missing = missing_of(expected, ledger, begun, &Zone::UTC);
        missing.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_date_of_which_nothing_is_published_is_one_slice() {
        assert_eq!(missing(&Ledger::default(), true), ["2026-11-10"]);
        let crashed = ledger(&["2026-11-10T05"], State::Writing);
        assert_eq!(missing(&crashed, true), ["2026-11-10"], "begun and not ended");
    }

    #[test]
    fn hours_that_lack_are_asked_for_one_by_one() {
        let hours: Vec<String> = expected().slices.iter().map(ToString::to_string).collect();
        let without: Vec<&str> =
            hours.iter().map(String::as_str).filter(|h| !h.ends_with("07")).collect();
        assert_eq!(missing(&ledger(&without, State::Published), true), ["2026-11-10T07"]);
    }

    #[rstest]
    #[case::nothing(&[], &[])]
    #[case::from_the_first_hour_on(&["2026-11-10T22"], &["2026-11-10T23"])]
    fn what_lies_before_the_first_slice_is_not_missing(
        #[case] has: &[&str],
        #[case] lacks: &[&str],
    ) {
        assert_eq!(missing(&ledger(has, State::Published), false), lacks);
    }

    #[test]
    fn a_day_that_is_one_slice_covers_its_hours() {
        assert!(missing(&ledger(&["2026-11-10"], State::Published), true).is_empty());
        let quarters = minutes(Minutes::Fifteen, "2026-11-10T02");
        let hour = ledger(&["2026-11-10T00"], State::Published);
        assert_eq!(lacks(&quarters, &hour, true), ["2026-11-10T01"]);
    }

    #[rstest]
    #[case::nothing(&[], &["2026-11-10T00", "2026-11-10T01"])]
    #[case::one(&["2026-11-10T00_15to30"],
        &["2026-11-10T00_00to15", "2026-11-10T00_30to45", "2026-11-10T00_45to60", "2026-11-10T01"])]
    #[case::an_hour(&["2026-11-10T00_00to15", "2026-11-10T00_15to30", "2026-11-10T00_30to45",
        "2026-11-10T00_45to60", "2026-11-10T01_00to15"],
        &["2026-11-10T01_15to30", "2026-11-10T01_30to45", "2026-11-10T01_45to60"])]
    fn an_hour_of_which_nothing_is_published_is_one_slice(
        #[case] has: &[&str],
        #[case] expected: &[&str],
    ) {
        let quarters = minutes(Minutes::Fifteen, "2026-11-10T02");
        assert_eq!(lacks(&quarters, &ledger(has, State::Published), true), expected);
    }

    #[test]
    fn a_date_of_five_minutes_of_which_nothing_is_published_is_one_slice() {
        let Expected { date, longer, .. } = expected();
        let slices = Slice::minutes(date, Minutes::Five, &Zone::UTC);
        let all = Expected { date, slices, longer };
        assert_eq!(lacks(&all, &Ledger::default(), true), ["2026-11-10"]);
        let one = ledger(&["2026-11-10T00_00to05"], State::Published);
        assert_eq!(lacks(&all, &one, true).len(), 287);
    }

    #[test]
    fn what_shorter_slices_hold_together_is_not_missing() {
        let quarters =
            ["00to15", "15to30", "30to45", "45to60"].map(|m| format!("2026-11-10T00_{m}"));
        let quarters: Vec<&str> = quarters.iter().map(String::as_str).collect();
        assert_eq!(missing(&ledger(&quarters, State::Published), true).len(), 23);
        assert_eq!(missing(&ledger(&quarters[1..], State::Published), true), ["2026-11-10"]);
    }

    #[test]
    fn dates_that_are_too_old_to_be_looked_at_are_told() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let found = gap(Some(date("2026-11-01")), date("2026-11-05"));
        assert_eq!(found, Some((date("2026-11-02"), date("2026-11-04"))));
        assert_eq!(gap(Some(date("2026-11-04")), date("2026-11-05")), None);
        assert_eq!(gap(None, date("2026-11-05")), None);
    }
}
