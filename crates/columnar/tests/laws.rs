//! Laws of the transformation: what holds for any events, in any pieces, on any number of threads.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use mixlake_columnar::{Bounds, Contract, Contracts, Options, SchemaType, Superseded, Transformed};
use mixlake_domain::DataFormat;
use mixlake_schema::{ColumnType, Profile, Registry, Table, ValueType};
use mixlake_testkit::generate::Shape;
use mixlake_testkit::rows::Row;
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};
use std::collections::BTreeMap;
use std::num::NonZero;
use support::events::{events, lines};
use support::{generated, options, run, slice, table_rows};

/// The cells of a property in a row, by the public mapping; and what `mp_properties` has of it.
fn cells(property: &str, table: &Table, row: &Row) -> Vec<Value> {
    let own = table.columns().iter().filter(|c| !c.built_in && c.property == property);
    let mut found: Vec<Value> = own
        .filter_map(|column| {
            let cell = row.get(&column.name)?.clone();
            let fits = match column.column_type {
                ColumnType::String => cell.is_string(),
                ColumnType::Number => cell.is_number(),
                ColumnType::Boolean => cell.is_boolean(),
                ColumnType::Timestamp | ColumnType::Bigint => false,
            };
            assert!(fits, "{} holds {cell}", column.name);
            Some(cell)
        })
        .collect();
    found.extend(rest(table, row).get(property).cloned());
    found
}

/// What a row has in `mp_properties`.
fn rest(table: &Table, row: &Row) -> Map<String, Value> {
    let column = table.columns().iter().find(|c| c.built_in && c.name == "mp_properties");
    let text = column.and_then(|column| row.get(&column.name)?.as_str());
    text.map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default()
}

/// Whether a cell is this value: the same, or the text of the same JSON.
fn is_same(value: &Value, cell: &Value) -> bool {
    match (value, cell) {
        (Value::String(_) | Value::Bool(_), _) => value == cell,
        (Value::Number(a), Value::Number(b)) => is_same_number(a, b),
        (_, Value::String(text)) => serde_json::from_str::<Value>(text).is_ok_and(|v| v == *value),
        (_, cell) => value == cell,
    }
}

/// Digit for digit: a double is an integer only if it is exactly that one.
fn is_same_number(value: &Number, cell: &Number) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "doubles of this size fit")]
    match (value.as_i64(), cell.as_i64(), cell.as_f64()) {
        (Some(value), Some(cell), _) => value == cell,
        (Some(value), None, Some(cell)) => cell as i128 == i128::from(value),
        _ => value.as_f64() == cell.as_f64(),
    }
}

fn check(events: &[(String, Map<String, Value>)], done: &Transformed) -> Result<(), TestCaseError> {
    let rows = table_rows(done);
    prop_assert_eq!(rows.len(), events.len());
    for (table, row) in rows {
        let table = &done.registry.tables()[&table];
        let number = cells("number", table, &row);
        let number = number[0].as_f64().unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small index"
        )]
        let (_, properties) = &events[number as usize];
        let mut filled = 0;
        for (property, value) in properties {
            let cells = cells(property, table, &row);
            if value.is_null() {
                prop_assert!(cells.is_empty(), "{} is null, and {:?}", property, cells);
                continue;
            }
            filled += 1;
            prop_assert_eq!(cells.len(), 1, "{}: {} is in {:?}", property, value, cells);
            prop_assert!(is_same(value, &cells[0]), "{}: {} is not {}", property, value, cells[0]);
        }
        // No cell comes from nowhere.
        let built_in = row
            .keys()
            .filter(|name| table.columns().iter().any(|c| c.built_in && c.name == **name));
        let of_their_own = row.len() - built_in.count();
        prop_assert_eq!(of_their_own + rest(table, &row).len(), filled);
    }
    Ok(())
}

