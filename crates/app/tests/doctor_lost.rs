//! Documents that were put back from a backup, copied to another place, cut or lost: rows are taken back
//! where they can be, and a file that may be the only copy of its rows is never deleted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use bytes::Bytes;
use mixlake_app::doctor::{Doctor, Finding, Kind, Outcome, Remedy};
use mixlake_app::ports::ObjectStore;
use mixlake_columnar::SchemaType;
use mixlake_domain::Dataset;
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::day;
use mixlake_testkit::faults::Fault;
use rstest::rstest;
use support::clinic::{DAY, doctor, examine, kinds, lake, problems};
use support::{Lake, TABLE, slice};

const NEXT: &str = "2026-11-11";
const ONE: &[&str] = &["a 2026-11-10T01:10"];
/// Some rows of the slice lie on the next day.
const MANY: &[&str] = &[
    "a 2026-11-10T01:10",
    "b 2026-11-10T02:20",
    "c 2026-11-10T03:30",
    "n 2026-11-11T00:01 > 2026-11-10",
];

fn manifest(lake: &Lake, date: &str) -> String {
    lake.layout.manifest(&day(TABLE, date.parse().unwrap()))
}

fn ledger(lake: &Lake, date: &str) -> String {
    lake.layout.ledger(date.parse().unwrap())
}

fn body(lake: &Lake, key: &str) -> Bytes {
    lake.store.snapshot()[key].clone()
}

/// All data files of the lake.
fn files(lake: &Lake) -> Vec<String> {
    lake.keys(TABLE).into_iter().filter(|key| key.contains("/g")).collect()
}

async fn put_right(lake: &Lake, catalog: &MemoryCatalog) -> Outcome {
    doctor(lake, catalog).put_right().await.unwrap()
}

fn by_hand(finding: &Finding) -> &str {
    let Remedy::ByHand { advice } = &finding.remedy else { panic!("{:?}", finding.remedy) };
    advice
}

/// A slice of one row was exported again with four on two days; then the manifest from before that was
/// put back.
async fn from_a_backup() -> (Lake, MemoryCatalog) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.hold(ONE);
    lake.publish(DAY).await;
    let before = body(&lake, &manifest(&lake, DAY));
    lake.hold(MANY);
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    lake.overwrite(&manifest(&lake, DAY), before).await;
    (lake, catalog)
}

#[tokio::test]
async fn rows_that_a_manifest_from_a_backup_does_not_list_are_taken_back() {
    let (lake, catalog) = from_a_backup().await;
    let before = files(&lake);
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::RowsMissing, Kind::PartitionStale], "{findings:#?}");
    assert_eq!(findings[0].subject, DAY);
    assert_eq!(findings[0].text, "the ledger counts 4 rows of the slice, but 2 are live");
    assert!(matches!(&findings[0].remedy, Remedy::GoBack { folders, .. } if folders.len() == 1));
    let outcome = put_right(&lake, &catalog).await;
    assert_eq!((problems(&outcome.findings), outcome.failed), (vec![], vec![]));
    lake.check(&[DAY], "taken back");
    lake.check_catalog(&catalog, "taken back").await;
    let new: Vec<String> = files(&lake).into_iter().filter(|key| !before.contains(key)).collect();
    assert_eq!(new.len(), 1, "in a folder of their own: {new:?}");
    assert_eq!(put_right(&lake, &catalog).await.findings, [], "what was left goes");
    lake.check(&[DAY], "afterwards");
    assert_eq!(files(&lake).len(), 2);
}

#[tokio::test]
async fn rows_that_no_folder_holds_any_more_come_from_the_source_and_nothing_is_deleted() {
    let (lake, catalog) = from_a_backup().await;
    for key in lake.data() {
        let mut damaged = body(&lake, &key).to_vec();
        damaged[40] ^= 1;
        lake.overwrite(&key, damaged.into()).await;
    }
    let before = files(&lake);
    let shallow = Doctor { deep: false, ..doctor(&lake, &catalog) };
    for _ in 0..3 {
        let outcome = shallow.put_right().await.unwrap();
        assert_eq!(kinds(&outcome.findings), [Kind::RowsMissing], "{outcome:#?}");
        assert!(by_hand(&outcome.findings[0]).starts_with("export 2026-11-10 again"));
        assert_eq!(files(&lake), before);
    }
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    assert_eq!(problems(&put_right(&lake, &catalog).await.findings), []);
    lake.check(&[DAY], "exported again");
}

