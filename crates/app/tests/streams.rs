//! A stream that breaks, and a name that is taken: what a slice does before it is visible.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::export::ExportError;
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_columnar::TransformError;
use mixlake_domain::{Timestamp, Window};
use mixlake_schema::ColumnType;
use mixlake_testkit::rows;
use mixlake_testkit::source::Ending;
use rstest::rstest;
use serde_json::json;
use std::sync::{Arc, Mutex};
use support::jitter::{Dice, Jitter};
use support::{Lake, TABLE, event, slice};

const H2: &str = "2026-11-10T02";

fn lake() -> Lake {
    let lake = Lake::new().in_many_parts();
    lake.hold(&["b 2026-11-10T02:20", "c 2026-11-10T02:30", "d 2026-11-10T02:40"]);
    lake.source.be_one_stream();
    lake
}

#[rstest]
#[case::at_the_start(Ending::BreaksAfter(0))]
#[case::in_a_line(Ending::BreaksAfter(250))]
#[case::at_the_end(Ending::BreaksAfter(100_000))]
#[case::says_so(Ending::TerminatedEarly)]
#[case::in_the_last_line(Ending::CutLine)]
#[case::ends_with_an_error(Ending::Says(
    "{\"event\":\"e\",\"properties\":{\"time\":1794276000}}\n{\"error\":\"Timeout\"}\n"
))]
#[tokio::test]
async fn a_broken_stream_is_asked_for_again_and_gives_nothing_else(#[case] ending: Ending) {
    let lake = lake();
    lake.source.next_endings([ending; 3]);
    assert_eq!(lake.publish(H2).await.counts.written, 3, "the fourth attempt");
    lake.check(&[H2], "after broken streams");

    let other = self::lake();
    other.source.always(ending);
    let error = other.exporter().slice(&slice(H2)).await.unwrap_err();
    let incomplete = match &error {
        ExportError::Source(error) => error.is_transient(),
        ExportError::Transform(error) => {
            matches!(
                error,
                TransformError::TerminatedEarly(_)
                    | TransformError::CutLine(_)
                    | TransformError::EndsWithError(_)
            )
        }
        ExportError::Store(_)
        | ExportError::Document(_)
        | ExportError::Compacted { .. }
        | ExportError::Table(_)
        | ExportError::Registry { .. }
        | ExportError::Identities { .. }
        | ExportError::Zone { .. }
        | ExportError::Start(_)
        | ExportError::MostlyBad { .. }
        | ExportError::Empty { .. }
        | ExportError::Fewer { .. }
        | ExportError::NotTried(_)
        | ExportError::Minute { .. }
        | ExportError::Contended(_) => false,
    };
    assert!(incomplete, "{error}");
    let attempts: Vec<u32> = other.source.fetches().iter().map(|(_, attempt)| *attempt).collect();
    assert_eq!(attempts, [0, 1, 2, 3]);
    assert!(other.store.snapshot().is_empty(), "nothing is left of it");
}

/// Ten events an hour apart by six minutes each, without `$insert_id`: none may come twice.
fn lake_that_can_be_asked_for_parts() -> Lake {
    let lake = Lake::new().in_many_parts();
    for minute in (0..60).step_by(6) {
        let time = format!("2026-11-10T02:{minute:02}");
        lake.source.add(event("", &time, json!({"minute": minute, "$insert_id": null})));
    }
    lake.source.add_to(slice(H2).label(), "oops");
    lake.source.divide();
    lake
}

#[tokio::test]
async fn a_slice_that_breaks_off_again_and_again_is_put_together_of_its_halves() {
    let lake = lake_that_can_be_asked_for_parts();
    lake.source.send_at_most(4);
    let report = lake.publish(H2).await;
    assert_eq!((report.counts.received, report.counts.written), (11, 10));
    assert_eq!((report.counts.duplicates, report.counts.quarantined), (0, 1));
    let minutes = |window: &Window| (window.end().as_second() - window.start().as_second()) / 60;
    let asked: Vec<i64> = lake.source.windows().iter().map(|(w, _)| minutes(w)).collect();
    assert_eq!(asked, [60, 60, 60, 60, 30, 30, 15, 15, 15, 15]);
    assert_eq!(lake.keys("_staging/"), [""; 0]);

    // The same events in one stream give the same files.
    let other = lake_that_can_be_asked_for_parts();
    assert_eq!(other.publish(H2).await.objects, report.objects);
    assert_eq!(other.store.snapshot(), lake.store.snapshot());
}

