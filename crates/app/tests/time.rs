//! Runs that have little time: what they leave to the next one, and what that one need not do again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use futures::StreamExt;
use mixlake_app::export::{Expected, ExportError, RunTime, SliceStatus};
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_domain::{Date, Slice, Timestamp, Window, Zone};
use rstest::rstest;
use serde_json::json;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Lake, event, label, slice};

const DAYS: [&str; 4] = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"];

/// A source that takes a second of the test's clock for each of its hours.
struct Slow<'a> {
    lake: &'a Lake,
    clock: Arc<AtomicI64>,
    asked: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl EventSource for Slow<'_> {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        self.asked.lock().unwrap().push(window.to_string());
        let seconds = window.seconds() / 3600;
        let chunks = self.lake.source.fetch(window, attempt).await?;
        let clock = Arc::clone(&self.clock);
        let tick = move || {
            clock.fetch_add(seconds, Ordering::Relaxed);
        };
        let mut first = true;
        let ticking = chunks.inspect(move |_| {
            if std::mem::take(&mut first) {
                tick();
            }
        });
        Ok(ticking.boxed())
    }

    fn divides(&self) -> bool {
        true
    }

    fn query(&self, window: &Window) -> Option<String> {
        self.lake.source.query(window)
    }
}

/// A lake with an event for each hour of some days, and a clock that only the source moves.
fn lake() -> (Lake, Arc<AtomicI64>) {
    let mut lake = Lake::new();
    for (number, day) in DAYS.iter().enumerate() {
        for hour in 0..24 {
            lake.source.add(event(
                &format!("{number}-{hour}"),
                &format!("{day}T{hour:02}:30"),
                json!({}),
            ));
        }
    }
    lake.source.divide();
    let seconds = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&seconds);
    lake.clock = Arc::new(move || Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap());
    lake.force = false;
    (lake, seconds)
}

/// Runs once with so many seconds. Answers what was asked for, and whether all slices are whole.
async fn run(
    lake: &mut Lake,
    clock: &Arc<AtomicI64>,
    seconds: u64,
    days: &[&str],
) -> (Vec<String>, bool) {
    let begins = Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap();
    lake.time = Some(RunTime { begins, ends: begins + Duration::from_secs(seconds) });
    let lake = &*lake;
    let source = Slow { lake, clock: Arc::clone(clock), asked: Mutex::default() };
    let slices: Vec<Slice> = days.iter().map(|day| slice(day)).collect();
    let report = lake.exporter_over(&source, &lake.store).export(&slices).await;
    assert!(report.is_whole() || report.is_out_of_time(), "{report:?}");
    let asked = source.asked.into_inner().unwrap();
    (asked, report.is_whole())
}

#[tokio::test]
async fn no_slice_begins_that_may_not_fit_and_the_next_run_goes_on() {
    let (mut lake, clock) = lake();
    assert_eq!(
        run(&mut lake, &clock, 60, &DAYS).await,
        (vec![DAYS[0].into(), DAYS[1].into()], false)
    );
    assert_eq!(
        run(&mut lake, &clock, 60, &DAYS).await,
        (vec![DAYS[2].into(), DAYS[3].into()], true)
    );
    lake.check(&DAYS, "after two runs");
    assert_eq!(run(&mut lake, &clock, 60, &DAYS).await, (Vec::new(), true), "all is published");
}

#[tokio::test]
async fn a_day_that_is_longer_than_a_run_is_put_together_by_several() {
    let (mut lake, clock) = lake();
    let day = &DAYS[..1];
    let mut asked = Vec::new();
    for _ in 0..8 {
        let (windows, whole) = run(&mut lake, &clock, 10, day).await;
        asked.push(windows.len());
        if whole {
            lake.check(day, "put together");
            assert_eq!(
                lake.keys("_staging/").len(),
                2,
                "the notes of windows that were too long expire"
            );
            // A day of 24 s, then its half; then quarters of 6 s, one a run.
            assert_eq!(asked, [1, 1, 1, 1, 1, 1]);
            return;
        }
        assert!(lake.held().rows.is_empty(), "nothing of it is visible before it is whole");
    }
    panic!("never done: {asked:?}");
}

