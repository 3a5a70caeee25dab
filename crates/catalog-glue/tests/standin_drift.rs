//! A table that somebody changed so that it no longer matches its files: this is reported, and repaired
//! only on request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod standin;

use mixlake_app::ports::{Catalog, ObjectStore};
use mixlake_app::reconcile::{OnDrift, ReconcileError};
use mixlake_testkit::glue::Glue;
use rstest::rstest;
use serde_json::{Value, json};
use standin::lake::{Lake, TABLE};
use standin::{DATABASE, Wire};

type Edit = fn(&mut Value);

fn columns(input: &mut Value) -> &mut Vec<Value> {
    input["StorageDescriptor"]["Columns"].as_array_mut().unwrap()
}

/// A column, comment and parameter of somebody else, between ours.
fn annotate(input: &mut Value) {
    columns(input).insert(4, json!({"Name": "mine", "Type": "int", "Parameters": {"pii": "no"}}));
    columns(input)[1]["Comment"] = json!("when it happened");
    input["Parameters"]["owner_team"] = json!("growth");
}

/// `p2` is the fifth of the first eight: three built-in columns, `p0`, `p1`.
fn retyped(input: &mut Value) {
    columns(input).iter_mut().find(|c| c["Name"] == "p2").unwrap()["Type"] = json!("string");
}

fn dropped(input: &mut Value) {
    columns(input).retain(|c| c["Name"] != "p2");
}

fn reordered(input: &mut Value) {
    let last = columns(input).pop().unwrap();
    columns(input).insert(0, last);
}

fn moved(input: &mut Value) {
    input["StorageDescriptor"]["Location"] = json!("memory://lake/backup/");
}

fn other_serde(input: &mut Value) {
    let serde = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
    input["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] = json!(serde);
}

async fn table() -> (Lake, Vec<String>, Glue) {
    let (lake, keys) = Lake::with_hours(2).await;
    let glue = Glue::new(DATABASE);
    lake.deliver(&standin::catalog(0, Wire::quiet(&glue)), &keys).await;
    glue.edit(TABLE, annotate);
    (lake, keys, glue)
}

#[rstest]
#[case::retyped(retyped, "column p2 is string in the catalog, but double in the files")]
#[case::dropped(dropped, "column p2 was dropped in the catalog, but is double in the files")]
#[case::reordered(reordered, "column p5 was moved before column p4 in the catalog")]
#[case::moved(moved, "the table points to memory://lake/backup/")]
#[case::other_serde(other_serde, "OpenCSVSerde")]
#[tokio::test(start_paused = true)]
async fn drift_is_told_and_left_or_put_right_as_is_asked(#[case] edit: Edit, #[case] told: &str) {
    let (lake, keys, glue) = table().await;
    let before = glue.input(TABLE).unwrap();
    glue.edit(TABLE, edit);
    let drifted = glue.input(TABLE).unwrap();
    let catalog = standin::catalog(0, Wire::quiet(&glue));

    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Fail, &keys).await;
    assert_eq!(done.failed.len(), keys.len(), "every object goes to the dead-letter queue");
    assert!(matches!(&*done.failed[0].1, ReconcileError::Drift { table, .. } if table == TABLE));
    assert!(done.failed[0].1.to_string().contains(told), "{}", done.failed[0].1);
    assert_eq!(glue.input(TABLE).unwrap(), drifted, "nothing was touched");

    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Repair, &keys).await;
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    assert!(done.tables[0].repaired[0].contains(told), "{:?}", done.tables[0].repaired);
    let after = glue.input(TABLE).unwrap();
    let comment = |input: &Value| {
        let all = input["StorageDescriptor"]["Columns"].as_array().unwrap();
        all.iter().find(|c| c["Name"] == "mine").cloned()
    };
    assert_eq!(comment(&after), comment(&before), "the column of somebody else is as it was");
    // Other people's columns keep their positions when ours are repaired.
    let ours = |mut input: Value| {
        columns(&mut input).retain(|c| c["Name"] != "mine");
        input
    };
    let (mut before, mut after) = (ours(before), ours(after));
    assert_eq!(after["Parameters"], before["Parameters"]);
    assert_eq!(after["StorageDescriptor"]["SerdeInfo"], before["StorageDescriptor"]["SerdeInfo"]);
    let shown = |c: &Value| (c["Name"].clone(), c["Type"].clone());
    let shown = |input: &mut Value| columns(input).iter().map(shown).collect::<Vec<_>>();
    assert_eq!(shown(&mut after), shown(&mut before));
    assert_eq!(glue.history(TABLE).archived, 0);

    let calls = glue.counts()["UpdateTable"];
    lake.deliver(&catalog, &keys).await;
    assert_eq!(glue.counts()["UpdateTable"], calls, "a table that was put right is left alone");
}

