//! An erased person is in no object of the lake any more, and no export brings the person back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::erase::{ErasureReport, Status};
use mixlake_app::export::SliceStatus;
use mixlake_app::ports::{ObjectStore, Precondition};
use mixlake_testkit::catalog::MemoryCatalog;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::people::{ANN, HOURS, hold};
use support::{Lake, event, label};

async fn lake() -> (Lake, MemoryCatalog) {
    published(Lake::new()).await
}

async fn published(lake: Lake) -> (Lake, MemoryCatalog) {
    let catalog = MemoryCatalog::new();
    hold(&lake);
    for hour in HOURS {
        lake.publish(hour).await;
    }
    lake.catch_up(&catalog).await;
    (lake, catalog)
}

fn rows_of(report: &ErasureReport) -> BTreeMap<String, u64> {
    let rows = report.targets.iter().map(|it| (it.mp_date.unwrap().to_string(), it.rows));
    rows.collect()
}

fn ledger(lake: &Lake) -> Value {
    let key = lake.layout.ledger("2026-11-10".parse().unwrap());
    serde_json::from_slice(&lake.store.snapshot()[&key]).unwrap()
}

#[rstest]
#[case::one_part(Lake::new())]
#[case::many_parts(Lake::new().in_many_parts())]
#[tokio::test]
async fn no_object_has_the_person_and_all_other_rows_stay(#[case] lake: Lake) {
    let (lake, catalog) = published(lake).await;
    let before = lake.held();
    assert!(!lake.traces().is_empty());
    let report = lake.erase().await;
    assert_eq!(report.status, Status::Erased);
    assert_eq!(
        rows_of(&report),
        [("2026-11-10".to_owned(), 4), ("2026-11-11".to_owned(), 1)].into()
    );
    assert_eq!(report.bad_lines.iter().map(|object| object.lines).sum::<u64>(), 1);
    assert_eq!((report.mentions, report.staged), (vec![], vec![]));
    let after = lake.held();
    let mut expected = before.rows;
    expected.retain(|(_, id), _| !id.starts_with('a'));
    assert_eq!(after.rows, expected);
    assert_eq!(after.ledger, before.ledger, "all slices are published again");
    assert_eq!(after.unlisted, [""; 0]);

    let old = lake.traces();
    assert!(old.iter().all(|key| key.ends_with(".parquet")), "{old:?}");
    assert!(!old.is_empty(), "running queries may still read the replaced files");
    assert_eq!(report.old_copies.iter().map(|old| old.files).sum::<u64>(), old.len() as u64);
    lake.delete_old(&catalog).await;
    assert_eq!(lake.traces(), [""; 0]);
    assert_eq!(lake.physician(&catalog).examine().await.unwrap(), []);
}

#[tokio::test]
async fn the_counts_of_a_slice_say_that_lines_were_suppressed() {
    let (lake, _) = lake().await;
    lake.erase().await;
    let [one, two] = [0, 1].map(|at| {
        let counts = &ledger(&lake)["slices"][at]["counts"];
        ["received", "written", "duplicates", "quarantined", "suppressed", "outside"]
            .map(|count| counts[count].as_u64().unwrap())
    });
    assert_eq!((one, two), ([8, 2, 1, 1, 4, 1], [4, 2, 0, 0, 2, 0]));
}

#[rstest]
#[case::one_part(Lake::new())]
#[case::many_parts(Lake::new().in_many_parts())]
#[case::json(Lake::new().of_json())]
#[tokio::test]
async fn a_later_export_of_the_same_lines_finds_the_slice_unchanged(#[case] lake: Lake) {
    let (lake, _) = published(lake).await;
    lake.erase().await;
    let objects = lake.store.snapshot();
    for hour in HOURS {
        let report = lake.publish(hour).await;
        assert_eq!(report.status, SliceStatus::Unchanged, "{hour}");
        assert!(report.counts.suppressed > 0);
    }
    assert_eq!(lake.store.snapshot(), objects);
}

#[tokio::test]
async fn an_export_of_the_day_leaves_the_person_out() {
    let (lake, catalog) = lake().await;
    lake.erase().await;
    let report = lake.publish("2026-11-10").await;
    assert_eq!((report.counts.written, report.counts.suppressed), (4, 7));
    lake.catch_up(&catalog).await;
    lake.delete_old(&catalog).await;
    assert_eq!(lake.traces(), [""; 0]);
}

