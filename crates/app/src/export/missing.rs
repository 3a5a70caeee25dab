//! Finds scheduled slices that are not published.
//!
//! A scheduled run that did not happen or failed leaves a gap in the ledgers. Each run searches the last
//! days for gaps, so nobody has to act after an outage.

use super::{ExportError, Exporter};
use crate::ledger::{Ledger, State};
use mixlake_domain::{Date, Slice};
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
    /// One slice that covers all of them, if they are the whole date. It costs one query.
    pub whole: Option<Slice>,
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
            missing.slices.extend(missing_of(of_date, &ledger, begun));
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
fn missing_of(expected: &Expected, ledger: &Ledger, begun: bool) -> Vec<Slice> {
    let is_there = |slice: &Slice| {
        let entry = ledger.entry(ledger.covering(slice.label()));
        entry.is_some_and(|entry| entry.state == State::Published)
    };
    let first = ledger.slices.first().map(|entry| entry.slice);
    let asked = |slice: &&Slice| begun || first.is_some_and(|first| first <= slice.label());
    let missing: Vec<Slice> =
        expected.slices.iter().filter(asked).filter(|slice| !is_there(slice)).cloned().collect();
    match &expected.whole {
        Some(whole) if missing.len() > 1 && missing.len() == expected.slices.len() => {
            vec![whole.clone()]
        }
        Some(_) | None => missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, SliceCounts};
    use mixlake_domain::Zone;
    use rstest::rstest;

    fn expected() -> Expected {
        let date: Date = "2026-11-10".parse().unwrap();
        let slices = Slice::hours(date, &Zone::UTC);
        Expected { date, slices, whole: Some(Slice::day(date, &Zone::UTC)) }
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
        missing_of(&expected(), ledger, begun).iter().map(ToString::to_string).collect()
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