#[tokio::test(start_paused = true)]
async fn a_table_of_another_project_is_never_put_right() {
    let (lake, keys, glue) = table().await;
    glue.edit(TABLE, |input| {
        moved(input);
        input["Parameters"]["mixlake"] = json!("43:0-2");
    });
    let before = glue.input(TABLE).unwrap();
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Repair, &keys).await;
    assert_eq!(done.failed.len(), keys.len());
    assert_eq!(glue.input(TABLE).unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_day_that_lost_its_files_loses_its_partition_on_a_drifted_table_too() {
    let (lake, keys, glue) = table().await;
    glue.edit(TABLE, retyped);
    for key in keys.iter().filter(|key| key.ends_with(".parquet")) {
        lake.store.delete(key).await.unwrap();
    }
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    lake.deliver(&catalog, &keys).await;
    assert_eq!(catalog.partitions(TABLE, &[]).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_day_without_the_column_that_drifted_is_not_held_up() {
    let (lake, mut keys, glue) = table().await;
    glue.edit(TABLE, dropped);
    let later = lake.publish("2026-11-09T00", Some(json!({"p0": 1}))).await;
    keys.extend(later.clone());
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Fail, &keys).await;
    let failed: Vec<&String> = done.failed.iter().map(|(key, _)| key).collect();
    assert!(failed.iter().all(|key| key.contains("/2026/11/01/")), "{failed:?}");
    assert_eq!(done.failed.len(), keys.len() - later.len());
    let days = catalog.partitions(TABLE, &["2026-11-09".to_owned()]).await.unwrap();
    assert_eq!(days.len(), 1);
}

/// A function that read the registry before another run added columns appends its own columns.
#[tokio::test(start_paused = true)]
async fn what_others_noted_is_not_forgotten_by_a_function_with_an_older_registry() {
    let (lake, keys) = Lake::with_hours(1).await;
    let glue = Glue::new(DATABASE);
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    lake.deliver(&catalog, &keys).await;
    let slow = lake.publish("2026-11-09T00", Some(json!({"slow": 1}))).await;
    let older = lake.as_it_is().await;
    let fast = lake.publish("2026-11-10T00", Some(json!({"fast": 1}))).await;
    lake.deliver(&catalog, &fast).await;
    let done = lake.reconcile(&catalog, &older, OnDrift::Fail, &slow).await;
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    assert_eq!(glue.input(TABLE).unwrap()["Parameters"]["mixlake"], "42:0-7,9,8");

    glue.edit(TABLE, |input| columns(input).retain(|c| c["Name"] != "fast"));
    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Fail, &fast).await;
    assert_eq!(done.failed.len(), fast.len());
    assert!(done.failed[0].1.to_string().contains("column fast was dropped"), "{:?}", done.failed);
}

/// Somebody else's column has a name that the lake uses too. Only one can exist, and the files decide
/// its type. It keeps its position and comment.
#[tokio::test(start_paused = true)]
async fn a_column_of_others_with_a_name_of_ours_takes_our_type_and_keeps_place_and_comment() {
    let (lake, _, glue) = table().await;
    let theirs = json!({"Name": "shared", "Type": "string", "Comment": "theirs"});
    glue.edit(TABLE, |input| columns(input).insert(2, theirs));
    let keys = lake.publish("2026-11-09T00", Some(json!({"shared": 1}))).await;
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Fail, &keys).await;
    let told = done.failed[0].1.to_string();
    assert!(told.contains("column shared is string in the catalog, but double in the files"));
    let done = lake.reconcile(&catalog, &lake.store, OnDrift::Repair, &keys).await;
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    let mut after = glue.input(TABLE).unwrap();
    let shared = json!({"Name": "shared", "Type": "double", "Comment": "theirs"});
    assert_eq!(columns(&mut after)[2], shared);
    let calls = glue.counts()["UpdateTable"];
    lake.deliver(&catalog, &keys).await;
    assert_eq!(glue.counts()["UpdateTable"], calls);
}

/// Added while the table had another format, by a tool that copies the table's format.
#[tokio::test(start_paused = true)]
async fn a_partition_that_is_read_in_another_way_is_put_right_by_any_notice_of_its_day() {
    let (lake, keys, glue) = table().await;
    glue.edit_partition(TABLE, "2026-11-01", |input| {
        other_serde(input);
        input["Parameters"] = json!({"theirs": "kept"});
    });
    let catalog = standin::catalog(0, Wire::quiet(&glue));
    let manifest = keys.iter().find(|key| key.ends_with("/_manifest.json")).unwrap();
    let done = lake.deliver(&catalog, std::slice::from_ref(manifest)).await;
    assert_eq!(done.tables[0].partitions_set, ["2026-11-01"]);
    glue.edit_partition(TABLE, "2026-11-01", |input| {
        let serde = input["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"].as_str();
        assert!(serde.unwrap().ends_with("ParquetHiveSerDe"), "{input}");
        assert_eq!(input["Parameters"], json!({"theirs": "kept"}));
    });
    let done = lake.deliver(&catalog, &keys).await;
    assert_eq!(done.tables[0].partitions_set, [""; 0]);
}
