//! The query budget of a project, shared through the lake.
//!
//! Functions and command lines that work for a project share only its lake. So the start times of the
//! queries of the last hour are a small document in the lake, changed by compare-and-swap. A run enters
//! a query there before it starts it. Backfills leave a part of the budget to scheduled work, so
//! scheduled work never waits for a backfill to end.
//!
//! A query is wasted if a run crashes after entering it, or if the entry was written and the store
//! reported that it was refused. The budget is never exceeded.

use crate::document::{self, DocumentError, Edit, SWAPS};
use crate::manifest::Format;
use crate::ports::{BudgetError, Clock, ObjectStore, QueryBudget, Turn};
use mixlake_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The periods over which queries are counted, in milliseconds. They are longer than Mixpanel's, because
/// a query arrives some time after it was entered.
const HOUR: i64 = 3_605_000;
const SECOND: i64 = 1_500;

/// The longest time for which queries stop after the source refused one. A wrong header cannot block the
/// budget forever: the first query after this time finds out.
pub const LONGEST_CLOSED: Duration = Duration::from_hours(24);

/// One of this many queries per hour is reserved for scheduled work, and one query of each second.
const RESERVED: u32 = 6;

/// The most queries of a backfill that run at the same time. Mixpanel answers 100.
const MOST_AT_ONCE: u32 = 50;

/// The limits on starts of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Per hour.
    pub per_hour: u32,
    /// Per second.
    pub per_second: u32,
}

/// The kind of run that starts a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A scheduled run. It may use the whole budget.
    Scheduled,
    /// A backfill that a person started. It leaves a part of the budget unused.
    Backfill,
}

/// The budget of a project, as one of the runs that share it sees it.
pub struct SharedBudget {
    /// The store that has its document.
    pub store: Arc<dyn ObjectStore>,
    /// The key of the document.
    pub key: String,
    /// The limits.
    pub limits: Limits,
    /// The kind of this run.
    pub priority: Priority,
    /// The clock.
    pub clock: Clock,
}

/// How many queries of a project were started within the hour before a time.
pub(crate) async fn started_within_hour(
    store: &dyn ObjectStore,
    key: &str,
    now: Timestamp,
) -> Result<u64, DocumentError> {
    let queries = document::read::<Queries>(store, key).await?.value.unwrap_or_default();
    let now = now.as_millisecond();
    let is_recent = |at: &&i64| (now - 3_600_000..=now).contains(*at);
    Ok(queries.started.iter().filter(is_recent).count() as u64)
}

/// The queries that were started. Times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Queries {
    format: Format,
    started: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<Closed>,
}

/// A period in which the source refuses queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Closed {
    since: i64,
    until: i64,
}

#[async_trait::async_trait]
impl QueryBudget for SharedBudget {
    async fn turn(&self) -> Result<Turn, BudgetError> {
        self.change(|queries, now| {
            let wait = queries.wait(now, self.limits, self.priority);
            if wait > 0 {
                return Err(Turn::After(milliseconds(wait)));
            }
            queries.start(now);
            Ok(Turn::Now)
        })
        .await
    }

    async fn open(&self) -> Result<Turn, BudgetError> {
        self.change(|queries, now| {
            let wait = queries.closed.map_or(0, |closed| closed.until - now);
            Err(if wait > 0 { Turn::After(milliseconds(wait)) } else { Turn::Now })
        })
        .await
    }

    async fn closed(&self, wait: Duration) -> Result<(), BudgetError> {
        let wait = i64::try_from(wait.min(LONGEST_CLOSED).as_millis()).unwrap_or(HOUR);
        self.change(|queries, now| {
            queries.close(now, now + wait);
            Ok(())
        })
        .await
    }
}

impl SharedBudget {
    /// Changes the document. If `change` returns an `Err`, nothing is written and its value is returned.
    async fn change<T>(
        &self,
        change: impl Fn(&mut Queries, i64) -> Result<T, T> + Send,
    ) -> Result<T, BudgetError> {
        let read = || async { Ok(document::read::<Queries>(&*self.store, &self.key).await?) };
        let decide = |read: document::Read<Queries>| -> Result<Edit<T>, BudgetError> {
            let mut queries = read.value.unwrap_or_default();
            let now = (self.clock)().as_millisecond();
            queries.forget(now);
            Ok(match change(&mut queries, now) {
                Ok(done) => Edit::json(&queries, done),
                Err(unchanged) => Edit::Keep(unchanged),
            })
        };
        let done = document::change(&*self.store, &self.key, read, decide);
        done.await?.ok_or(BudgetError::Contended(SWAPS))
    }
}

impl Queries {
    /// Removes queries that no longer count, and entries from a clock that was far ahead.
    fn forget(&mut self, now: i64) {
        self.started.retain(|at| (now - HOUR + 1..now + HOUR).contains(at));
        self.closed = self.closed.filter(|closed| closed.since < now + HOUR && closed.until > now);
    }

    /// The time until a query may start, in milliseconds. 0 means now.
    fn wait(&self, now: i64, limits: Limits, priority: Priority) -> i64 {
        let closed = self.closed.map_or(0, |closed| closed.until - now);
        let limits = limits.of(priority);
        let hour = self.wait_for(now, limits.per_hour, HOUR);
        let second = self.wait_for(now, limits.per_second, SECOND);
        closed.max(hour).max(second).max(0)
    }

