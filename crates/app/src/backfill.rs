//! The plan of a backfill: the days of a range that are not published.
//!
//! The function that plans for Step Functions and the command line share this plan. It reads only ledgers,
//! so a backfill that was stopped continues with the days that it did not publish.

use crate::document::DocumentError;
use crate::ledger::Ledger;
use crate::ports::ObjectStore;
use futures::{StreamExt, TryStreamExt, stream};
use mixlake_domain::{Date, Layout, Slice, Zone};
use std::collections::BTreeSet;

/// So many ledgers are read at the same time.
const READS: usize = 16;

/// The lake that a backfill fills.
pub struct Backfill<'a> {
    /// The store for files.
    pub store: &'a dyn ObjectStore,
    /// The keys in the store.
    pub layout: &'a Layout,
    /// The zone of the slices.
    pub zone: &'a Zone,
}

/// What a backfill has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The number of days of the range.
    pub days: usize,
    /// The slices to export, the oldest first. Each is a day, and costs one query.
    pub slices: Vec<Slice>,
}

impl Plan {
    /// The number of days that are published already.
    #[must_use]
    pub fn published(&self) -> usize {
        self.days - self.slices.len()
    }
}

impl Backfill<'_> {
    /// The days that are not published, or all of them with `force`. A day of which some hours are published
    /// is exported as one slice, because each missing hour would cost a query of its own.
    pub async fn plan(&self, days: &[Slice], force: bool) -> Result<Plan, DocumentError> {
        let slices = if force { days.to_vec() } else { self.unpublished(days).await? };
        Ok(Plan { days: days.len(), slices })
    }

    async fn unpublished(&self, days: &[Slice]) -> Result<Vec<Slice>, DocumentError> {
        let dates = self.dates_with_ledgers().await?;
        let read = |day: &Slice| {
            let (day, has_ledger) = (day.clone(), dates.contains(&day.date()));
            async move {
                let published = has_ledger && self.is_published(&day).await?;
                Ok((!published).then_some(day))
            }
        };
        let reads: Vec<_> = days.iter().map(read).collect();
        stream::iter(reads).buffered(READS).try_filter_map(async |day| Ok(day)).try_collect().await
    }

    async fn dates_with_ledgers(&self) -> Result<BTreeSet<Date>, DocumentError> {
        let objects = self.store.list(&self.layout.ledgers()).await?;
        Ok(objects.iter().filter_map(|object| self.layout.date_of_ledger(&object.key)).collect())
    }

    async fn is_published(&self, day: &Slice) -> Result<bool, DocumentError> {
        let ledger = Ledger::read(self.store, self.layout, day.date()).await?.value;
        Ok(ledger.is_some_and(|ledger| ledger.holds(day, self.zone)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Entry, SliceCounts, State};
    use mixlake_domain::Basis;
    use rstest::rstest;

    fn ledger(labels: &[String], state: State) -> Ledger {
        let entry = |label: &String| Entry {
            slice: label.clone().try_into().unwrap(),
            state,
            content: String::new(),
            files: None,
            targets: BTreeSet::new(),
            counts: SliceCounts::default(),
            quarantine: None,
        };
        Ledger { slices: labels.iter().map(entry).collect(), ..Ledger::default() }
    }

    fn day(zone: &Zone) -> Slice {
        Slice::day("2026-10-25".parse().unwrap(), zone)
    }

    fn labels(slices: &[Slice]) -> Vec<String> {
        slices.iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case::published(State::Published, true)]
    #[case::begun_and_not_ended(State::Writing, false)]
    #[case::begun_twice(State::WritingAnew, false)]
    fn only_a_published_day_is_left_out(#[case] state: State, #[case] expected: bool) {
        let of_day = ledger(&labels(&[day(&Zone::UTC)]), state);
        assert_eq!(of_day.holds(&day(&Zone::UTC), &Zone::UTC), expected);
    }

    #[test]
    fn all_hours_are_the_day_and_one_missing_hour_makes_it_a_slice() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let mut hours = labels(&Slice::hours(day(&berlin).date(), &berlin));
        assert_eq!(hours.len(), 25);
        assert!(ledger(&hours, State::Published).holds(&day(&berlin), &berlin));
        hours.retain(|hour| hour != "2026-10-25T02b");
        assert!(!ledger(&hours, State::Published).holds(&day(&berlin), &berlin));
    }

    #[test]
    fn slices_of_event_time_are_not_those_of_ingestion() {
        let ingestion = day(&Zone::UTC).by(Basis::Ingestion);
        let published = ledger(&labels(std::slice::from_ref(&ingestion)), State::Published);
        assert!(published.holds(&ingestion, &Zone::UTC));
        assert!(!published.holds(&day(&Zone::UTC), &Zone::UTC));
    }
}
