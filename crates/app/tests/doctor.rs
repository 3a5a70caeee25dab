//! What is wrong with a lake and its catalog is found, told, and put right where it can be.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use bytes::Bytes;
use mixlake_app::doctor::{Doctor, Engine, Finding, Kind, Severity};
use mixlake_app::ports::{Catalog, Column, ObjectStore, Partition, Precondition};
use mixlake_domain::DataFormat;
use mixlake_testkit::catalog::MemoryCatalog;
use parquet::data_type::Int64Type;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use serde_json::json;
use std::sync::Arc;
use support::notices::IN_CATALOG;
use support::{Lake, TABLE};

const BOTH: &[Engine] = &[Engine::Athena, Engine::Spectrum];
const DAY: &str = "2026-11-10";

/// Two days, in the catalog.
async fn lake() -> (Lake, MemoryCatalog) {
    let (lake, catalog) = (Lake::new(), MemoryCatalog::new());
    lake.hold(&["x 2026-11-09T10:00", "a 2026-11-10T01:10"]);
    lake.publish("2026-11-09").await;
    lake.publish(DAY).await;
    lake.deliver(&catalog, &lake.written_since(0)).await;
    (lake, catalog)
}

#[tokio::test]
async fn a_lake_of_json_is_examined_by_its_manifests() {
    let (lake, catalog) = (Lake::new().of_json(), MemoryCatalog::new());
    lake.hold(&["a 2026-11-10T01:10"]);
    lake.publish(DAY).await;
    assert_eq!(kinds(&examine(&lake, &catalog).await), [Kind::TableMissing]);
    lake.deliver(&catalog, &lake.written_since(0)).await;
    assert_eq!(examine(&lake, &catalog).await, []);
    lake.store.delete(&live_file(&lake)).await.unwrap();
    assert_eq!(kinds(&examine(&lake, &catalog).await), [Kind::ObjectMissing]);
}

fn doctor<'a>(lake: &'a Lake, catalog: &'a MemoryCatalog) -> Doctor<'a> {
    Doctor { lake: lake.reconciler(catalog), engines: BOTH, deep: true }
}

async fn examine(lake: &Lake, catalog: &MemoryCatalog) -> Vec<Finding> {
    doctor(lake, catalog).examine().await.unwrap()
}

fn kinds(findings: &[Finding]) -> Vec<Kind> {
    findings.iter().map(|finding| finding.kind).collect()
}

/// The key of the one live file of the day.
fn live_file(lake: &Lake) -> String {
    lake.keys(&format!("{TABLE}/2026/11/10/g")).remove(0)
}

async fn overwrite(lake: &Lake, key: &str, body: Bytes) {
    lake.store.delete(key).await.unwrap();
    lake.store.put(key, body, Precondition::Absent).await.unwrap();
}

fn partition(value: &str, location: &str) -> [Partition; 1] {
    [Partition { value: value.to_owned(), location: location.to_owned() }]
}

/// A file whose `of_a` is whole numbers, under a table that says `double`: Trino reads it.
fn whole_numbers() -> Bytes {
    let schema = Arc::new(parse_message_type("message m { required int64 of_a; }").unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[1], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap().into()
}

#[derive(Debug, Clone, Copy)]
enum Harm {
    PartitionLost,
    PartitionLeft,
    PartitionOfNoDay,
    PartitionDeclares,
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
    let file = live_file(lake);
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
        Harm::PartitionDeclares => catalog.declare(IN_CATALOG, DAY, &[column("of_a", "bigint")]),
        Harm::FileLost => lake.store.delete(&file).await.unwrap(),
        Harm::FileCut => overwrite(lake, &file, "PAR1".into()).await,
        Harm::FileOfAnotherType => overwrite(lake, &file, whole_numbers()).await,
        Harm::FileStray => {
            let key = file.replace("-000.parquet", "-007.parquet");
            overwrite(lake, &key, "anything".into()).await;
        }
        Harm::FileReplaced => {
            support::add(&lake.source, "b 2026-11-10T02:20");
            lake.publish(DAY).await;
            lake.deliver(catalog, &lake.written_since(0)).await;
        }
        Harm::ColumnRetyped => {
            change(catalog, |columns| columns[4] = column("of_x", "string")).await;
        }
        Harm::ColumnLost => change(catalog, |columns| drop(columns.remove(3))).await,
        Harm::TableLost => catalog.drop_table(IN_CATALOG),
        Harm::ManifestBroken => {
            let key = lake.layout.manifest(TABLE, DAY.parse().unwrap());
            overwrite(lake, &key, "{}".into()).await;
        }
    }
}

