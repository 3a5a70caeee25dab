//! What is wrong with a lake and its catalog is found, told, and put right where it can be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::doctor::Kind;
use mixlake_app::ports::{Catalog, Declared, Format, ObjectStore};
use mixlake_domain::DataFormat;
use mixlake_testkit::catalog::MemoryCatalog;
use rstest::rstest;
use support::Lake;
use support::clinic::{
    DAY, change, column, doctor, examine, kinds, lake, partition, problems, whole_numbers,
};
use support::notices::IN_CATALOG;

#[tokio::test]
async fn a_lake_of_json_is_examined_by_its_manifests() {
    let (lake, catalog) = (Lake::new().of_json(), MemoryCatalog::new());
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAY).await;
    assert_eq!(kinds(&examine(&lake, &catalog).await), [Kind::TableMissing]);
    lake.catch_up(&catalog).await;
    assert_eq!(examine(&lake, &catalog).await, []);
    lake.store.delete(&lake.data()[0]).await.unwrap();
    assert_eq!(kinds(&examine(&lake, &catalog).await), [Kind::ObjectMissing]);
}

#[derive(Debug, Clone, Copy)]
enum Harm {
    PartitionLost,
    PartitionLeft,
    PartitionOfNoDay,
    PartitionDeclares,
    PartitionOfJson,
    FileLost,
    FileCut,
    FileOfAnotherType,
    FileStray,
    FileReplaced,
    ColumnRetyped,
    ColumnLost,
    TableLost,
    ManifestBroken,
}

async fn harm(lake: &Lake, catalog: &MemoryCatalog, harm: Harm) {
    let file = lake.data().remove(0);
    let value = [DAY.to_owned()];
    match harm {
        Harm::PartitionLost => drop(catalog.remove_partitions(IN_CATALOG, &value).await.unwrap()),
        Harm::PartitionLeft => {
            let old = partition(DAY, "memory://lake/old/");
            catalog.put_partitions(IN_CATALOG, DataFormat::Parquet, &old).await.unwrap();
        }
        Harm::PartitionOfNoDay => {
            let stray = partition("2020-01-01", "memory://lake/nowhere/");
            catalog.put_partitions(IN_CATALOG, DataFormat::Parquet, &stray).await.unwrap();
        }
        Harm::PartitionDeclares => {
            let columns = vec![column("of_a", "bigint")];
            let format = Format::Lake(DataFormat::Parquet);
            catalog.declare(IN_CATALOG, DAY, &Declared { columns, format });
        }
        Harm::PartitionOfJson => {
            let format = Format::Lake(DataFormat::Json);
            catalog.declare(IN_CATALOG, DAY, &Declared { columns: vec![], format });
        }
        Harm::FileLost => lake.store.delete(&file).await.unwrap(),
        Harm::FileCut => lake.overwrite(&file, "PAR1".into()).await,
        Harm::FileOfAnotherType => lake.overwrite(&file, whole_numbers("of_a")).await,
        Harm::FileStray => {
            let key = file.replace("-000.parquet", "-007.parquet");
            lake.overwrite(&key, "anything".into()).await;
        }
        Harm::FileReplaced => {
            support::add(&lake.source, "b 2026-11-10T02:20");
            lake.publish(DAY).await;
            lake.catch_up(catalog).await;
        }
        Harm::ColumnRetyped => {
            change(catalog, |columns| columns[4] = column("of_x", "string")).await;
        }
        Harm::ColumnLost => change(catalog, |columns| drop(columns.remove(3))).await,
        Harm::TableLost => catalog.drop_table(IN_CATALOG),
        Harm::ManifestBroken => {
            lake.overwrite(&lake.manifest_key(), "{}".into()).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_wrong_with_a_lake_that_was_left_alone() {
    let (lake, catalog) = lake().await;
    assert_eq!(examine(&lake, &catalog).await, []);
}

#[rstest]
#[case::partition_lost(Harm::PartitionLost, &[Kind::PartitionMissing], &[])]
#[case::partition_left(Harm::PartitionLeft, &[Kind::PartitionStale], &[])]
#[case::partition_of_no_day(Harm::PartitionOfNoDay, &[Kind::PartitionWithoutFiles], &[])]
#[case::partition_declares(Harm::PartitionDeclares, &[Kind::PartitionColumn], &[])]
#[case::partition_of_json(Harm::PartitionOfJson, &[Kind::PartitionFormat], &[])]
#[case::file_stray(Harm::FileStray, &[Kind::Orphan], &[])]
#[case::file_replaced(Harm::FileReplaced, &[Kind::LeftBehind], &[])]
#[case::column_retyped(Harm::ColumnRetyped, &[Kind::Drift], &[])]
#[case::column_lost(Harm::ColumnLost, &[Kind::Drift], &[])]
#[case::table_lost(Harm::TableLost, &[Kind::TableMissing], &[])]
#[case::file_lost(Harm::FileLost, &[Kind::ObjectMissing], &[Kind::SliceMissing])]
#[case::file_cut(Harm::FileCut, &[Kind::ObjectDiffers, Kind::UnreadableFile], &[Kind::SliceMissing])]
#[case::file_of_another_type(
    Harm::FileOfAnotherType,
    &[Kind::ObjectDiffers, Kind::FileType, Kind::ObjectDiffers],
    &[Kind::SliceMissing]
)]
#[case::manifest_broken(
    Harm::ManifestBroken,
    &[Kind::UnreadableDocument],
    &[Kind::UnreadableDocument]
)]
#[tokio::test]
async fn what_is_wrong_is_found_and_put_right(
    #[case] what: Harm,
    #[case] found: &[Kind],
    #[case] left: &[Kind],
) {
    let (lake, catalog) = lake().await;
    harm(&lake, &catalog, what).await;
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), found, "{findings:#?}");
    if matches!(what, Harm::ManifestBroken) {
        return;
    }
    let mut now = findings;
    for _ in 0..3 {
        let failed = doctor(&lake, &catalog).repair(&now).await;
        assert!(failed.is_empty(), "{failed:?}");
        now = examine(&lake, &catalog).await;
    }
    assert_eq!(kinds(&now), left, "{now:#?}");
    if !left.is_empty() {
        // What only a person can do: the rows come from the source again.
        lake.publish(DAY).await;
        lake.catch_up(&catalog).await;
    }
    let now = examine(&lake, &catalog).await;
    assert_eq!(problems(&now), [], "{now:#?}");
    lake.check(&["2026-11-09", DAY], "after the repair");
    lake.check_catalog(&catalog, "after the repair").await;
}