/// Both days of the slice are to be put right, and each call of the repair fails once, in each way.
#[tokio::test]
async fn a_repair_that_breaks_off_while_it_takes_rows_back_goes_on_the_next_time() {
    for fault in [Fault::Before, Fault::After, Fault::Overtaken, Fault::Echo] {
        for call in 0.. {
            let (lake, catalog) = from_a_backup().await;
            lake.store.delete(&manifest(&lake, NEXT)).await.unwrap();
            let calls = lake.store.calls().len();
            lake.store.fail_call(call, fault);
            let first = doctor(&lake, &catalog).put_right().await;
            let is_over = lake.store.calls().len() - calls <= call;
            lake.store.heal();
            let outcome = put_right(&lake, &catalog).await;
            let about = format!("{fault:?} at call {call}: {first:?}, {outcome:#?}");
            assert_eq!(problems(&outcome.findings), [], "{about}");
            lake.check(&[DAY], &about);
            lake.check_catalog(&catalog, &about).await;
            if is_over {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_manifest_of_another_day_is_a_damaged_document_and_the_other_day_stays_as_it_is() {
    let (lake, catalog) = lake().await;
    let (sound, copy) = (manifest(&lake, DAY), manifest(&lake, "2026-11-09"));
    lake.overwrite(&copy, body(&lake, &sound)).await;
    let before = lake.store.snapshot();
    for _ in 0..3 {
        let outcome = put_right(&lake, &catalog).await;
        assert_eq!(kinds(&outcome.findings), [Kind::UnreadableDocument], "{outcome:#?}");
        assert_eq!(outcome.findings[0].subject, copy);
        let text = "it is the manifest of mp_master_event on 2026-11-10";
        assert!(outcome.findings[0].text.contains(text), "{outcome:#?}");
        assert!(outcome.repaired.is_empty() && outcome.failed.is_empty(), "{outcome:#?}");
    }
    assert_eq!(lake.store.snapshot(), before);
    let error = lake.exporter().slice(&slice("2026-11-09")).await.unwrap_err();
    assert!(mixlake_app::chain(&error).contains("is in the wrong place"), "{error}");
    let done = lake.reconciler(&catalog).reconcile([copy.as_str(), sound.as_str()]).await;
    assert_eq!(done.failed.len(), 1, "{done:?}");
    assert_eq!(done.failed[0].0, copy);
}

#[tokio::test]
async fn a_ledger_of_another_date_is_a_damaged_document() {
    let (lake, catalog) = lake().await;
    let copy = ledger(&lake, "2026-11-09");
    lake.overwrite(&copy, body(&lake, &ledger(&lake, DAY))).await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::UnreadableDocument], "{findings:#?}");
    assert!(findings[0].text.contains("it is a ledger with the slice 2026-11-10"), "{findings:#?}");
    let error = lake.exporter().slice(&slice("2026-11-09")).await.unwrap_err();
    assert!(mixlake_app::chain(&error).contains("is in the wrong place"), "{error}");
}

#[derive(Debug, Clone, Copy)]
enum What {
    Registry,
    RegistryOfAnotherProject,
    Ledger,
    Manifest,
}

#[rstest]
#[case::registry(What::Registry)]
#[case::registry_of_another_project(What::RegistryOfAnotherProject)]
#[case::ledger(What::Ledger)]
#[case::manifest(What::Manifest)]
#[tokio::test]
async fn a_document_that_is_cut_is_told_and_nothing_is_changed(#[case] what: What) {
    let (lake, catalog) = from_a_backup().await;
    let key = match what {
        What::Registry | What::RegistryOfAnotherProject => lake.layout.registry(Dataset::Events),
        What::Ledger => ledger(&lake, DAY),
        What::Manifest => manifest(&lake, DAY),
    };
    let whole = body(&lake, &key);
    let text = String::from_utf8(whole.to_vec()).unwrap();
    let harmed = match what {
        What::RegistryOfAnotherProject => text.replace("\"42\"", "\"43\"").into(),
        What::Registry | What::Ledger | What::Manifest => whole.slice(..whole.len() / 2),
    };
    lake.overwrite(&key, harmed).await;
    let findings = examine(&lake, &catalog).await;
    let told: Vec<&Finding> =
        findings.iter().filter(|f| f.kind == Kind::UnreadableDocument).collect();
    assert_eq!(told.len(), 1, "{findings:#?}");
    assert_eq!(told[0].subject, key);
    let before = files(&lake);
    for _ in 0..3 {
        put_right(&lake, &catalog).await;
    }
    assert!(before.iter().all(|key| files(&lake).contains(key)), "nothing is deleted");
}

/// The ledger is gone, and the manifest lists nothing. Whether the folder is the same or another one, the
/// files in it are the only copy.
#[rstest]
#[case::the_same_folder(false)]
#[case::another_folder(true)]
#[tokio::test]
async fn files_that_no_ledger_counts_are_kept_and_told(#[case] another: bool) {
    let (lake, catalog) = lake().await;
    lake.store.delete(&ledger(&lake, DAY)).await.unwrap();
    let key = manifest(&lake, DAY);
    let mut empty: serde_json::Value = serde_json::from_slice(&body(&lake, &key)).unwrap();
    empty["files"] = serde_json::json!([]);
    if another {
        empty["generation"] = "g0123456789abcdef".into();
    }
    lake.overwrite(&key, empty.to_string().into()).await;
    let before = lake.data();
    for _ in 0..4 {
        put_right(&lake, &catalog).await;
        assert_eq!(lake.data(), before);
    }
    let findings = examine(&lake, &catalog).await;
    let kind = if another { Kind::LeftBehind } else { Kind::Orphan };
    assert_eq!(kinds(&findings), [kind], "{findings:#?}");
    let told = format!("{} {}", findings[0].text, by_hand(&findings[0]));
    assert!(told.contains("only copy") && told.contains("export 2026-11-10 again"), "{told}");
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    put_right(&lake, &catalog).await;
    assert_eq!(put_right(&lake, &catalog).await.findings, []);
    lake.check(&["2026-11-09", DAY], "exported again");
}

/// A file in a folder that was left whose name no export gives is nobody's to delete.
#[tokio::test]
async fn a_file_of_an_unknown_name_is_kept() {
    let (lake, catalog) = lake().await;
    let folder = lake.manifest_key().replace("_manifest.json", "g0123456789abcdef/");
    let theirs = format!("{folder}part-0.parquet");
    lake.overwrite(&theirs, "x".into()).await;
    for _ in 0..3 {
        let outcome = put_right(&lake, &catalog).await;
        assert_eq!(kinds(&outcome.findings), [Kind::LeftBehind], "{outcome:#?}");
        assert!(by_hand(&outcome.findings[0]).contains(&theirs));
        assert!(lake.data().contains(&theirs));
    }
}

/// The event did not come again when its day was exported anew, so the catalog never gets its table.
#[tokio::test]
async fn what_was_replaced_goes_where_the_catalog_never_had_the_table() {
    let (mut lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.options.schema_type = SchemaType::Multischema;
    let line = |event: &str| {
        let line = support::event(event, "2026-11-10T01:10", serde_json::json!({}));
        line.replace("\"Event\"", &format!("\"{event}\""))
    };
    lake.source.add(line("gone"));
    lake.source.add(line("stays"));
    lake.publish(DAY).await;
    lake.source.clear();
    lake.source.add(line("stays"));
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    assert_eq!(lake.keys("gone/2026/11/10/g").len(), 1);
    put_right(&lake, &catalog).await;
    assert_eq!(put_right(&lake, &catalog).await.findings, []);
    assert_eq!(lake.keys("gone/2026/11/10/g"), [""; 0]);
    assert_eq!(lake.keys("stays/2026/11/10/g").len(), 1);
}

/// A byte in a page: the footer and the size are right.
#[rstest]
#[case::parquet(false)]
#[case::json(true)]
#[tokio::test]
async fn a_flipped_byte_is_found_by_reading_whole_files(#[case] json: bool) {
    let (mut lake, catalog) = (Lake::new(), MemoryCatalog::new());
    if json {
        lake = lake.of_json();
    }
    lake.hold(ONE);
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    let file = lake.data().remove(0);
    let mut flipped = body(&lake, &file).to_vec();
    flipped[20] ^= 1;
    lake.overwrite(&file, flipped.into()).await;
    let shallow = Doctor { deep: false, ..doctor(&lake, &catalog) };
    assert_eq!(shallow.examine().await.unwrap(), []);
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::ContentDiffers], "{findings:#?}");
    assert!(findings[0].text.contains("its bytes are not those that Mixlake wrote"));
    let outcome = put_right(&lake, &catalog).await;
    assert_eq!(kinds(&outcome.findings), [Kind::SliceMissing], "{outcome:#?}");
    assert!(lake.data().contains(&file), "it is kept");
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    assert_eq!(problems(&examine(&lake, &catalog).await), []);
}