/// Names in which the tables of some events have room for a few columns more.
fn nearly_full(
    options: &Options,
    events: &[(String, Map<String, Value>)],
    room: usize,
) -> Registry {
    let mut names: Vec<&str> = events.iter().map(|(event, _)| event.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(3);
    let text: String = names.iter().map(|event| support::line(event, 1, &json!({}))).collect();
    let mut registry = run(options, &[text.as_bytes()]).unwrap().registry;
    let tables: Vec<String> = registry.tables().keys().cloned().collect();
    for table in tables {
        let table = registry.table_mut(&table).unwrap();
        for number in 0..options.profile.columns() - table.columns().len() - room {
            let filler = format!("filler {number}");
            table.resolve(&filler, ValueType::Number, options.profile, slice().date());
        }
    }
    registry
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_value_is_found_in_exactly_one_cell_or_in_mp_properties(
        events in events(),
        multischema in any::<bool>(),
        json in any::<bool>(),
        frozen in any::<bool>(),
        room in prop::option::of(1_usize..8),
    ) {
        let freeze = Contract { freeze: frozen, ..Contract::default() };
        let by_event = BTreeMap::from([("A".to_owned(), freeze)]);

        let options = Options {
            schema_type: if multischema { SchemaType::Multischema } else { SchemaType::Monoschema },
            format: if json { DataFormat::Json } else { DataFormat::Parquet },
            contracts: Contracts { by_event, ..Contracts::default() },
            ..options()
        };
        let base = room.map(|room| nearly_full(&options, &events, room)).unwrap_or_default();
        let known = Superseded::default();
        let text = lines(&events);
        let done = support::run_onto(&options, base, known.clone(), &[text.as_bytes()]).unwrap();
        check(&events, &done)?;
        let again =
            support::run_onto(&options, done.registry.clone(), known, &[text.as_bytes()]).unwrap();
        prop_assert_eq!(again.files, done.files, "twice is once");
    }

    #[test]
    fn pieces_row_groups_and_threads_change_no_row(
        events in events(),
        cuts in prop::collection::vec(0_usize..4_000, 0..6),
        group_rows in 1_usize..9,
        threads in 1_usize..4,
    ) {
        let text = lines(&events);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
        let bounds = Bounds { group_rows, threads: NonZero::new(threads).unwrap(), ..Bounds::default() };
        let small = run(&Options { bounds, ..options() }, &pieces).unwrap();
        let whole = run(&options(), &[text.as_bytes()]).unwrap();
        let sorted = |done: &Transformed| {
            let mut rows: Vec<String> =
                table_rows(done).iter().map(|(_, row)| json!(row).to_string()).collect();
            rows.sort();
            rows
        };
        prop_assert_eq!(sorted(&small), sorted(&whole));
        prop_assert_eq!(small.counts, whole.counts);
        prop_assert_eq!(small.registry, whole.registry);
    }
}

fn files(done: Transformed) -> Vec<Bytes> {
    done.files.into_iter().map(|file| file.bytes).collect()
}

/// Rows that have other columns from one row group of a thousand to the next: a buffer that is used again
/// holds room that another does not.
fn in_turns() -> Vec<u8> {
    let row = |row: u32| {
        let text = |column: u32| (format!("{} {column}", row / 1_000 % 2), json!("x".repeat(60)));
        let properties = (0..20).map(text).collect::<Map<_, _>>();
        support::line("E", row, &properties.into())
    };
    (0..5_000).flat_map(|number| row(number).into_bytes()).collect()
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let usual = generated(Shape { rows: 6_000, repeat_one_in: 50, ..Shape::default() });
    let by_rows = Bounds { group_rows: 1_000, ..Bounds::default() };
    let nearly_by_memory = Bounds { buffer_bytes: 2_000_000, ..by_rows };
    let by_memory = Bounds { group_rows: 2_000, buffer_bytes: 700_000, ..by_rows };
    let files_too = Bounds { file_bytes: 150_000, ..by_memory };
    for (lines, bounds, schema_type, format) in [
        (&usual, by_rows, SchemaType::Monoschema, DataFormat::Parquet),
        (&in_turns(), nearly_by_memory, SchemaType::Monoschema, DataFormat::Parquet),
        (&usual, by_memory, SchemaType::Monoschema, DataFormat::Parquet),
        (&usual, files_too, SchemaType::Multischema, DataFormat::Parquet),
        (&usual, files_too, SchemaType::Monoschema, DataFormat::Json),
    ] {
        let on = |threads: usize| {
            let bounds = Bounds { threads: NonZero::new(threads).unwrap(), ..bounds };
            let options = Options { bounds, schema_type, format, ..options() };
            let pieces: Vec<&[u8]> = lines.chunks(100_000).collect();
            run(&options, &pieces).unwrap().files
        };
        let one = on(1);
        assert!(one == on(2) && one == on(5), "{bounds:?} {schema_type:?} {format:?}");
    }
}

#[test]
fn the_order_of_arrival_changes_no_byte_once_names_are_given() {
    let lines = generated(Shape { rows: 2_000, repeat_one_in: 7, ..Shape::default() });
    let names = run(&options(), &[&lines]).unwrap().registry;
    let mut backwards: Vec<&[u8]> = lines.split_inclusive(|b| *b == b'\n').collect();
    backwards.reverse();
    let known = Superseded::default();
    let run = |pieces: &[&[u8]]| {
        files(support::run_onto(&options(), names.clone(), known.clone(), pieces).unwrap())
    };
    assert_eq!(run(&[&lines]), run(&backwards));
}

#[test]
fn a_wide_table_of_the_other_profile_keeps_everything_in_columns() {
    let lines = generated(Shape { rows: 1_000, properties: 4_000, names: 200, ..Shape::default() });
    let options = Options { profile: Profile::Mixpanel, ..options() };
    let done = run(&options, &[&lines]).unwrap();
    let columns = done.registry.tables()["mp_master_event"].columns();
    assert!(columns.len() > 1_597 && !columns.iter().any(|c| c.name == "mp_properties"));
}
