//! What is printed, whole.

use super::table::{Events, Json};
use super::*;
use QueryEngine::{Athena, Redshift, Spark};
use mixlake_app::describe::JsonText;
use mixlake_schema::ColumnType;
use rstest::rstest;

fn place() -> Place {
    Place {
        database: "raw".to_owned(),
        region: None,
        schema: "mixpanel".to_owned(),
        role: Some(Role::Arn("arn:aws:iam::123456789012:role/spectrum".to_owned())),
    }
}

fn json(column: &str, date: &str, text: JsonText) -> Json {
    Json { column: column.to_owned(), date: date.to_owned(), text }
}

fn table() -> Table {
    Table {
        name: "two_mp_master_event".to_owned(),
        events: Events::All {
            value: "it's \\ odd".to_owned(),
            own_table: "two_it_s___odd".to_owned(),
        },
        days: ("2026-11-04".to_owned(), "2026-11-10".to_owned()),
        zone: "Europe/Berlin".to_owned(),
        time: ColumnType::Timestamp,
        text: Some("user".to_owned()),
        json: vec![
            json("cart", "2026-11-10", JsonText::Object(Some("Item id".to_owned()))),
            json("tags", "2026-11-09", JsonText::List),
        ],
    }
}

fn text(engine: QueryEngine, place: &Place, tables: &[Table]) -> String {
    render(engine, "filled in from \"lake\".", &statements(engine, place, tables))
}

#[rstest]
#[case::redshift(Redshift)]
#[case::athena(Athena)]
#[case::spark(Spark)]
fn what_is_printed_for_a_table(#[case] engine: QueryEngine) {
    let name = format!("{engine:?}").to_lowercase();
    insta::assert_snapshot!(name, text(engine, &place(), &[table()]));
}

#[rstest]
#[case::redshift(Redshift)]
#[case::athena(Athena)]
#[case::spark(Spark)]
fn what_is_printed_without_a_lake(#[case] engine: QueryEngine) {
    let place = Place { role: None, ..place() };
    let tables = [Table::unknown_of_all(""), Table::unknown_of_one("")];
    let name = format!("{engine:?}_without_a_lake").to_lowercase();
    insta::assert_snapshot!(name, text(engine, &place, &tables));
}

/// A table of one event in a project in UTC whose `time` is a number, and whose lists and objects are unknown.
fn table_of_an_event() -> Table {
    Table {
        name: "sign_up".to_owned(),
        events: Events::One("Sign\nUp".to_owned()),
        zone: "UTC".to_owned(),
        time: ColumnType::Bigint,
        text: None,
        json: vec![json("cart", "2026-11-10", JsonText::Object(None))],
        ..table()
    }
}

#[rstest]
#[case::redshift(Redshift)]
#[case::athena(Athena)]
#[case::spark(Spark)]
fn what_is_printed_for_a_table_of_one_event(#[case] engine: QueryEngine) {
    let place =
        Place { region: Some("eu-central-1".to_owned()), role: Some(Role::Default), ..place() };
    let name = format!("{engine:?}_of_an_event").to_lowercase();
    insta::assert_snapshot!(name, text(engine, &place, &[table_of_an_event()]));
}

#[test]
fn a_heading_asks_to_replace_words_only_if_there_are_any() {
    let asks = |text: &str| text.contains("Replace the words");
    assert!(!asks(&text(Athena, &place(), &[table()])));
    assert!(asks(&text(Athena, &place(), &[Table::unknown_of_all("")])));
    assert!(asks(&text(Athena, &place(), &[Table::unknown_of_one("two_")])));
    assert!(asks(&text(Redshift, &Place { role: None, ..place() }, &[table()])));
}
