//! The catalog function over a lake in memory: notifications in, tables and answers out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_app::ports::{Catalog, Column, NewTable, ObjectStore, Precondition};
use mixlake_domain::{DataFormat, Partitioning, Slice, Zone};
use mixlake_runtime::config::{ExportConfig, LakeConfig};
use mixlake_runtime::settings::Settings;
use mixlake_runtime::settings::table::{CATALOG, ON_DRIFT, VIEWS};
use mixlake_runtime::{CatalogHandler, Run, export};
use mixlake_testkit::catalog::{MemoryCatalog, Operation};
use mixlake_testkit::day as target;
use mixlake_testkit::source::MemorySource;
use mixlake_testkit::store::MemoryStore;
use serde_json::{Value, json};

const BUCKET: &str = "lake";

fn settings() -> Settings {
    Settings::from_pairs(["project_id=42", "s3_prefix=my lake=1", "glue_table_prefix=mx_"]).unwrap()
}

/// A lake with one day, and the keys of its data file and its manifest.
async fn lake() -> (MemoryStore, String, String) {
    let store = MemoryStore::new();
    let source = MemorySource::new();
    source.add(r#"{"event":"e","properties":{"time":1794268800,"$city":"Berlin"}}"#);
    let config = ExportConfig::check(&settings()).unwrap();
    let day = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
    let report = export(&config, &source, &store, &[day], Run::default()).await.unwrap();
    let file = report.whole().next().unwrap().objects[0].clone();
    let manifest =
        config.lake.layout.manifest(&target("mp_master_event", "2026-11-10".parse().unwrap()));
    (store, file, manifest)
}

fn handler(store: &MemoryStore, catalog: &MemoryCatalog) -> CatalogHandler {
    handler_with(store, catalog, &settings())
}

fn handler_with(
    store: &MemoryStore,
    catalog: &MemoryCatalog,
    settings: &Settings,
) -> CatalogHandler {
    let config = LakeConfig::check(settings).unwrap();
    CatalogHandler::over(config, BUCKET, Box::new(store.clone()), Box::new(catalog.clone()))
}

/// A message of a queue that carries what `EventBridge` says of an object.
fn message(id: &str, bucket: &str, key: &str) -> Value {
    let event = json!({
        "version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3",
        "account": "1", "time": "2026-11-10T14:10:09Z", "region": "us-east-1", "resources": [],
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
    });
    json!({"messageId": id, "eventSource": "aws:sqs", "body": event.to_string(),
        "attributes": {}, "messageAttributes": {}})
}

async fn deliver(handler: &CatalogHandler, messages: &[Value]) -> Vec<String> {
    let answer = handler.handle(json!({"Records": messages})).await.unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|f| f["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_batch_makes_the_table_its_columns_and_its_partition() {
    let (store, file, manifest) = lake().await;
    let catalog = MemoryCatalog::new();
    let failed = deliver(
        &handler(&store, &catalog),
        &[message("a", BUCKET, &file), message("b", BUCKET, &manifest)],
    )
    .await;
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(catalog.versions("mx_mp_master_event"), 1);
}

#[tokio::test]
async fn only_the_poisoned_messages_of_a_batch_come_again() {
    let (store, file, manifest) = lake().await;
    let broken = file.replace("-000.parquet", "-001.parquet");
    ObjectStore::put(&store, &broken, "no parquet".into(), Precondition::Absent).await.unwrap();
    let mut unreadable = message("d", BUCKET, "x");
    unreadable["body"] = json!("not json");
    let failed = deliver(
        &handler(&store, &MemoryCatalog::new()),
        &[
            message("a", BUCKET, &file),
            message("b", BUCKET, &broken),
            message("c", BUCKET, &manifest),
            unreadable,
            message("e", BUCKET, "my lake=1/42/schema/events.json"),
        ],
    )
    .await;
    assert_eq!(failed, ["b", "d"]);
}

/// A table of ours on which somebody has given `$city` another type.
async fn drifted(store: &MemoryStore) -> MemoryCatalog {
    let catalog = MemoryCatalog::new();
    let column = Column {
        name: "mp_city".to_owned(),
        hive_type: "bigint".to_owned(),
        comment: Some("theirs".to_owned()),
    };
    let table = NewTable {
        name: "mx_mp_master_event".to_owned(),
        columns: vec![column],
        location: store.location("my lake=1/42/mp_master_event/"),
        partitioning: Partitioning::ByDate,
        format: DataFormat::Parquet,
        description: String::new(),
        memo: String::new(),
    };
    catalog.create_table(&table).await.unwrap();
    catalog
}

#[tokio::test]
async fn what_a_drifted_table_cannot_take_comes_again_until_it_is_a_dead_letter() {
    let (store, file, manifest) = lake().await;
    let catalog = drifted(&store).await;
    let messages = [message("a", BUCKET, &file), message("b", BUCKET, &manifest)];
    for _ in 0..5 {
        assert_eq!(deliver(&handler(&store, &catalog), &messages).await, ["a", "b"]);
    }
    assert_eq!(catalog.versions("mx_mp_master_event"), 1, "it is left as it is");
    let mut settings = settings();
    settings.set(&ON_DRIFT, "repair");
    let handler = handler_with(&store, &catalog, &settings);
    assert!(deliver(&handler, &messages).await.is_empty());
    let table = catalog.table("mx_mp_master_event").await.unwrap().unwrap();
    let city = table.columns.iter().find(|c| c.name == "mp_city").unwrap();
    assert_eq!((city.hive_type.as_str(), city.comment.as_deref()), ("string", Some("theirs")));
}

#[tokio::test]
async fn with_a_crawler_the_function_takes_its_messages_and_touches_nothing() {
    let (store, file, manifest) = lake().await;
    let catalog = MemoryCatalog::new();
    let mut settings = settings();
    settings.set(&CATALOG, "crawler");
    let handler = handler_with(&store, &catalog, &settings);
    let messages = [message("a", BUCKET, &file), message("b", BUCKET, &manifest)];
    assert!(deliver(&handler, &messages).await.is_empty());
    assert!(catalog.calls().is_empty());
}

#[tokio::test]
async fn the_partition_of_a_day_goes_when_its_files_are_deleted() {
    let (store, file, manifest) = lake().await;
    let catalog = MemoryCatalog::new();
    let handler = handler(&store, &catalog);
    let created = [message("a", BUCKET, &file), message("b", BUCKET, &manifest)];
    assert!(deliver(&handler, &created).await.is_empty());
    store.delete(&file).await.unwrap();
    let mut deleted = message("c", BUCKET, &file);
    let body = deleted["body"].as_str().unwrap().replace("Object Created", "Object Deleted");
    deleted["body"] = json!(body);
    assert!(deliver(&handler, &[deleted]).await.is_empty());
    assert!(catalog.partitions("mx_mp_master_event", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn objects_of_another_bucket_are_passed_over() {
    let (store, file, _) = lake().await;
    let catalog = MemoryCatalog::new();
    let failed = deliver(&handler(&store, &catalog), &[message("a", "other", &file)]).await;
    assert!(failed.is_empty());
    assert_eq!(catalog.versions("mx_mp_master_event"), 0);
}

#[tokio::test]
async fn a_direct_notification_that_fails_is_an_error_with_the_key() {
    let (store, file, _) = lake().await;
    store.inject(|_| mixlake_testkit::faults::Fault::Before);
    let event: Value =
        serde_json::from_str(message("a", BUCKET, &file)["body"].as_str().unwrap()).unwrap();
    let failure = handler(&store, &MemoryCatalog::new()).handle(event).await.unwrap_err();
    assert!(failure.to_string().starts_with("CatalogFailed:"), "{failure}");
    assert!(failure.message.contains(&file), "{failure}");
}

fn with_views(store: &MemoryStore, catalog: &MemoryCatalog) -> CatalogHandler {
    let mut settings = settings();
    settings.set(&VIEWS, "true");
    handler_with(store, catalog, &settings)
}

fn calls(catalog: &MemoryCatalog, operation: Operation) -> usize {
    catalog.calls().iter().filter(|call| call.operation == operation).count()
}

#[tokio::test]
async fn views_come_with_their_table_and_cost_nothing_while_its_columns_stay() {
    let (store, file, manifest) = lake().await;
    let catalog = MemoryCatalog::new();
    let handler = with_views(&store, &catalog);
    let messages = [message("a", BUCKET, &file), message("b", BUCKET, &manifest)];
    assert!(deliver(&handler, &messages).await.is_empty());
    assert_eq!(catalog.views("").await.unwrap(), ["mx_mp_view_names"]);
    let listed = calls(&catalog, Operation::Views);
    assert!(deliver(&handler, &messages).await.is_empty());
    assert_eq!(calls(&catalog, Operation::Views), listed);
}

#[tokio::test]
async fn views_that_are_switched_off_are_removed_by_the_next_function_and_looked_for_once() {
    let (store, file, manifest) = lake().await;
    let catalog = MemoryCatalog::new();
    let messages = [message("a", BUCKET, &file), message("b", BUCKET, &manifest)];
    deliver(&with_views(&store, &catalog), &messages).await;
    let listed = calls(&catalog, Operation::Views);
    let handler = handler(&store, &catalog);
    for _ in 0..3 {
        assert!(deliver(&handler, &messages).await.is_empty());
    }
    assert_eq!(calls(&catalog, Operation::Views), listed + 1);
    assert_eq!(catalog.views("").await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_view_that_fails_fails_no_message_and_is_tried_again() {
    let (store, file, manifest) = lake().await;
    let catalog = MemoryCatalog::new();
    let handler = with_views(&store, &catalog);
    let messages = [message("a", BUCKET, &file), message("b", BUCKET, &manifest)];
    for failing in [Operation::Views, Operation::CreateView] {
        catalog.inject(move |call| {
            let fails = call.operation == failing;
            if fails {
                mixlake_testkit::faults::Fault::Before
            } else {
                mixlake_testkit::faults::Fault::None
            }
        });
        assert!(deliver(&handler, &messages).await.is_empty());
        assert_eq!(catalog.versions("mx_mp_master_event"), 1);
    }
    catalog.heal();
    assert!(deliver(&handler, &messages).await.is_empty());
    assert_eq!(catalog.views("").await.unwrap(), ["mx_mp_view_names"]);
}

#[tokio::test]
async fn a_direct_notification_tells_what_became_of_views() {
    let (store, file, _) = lake().await;
    let body = message("a", BUCKET, &file)["body"].as_str().unwrap().to_owned();
    let event: Value = serde_json::from_str(&body).unwrap();
    let answer = with_views(&store, &MemoryCatalog::new()).handle(event).await.unwrap();
    let views = json!({"set": ["mx_mp_view_names"], "removed": [], "taken": [], "failed": []});
    assert_eq!(answer["views"], views);
}
