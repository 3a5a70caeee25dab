//! A repair does no harm: not to rows that are left in one place only, not to what others did since it
//! looked, not to queries that are running.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::doctor::{Doctor, Kind, Remedy};
use mixlake_app::ports::{Catalog, Declared, Format, ObjectStore};
use mixlake_domain::DataFormat;
use mixlake_testkit::catalog::{MemoryCatalog, Operation};
use mixlake_testkit::faults::Fault;
use support::clinic::{
    DAY, GRACE, column, doctor, examine, kinds, lake, location, now, partition, problems,
    whole_numbers,
};
use support::notices::IN_CATALOG;
use support::{Lake, add};

const HOURS: [&str; 3] = ["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"];

/// A day of three hours in one folder, and the manifest that it had before the last one.
async fn hours() -> (Lake, MemoryCatalog, bytes::Bytes) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.hold(&["a 2026-11-10T01:10", "b 2026-11-10T02:20", "c 2026-11-10T03:30"]);
    lake.publish(HOURS[0]).await;
    lake.publish(HOURS[1]).await;
    let before = lake.store.snapshot()[&lake.manifest_key()].clone();
    lake.publish(HOURS[2]).await;
    lake.catch_up(&catalog).await;
    (lake, catalog, before)
}

/// Something else for the day is published.
async fn replace(lake: &Lake, catalog: &MemoryCatalog) {
    add(&lake.source, "b 2026-11-10T02:20");
    lake.publish(DAY).await;
    lake.catch_up(catalog).await;
}

/// The files are exactly what the ledger has.
#[tokio::test]
async fn files_whose_manifest_is_gone_are_taken_back() {
    let (lake, catalog) = lake().await;
    lake.store.delete(&lake.manifest_key()).await.unwrap();
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(problems(&outcome.findings), [], "{outcome:#?}");
    lake.check(&["2026-11-09", DAY], "taken back");
    lake.check_catalog(&catalog, "taken back").await;
    doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(lake.data().len(), 1);
    lake.check(&["2026-11-09", DAY], "what was left is gone");
}

/// The files may be all that is left of the rows.
#[tokio::test]
async fn files_are_not_deleted_while_their_slice_is_not_live() {
    let (lake, catalog) = lake().await;
    lake.store.delete(&lake.manifest_key()).await.unwrap();
    lake.overwrite(&lake.data()[0], whole_numbers("of_a")).await;
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(kinds(&outcome.findings), [Kind::SliceMissing]);
    assert_eq!(lake.data().len(), 1);
    lake.store.delete(&lake.data()[0]).await.unwrap();
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    assert_eq!(problems(&examine(&lake, &catalog).await), []);
    lake.check_catalog(&catalog, "exported again").await;
}

#[tokio::test]
async fn a_file_that_an_older_manifest_does_not_list_is_taken_back() {
    let (lake, catalog, before) = hours().await;
    lake.overwrite(&lake.manifest_key(), before).await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::RowsMissing, Kind::Orphan], "{findings:#?}");
    assert!(matches!(findings[1].remedy, Remedy::Wait { .. }), "{findings:#?}");
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(problems(&outcome.findings), [], "{outcome:#?}");
    lake.check(&HOURS, "taken back");
    lake.check_catalog(&catalog, "taken back").await;
}

/// As the doctor advises where a manifest is damaged.
#[tokio::test]
async fn a_file_that_an_older_manifest_does_not_list_is_kept_until_its_slice_is_live() {
    let (lake, catalog, before) = hours().await;
    lake.overwrite(&lake.manifest_key(), before).await;
    lake.overwrite(&lake.data()[2], whole_numbers("of_c")).await;
    let data = lake.data();
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(kinds(&outcome.findings), [Kind::Orphan, Kind::SliceMissing]);
    assert!(outcome.findings[0].remedy.text().contains("export 2026-11-10T03 again"));
    assert_eq!(lake.data(), data);
    lake.publish(HOURS[2]).await;
    lake.catch_up(&catalog).await;
    assert_eq!(problems(&examine(&lake, &catalog).await), []);
    lake.check(&HOURS, "exported again");
}

/// What was taken out of the manifest stays where it is, out of the readers' sight.
#[tokio::test]
async fn a_readable_file_that_differs_is_kept_until_its_slice_is_live() {
    let (lake, catalog, _) = hours().await;
    let file = lake.data().remove(1);
    lake.overwrite(&file, whole_numbers("of_b")).await;
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(outcome.failed, []);
    assert_eq!(kinds(&outcome.findings), [Kind::SliceMissing]);
    assert!(lake.data().contains(&file));
    let folder = location(&catalog, DAY).await.unwrap();
    assert!(!format!("memory://lake/{file}").starts_with(&folder), "readers do not see it");
    assert_eq!(lake.held().rows.len(), 2, "and see the others");
    lake.publish(HOURS[1]).await;
    lake.catch_up(&catalog).await;
    lake.check(&HOURS, "exported again");
}

#[tokio::test]
async fn a_file_is_struck_only_from_the_folder_where_it_is_damaged() {
    let (lake, catalog) = lake().await;
    lake.overwrite(&lake.data()[0], "PAR1".into()).await;
    let findings = examine(&lake, &catalog).await;
    // Meanwhile it is replaced by a good one of the same name.
    replace(&lake, &catalog).await;
    assert_eq!(doctor(&lake, &catalog).repair(&findings).await, []);
    lake.check(&["2026-11-09", DAY], "the file is live");
}

