//! Hours of a project's query budget, with several workers, on a clock that is driven by the test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::budget::{Limits, Priority, SharedBudget};
use mixlake_app::ports::{Clock, QueryBudget, Turn};
use mixlake_domain::Timestamp;
use mixlake_testkit::faults::Fault;
use mixlake_testkit::store::{MemoryStore, Operation};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use support::jitter::{Dice, Jitter};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A clock that stands still until the test moves it, in milliseconds.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn set(&self, at: i64) {
        self.0.store(at, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || Timestamp::from_millisecond(hands.0.load(Ordering::Relaxed)).unwrap())
    }
}

fn budget(store: &MemoryStore, hands: &Hands, priority: Priority) -> SharedBudget {
    SharedBudget {
        store: Arc::new(store.clone()),
        key: "42/_budget/queries.json".to_owned(),
        limits: Limits::an_hour(60),
        priority,
        clock: hands.clock(),
    }
}

/// One who starts queries, each some time after the last.
struct Worker {
    budget: SharedBudget,
    queries: u32,
    pause: i64,
    /// Since when it wants to start the next.
    wants: i64,
    longest_wait: i64,
}

/// What arrives at Mixpanel: each query travels for up to 400 ms.
struct Day {
    hands: Hands,
    workers: Vec<Worker>,
    arrivals: Vec<i64>,
    random: StdRng,
}

impl Day {
    /// Lets every worker do what it does when it is its time, until all are done.
    async fn pass(&mut self) {
        let mut due: BinaryHeap<_> = (0..self.workers.len()).map(|w| Reverse((0, w))).collect();
        while let Some(Reverse((now, index))) = due.pop() {
            self.hands.set(now);
            if let Some(next) = self.step(now, index).await {
                due.push(Reverse((next, index)));
            }
        }
        self.arrivals.sort_unstable();
    }

    /// Answers when the worker is to be called again.
    async fn step(&mut self, now: i64, index: usize) -> Option<i64> {
        let worker = &mut self.workers[index];
        if let Turn::After(wait) = worker.budget.turn().await.unwrap() {
            return Some(now + i64::try_from(wait.as_millis()).unwrap());
        }
        worker.longest_wait = worker.longest_wait.max(now - worker.wants);
        worker.queries -= 1;
        self.arrivals.push(now + self.random.random_range(0..400));
        worker.wants = now + worker.pause + self.random.random_range(0..2000);
        (worker.queries > 0).then_some(worker.wants)
    }

    /// The most arrivals that any such stretch of time has.
    fn most(&self, window: i64) -> usize {
        let from = |first: i64| {
            self.arrivals.iter().filter(move |at| (first..first + window).contains(*at))
        };
        self.arrivals.iter().map(|first| from(*first).count()).max().unwrap_or_default()
    }
}

#[tokio::test]
async fn several_workers_never_ask_for_more_than_there_is_and_the_schedule_never_waits_long() {
    for seed in 0..20 {
        let (store, hands) = (MemoryStore::new(), Hands::default());
        let worker = |priority, queries, pause| {
            let budget = budget(&store, &hands, priority);
            Worker { budget, queries, pause, wants: 0, longest_wait: 0 }
        };
        // Three backfills that want 180 queries, and two functions that come by every quarter.
        let backfill = || worker(Priority::Backfill, 60, 0);
        let scheduled = || worker(Priority::Scheduled, 16, 15 * MINUTE);
        let mut day = Day {
            workers: vec![backfill(), backfill(), backfill(), scheduled(), scheduled()],
            arrivals: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            hands: hands.clone(),
        };
        day.pass().await;

        assert_eq!(day.arrivals.len(), 3 * 60 + 2 * 16);
        assert!(day.most(HOUR) <= 60, "seed {seed}: {} in an hour", day.most(HOUR));
        assert!(day.most(SECOND) <= 3, "seed {seed}: {} in a second", day.most(SECOND));
        for worker in &day.workers[3..] {
            let waited = worker.longest_wait;
            assert!(waited < 5 * SECOND, "seed {seed}: a scheduled query waited {waited} ms");
        }
        // Nor is the budget left lying: 50 an hour, of which the schedule takes 8.
        let last = day.workers[..3].iter().map(|worker| worker.wants).max().unwrap();
        assert!(last < 5 * HOUR, "seed {seed}: the backfills ended after {last} ms");
    }
}

