//! A slice becomes rows: whole, once, and beside all that others have published.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use flate2::read::GzDecoder;
use mixlake_app::export::SliceStatus;
use mixlake_testkit::rows;
use mixlake_testkit::store::Operation;
use serde_json::{Value, json};
use std::io::Read;
use support::{Lake, event, label};

const HOURS: &[&str] = &["a 2026-11-10T01:10", "b 2026-11-10T02:20", "c 2026-11-10T02:30"];
const H1: &str = "2026-11-10T01";
const H2: &str = "2026-11-10T02";
const DAY: &str = "2026-11-10";

async fn lake_of(events: &[&str], slices: &[&str]) -> Lake {
    let lake = Lake::new();
    lake.hold(events);
    for slice in slices {
        lake.publish(slice).await;
    }
    lake
}

#[tokio::test]
async fn received_is_written_and_duplicates_and_quarantined() {
    let lake = Lake::new();
    for processed in [1, 3, 2] {
        let properties = json!({"mp_processing_time_ms": processed});
        lake.source.add(event("a", "2026-11-10T01:10", properties));
    }
    lake.source.add(event("b", "2026-11-10T01:20", json!({})));
    lake.source.add_to(label(H1), event("s", "2026-11-09T23:59", json!({})));
    lake.source.add_to(label(H1), "[]");
    lake.source.add_to(label(H1), "");
    let report = lake.publish(H1).await;
    let counts = report.counts;
    assert_eq!((counts.received, counts.written, counts.duplicates), (6, 3, 2));
    assert_eq!((counts.quarantined, counts.outside), (1, 1));
    let held = lake.held();
    assert_eq!(held.rows.values().sum::<usize>(), 3);
    let kept = lake.store.snapshot()[report.objects.last().unwrap()].clone();
    let kept = rows::of(&kept).into_iter().find(|row| row["mp_insert_id"] == "a").unwrap();
    assert_eq!(kept["mp_processing_time_ms"], 3.0, "the newest counts");
}

#[tokio::test]
async fn bad_lines_are_kept_as_received_with_their_reason() {
    let lake = Lake::new();
    lake.source.add_to(label(H1), "{\"event\":\"a\"}");
    lake.source.add_to(label(H1), "oops");
    lake.source.add(event("good", "2026-11-10T01:10", json!({})));
    let report = lake.publish(H1).await;
    let object = lake.store.snapshot()[&report.quarantine.unwrap()].clone();
    let mut text = String::new();
    GzDecoder::new(&object[..]).read_to_string(&mut text).unwrap();
    let records: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(
        (&records[0]["line"], &records[1]["line"]),
        (&json!("{\"event\":\"a\"}"), &json!("oops"))
    );
    assert_eq!(records[0]["reason"], "properties: the field is missing");
    assert_eq!(lake.held().rows.len(), 1);
}

#[tokio::test]
async fn the_same_slices_again_make_no_call_that_writes() {
    for lake in [Lake::new(), Lake::new().in_many_parts()] {
        let slices = ["2026-11-09", H1, H2, "2026-11-10T03"];
        lake.hold(&[HOURS, &["s 2026-11-11T00:01 > 2026-11-10T02"]].concat());
        lake.source.add_to(label(H2), "oops");
        assert!(lake.export(&slices).await.is_whole());
        let (calls, before) = (lake.store.calls().len(), lake.store.snapshot());
        let staged = |key: &String| key.contains("/_staging/");
        let report = lake.export(&slices).await;
        assert!(report.whole().all(|slice| slice.status == SliceStatus::Unchanged));
        let mut changes = lake.changes_since(calls);
        changes.retain(|(_, key)| !staged(key));
        assert_eq!(changes, []);
        assert_eq!(lake.store.snapshot(), before);
    }
}

#[tokio::test]
async fn names_are_in_the_registry_before_a_visible_file_uses_them() {
    for lake in [Lake::new(), Lake::new().in_many_parts()] {
        lake.hold(HOURS);
        for slice in [H1, H2] {
            let calls = lake.store.calls().len();
            lake.publish(slice).await;
            let changes = lake.changes_since(calls);
            let at =
                |wanted: &dyn Fn(&str) -> bool| changes.iter().position(|(_, key)| wanted(key));
            let names = at(&|key| key.ends_with("schema/events.json")).unwrap();
            let file = at(&|key| key.contains("/mp_master_event/")).unwrap();
            assert!(names < file, "{changes:?}");
        }
    }
}