#[tokio::test]
async fn two_functions_that_put_the_same_slice_together_do_not_take_each_others_parts_away() {
    for seed in 0..50 {
        let lake = lake_that_can_be_asked_for_parts();
        lake.source.send_at_most(4);
        let dice = [Dice::new(2 * seed), Dice::new(2 * seed + 1)];
        let stores = dice.each_ref().map(|dice| Jitter { inner: &lake.store, dice });
        let exporters = stores.each_ref().map(|store| lake.exporter_over(&lake.source, store));
        let slice = slice(H2);
        let (one, two) = futures::join!(exporters[0].slice(&slice), exporters[1].slice(&slice));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!((one.counts, one.objects.len()), (two.counts, 10), "seed {seed}");
        let live = |key: &String| rows::of(&lake.store.snapshot()[key]).len();
        assert_eq!(two.objects.iter().map(live).sum::<usize>(), 10, "seed {seed}");
        assert_eq!(lake.keys("_staging/"), [""; 0]);
    }
}

fn minutes_asked(lake: &Lake, since: usize) -> Vec<i64> {
    let asked = lake.source.windows().split_off(since);
    asked.iter().map(|(window, _)| window.seconds() / 60).collect()
}

/// The hour and its first half fail; of the quarters so many are complete when the budget ends.
async fn stopped_after(lake: &Lake, quarters: usize) {
    let failed = [Ending::BreaksAfter(0); 6].into_iter();
    let whole = std::iter::repeat_n(Ending::Whole, quarters);
    lake.source.next_endings(failed.chain(whole).chain([Ending::RateLimited]));
    let error = lake.exporter().slice(&slice(H2)).await.unwrap_err();
    assert!(matches!(error, ExportError::Source(SourceError::RateLimited { .. })), "{error}");
    assert_eq!(lake.keys(""), lake.keys("_staging/"), "nothing is visible");
}

#[tokio::test]
async fn parts_that_are_complete_are_not_asked_for_again_when_the_budget_is_there_again() {
    let lake = lake_that_can_be_asked_for_parts();
    stopped_after(&lake, 2).await;
    let before = lake.source.windows().len();
    stopped_after(&lake, 1).await;
    assert_eq!(minutes_asked(&lake, before), [60, 60, 60, 60, 30, 30, 15, 15]);
    lake.source.next_endings([Ending::BreaksAfter(0); 6]);
    let before = lake.source.windows().len();
    let report = lake.publish(H2).await;
    assert_eq!(minutes_asked(&lake, before), [60, 60, 60, 60, 30, 30, 15]);
    assert_eq!((report.counts.written, report.counts.quarantined), (10, 1));
    assert_eq!(lake.keys("_staging/"), [""; 0]);
    let other = lake_that_can_be_asked_for_parts();
    assert_eq!(other.publish(H2).await.objects, report.objects);
}

#[rstest]
#[case::a_day_later("2026-11-11T04:00:00Z", "")]
#[case::of_another_query("2026-11-10T04:00:00Z", "another")]
#[tokio::test]
async fn parts_that_may_lack_something_are_asked_for_again(
    #[case] now: &str,
    #[case] filter: &str,
) {
    let mut lake = lake_that_can_be_asked_for_parts();
    let at = |now: &str| -> Timestamp { now.parse().unwrap() };
    let first = at("2026-11-10T03:00:00Z");
    lake.clock = Arc::new(move || first);
    stopped_after(&lake, 2).await;
    let later = at(now);
    lake.clock = Arc::new(move || later);
    lake.source.filter(filter);
    lake.source.next_endings([Ending::BreaksAfter(0); 6]);
    let before = lake.source.windows().len();
    assert_eq!(lake.publish(H2).await.counts.written, 10);
    assert_eq!(minutes_asked(&lake, before), [60, 60, 60, 60, 30, 30, 15, 15, 15, 15]);
}

#[tokio::test]
async fn a_part_that_is_cut_in_its_last_line_is_no_part() {
    let lake = lake_that_can_be_asked_for_parts();
    let (cut, words) = (Ending::CutLine, Ending::TerminatedEarly);
    lake.source
        .next_endings([Ending::BreaksAfter(0); 4].into_iter().chain([cut, words, words, cut]));
    let report = lake.publish(H2).await;
    assert_eq!((report.counts.written, report.counts.quarantined), (10, 1));
}

#[tokio::test]
async fn a_minute_that_cannot_be_had_leaves_nothing_of_the_parts_before_it() {
    let lake = lake_that_can_be_asked_for_parts();
    let endings = [Ending::BreaksAfter(0); 4].into_iter().chain([Ending::Whole]);
    lake.source.next_endings(endings);
    lake.source.always(Ending::BreaksAfter(0));
    let error = lake.exporter().slice(&slice(H2)).await.unwrap_err();
    assert!(
        error.to_string().contains("events of 2026-11-10T02:30:00Z to 2026-11-10T02:31:00Z"),
        "{error}"
    );
    assert!(lake.store.snapshot().is_empty());
}

