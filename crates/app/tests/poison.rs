//! What cannot be brought into the catalog holds nothing else up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use bytes::Bytes;
use mixlake_app::ports::{Catalog, CatalogError, Column, NewTable, ObjectStore, Precondition};
use mixlake_app::reconcile::{Conflict, ReconcileError};
use mixlake_domain::{DataFormat, Partitioning};
use mixlake_testkit::catalog::{MemoryCatalog, Operation};
use mixlake_testkit::day;
use mixlake_testkit::faults::Fault;
use mixlake_testkit::store;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use std::sync::Arc;
use support::notices::IN_CATALOG;
use support::{Lake, TABLE};

const DAYS: [&str; 3] = ["2026-11-09", "2026-11-10", "2026-11-11"];

async fn lake() -> Lake {
    let lake = Lake::new();
    lake.hold(&["x 2026-11-09T10:00", "y 2026-11-10T11:00", "z 2026-11-11T05:00"]);
    for day in DAYS {
        lake.publish(day).await;
    }
    lake
}

async fn put(lake: &Lake, key: &str, body: Bytes) {
    lake.store.put(key, body, Precondition::Absent).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_parquet_fails_alone() {
    let (lake, catalog) = (lake().await, MemoryCatalog::new());
    let generation = &lake.held().manifests["2026-11-11"].generation.clone();
    let date = "2026-11-11".parse().unwrap();
    for (n, body) in
        ["", "PAR1", "no Parquet file at all", "\u{1}\u{0}\u{0}\u{7f}PAR1"].iter().enumerate()
    {
        let key =
            lake.layout.generation(&day(TABLE, date), generation) + &format!("bad-{n}.parquet");
        put(&lake, &key, Bytes::from_static(body.as_bytes())).await;
    }
    let keys = lake.written_since(0);
    let done = lake.reconciler(&catalog).reconcile(keys.iter().map(String::as_str)).await;
    assert_eq!(done.failed.len(), 4);
    for (key, error) in &done.failed {
        assert!(key.contains("/bad-"), "{key}");
        assert!(matches!(**error, ReconcileError::Footer { .. }), "{error}");
    }
    let set = catalog.partitions(IN_CATALOG, &[]).await.unwrap();
    assert_eq!(set.len(), 3, "all days are there");
}

#[tokio::test]
async fn drift_is_told_with_both_types_and_holds_nothing_else_up() {
    let (lake, catalog) = (lake().await, MemoryCatalog::new());
    let present = table_columns(&[("mine", "int"), ("of_z", "string")]);
    let table = NewTable {
        name: IN_CATALOG.to_owned(),
        columns: present.clone(),
        location: lake.store.location(&lake.layout.table(&TABLE.parse().unwrap())),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: String::new(),
    };
    catalog.create_table(&table).await.unwrap();
    // A second table, with the files of a day of the first.
    for (key, body) in lake.store.snapshot() {
        if key.contains("/2026/11/09/") && key.contains(TABLE) {
            let (key, body) = store::as_of_another_table(&key, &body, TABLE, "other");
            put(&lake, &key, body).await;
        }
    }
    let keys = lake.written_since(0);
    let done = lake.reconciler(&catalog).reconcile(keys.iter().map(String::as_str)).await;
    assert!(done.failed.iter().all(|(key, _)| key.contains("/2026/11/11/")), "{:?}", done.failed);
    let ReconcileError::Drift { table, conflicts } = &*done.failed[0].1 else { panic!("no drift") };
    assert_eq!(table, IN_CATALOG);
    let expected = Conflict::Type {
        column: "of_z".to_owned(),
        table: "string".to_owned(),
        files: "double".to_owned(),
    };
    assert_eq!(conflicts, &[expected]);
    let days = async |table: &str| {
        let set = catalog.partitions(table, &[]).await.unwrap();
        set.into_iter().map(|partition| partition.value).collect::<Vec<_>>()
    };
    assert_eq!(days("pre_other").await, ["2026-11-09"]);
    assert_eq!(days(IN_CATALOG).await, ["2026-11-09", "2026-11-10"]);
    let columns = catalog.table(IN_CATALOG).await.unwrap().unwrap().columns;
    assert_eq!(columns[..2], present);
}

/// A key in the live generation of the second day.
fn beside(lake: &Lake, name: &str) -> String {
    let generation = &lake.held().manifests[DAYS[1]].generation;
    lake.layout.generation(&day(TABLE, DAYS[1].parse().unwrap()), generation) + name
}

/// A file without rows and with these columns, as Parquet's own language has them.
fn file_of(columns: &str) -> Bytes {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
    let properties = Arc::new(WriterProperties::default());
    let mut body = Vec::new();
    SerializedFileWriter::new(&mut body, schema, properties).unwrap().close().unwrap();
    body.into()
}

/// The keys that failed of a delivery of everything, and the days that have a partition after it.
async fn deliver_all(lake: &Lake, catalog: &MemoryCatalog) -> (Vec<String>, Vec<String>) {
    let keys = lake.written_since(0);
    let done = lake.reconciler(catalog).reconcile(keys.iter().map(String::as_str)).await;
    let mut failed: Vec<String> = done.failed.into_iter().map(|(key, _)| key).collect();
    failed.sort();
    let set = catalog.partitions(IN_CATALOG, &[]).await.unwrap();
    (failed, set.into_iter().map(|partition| partition.value).collect())
}

#[rstest]
#[case::the_partition_key("optional binary mp_date (UTF8);")]
#[case::the_same_name_twice("optional binary Twice (UTF8); optional binary twice (UTF8);")]
#[case::a_name_that_no_catalog_takes(&format!("optional binary {} (UTF8);", "n".repeat(256)))]
#[case::another_type_than_the_registry_has("optional binary of_y (UTF8);")]
#[case::another_type_than_a_file_of_another_day_has("optional boolean of_x;")]
#[tokio::test]
async fn a_stray_file_whose_columns_cannot_be_taken_fails_alone(#[case] columns: &str) {
    for made_before in [false, true] {
        let (lake, catalog) = (lake().await, MemoryCatalog::new());
        if made_before {
            lake.deliver(&catalog, &lake.written_since(0)).await;
        }
        let stray = beside(&lake, "stray.parquet");
        put(&lake, &stray, file_of(columns)).await;
        let (failed, days) = deliver_all(&lake, &catalog).await;
        assert_eq!((failed, days), (vec![stray.clone()], DAYS.map(str::to_owned).to_vec()));
        lake.store.delete(&stray).await.unwrap();
        lake.check_catalog(&catalog, columns).await;
    }
}

/// Of files that nobody knows, whoever comes first decides.
#[tokio::test]
async fn of_two_strays_that_contradict_each_other_one_fails() {
    let (lake, catalog) = (lake().await, MemoryCatalog::new());
    let [one, other] = ["one.parquet", "other.parquet"].map(|name| beside(&lake, name));
    put(&lake, &one, file_of("optional boolean unknown;")).await;
    put(&lake, &other, file_of("optional double unknown;")).await;
    let (failed, days) = deliver_all(&lake, &catalog).await;
    assert_eq!((failed, days.len()), (vec![other], 3));
}

#[tokio::test]
async fn a_damaged_manifest_fails_its_day_alone() {
    let (lake, catalog) = (lake().await, MemoryCatalog::new());
    let manifest = lake.layout.manifest(&day(TABLE, DAYS[1].parse().unwrap()));
    lake.store.delete(&manifest).await.unwrap();
    put(&lake, &manifest, Bytes::from_static(b"{}")).await;
    let (failed, days) = deliver_all(&lake, &catalog).await;
    assert!(failed.contains(&manifest), "{failed:?}");
    assert!(failed.iter().all(|key| key.contains("/2026/11/10/")), "{failed:?}");
    assert_eq!(failed.len(), 2, "each once: {failed:?}");
    assert_eq!(days, [DAYS[0], DAYS[2]]);
}

#[rstest]
#[case::a_file("2026-11-10-000.parquet", &DAYS)]
#[case::a_manifest("2026/11/10/_manifest.json", &[DAYS[0], DAYS[2]])]
#[tokio::test]
async fn an_object_that_may_not_be_read_fails_alone(
    #[case] denied: &'static str,
    #[case] days: &[&str],
) {
    let (lake, catalog) = (lake().await.in_many_parts(), MemoryCatalog::new());
    lake.hold(&["y 2026-11-10T11:00", "y2 2026-11-10T12:00"]);
    lake.publish(DAYS[1]).await;
    lake.store.inject(move |call| {
        let read = matches!(call.operation, store::Operation::Get | store::Operation::Tail);
        let fails = read && call.subject.ends_with(denied);
        if fails { Fault::Before } else { Fault::None }
    });
    let (failed, there) = deliver_all(&lake, &catalog).await;
    assert!(failed.iter().all(|key| key.contains("/2026/11/10/")), "{failed:?}");
    assert!(failed.iter().any(|key| key.ends_with(denied)), "{failed:?}");
    assert_eq!(there, days);
}

/// Calls of one kind end with a fault. Answers the first error, how many keys failed of how many, and
/// how often the call was made.
async fn with_fault(
    operation: Operation,
    fault: Fault,
) -> (Arc<ReconcileError>, usize, usize, usize) {
    let (lake, catalog) = (lake().await, MemoryCatalog::new());
    catalog.inject(move |call| if call.operation == operation { fault } else { Fault::None });
    let mut keys = lake.written_since(0);
    keys.retain(|key| lake.layout.read(key).is_some());
    let done = lake.reconciler(&catalog).reconcile(keys.iter().map(String::as_str)).await;
    let made = catalog.calls().iter().filter(|call| call.operation == operation).count();
    (done.failed[0].1.clone(), done.failed.len(), keys.len(), made)
}

#[rstest]
#[case(Operation::Table)]
#[case(Operation::CreateTable)]
#[case(Operation::PutPartitions)]
#[tokio::test]
async fn what_a_catalog_is_too_busy_for_is_not_asked_again_in_parts(#[case] operation: Operation) {
    let (_, failed, keys, made) = with_fault(operation, Fault::Before).await;
    assert_eq!((failed, made), (keys, 1));
}

#[rstest]
#[case(Operation::CreateTable)]
#[case(Operation::PutPartitions)]
#[tokio::test]
async fn a_table_that_others_never_leave_alone_is_given_up_after_sixteen_tries(
    #[case] operation: Operation,
) {
    let (error, failed, keys, made) = with_fault(operation, Fault::Overtaken).await;
    assert_eq!((failed, made), (keys, 16));
    let conflict = matches!(&*error, ReconcileError::Catalog(CatalogError::Conflict(_)));
    assert!(conflict, "{error}");
}

fn table_columns(columns: &[(&str, &str)]) -> Vec<Column> {
    let column = |&(name, hive_type): &(&str, &str)| Column {
        name: name.to_owned(),
        hive_type: hive_type.to_owned(),
        comment: None,
    };
    columns.iter().map(column).collect()
}
