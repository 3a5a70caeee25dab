//! Tables are described by what they hold.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use mixlake_app::describe::{Describer, Description, JsonColumn, JsonText, TableDescription};
use mixlake_columnar::{EventNameForm, SchemaType};
use mixlake_domain::Date;
use mixlake_testkit::store::Operation;
use serde_json::{Value, json};
use support::{Lake, event};

async fn describe(lake: &Lake) -> Description {
    let project = &lake.options.project;
    let describer = Describer { store: &lake.store, layout: &lake.layout, project };
    describer.describe().await.unwrap()
}

/// The lake after days of one event each, with these properties.
async fn days(lake: Lake, days: &[(&str, Value)]) -> Lake {
    for (date, properties) in days {
        lake.source.clear();
        lake.source.add(event("a", &format!("{date}T01:10"), properties.clone()));
        lake.publish(date).await;
    }
    lake
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn json_column(column: &str, day: &str, text: JsonText) -> JsonColumn {
    JsonColumn { column: column.to_owned(), date: date(day), text }
}

fn object(key: &str) -> JsonText {
    JsonText::Object(Some(key.to_owned()))
}

fn columns(table: &TableDescription) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

#[tokio::test]
async fn a_table_is_described_by_its_newest_day() {
    let lake = days(
        Lake::new(),
        &[("2026-11-09", json!({"old": 1})), ("2026-11-10", json!({"plan": "free"}))],
    )
    .await;
    let described = describe(&lake).await;
    assert_eq!(described.zone.as_deref(), Some("UTC"));
    let [table] = &described.tables[..] else { panic!("{described:?}") };
    assert_eq!(table.table.as_str(), "mp_master_event");
    assert_eq!((table.first, table.last), (date("2026-11-09"), date("2026-11-10")));
    let expected = ["mp_event_name", "time", "distinct_id", "mp_insert_id", "plan"];
    assert_eq!(columns(table), expected);
    assert_eq!(table.event_value.as_deref(), Some("event"));
    assert_eq!(table.json, []);
}

#[tokio::test]
async fn columns_of_objects_and_lists_are_found_also_in_older_days() {
    let lake = days(
        Lake::new(),
        &[
            ("2026-11-08", json!({"cart": {"older": 1}, "tags": ["x"]})),
            ("2026-11-09", json!({"cart": {"id": 1}, "note": "[1] text"})),
            ("2026-11-10", json!({"note": "text"})),
        ],
    )
    .await;
    let table = &describe(&lake).await.tables[0];
    let expected = [
        json_column("cart", "2026-11-09", object("id")),
        json_column("tags", "2026-11-08", JsonText::List),
    ];
    assert_eq!(table.json, expected);
}

#[tokio::test]
async fn a_column_with_other_text_on_the_same_day_is_no_json() {
    let lake = Lake::new();
    lake.source.add(event("a", "2026-11-10T01:10", json!({"cart": {"id": 1}})));
    lake.source.add(event("b", "2026-11-10T02:10", json!({"cart": "empty"})));
    lake.publish("2026-11-10T01").await;
    lake.publish("2026-11-10T02").await;
    assert_eq!(describe(&lake).await.tables[0].json, []);
}

#[tokio::test]
async fn the_value_of_a_raw_event_name_is_the_one_in_the_files() {
    let mut lake = Lake::new();
    lake.options.event_name = EventNameForm::Raw;
    let lake = days(lake, &[("2026-11-10", json!({}))]).await;
    assert_eq!(describe(&lake).await.tables[0].event_value.as_deref(), Some("Event"));
}

#[tokio::test]
async fn with_a_table_for_each_event_the_first_with_rows_is_described() {
    let mut lake = Lake::new();
    lake.options.schema_type = SchemaType::Multischema;
    lake.source.add(event("a", "2026-11-10T01:10", json!({})));
    let other = event("b", "2026-11-10T02:10", json!({})).replace("\"Event\"", "\"Sign Up\"");
    lake.source.add(&other);
    lake.publish("2026-11-10").await;
    let described = describe(&lake).await;
    let [table] = &described.tables[..] else { panic!("{described:?}") };
    assert_eq!((table.table.as_str(), &*table.event.event), ("event", "Event"));

    lake.source.clear();
    lake.source.add(&other);
    lake.publish("2026-11-10").await;
    let described = describe(&lake).await;
    let [table] = &described.tables[..] else { panic!("{described:?}") };
    assert_eq!((table.table.as_str(), &*table.event.event), ("sign_up", "Sign Up"));
}

#[tokio::test]
async fn files_of_json_lines_are_known_by_their_first_rows() {
    let properties = json!({"cart": {"id": 1}, "tags": [], "note": "text"});
    let lake = days(Lake::new().of_json(), &[("2026-11-10", properties)]).await;
    let table = &describe(&lake).await.tables[0];
    let expected = [
        json_column("cart", "2026-11-10", object("id")),
        json_column("tags", "2026-11-10", JsonText::List),
    ];
    assert_eq!(table.json, expected);
    assert_eq!(table.event_value.as_deref(), Some("event"));
}

#[tokio::test]
async fn a_lake_without_rows_has_no_tables() {
    let lake = Lake::new();
    lake.publish("2026-11-10").await;
    assert_eq!(describe(&lake).await.tables, []);
}

#[tokio::test]
async fn nothing_is_written_and_no_whole_file_is_read() {
    let lake = days(Lake::new(), &[("2026-11-10", json!({"cart": {"id": 1}}))]).await;
    let before = lake.store.calls().len();
    describe(&lake).await;
    let calls = lake.store.calls().split_off(before);
    assert_eq!(lake.changes_since(before), []);
    let is_whole = calls
        .iter()
        .any(|call| call.operation == Operation::Get && call.subject.ends_with(".parquet"));
    assert!(!is_whole, "{calls:?}");
}