#[tokio::test]
async fn a_refusal_is_final() {
    let lake = lake();
    lake.source.always(Ending::Refused);
    let error = lake.exporter().slice(&slice(H2)).await.unwrap_err();
    assert!(matches!(error, ExportError::Source(SourceError::Refused(_))), "{error}");
    assert_eq!(lake.source.fetches().len(), 1);
    assert!(lake.store.snapshot().is_empty());
}

#[tokio::test]
async fn a_source_that_is_down_is_left_to_a_later_run() {
    let lake = lake();
    lake.source.divide();
    lake.source.always(Ending::Unavailable);
    let report = lake.export(&["2026-11-10T01", H2]).await;
    assert_eq!(lake.source.fetches().len(), 1, "the adapter has waited; nothing is cut in halves");
    assert!(report.is_for_later() && !report.is_whole());
    assert!(lake.store.snapshot().is_empty());
}

#[tokio::test]
async fn a_window_that_is_not_answered_in_time_is_cut_at_once() {
    let lake = lake();
    lake.source.divide();
    lake.source.next_endings([Ending::TimedOut]);
    assert_eq!(lake.publish(H2).await.counts.written, 3);
    assert_eq!(minutes_asked(&lake, 0), [60, 30, 30]);
}

#[tokio::test]
async fn parts_are_kept_when_the_source_goes_down_between_them() {
    let lake = lake_that_can_be_asked_for_parts();
    lake.source.next_endings([Ending::TimedOut, Ending::Whole, Ending::Unavailable]);
    lake.exporter().slice(&slice(H2)).await.unwrap_err();
    lake.source.next_endings([Ending::TimedOut]);
    let before = lake.source.windows().len();
    assert_eq!(lake.publish(H2).await.counts.written, 10);
    assert_eq!(minutes_asked(&lake, before), [60, 30], "the first half is there");
}

#[tokio::test]
async fn a_slice_that_fails_does_not_keep_the_next_from_being_published() {
    let lake = lake();
    lake.source.next_endings([Ending::TerminatedEarly; 4]);
    let report = lake.export(&["2026-11-10T01", H2]).await;
    assert!(!report.is_whole());
    assert_eq!(report.totals().counts.written, 3);
    lake.check(&[H2], "the second");
}

#[tokio::test]
async fn what_would_meet_every_slice_is_met_once() {
    let lake = lake();
    lake.source.always(Ending::Refused);
    let report = lake.export(&["2026-11-10T01", H2, "2026-11-10T03"]).await;
    assert_eq!(lake.source.fetches().len(), 1);
    for outcome in &report.slices[1..] {
        assert!(matches!(outcome.outcome, Err(ExportError::NotTried(_))), "{outcome:?}");
    }
    assert!(lake.store.snapshot().is_empty());
}

/// A source that lets another function publish a slice while the first one reads.
struct Meanwhile<'a> {
    lake: &'a Lake,
    other: Mutex<Option<&'a str>>,
}

#[async_trait::async_trait]
impl EventSource for Meanwhile<'_> {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        let other = self.other.lock().unwrap().take();
        if let Some(label) = other {
            self.lake.publish(label).await;
        }
        self.lake.source.fetch(window, attempt).await
    }
}

#[tokio::test]
async fn a_name_that_another_function_took_meanwhile_makes_the_slice_start_again() {
    let lake = lake();
    lake.source.clear();
    lake.source.add(event("a", "2026-11-10T01:10", json!({"Xy": 1, "n": 1, "same": true})));
    lake.source.add(event("b", "2026-11-10T02:20", json!({"XY": 2, "n": "two", "same": true})));
    lake.source.add(event("c", "2026-11-10T02:30", json!({"XY": 3})));
    let source = Meanwhile { lake: &lake, other: Mutex::new(Some("2026-11-10T01")) };
    let report = lake.exporter_over(&source, &lake.store).slice(&slice(H2)).await.unwrap();
    let new: Vec<_> = report.new_columns.iter().map(|c| (&*c.property, &*c.column)).collect();
    assert_eq!(new, [("XY", "xy_1"), ("n", "n_string")]);

    let registry = lake.registry();
    let table = &registry.tables()[TABLE];
    let name = |property, column_type| {
        table.find(property, column_type).map(|id| table.columns()[id].name.as_str())
    };
    assert_eq!(name("Xy", ColumnType::Number), Some("xy"));
    assert_eq!(name("XY", ColumnType::Number), Some("xy_1"));
    assert_eq!(name("n", ColumnType::String), Some("n_string"));
    let rows: Vec<_> =
        report.objects.iter().flat_map(|key| rows::of(&lake.store.snapshot()[key])).collect();
    assert_eq!((&rows[0]["xy_1"], &rows[0]["n_string"]), (&json!(2.0), &json!("two")));
    assert!(rows.iter().all(|row| !row.contains_key("xy") && !row.contains_key("n")));
    lake.check(&["2026-11-10T01", H2], "both functions");
    assert_eq!(lake.keys("_staging/"), [""; 0]);
}