    /// The time until a window that ends now contains fewer than `limit` queries.
    fn wait_for(&self, now: i64, limit: u32, window: i64) -> i64 {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let counted = self.started.len().checked_sub(limit).and_then(|at| self.started.get(at));
        counted.map_or(0, |at| at + window - now)
    }

    fn start(&mut self, now: i64) {
        let place = self.started.partition_point(|at| *at <= now);
        self.started.insert(place, now);
    }

    fn close(&mut self, since: i64, until: i64) {
        if self.closed.is_none_or(|closed| closed.until < until) {
            self.closed = Some(Closed { since, until });
        }
    }
}

impl Default for Queries {
    fn default() -> Self {
        Self { format: Format, started: Vec::new(), closed: None }
    }
}

impl Limits {
    /// The limits of a project with this number of queries per hour.
    #[must_use]
    pub fn an_hour(per_hour: u32) -> Self {
        Self { per_hour, per_second: 3 }
    }

    /// How many queries a backfill may start in an hour: what scheduled work leaves.
    #[must_use]
    pub fn of_a_backfill(self) -> u32 {
        self.of(Priority::Backfill).per_hour
    }

    /// How many slices of a backfill are worth exporting at the same time. If none takes more than twelve
    /// minutes, these use the whole share of the hour; more would only wait for it.
    #[must_use]
    pub fn slices_at_once(self) -> u32 {
        (self.of_a_backfill() / 5).clamp(1, MOST_AT_ONCE)
    }

    /// The part of the limits that a kind of run may use.
    fn of(self, priority: Priority) -> Self {
        let rest = |limit: u32, reserved: u32| limit.saturating_sub(reserved).max(1);
        match priority {
            Priority::Scheduled => self,
            Priority::Backfill => Self {
                per_hour: rest(self.per_hour, self.per_hour.div_ceil(RESERVED)),
                per_second: rest(self.per_second, 1),
            },
        }
    }
}

fn milliseconds(wait: i64) -> Duration {
    Duration::from_millis(wait.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn queries(started: &[i64]) -> Queries {
        Queries { started: started.to_vec(), ..Queries::default() }
    }

    const LIMITS: Limits = Limits { per_hour: 6, per_second: 2 };

    #[rstest]
    #[case::unused(&[], Priority::Scheduled, 0)]
    #[case::two_in_a_second(&[9_000, 9_500], Priority::Scheduled, 500)]
    #[case::one_in_a_second(&[9_000], Priority::Backfill, 500)]
    #[case::one_of_them_is_old(&[8_500, 9_500], Priority::Scheduled, 0)]
    #[case::all_used(&[1_000, 2_000, 3_000, 4_000, 5_000, 6_000], Priority::Scheduled, HOUR - 9_000)]
    #[case::one_is_left(&[1_000, 2_000, 3_000, 4_000, 5_000], Priority::Scheduled, 0)]
    #[case::one_is_left_to_others(&[1_000, 2_000, 3_000, 4_000, 5_000], Priority::Backfill, HOUR - 9_000)]
    fn a_query_waits_until_the_oldest_that_counts_is_past(
        #[case] started: &[i64],
        #[case] priority: Priority,
        #[case] wait: i64,
    ) {
        assert_eq!(queries(started).wait(10_000, LIMITS, priority), wait);
    }

    #[rstest]
    #[case::mixpanels(60, 50, 10)]
    #[case::small(3, 2, 1)]
    #[case::smallest(1, 1, 1)]
    #[case::large(3_600, 3_000, 50)]
    fn a_backfill_runs_as_many_slices_as_its_share_lets(
        #[case] per_hour: u32,
        #[case] share: u32,
        #[case] at_once: u32,
    ) {
        let limits = Limits::an_hour(per_hour);
        assert_eq!((limits.of_a_backfill(), limits.slices_at_once()), (share, at_once));
    }

    #[test]
    fn while_the_source_refuses_nobody_asks() {
        let mut closed = queries(&[]);
        closed.close(10_000, 70_000);
        closed.close(20_000, 30_000);
        closed.forget(20_000);
        assert_eq!(closed.wait(20_000, LIMITS, Priority::Scheduled), 50_000);
        closed.forget(70_000);
        assert_eq!(closed, queries(&[]));
    }

    #[test]
    fn what_a_clock_far_ahead_entered_is_forgotten() {
        let mut odd = queries(&[5, HOUR * 3]);
        odd.close(HOUR * 5, HOUR * 50);
        odd.forget(10);
        assert_eq!(odd, queries(&[5]));
    }

    #[test]
    fn a_backfill_can_always_start_some_query() {
        for per_hour in 1..100 {
            let limits = Limits::an_hour(per_hour);
            let backfill = limits.of(Priority::Backfill).per_hour;
            assert!(backfill >= 1 && backfill <= limits.per_hour);
        }
    }

    proptest! {
        #[test]
        fn a_query_that_waited_as_long_as_it_was_told_may_start(
            gaps in prop::collection::vec(0_i64..1_000_000, 0..40),
        ) {
            let mut now = 0;
            let mut known = queries(&[]);
            for gap in gaps {
                now += gap;
                now += known.wait(now, LIMITS, Priority::Scheduled);
                known.forget(now);
                prop_assert_eq!(known.wait(now, LIMITS, Priority::Scheduled), 0);
                known.start(now);
            }
        }
    }
}
