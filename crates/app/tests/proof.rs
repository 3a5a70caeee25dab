//! What an answer has to show before it replaces anything, and what is said of rows that go.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::export::{ExportError, OnEmpty, Safeguards, SliceStatus};
use mixlake_columnar::TransformError;
use mixlake_testkit::source::Ending;
use rstest::rstest;
use serde_json::json;
use support::{Lake, TABLE, event, label, slice};

const DAY: &str = "2026-11-10";

const ERROR: &str = "{\"error\":\"Internal error\",\"request\":\"/api/2.0/export\"}\n";
const PAGE: &str = "<!DOCTYPE html>\n<html><body>\n<h1>Sign in</h1>\n</body></html>\n";
const ARRAY: &str = "[{\"event\":\"e\",\"properties\":{\"time\":1794276000}}]\n";
const CSV: &str = "event,time\nSign up,1794276000\n";

/// A day of ten events, from a source whose answers are exports of their own.
async fn lake() -> Lake {
    let lake = Lake::new();
    lake.source.be_one_stream();
    for minute in 10..20 {
        lake.source.add(event(
            &format!("i{minute}"),
            &format!("2026-11-10T01:{minute}"),
            json!({}),
        ));
    }
    lake.publish(DAY).await;
    lake
}

#[rstest]
#[case::error_object(ERROR)]
#[case::page(PAGE)]
#[case::array(ARRAY)]
#[case::csv(CSV)]
#[case::objects_that_are_no_events("{\"a\":1}\n{\"b\":2}\n")]
#[tokio::test]
async fn an_answer_without_an_event_replaces_nothing(#[case] answer: &'static str) {
    let lake = lake().await;
    let before = lake.store.snapshot();
    let asked = lake.source.fetches().len();
    lake.source.divide();
    lake.source.always(Ending::Says(answer));
    let report = lake.export(&[DAY, "2026-11-11"]).await;
    let error = report.slices[0].outcome.as_ref().unwrap_err();
    assert!(matches!(error, ExportError::Transform(TransformError::NoEvent { .. })), "{error}");
    assert!(error.to_string().contains("is not an export"), "{error}");
    assert!(!report.is_for_later(), "somebody has to look");
    assert_eq!(lake.source.fetches().len() - asked, 2, "no retry mends it, and no other slice");
    assert_eq!(lake.store.snapshot(), before);
}

#[tokio::test]
async fn bad_lines_of_files_take_no_rows_away() {
    let lake = Lake::new();
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAY).await;
    lake.hold(&[]);
    lake.source.add_to(label(DAY), "oops");
    let error = lake.exporter().slice(&slice(DAY)).await.unwrap_err();
    assert!(error.to_string().contains("is not an export"), "{error}");
    let report = lake.publish("2026-11-11").await;
    assert_eq!((report.counts.received, report.counts.quarantined), (0, 0));
    lake.source.add_to(label("2026-11-11"), "oops");
    assert_eq!(lake.publish("2026-11-11").await.counts.quarantined, 1, "it is kept");
}

#[tokio::test]
async fn an_answer_that_is_no_export_for_a_moment_is_asked_for_once_more() {
    let lake = lake().await;
    lake.source.next_endings([Ending::Says(PAGE)]);
    assert_eq!(lake.publish(DAY).await.status, SliceStatus::Unchanged);
}

#[rstest]
#[case::error_object("{\"error\":\"Timeout\"}")]
#[case::text("upstream request timeout")]
#[tokio::test]
async fn an_answer_that_ends_with_an_error_is_incomplete(#[case] last: &str) {
    let lake = lake().await;
    let before = lake.store.snapshot();
    lake.source.add_to(label(DAY), last);
    let error = lake.exporter().slice(&slice(DAY)).await.unwrap_err();
    assert!(error.is_for_later(), "{error}");
    assert!(mixlake_app::chain(&error).contains(&format!("{last:?}")), "{error:?}");
    assert_eq!(lake.store.snapshot(), before);
}

/// Half of the lines may be bad by default; the counts are of events and of lines that are none.
#[rstest]
#[case::half(5, 5, 0.5, true)]
#[case::more_than_half(5, 6, 0.5, false)]
#[case::too_few_lines_to_tell(4, 5, 0.5, true)]
#[case::none_is_allowed(20, 1, 0.0, false)]
#[case::all_is_allowed(1, 99, 1.0, true)]
#[tokio::test]
async fn an_answer_with_more_bad_lines_than_allowed_fails(
    #[case] good: u32,
    #[case] bad: u32,
    #[case] share: f64,
    #[case] fine: bool,
) {
    let mut lake = Lake::new();
    lake.safeguards = Safeguards { quarantine_share: share, ..Safeguards::default() };
    for number in 0..bad {
        lake.source.add_to(label(DAY), format!("{{\"number\":{number}}}"));
    }
    for number in 0..good {
        lake.source.add(event(&format!("i{number}"), "2026-11-10T01:10", json!({})));
    }
    match lake.exporter().slice(&slice(DAY)).await {
        Ok(report) => assert!(fine && report.counts.quarantined == u64::from(bad)),
        Err(error) => {
            assert!(!fine && matches!(error, ExportError::MostlyBad { .. }), "{error}");
            assert!(error.to_string().contains("max_quarantine_share"), "{error}");
            assert!(error.to_string().contains("event: "), "the first reason: {error}");
            assert!(lake.store.snapshot().is_empty());
        }
    }
}