#[tokio::test]
async fn an_hour_of_a_published_day_exports_the_day_and_doubles_nothing() {
    let lake = lake_of(HOURS, &[DAY]).await;
    support::add(&lake.source, "late 2026-11-10T02:05");
    let report = lake.publish(H2).await;
    assert_eq!((report.slice.as_str(), report.counts.written), (DAY, 4));
    lake.check(&[DAY], "the day again");
    assert_eq!(lake.publish(H1).await.status, SliceStatus::Unchanged);
}

#[tokio::test]
async fn a_day_takes_the_place_of_its_hours_and_the_old_generation_stays_readable() {
    let lake = lake_of(HOURS, &[H1, H2]).await;
    let old = lake.held().manifests[DAY].clone();
    let before = lake.store.snapshot();
    lake.publish(DAY).await;
    lake.check(&[DAY], "the day");
    assert_ne!(lake.held().manifests[DAY].generation, old.generation);
    let after = lake.store.snapshot();
    for file in lake.keys(&format!("mp_master_event/2026/11/10/{}/", old.generation)) {
        assert_eq!(after[&file], before[&file]);
    }
    assert_eq!(old.files.len(), 2);
}

#[tokio::test]
async fn a_first_hour_adds_to_the_generation_and_copies_nothing() {
    let lake = lake_of(HOURS, &[H1]).await;
    let before = lake.held().manifests[DAY].generation.clone();
    let calls = lake.store.calls().len();
    lake.publish(H2).await;
    assert_eq!(lake.held().manifests[DAY].generation, before);
    assert!(lake.changes_since(calls).iter().all(|(what, _)| *what == Operation::Put));
    lake.check(&[H1, H2], "two hours");
}

#[tokio::test]
async fn strays_land_on_their_own_date_and_move_with_the_content_of_their_slice() {
    let stray = |time: &str| format!("s {time} > {H2}");
    let before = ["x 2026-11-09T10:00", "b 2026-11-10T02:20", &stray("2026-11-09T23:59")];
    let lake = lake_of(&before, &["2026-11-09", H2]).await;
    lake.check(&["2026-11-09", H2], "with a stray");
    assert_eq!(lake.held().rows.get(&("2026-11-09".into(), "s".into())), Some(&1));

    lake.hold(&["x 2026-11-09T10:00", "b 2026-11-10T02:20", &stray("2026-11-11T00:01")]);
    lake.publish(H2).await;
    lake.check(&["2026-11-09", H2], "the stray on another date");

    lake.hold(&["x 2026-11-09T10:00", "b 2026-11-10T02:20"]);
    lake.publish(H2).await;
    lake.check(&["2026-11-09", H2], "without a stray");
    assert!(lake.held().manifests["2026-11-11"].files.is_empty());
}

#[tokio::test]
async fn a_slice_without_events_is_published_without_files() {
    let lake = lake_of(&[], &[H1, DAY]).await;
    lake.check(&[DAY], "nothing");
    assert_eq!(lake.keys("mp_master_event/"), [""; 0]);
}

#[tokio::test]
async fn all_parts_of_a_slice_are_published_at_once_and_none_stays_staged() {
    let lake = Lake::new().in_many_parts();
    lake.hold(HOURS);
    lake.publish(H1).await;
    let calls = lake.store.calls().len();
    let report = lake.publish(H2).await;
    assert_eq!(report.objects.len(), 2);
    assert!(lake.changes_since(calls).iter().any(|(_, key)| key.contains("/_staging/")));
    lake.check(&[H1, H2], "in parts");
    assert_eq!(lake.keys("_staging/"), [""; 0]);
}

#[tokio::test]
async fn the_newest_of_repeated_rows_counts_even_where_an_older_one_was_encoded_before() {
    let lake = Lake::new().in_many_parts();
    for (id, processed) in [("a", 1), ("b", 1), ("a", 3), ("b", 2), ("a", 2)] {
        let properties = json!({"mp_processing_time_ms": processed});
        lake.source.add(event(id, "2026-11-10T01:10", properties));
    }
    let report = lake.publish(H1).await;
    assert_eq!((report.counts.written, report.counts.duplicates), (2, 3));
    let files = report.objects.iter().map(|key| rows::of(&lake.store.snapshot()[key]));
    let mut newest: Vec<_> =
        files.flatten().map(|row| row["mp_processing_time_ms"].clone()).collect();
    newest.sort_by_key(ToString::to_string);
    assert_eq!(newest, [2.0, 3.0]);
    assert_eq!(lake.held().rows.len(), 2);
    assert_eq!(lake.keys("_staging/"), [""; 0]);
}