#[tokio::test]
async fn a_second_erasure_finds_nothing_and_writes_nothing() {
    let (lake, _) = lake().await;
    let first = lake.erase().await;
    let objects = lake.store.snapshot();
    let second = lake.erase().await;
    assert_eq!(second.status, Status::NothingFound);
    assert_eq!((second.newly_suppressed, &second.receipt), (false, &first.receipt));
    assert_eq!(second.old_copies, first.old_copies, "they are there until they are deleted");
    assert_eq!(lake.store.snapshot(), objects);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let (lake, _) = lake().await;
    let objects = lake.store.snapshot();
    let mut eraser = lake.eraser(&lake.store, &lake.clock);
    eraser.dry_run = true;
    let dry = eraser.erase(&[ANN.to_owned()]).await.unwrap();
    assert_eq!(lake.store.snapshot(), objects);
    let done = lake.erase().await;
    assert_eq!((dry.status, done.status), (Status::WouldErase, Status::Erased));
    assert_eq!((dry.targets, dry.bad_lines), (done.targets, done.bad_lines));
    assert_eq!((dry.old_copies, dry.people), (done.old_copies, done.people));
}

#[tokio::test]
async fn somebody_who_is_not_there_is_suppressed_all_the_same() {
    let (lake, _) = lake().await;
    let eraser = lake.eraser(&lake.store, &lake.clock);
    let report = eraser.erase(&["zoe".to_owned()]).await.unwrap();
    assert_eq!((report.status, report.newly_suppressed), (Status::NothingFound, true));
    lake.source.add(event("z", "2026-11-10T01:50", json!({"distinct_id": "zoe"})));
    assert_eq!(lake.publish(HOURS[0]).await.counts.suppressed, 1);
}

#[tokio::test]
async fn the_receipt_has_hashes_and_no_identifier() {
    let (lake, _) = lake().await;
    let report = lake.erase().await;
    let key = report.receipt.unwrap();
    let receipt: Value = serde_json::from_slice(&lake.store.snapshot()[&key]).unwrap();
    assert_eq!(receipt["state"], "done");
    assert_eq!(receipt["people"], json!(report.people));
    assert_eq!(receipt["targets"], json!(report.targets));
    assert_eq!(receipt["last_copy_goes"], "1970-01-02T00:00:00Z");
    assert!(!receipt.to_string().contains(ANN));
}

#[tokio::test]
async fn staged_lines_of_the_person_are_deleted_and_others_stay() {
    let (lake, _) = lake().await;
    let hour = label(HOURS[0]);
    for (hash, person) in [("1", ANN), ("2", "bob")] {
        let line = event("s", "2026-11-10T01:10", json!({"distinct_id": person}));
        let key = lake.layout.staged_lines(&hour, hash);
        lake.store.put(&key, line.into(), Precondition::Absent).await.unwrap();
    }
    let report = lake.erase().await;
    assert_eq!(report.staged, [lake.layout.staged_lines(&hour, "1")]);
    assert_eq!(lake.keys("_staging/"), [lake.layout.staged_lines(&hour, "2")]);
}

#[tokio::test]
async fn cells_of_others_that_contain_the_identifier_are_told_and_stay() {
    let (lake, _) = lake().await;
    let note = json!({"distinct_id": "bob", "note": format!("met {ANN} today")});
    lake.source.add(event("n", "2026-11-10T01:40", note));
    lake.publish(HOURS[0]).await;
    let report = lake.erase().await;
    let mentions: Vec<_> =
        report.mentions.iter().map(|it| (it.column.as_deref(), it.cells)).collect();
    assert_eq!(mentions, [(Some("note"), Some(1))]);
    assert!(lake.held().rows.keys().any(|(_, id)| id == "n"));
}

#[tokio::test]
async fn a_damaged_file_is_told_and_the_other_days_are_done() {
    let (lake, _) = lake().await;
    let damaged = lake.keys("mp_master_event/2026/11/11/g").remove(0);
    lake.overwrite(&damaged, b"no file".to_vec().into()).await;
    let eraser = lake.eraser(&lake.store, &lake.clock);
    let report = eraser.erase(&[ANN.to_owned()]).await.unwrap();
    assert_eq!(report.status, Status::Failed);
    assert_eq!((report.failed.len(), &report.failed[0].what), (1, &damaged));
    insta::assert_snapshot!(
        report.failed[0].error,
        @"memory://lake/raw/42/mp_master_event/2026/11/11/g5cae97b3c24193d3/2026-11-10T01-000.parquet cannot be read. Export its slice again: the export leaves the person out: cannot read the Parquet file: EOF: Parquet file too small. Size is 7 but need 8"
    );
    assert_eq!(rows_of(&report), [("2026-11-10".to_owned(), 4)].into());
    assert!(lake.traces().iter().all(|key| !key.contains("_quarantine")));
}
