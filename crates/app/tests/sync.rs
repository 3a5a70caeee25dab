//! Closed days are fetched again as a whole, and only what changed is written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::export::{ExportError, OnEmpty};
use mixlake_app::sync::SyncTimes;
use mixlake_domain::{Date, Timestamp};
use mixlake_testkit::faults::{Call, Fault};
use mixlake_testkit::source::Ending;
use mixlake_testkit::store::Operation;
use std::cmp::Ordering;
use std::sync::Arc;
use support::Lake;

const DAY: &str = "2026-11-10";
const HOURS: [&str; 3] = ["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"];

/// A day in hours: an event of it comes late, and another one is deleted in Mixpanel.
async fn lake() -> Lake {
    let lake = Lake { force: false, ..Lake::new() };
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "deleted 2026-11-10T03:30"]);
    for hour in HOURS {
        lake.publish(hour).await;
    }
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "late 2026-11-10T01:50"]);
    at(lake, "2026-11-11T02:10:00Z")
}

fn at(lake: Lake, time: &str) -> Lake {
    let now: Timestamp = time.parse().unwrap();
    Lake { clock: Arc::new(move || now), ..lake }
}

fn dates(dates: &[&str]) -> Vec<Date> {
    dates.iter().map(|date| date.parse().unwrap()).collect()
}

async fn sync(lake: &Lake) {
    let report = lake.exporter().sync(&dates(&[DAY])).await;
    assert!(report.is_whole(), "{report:?}");
}

/// The dates that are due at a time, of those from 8 to 11 November.
async fn due(lake: &Lake, since: &str) -> Vec<Date> {
    let window = dates(&["2026-11-11", DAY, "2026-11-09", "2026-11-08"]);
    lake.exporter().due_for_sync(&window, since.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn late_events_appear_deleted_ones_disappear_and_the_day_is_one_slice() {
    let lake = lake().await;
    sync(&lake).await;
    lake.check(&[DAY], "after the sync");
    assert_eq!(lake.held().rows.len(), 3);
}

#[tokio::test]
async fn a_day_with_equal_rows_is_not_written_again() {
    let lake = lake().await;
    sync(&lake).await;
    let lake = at(lake, "2026-11-12T02:10:00Z");
    let calls = lake.store.calls().len();
    sync(&lake).await;
    let times = lake.layout.sync_times();
    assert_eq!(lake.changes_since(calls), [(Operation::Put, times)], "only the time of the sync");
    let times = SyncTimes::read(&lake.store, &lake.layout).await.unwrap();
    assert_eq!(times.days[&DAY.parse().unwrap()].to_string(), "2026-11-12T02:10:00Z");
}

#[tokio::test]
async fn a_date_is_due_once_after_each_closing_and_not_before_the_first_slice() {
    let lake = lake().await;
    assert_eq!(due(&lake, "2026-11-12T02:00:00Z").await, dates(&["2026-11-11", DAY]));
    sync(&lake).await;
    assert_eq!(due(&lake, "2026-11-11T02:00:00Z").await, dates(&["2026-11-11"]));
    assert_eq!(due(&lake, "2026-11-12T02:00:00Z").await, dates(&["2026-11-11", DAY]));
    let empty = Lake::new();
    assert_eq!(due(&empty, "2026-11-12T02:00:00Z").await, [], "nothing was ever requested");
}

#[tokio::test]
async fn a_day_that_failed_stays_due() {
    let lake = lake().await;
    lake.source.always(Ending::Refused);
    let report = lake.exporter().sync(&dates(&[DAY])).await;
    assert!(!report.is_whole());
    assert_eq!(due(&lake, "2026-11-11T02:00:00Z").await, dates(&["2026-11-11", DAY]));
    assert_eq!(lake.held().rows.len(), 3, "what was live stays");
}

/// As in a scheduled sync.
#[tokio::test]
async fn an_empty_answer_empties_no_day_if_it_must_not() {
    let mut lake = lake().await;
    lake.safeguards.empty = OnEmpty::Refuse;
    lake.hold(&[]);
    let report = lake.exporter().sync(&dates(&[DAY])).await;
    assert!(matches!(report.errors().next(), Some(ExportError::Empty { rows: 3 })), "{report:?}");
    assert_eq!(lake.held().rows.len(), 3, "what was live stays");
    assert_eq!(due(&lake, "2026-11-11T02:00:00Z").await, dates(&["2026-11-11", DAY]));
}

#[tokio::test]
async fn a_sync_that_dies_at_any_call_is_made_good_by_the_next() {
    for fault in [Fault::Before, Fault::After] {
        for n in 0.. {
            let lake = lake().await;
            let dies_at = lake.store.calls().len() + n;
            lake.store.inject(move |call: &Call<Operation>| match call.number.cmp(&dies_at) {
                Ordering::Less => Fault::None,
                Ordering::Equal => fault,
                Ordering::Greater => Fault::Before,
            });
            lake.exporter().sync(&dates(&[DAY])).await;
            lake.store.heal();
            let reached = lake.store.calls().len() > dies_at;
            sync(&lake).await;
            lake.check(&[DAY], &format!("{fault:?} at call {n}"));
            if !reached {
                break;
            }
        }
    }
}