#[tokio::test]
async fn a_published_slice_is_fetched_again_only_by_force() {
    let (lake, _) = lake();
    let day = DAYS[0];
    assert_eq!(lake.publish(day).await.status, SliceStatus::Published);
    let asked = lake.source.fetches().len();
    let report = lake.export(&[day, "2026-11-10T05"]).await;
    for existing in report.whole() {
        assert_eq!((existing.slice.as_str(), existing.status), (day, SliceStatus::Existing));
        assert_eq!(existing.counts.written, 24);
    }
    assert_eq!(report.totals().counts.received, 0, "the sums are of what this run received");
    assert_eq!(lake.source.fetches().len(), asked);
    let forced = Lake { force: true, ..lake.clone() };
    assert_eq!(forced.publish(day).await.status, SliceStatus::Unchanged);
}

fn expected(dates: &[&str], until: &str) -> Vec<Expected> {
    let until: Timestamp = until.parse().unwrap();
    let of = |date: &&str| {
        let date: Date = date.parse().unwrap();
        let day = Slice::day(date, &Zone::UTC);
        let slices = Slice::hours(date, &Zone::UTC).into_iter().filter(|hour| hour.end() <= until);
        Expected {
            date,
            slices: slices.collect(),
            longer: Some(day).filter(|day| day.end() <= until).into_iter().collect(),
        }
    };
    dates.iter().map(of).collect()
}

async fn missing(
    lake: &Lake,
    dates: &[&str],
    until: &str,
) -> (Vec<String>, Option<(String, String)>) {
    let missing = lake.exporter().missing(&expected(dates, until)).await.unwrap();
    let slices = missing.slices.iter().map(ToString::to_string).collect();
    (slices, missing.before.map(|(from, to)| (from.to_string(), to.to_string())))
}

#[tokio::test]
async fn a_new_lake_lacks_nothing() {
    let (lake, _) = lake();
    assert_eq!(missing(&lake, &DAYS, "2026-11-13T03:00:00Z").await, (Vec::new(), None));
}

#[tokio::test]
async fn hours_and_days_that_were_not_exported_are_found_the_oldest_first() {
    let (lake, _) = lake();
    for published in ["2026-11-10T21", "2026-11-10T23", "2026-11-12"] {
        lake.publish(published).await;
    }
    let found = missing(&lake, &DAYS, "2026-11-13T02:00:00Z").await;
    let lacks = ["2026-11-10T22", "2026-11-11", "2026-11-13T00", "2026-11-13T01"];
    assert_eq!(found, (lacks.map(str::to_owned).to_vec(), None));
    for slice in lacks {
        lake.publish(slice).await;
    }
    assert_eq!(missing(&lake, &DAYS, "2026-11-13T02:00:00Z").await.0, [""; 0]);
}

#[tokio::test]
async fn dates_older_than_those_that_are_looked_at_are_told() {
    let (lake, _) = lake();
    lake.publish("2026-11-10T05").await;
    let (slices, before) = missing(&lake, &DAYS[2..], "2026-11-13T00:00:00Z").await;
    assert_eq!(slices, ["2026-11-12"]);
    assert_eq!(before, Some(("2026-11-11".to_owned(), "2026-11-11".to_owned())));
}

#[rstest]
#[case::outage(mixlake_testkit::source::Ending::Unavailable)]
#[case::budget(mixlake_testkit::source::Ending::RateLimited)]
#[case::time(mixlake_testkit::source::Ending::OutOfTime)]
#[tokio::test]
async fn what_an_outage_left_out_is_missing_and_made_up_for(
    #[case] ending: mixlake_testkit::source::Ending,
) {
    let (lake, _) = lake();
    lake.publish("2026-11-10T00").await;
    lake.source.next_endings([ending]);
    let report = lake.export(&["2026-11-10T01", "2026-11-10T02"]).await;
    assert!(report.is_for_later());
    assert!(
        matches!(report.slices[1].outcome, Err(ExportError::NotTried(slice)) if slice == label("2026-11-10T01"))
    );
    let (slices, _) = missing(&lake, &DAYS[..1], "2026-11-10T03:00:00Z").await;
    assert_eq!(slices, ["2026-11-10T01", "2026-11-10T02"]);
}