#[tokio::test]
async fn an_empty_answer_counts_where_a_second_query_says_the_same() {
    let lake = lake().await;
    let asked = lake.source.fetches().len();
    lake.source.next_endings([Ending::Says("\n")]);
    assert_eq!(lake.publish(DAY).await.status, SliceStatus::Unchanged, "the second says otherwise");
    assert_eq!(lake.source.fetches()[asked..], [(label(DAY), 0), (label(DAY), 1)]);

    lake.source.always(Ending::Says("\n"));
    let asked = lake.source.fetches().len();
    let report = lake.publish(DAY).await;
    assert_eq!(lake.source.fetches().len() - asked, 2);
    let taken = json!([{"table": TABLE, "mp_date": DAY, "before": 10, "after": 0}]);
    assert_eq!(json!(report.rows_taken), taken);
    assert!(lake.held().rows.is_empty());
    let asked = lake.source.fetches().len();
    lake.publish(DAY).await;
    assert_eq!(lake.source.fetches().len() - asked, 1, "nothing is live that could be lost");
}

#[tokio::test]
async fn rows_that_an_export_takes_away_are_told() {
    let lake = lake().await;
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T01:20"]);
    let report = lake.publish(DAY).await;
    assert_eq!(report.rows_taken[0].to_string(), format!("rows 10 -> 2 on {DAY} in {TABLE}"));
}

#[tokio::test]
async fn an_hour_that_loses_rows_is_told_though_the_day_has_others() {
    let lake = Lake::new();
    let (h1, h2) = ("2026-11-10T01", "2026-11-10T02");
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T01:20", "c 2026-11-10T02:10"]);
    lake.publish(h1).await;
    lake.publish(h2).await;
    lake.hold(&["a 2026-11-10T01:10", "c 2026-11-10T02:10", "d 2026-11-10T02:20"]);
    assert_eq!(lake.publish(h1).await.rows_taken.len(), 1);
    assert_eq!(lake.publish(h2).await.rows_taken, []);
}

#[tokio::test]
async fn a_file_takes_no_rows_away_unless_it_may() {
    let mut lake = lake().await;
    let before = lake.store.snapshot();
    let strict = Safeguards { empty: OnEmpty::Refuse, fewer_rows: false, ..Safeguards::default() };
    lake.safeguards = strict;
    lake.hold(&["a 2026-11-10T01:10"]);
    let error = lake.exporter().slice(&slice(DAY)).await.unwrap_err().to_string();
    assert!(error.contains("rows 10 -> 1 on 2026-11-10") && error.contains("--replace"), "{error}");
    lake.hold(&[]);
    let error = lake.exporter().slice(&slice(DAY)).await.unwrap_err().to_string();
    assert!(
        error.contains("10 of its rows are live") && error.contains("--allow-empty"),
        "{error}"
    );
    assert_eq!(lake.store.snapshot(), before);

    lake.safeguards = Safeguards { fewer_rows: true, ..strict };
    lake.hold(&["a 2026-11-10T01:10"]);
    assert_eq!(lake.publish(DAY).await.rows_taken.len(), 1);
    lake.safeguards = Safeguards { empty: OnEmpty::Allow, ..strict };
    lake.hold(&[]);
    assert_eq!(lake.publish(DAY).await.rows_taken.len(), 1);
    assert!(lake.held().rows.is_empty());
}

/// A source whose bounds are off by a moment sends rows of the next slice, which has them too.
#[rstest]
#[case::the_next_hour("2026-11-10T01", "2026-11-10T02", "2026-11-10T02:00")]
#[case::the_hour_before("2026-11-10T02", "2026-11-10T01", "2026-11-10T01:59")]
#[case::over_midnight("2026-11-09T23", "2026-11-10T00", "2026-11-10T00:00")]
#[case::days("2026-11-09", "2026-11-10", "2026-11-10T00:00")]
#[case::quarters("2026-11-10T01_45to60", "2026-11-10T01_30to45", "2026-11-10T01:44")]
#[case::five_minutes("2026-11-10T01_25to30", "2026-11-10T01_30to45", "2026-11-10T01:30")]
#[tokio::test]
async fn a_row_near_an_edge_that_two_slices_bring_is_there_once(
    #[case] astray: &str,
    #[case] home: &str,
    #[case] time: &str,
) {
    for order in [[astray, home], [home, astray]] {
        let lake = Lake::new();
        lake.hold(&[&format!("a {time}"), &format!("b {}:30", &time[..13])]);
        lake.source.add_to(label(astray), lake.source.lines_of(&slice(home))[0].clone());
        for slice in order {
            lake.publish(slice).await;
        }
        let rows = lake.held().rows;
        assert!(rows.len() == 2 && rows.values().all(|times| *times == 1), "{order:?}: {rows:?}");
        assert_eq!(lake.publish(astray).await.status, SliceStatus::Unchanged);
    }
}