fn column(name: &str, hive_type: &str) -> Column {
    Column { name: name.to_owned(), hive_type: hive_type.to_owned(), comment: None }
}

/// Somebody changes the columns, and leaves our note as it is.
async fn change(catalog: &MemoryCatalog, edit: impl FnOnce(&mut Vec<Column>)) {
    let table = catalog.table(IN_CATALOG).await.unwrap().unwrap();
    let mut columns = table.columns;
    edit(&mut columns);
    let to = mixlake_app::ports::NewTable {
        name: IN_CATALOG.to_owned(),
        columns,
        location: table.location,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: table.memo.unwrap(),
    };
    catalog.repair_table(&table.version, &to).await.unwrap();
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
        lake.deliver(&catalog, &lake.written_since(0)).await;
    }
    let now = examine(&lake, &catalog).await;
    let problems: Vec<_> = now.iter().filter(|f| f.severity == Severity::Problem).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    lake.check(&["2026-11-09", DAY], "after the repair");
    lake.check_catalog(&catalog, "after the repair").await;
}

/// The files may be all that is left of the rows.
#[tokio::test]
async fn files_are_not_deleted_while_their_slice_is_not_live() {
    let (lake, catalog) = lake().await;
    let manifest = lake.layout.manifest(TABLE, DAY.parse().unwrap());
    lake.store.delete(&manifest).await.unwrap();
    let findings = examine(&lake, &catalog).await;
    assert_eq!(kinds(&findings), [Kind::SliceMissing, Kind::PartitionWithoutFiles]);
    doctor(&lake, &catalog).repair(&findings).await;
    assert_eq!(lake.keys(&format!("{TABLE}/2026/11/10/g")).len(), 1);
    lake.publish(DAY).await;
    lake.deliver(&catalog, &lake.written_since(0)).await;
    let now = examine(&lake, &catalog).await;
    assert!(now.iter().all(|finding| finding.severity == Severity::Note), "{now:#?}");
    lake.check_catalog(&catalog, "exported again").await;
}

#[tokio::test]
async fn nothing_of_a_day_that_is_being_written_is_touched() {
    let (lake, catalog) = lake().await;
    harm(&lake, &catalog, Harm::FileStray).await;
    let findings = examine(&lake, &catalog).await;
    // An export begins: the ledger says so, and nothing else does yet.
    let ledger = lake.layout.ledger(DAY.parse().unwrap());
    let written = lake.store.snapshot()[&ledger].clone();
    let text = String::from_utf8(written.to_vec()).unwrap();
    overwrite(&lake, &ledger, text.replace("published", "writing").into()).await;
    assert_eq!(examine(&lake, &catalog).await, [], "it is not anybody's mistake yet");
    let failed = doctor(&lake, &catalog).repair(&findings).await;
    assert!(failed[0].1.contains("an export is writing"), "{failed:?}");
    assert_eq!(lake.keys(&format!("{TABLE}/2026/11/10/g")).len(), 2);
}

#[tokio::test]
async fn names_numbers_and_lengths_that_spectrum_cannot_read_are_told() {
    let (lake, catalog) = lake().await;
    let long_name = "n".repeat(128);
    change(&catalog, |columns| columns.push(column(&long_name, "string"))).await;
    change(&catalog, |columns| {
        columns.extend((0..1_600).map(|n| column(&format!("c{n}"), "string")));
    })
    .await;
    let text = "x".repeat(70_000);
    let line = support::event("long", "2026-11-11T05:00", json!({"Essay": text, "short": "y"}));
    lake.source.add(line);
    lake.publish("2026-11-11").await;
    lake.deliver(&catalog, &lake.written_since(0)).await;
    let told: Vec<String> = examine(&lake, &catalog)
        .await
        .into_iter()
        .map(|finding| {
            assert_eq!(finding.kind, Kind::Engine, "{finding:?}");
            format!("{}: {}", finding.subject, finding.text)
        })
        .collect();
    assert!(told[0].starts_with(": Redshift Spectrum reads tables of 1598 columns"), "{told:?}");
    assert!(told[1].starts_with(&format!("{long_name}: Redshift Spectrum reads names of 127")));
    assert!(told[2].starts_with("essay: Redshift Spectrum cuts or nulls text"), "{told:?}");
    assert!(told[2].ends_with("has one of 70000"), "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    let athena = Doctor { engines: &[Engine::Athena], ..doctor(&lake, &catalog) };
    assert_eq!(athena.examine().await.unwrap(), []);
}