#[tokio::test]
async fn what_was_replaced_is_kept_as_long_as_the_catalog_sends_readers_there() {
    let (lake, catalog) = lake().await;
    let before = lake.data();
    add(&lake.source, "b 2026-11-10T02:20");
    lake.publish(DAY).await;
    catalog.inject(|call| {
        if call.operation == Operation::PutPartitions { Fault::Before } else { Fault::None }
    });
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(outcome.failed.len(), 1, "{outcome:?}");
    assert!(before.iter().all(|key| lake.data().contains(key)));
    catalog.heal();
    // Readers are sent elsewhere just now: queries that began before are still at it.
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(problems(&outcome.findings), []);
    assert!(before.iter().all(|key| lake.data().contains(key)));
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(outcome.findings, []);
    assert!(before.iter().all(|key| !lake.data().contains(key)));
    lake.check_catalog(&catalog, "after all").await;
}

#[tokio::test]
async fn what_was_replaced_a_moment_ago_is_kept() {
    let (lake, catalog) = lake().await;
    let before = lake.data();
    lake.store.set_time(now() - GRACE / 2);
    replace(&lake, &catalog).await;
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    assert_eq!(kinds(&outcome.findings), [Kind::LeftBehind]);
    assert!(matches!(outcome.findings[0].remedy, Remedy::Wait { .. }), "{outcome:?}");
    assert!(before.iter().all(|key| lake.data().contains(key)));
    let later = Doctor { now: now() + GRACE, ..doctor(&lake, &catalog) };
    assert_eq!(later.put_right().await.unwrap().findings, []);
    assert!(before.iter().all(|key| !lake.data().contains(key)));
}

#[tokio::test]
async fn a_partition_that_is_live_by_now_is_not_removed() {
    let (lake, catalog) = lake().await;
    lake.store.delete(&lake.manifest_key()).await.unwrap();
    let findings = examine(&lake, &catalog).await;
    assert!(kinds(&findings).contains(&Kind::PartitionWithoutFiles));
    lake.publish(DAY).await;
    lake.catch_up(&catalog).await;
    assert_eq!(doctor(&lake, &catalog).repair(&findings).await, []);
    lake.check_catalog(&catalog, "after the repair").await;
}

#[tokio::test]
async fn a_partition_is_put_right_where_it_is_by_now() {
    let (lake, catalog) = lake().await;
    let (columns, format) = (vec![column("of_a", "bigint")], Format::Lake(DataFormat::Parquet));
    catalog.declare(IN_CATALOG, DAY, &Declared { columns, format });
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::PartitionColumn]);
    let before = location(&catalog, DAY).await;
    replace(&lake, &catalog).await;
    assert_eq!(doctor(&lake, &catalog).repair(&findings).await, []);
    assert_ne!(location(&catalog, DAY).await, before);
    lake.check_catalog(&catalog, "after the repair").await;
    assert_eq!(problems(&examine(&lake, &catalog).await), []);
}

#[tokio::test]
async fn a_partition_of_no_day_is_left_to_whoever_made_it() {
    let (lake, catalog) = lake().await;
    let theirs = partition("north", "memory://lake/north/");
    catalog.put_partitions(IN_CATALOG, DataFormat::Json, &theirs).await.unwrap();
    let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
    let expected = [Kind::PartitionFormat, Kind::PartitionWithoutFiles];
    assert_eq!(kinds(&outcome.findings), expected, "{outcome:?}");
    assert_eq!(location(&catalog, "north").await.unwrap(), "memory://lake/north/");
}

#[tokio::test]
async fn whatever_readers_see_of_a_live_folder_is_left_behind_and_nothing_of_others_is_deleted() {
    for name in ["part-0", "notes.txt", "copy/2026-11-10-000.parquet"] {
        let (lake, catalog) = lake().await;
        let folder = lake.data()[0].trim_end_matches("2026-11-10-000.parquet").to_owned();
        let stray = format!("{folder}{name}");
        lake.overwrite(&stray, "x".into()).await;
        for hidden in ["_SUCCESS", ".hidden", "_temporary/part-0", "marker/"] {
            lake.overwrite(&format!("{folder}{hidden}"), "".into()).await;
        }
        let findings = examine(&lake, &catalog).await;
        assert_eq!(kinds(&findings), [Kind::Orphan], "{findings:?}");
        assert!(findings[0].text.contains(&stray), "{findings:?}");
        let outcome = doctor(&lake, &catalog).put_right().await.unwrap();
        assert_eq!(problems(&outcome.findings), [], "{outcome:?}");
        lake.check(&["2026-11-09", DAY], name);
        lake.check_catalog(&catalog, name).await;
        assert!(lake.data().contains(&stray));
    }
}

#[tokio::test]
async fn nothing_of_a_day_that_is_being_written_is_touched() {
    let (lake, catalog) = lake().await;
    let stray = lake.data()[0].replace("-000.parquet", "-007.parquet");
    lake.overwrite(&stray, "anything".into()).await;
    let findings = examine(&lake, &catalog).await;
    // An export begins: the ledger says so, and nothing else does yet.
    lake.store.set_time(now());
    let ledger = lake.layout.ledger(DAY.parse().unwrap());
    let written = lake.store.snapshot()[&ledger].clone();
    let text = String::from_utf8(written.to_vec()).unwrap();
    lake.overwrite(&ledger, text.replace("published", "writing").into()).await;
    assert_eq!(examine(&lake, &catalog).await, [], "it is not anybody's mistake yet");
    let failed = doctor(&lake, &catalog).repair(&findings).await;
    assert!(failed[0].1.contains("an export is writing"), "{failed:?}");
    assert_eq!(lake.data().len(), 2);
}
