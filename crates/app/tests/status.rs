//! What is told of a lake: its slices by their state, and its dates.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::export::Expected;
use mixlake_app::ports::{ObjectStore, Precondition};
use mixlake_app::runs::{RunLog, Why, rows};
use mixlake_app::status::{Inspector, LakeStatus};
use mixlake_domain::{Date, Slice, Span, Timestamp, Zone};
use mixlake_testkit::faults::Fault;
use mixlake_testkit::source::Ending;
use mixlake_testkit::store::Operation;
use std::time::{Duration, UNIX_EPOCH};
use support::{Lake, label};

const H1: &str = "2026-11-10T01";
const H2: &str = "2026-11-10T02";
const H5: &str = "2026-11-10T05";

fn inspector(lake: &Lake) -> Inspector<'_> {
    Inspector { store: &lake.store, layout: &lake.layout }
}

/// All hours between two dates.
fn hourly(first: Date, last: Date) -> Vec<Expected> {
    let dates = first.series(Span::new().days(1)).take_while(|date| *date <= last);
    let of = |date: Date| {
        let longer = vec![Slice::day(date, &Zone::UTC)];
        Expected { date, slices: Slice::hours(date, &Zone::UTC), longer }
    };
    dates.map(of).collect()
}

async fn status(lake: &Lake) -> LakeStatus {
    let now = Timestamp::from_second(7_200).unwrap();
    inspector(lake).status(now, &Zone::UTC, hourly).await.unwrap()
}

/// Exports slices, and records the run.
async fn run(lake: &Lake, slices: &[&str], second: i64) {
    let mut lake = lake.clone();
    lake.clock = std::sync::Arc::new(move || Timestamp::from_second(second).unwrap());
    let report = lake.export(slices).await;
    let log = RunLog { store: &lake.store, layout: &lake.layout, options: &lake.options };
    let rows = rows(&report, Timestamp::UNIX_EPOCH, (None, "1"), |_| Why::Schedule);
    log.append(&rows, "2026-11-11".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_lake_without_slices_has_nothing_to_tell() {
    assert_eq!(status(&Lake::new()).await, LakeStatus::default());
    let timeline = inspector(&Lake::new()).timeline().await.unwrap();
    assert_eq!((timeline.days.len(), timeline.unreadable.len()), (0, 0));
}

#[tokio::test]
async fn slices_are_published_or_being_written_or_missing() {
    let lake = Lake::new();
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T05:20", "c 2026-11-12T01:00"]);
    lake.publish(H1).await;
    lake.publish("2026-11-12").await;
    // A run that is killed after it has entered the slice.
    lake.store.inject(|call| {
        let is_file = call.operation == Operation::Put && call.subject.ends_with(".parquet");
        if is_file { Fault::Before } else { Fault::None }
    });
    assert!(!lake.export(&[H5]).await.is_whole());
    lake.store.heal();
    let status = status(&lake).await;
    assert_eq!(status.first_date, "2026-11-10".parse().ok());
    assert_eq!(status.last_date, "2026-11-12".parse().ok());
    assert_eq!((status.published, status.writing), (2, vec![label(H5)]));
    assert_eq!(status.last_published, Some(label("2026-11-12")));
    assert_eq!(status.oldest_unpublished, Some(label(H2)));
    // 21 hours of the first date, and the second date as a whole.
    assert_eq!(status.missing.len(), 22);
    assert_eq!(status.missing[0], label(H2));
    assert_eq!(status.missing[21], label("2026-11-11"));
    assert_eq!(status.unreadable, []);
}

#[tokio::test]
async fn a_slice_has_failed_if_the_last_run_that_tried_it_did_not_publish_it() {
    let lake = Lake::new();
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20"]);
    lake.source.always(Ending::Refused);
    run(&lake, &[H1], 100).await;
    lake.source.always(Ending::RateLimited);
    run(&lake, &[H2], 200).await;
    lake.source.always(Ending::Unavailable);
    run(&lake, &[H1], 300).await;
    let failed = status(&lake).await.failed;
    let told: Vec<_> = failed.iter().map(|it| (it.slice, &*it.error)).collect();
    assert_eq!(told, [(label(H1), "unavailable"), (label(H2), "rate_limited")]);
    assert_eq!(failed[0].ended, Timestamp::from_second(300).unwrap());

    lake.source.always(Ending::Whole);
    run(&lake, &[H1], 400).await;
    lake.publish(H2).await;
    assert_eq!(status(&lake).await.failed, [], "whoever published it");
}

#[tokio::test]
async fn queries_of_the_last_hour_are_those_that_were_started_in_it() {
    let lake = Lake::new();
    let budget = r#"{"format":1,"started":[3599999,3600000,7200000,7200001]}"#;
    lake.store.put(&lake.layout.budget(), budget.into(), Precondition::Absent).await.unwrap();
    assert_eq!(status(&lake).await.queries_last_hour, 2);
}

#[tokio::test]
async fn a_damaged_document_is_told_and_the_others_are_read() {
    let lake = Lake::new();
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-11T02:20"]);
    lake.publish("2026-11-10").await;
    lake.publish("2026-11-11").await;
    let ledger = lake.layout.ledger("2026-11-10".parse().unwrap());
    lake.overwrite(&ledger, "{".into()).await;
    lake.overwrite(&lake.layout.budget(), "x".into()).await;
    let status = status(&lake).await;
    assert_eq!((status.published, status.missing.len()), (1, 0));
    let unread: Vec<&str> = status.unreadable.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(unread, [&*ledger, &*lake.layout.budget()]);
    assert!(status.unreadable[0].error.contains("cannot be read: it is damaged"));

    lake.overwrite(&lake.layout.sync_times(), "x".into()).await;
    let timeline = inspector(&lake).timeline().await.unwrap();
    assert_eq!(timeline.unreadable.len(), 2);
    assert_eq!(timeline.days.len(), 2, "the files of the date are still there");
}

#[tokio::test]
async fn a_date_has_the_times_of_its_exports_and_of_its_sync() {
    let lake = Lake::new();
    let at = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
    let set = |minutes: u64| lake.store.set_time(UNIX_EPOCH + Duration::from_mins(minutes));
    lake.hold(&["a 2026-11-10T01:10"]);
    set(1);
    lake.publish(H1).await;
    set(2);
    lake.publish(H2).await;
    let before = inspector(&lake).timeline().await.unwrap();
    let [day] = &before.days[..] else { panic!("{before:?}") };
    assert_eq!((day.slices, day.rows, day.replaced_generations), (2, 1, 0));
    assert_eq!(
        (day.first_export, day.last_export, day.last_sync),
        (Some(at(1)), Some(at(1)), None)
    );

    set(3);
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:10"]);
    assert!(lake.exporter().sync(&[day.date]).await.is_whole());
    let after = inspector(&lake).timeline().await.unwrap();
    let day = &after.days[0];
    assert_eq!((day.slices, day.rows, day.replaced_generations), (1, 2, 1));
    assert_eq!((day.first_export, day.last_export), (Some(at(1)), Some(at(3))));
    assert_eq!(day.last_sync, Some(Timestamp::UNIX_EPOCH), "as the clock of the run says");
}