#[tokio::test]
async fn a_refusal_keeps_all_others_waiting_too() {
    let (store, hands) = (MemoryStore::new(), Hands::default());
    let one = budget(&store, &hands, Priority::Backfill);
    let other = budget(&store, &hands, Priority::Scheduled);
    assert_eq!(one.turn().await.unwrap(), Turn::Now);
    one.closed(Duration::from_mins(7)).await.unwrap();
    assert_eq!(other.turn().await.unwrap(), Turn::After(Duration::from_mins(7)));
    hands.set(7 * MINUTE);
    assert_eq!(other.turn().await.unwrap(), Turn::Now);
}

#[tokio::test]
async fn a_request_that_does_not_count_waits_only_while_the_source_refuses() {
    let (store, hands) = (MemoryStore::new(), Hands::default());
    let budget = budget(&store, &hands, Priority::Scheduled);
    while budget.turn().await.unwrap() == Turn::Now {}
    let entered = store.snapshot();
    assert_eq!(budget.open().await.unwrap(), Turn::Now, "the used-up second does not matter");
    assert_eq!(store.snapshot(), entered, "it is not entered");
    budget.closed(Duration::from_mins(7)).await.unwrap();
    assert_eq!(budget.open().await.unwrap(), Turn::After(Duration::from_mins(7)));
    hands.set(7 * MINUTE);
    assert_eq!(budget.open().await.unwrap(), Turn::Now);
}

#[tokio::test]
async fn a_refusal_for_years_is_believed_for_a_day() {
    let (store, hands) = (MemoryStore::new(), Hands::default());
    let budget = budget(&store, &hands, Priority::Scheduled);
    budget.closed(Duration::MAX).await.unwrap();
    assert_eq!(budget.turn().await.unwrap(), Turn::After(Duration::from_hours(24)));
    hands.set(24 * HOUR);
    assert_eq!(budget.turn().await.unwrap(), Turn::Now);
}

#[tokio::test]
async fn an_entry_that_was_refused_or_seems_so_is_made_again() {
    for fault in [Fault::Overtaken, Fault::Echo] {
        let (store, hands) = (MemoryStore::new(), Hands::default());
        let mut first = true;
        store.inject(move |call| {
            let hit = call.operation == Operation::Put && std::mem::take(&mut first);
            if hit { fault } else { Fault::None }
        });
        let budget = budget(&store, &hands, Priority::Scheduled);
        assert_eq!(budget.turn().await.unwrap(), Turn::Now, "{fault:?}");
    }
}

#[tokio::test]
async fn a_store_that_fails_gives_no_turn() {
    let store = MemoryStore::new();
    store.inject(|_| Fault::Before);
    budget(&store, &Hands::default(), Priority::Scheduled).turn().await.unwrap_err();
}

#[tokio::test]
async fn of_many_who_ask_at_the_same_moment_no_more_start_than_may() {
    let mut refused = 0;
    for seed in 0..50 {
        let (store, hands) = (MemoryStore::new(), Hands::default());
        let asks = (0..8).map(|n| {
            // They live as long as the test.
            let inner: &'static MemoryStore = Box::leak(Box::new(store.clone()));
            let dice: &'static Dice = Box::leak(Box::new(Dice::new(seed * 8 + n)));
            let store = Arc::new(Jitter { inner, dice });
            SharedBudget { store, ..budget(inner, &hands, Priority::Scheduled) }
        });
        let asks: Vec<SharedBudget> = asks.collect();
        let turns = futures::future::join_all(asks.iter().map(QueryBudget::turn)).await;
        let started = turns.iter().filter(|turn| matches!(turn, Ok(Turn::Now))).count();
        assert_eq!(started, 3, "seed {seed}: three a second");
        let puts = store.calls().into_iter().filter(|call| call.operation == Operation::Put);
        refused += puts.count() - started;
    }
    assert!(refused > 50, "only {refused} entries met another one");
}
