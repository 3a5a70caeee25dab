//! Tables by event, contracts, and JSON beside Parquet.

mod support;

use mixlake_columnar::{Contract, Contracts, Options, SchemaType, Superseded, TimeType};
use mixlake_domain::DataFormat;
use mixlake_schema::{MASTER_TABLE, Registry};
use mixlake_testkit::generate::Shape;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use support::{all_rows, generated, json_lines, line, options, run, run_onto, table_rows};

fn multischema() -> Options {
    Options { schema_type: SchemaType::Multischema, ..options() }
}

fn columns(registry: &Registry, table: &str) -> Vec<String> {
    registry.tables()[table].columns().iter().map(|column| column.name.clone()).collect()
}

#[test]
fn the_worked_example_gives_one_table_for_each_event() {
    let text = line("Signup", 1, &json!({"plan": "free", "browser": "chrome", "distinct_id": 1}))
        + &line(
            "Purchase",
            2,
            &json!({"product_id": "123", "browser": "chrome", "distinct_id": 1}),
        )
        + &line(
            "Signup",
            3,
            &json!({"plan": "paid", "browser": "firefox", "ab_test": 1, "distinct_id": 2}),
        );
    let done = run(&multischema(), &[text.as_bytes()]).unwrap();
    let tables: Vec<&String> = done.registry.tables().keys().collect();
    assert_eq!(tables, ["purchase", "signup"]);
    let signup = ["time", "distinct_id", "browser", "plan", "ab_test"];
    let found: BTreeSet<String> = columns(&done.registry, "signup").into_iter().collect();
    assert_eq!(found, signup.map(str::to_owned).into());
    assert_eq!(columns(&done.registry, "purchase").len(), 4);
    let count = |table: &str| table_rows(&done).iter().filter(|(name, _)| name == table).count();
    assert_eq!((count("signup"), count("purchase")), (2, 1));
    assert!(all_rows(&done).iter().all(|row| !row.contains_key("mp_event_name")));
}

#[test]
fn each_table_has_its_own_types_and_its_own_budget() {
    let wide: serde_json::Map<_, _> = (0..2_000).map(|i| (format!("p{i}"), json!(i))).collect();
    let text = line("A", 1, &json!({"x": 1}))
        + &line("B", 2, &json!({"x": "text"}))
        + &line("C", 3, &Value::Object(wide));
    let done = run(&multischema(), &[text.as_bytes()]).unwrap();
    let rows: BTreeMap<_, _> = table_rows(&done).into_iter().collect();
    assert_eq!(rows["a"]["x"], json!(1.0));
    assert_eq!(rows["b"]["x"], json!("text"), "the first type of x in this table is text");
    assert!(rows["c"].contains_key("mp_properties") && !rows["a"].contains_key("mp_properties"));
}

#[test]
fn names_of_tables_do_not_collide_with_one_another_or_with_folders_of_the_lake() {
    let events = ["Sign up", "sign-up", "schema", "mp_master_event", "!slices", "select"];
    let text: String = events.iter().map(|event| line(event, 1, &json!({}))).collect();
    let done = run(&multischema(), &[text.as_bytes()]).unwrap();
    let tables: Vec<&str> = done.registry.tables().keys().map(String::as_str).collect();
    let expected =
        ["e_slices", "mp_master_event_1", "res_select", "schema_1", "sign_up", "sign_up_1"];
    assert_eq!(tables, expected);
}

#[test]
fn every_event_has_a_table_that_query_engines_see() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/reported/");
    let text = std::fs::read(format!("{folder}multischema_underscore.jsonl")).unwrap();
    let done = run(&multischema(), &[&text]).unwrap();
    let tables: Vec<&str> = done.registry.tables().keys().map(String::as_str).collect();
    let expected =
        ["e__", "e__done", "e_app__opened", "e_not_set_", "e_promo_click", "order_placed"];
    assert_eq!(tables, expected);
}

#[test]
fn a_repeat_is_found_in_the_table_of_its_event_only() {
    let row = json!({"$insert_id": "i", "distinct_id": "d"});
    let text = line("A", 1, &row) + &line("B", 1, &row) + &line("A", 1, &row);
    let counts = run(&multischema(), &[text.as_bytes()]).unwrap().counts;
    assert_eq!((counts.written, counts.duplicates), (2, 1));
}

#[test]
fn one_table_and_many_hold_the_same_values() {
    let lines = generated(Shape { rows: 600, names: 12, repeat_one_in: 9, ..Shape::default() });
    let plain = |options: &Options| {
        let done = run(options, &[&lines]).unwrap();
        let rows = table_rows(&done).into_iter().map(|(_, mut row)| {
            row.remove("mp_event_name");
            // A later type has a suffix in one table and maybe none in another.
            let cells: BTreeMap<String, Value> = row
                .into_iter()
                .map(|(name, cell)| {
                    let end = ["_string", "_number", "_boolean"]
                        .iter()
                        .find_map(|suffix| name.strip_suffix(suffix));
                    (end.map_or(name.clone(), str::to_owned), cell)
                })
                .collect();
            json!(cells).to_string()
        });
        let mut rows: Vec<String> = rows.collect();
        rows.sort();
        (rows, done.counts)
    };
    assert_eq!(plain(&options()), plain(&multischema()));
}

fn with_contract(all: Contract, signup: Contract) -> Options {
    let by_event = BTreeMap::from([("Sign up".to_owned(), signup)]);
    Options { contracts: Contracts { all, by_event }, ..options() }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn an_excluded_property_is_nowhere_and_an_included_one_alone_is_kept() {
    let all = Contract { exclude: names(&["$email"]), ..Contract::default() };
    let signup = Contract { include: Some(names(&["plan"])), ..Contract::default() };
    let options = with_contract(all, signup);
    let row = json!({"$email": "a@b.c", "plan": "free", "os": "x", "distinct_id": "d"});
    let text = line("Sign up", 1, &row) + &line("Login", 2, &row);
    let done = run(&options, &[text.as_bytes()]).unwrap();
    let built_in = ["mp_event_name", "time", "distinct_id"];
    let cells = all_rows(&done).into_iter().map(|row| {
        let names: Vec<String> =
            row.keys().filter(|k| !built_in.contains(&k.as_str())).cloned().collect();
        (row["mp_event_name"].as_str().unwrap().to_owned(), names)
    });
    let cells: BTreeMap<String, Vec<String>> = cells.collect();
    assert_eq!(cells["sign_up"], ["plan"]);
    assert_eq!(
        cells["login"].iter().collect::<BTreeSet<_>>(),
        ["os", "plan"].map(str::to_owned).iter().collect()
    );
    let bytes: Vec<u8> = done.files.iter().flat_map(|file| file.bytes.to_vec()).collect();
    assert!(!bytes.windows(5).any(|w| w == b"a@b.c"), "the value is in no file");
    assert!(!columns(&done.registry, MASTER_TABLE).contains(&"mp_email".to_owned()));
}

#[test]
fn an_insert_id_that_is_excluded_still_tells_repeats() {
    let all = Contract { exclude: names(&["$insert_id"]), ..Contract::default() };
    let options = with_contract(all, Contract::default());
    let text = line("A", 1, &json!({"$insert_id": "i"})).repeat(2);
    let done = run(&options, &[text.as_bytes()]).unwrap();
    assert_eq!((done.counts.written, done.counts.duplicates), (1, 1));
    assert!(!all_rows(&done)[0].contains_key("mp_insert_id"));
}

#[test]
fn a_frozen_event_adds_no_columns_and_loses_no_values() {
    let before = line("Sign up", 1, &json!({"plan": "free"}));
    let known = run(&options(), &[before.as_bytes()]).unwrap().registry;
    let freeze = Contract { freeze: true, ..Contract::default() };
    let options = with_contract(Contract::default(), freeze);
    let text = line("Sign up", 2, &json!({"plan": "paid", "new": [1], "other": true}))
        + &line("Sign up", 3, &json!({"plan": 7}))
        + &line("Login", 4, &json!({"fresh": 1}));
    let done = run_onto(&options, known, Superseded::default(), &[text.as_bytes()]).unwrap();
    let rows = all_rows(&done);
    let overflow = |second: i64| {
        let row = rows.iter().find(|r| r["time"] == json!((1_794_268_800 + second) * 1_000));
        let text = row.unwrap()["mp_properties"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(overflow(2), json!({"new": [1], "other": true}));
    assert_eq!(overflow(3), json!({"plan": 7}), "a new type of a known property is new too");
    let names = columns(&done.registry, MASTER_TABLE);
    assert!(names.contains(&"fresh".to_owned()) && !names.contains(&"new".to_owned()));
}

#[test]
fn a_frozen_event_gives_the_same_rows_again_in_any_order_whatever_columns_came_meanwhile() {
    let freeze = || Contract { freeze: true, ..Contract::default() };
    let frozen = with_contract(Contract::default(), freeze());
    let base =
        run(&frozen, &[line("Login", 1, &json!({"plan": "x"})).as_bytes()]).unwrap().registry;
    let signup = line("Sign up", 2, &json!({"plan": "free", "new": 1}));
    let login = line("Login", 3, &json!({"plan": "free", "new": 1}));
    let orders = [[signup.as_str(), &login].concat(), [login.as_str(), &signup].concat()];
    let all_frozen = with_contract(freeze(), Contract::default());
    for options in [frozen, all_frozen] {
        let pass = |registry: &Registry, order: &String| {
            let (registry, known) = (registry.clone(), Superseded::default());
            run_onto(&options, registry, known, &[order.as_bytes()]).unwrap()
        };
        let first = pass(&base, &orders[0]);
        let rest = r#"{"new":1}"#;
        let row = &all_rows(&first)[1];
        assert_eq!((&row["mp_event_name"], &row["plan"]), (&json!("sign_up"), &json!("free")));
        assert_eq!(row["mp_properties"], rest);
        assert_eq!(all_rows(&first), all_rows(&pass(&base, &orders[1])));
        for order in &orders {
            let again = pass(&first.registry, order);
            assert_eq!(all_rows(&again), all_rows(&first));
            assert_eq!(again.registry, first.registry);
        }
    }
}

#[test]
fn an_event_that_is_opened_again_takes_every_column_and_can_be_frozen_anew() {
    let freeze = Contract { freeze: true, ..Contract::default() };
    let (open, frozen) = (options(), with_contract(Contract::default(), freeze));
    let text = line("Sign up", 2, &json!({"fresh": 1}));
    let mut registry = Registry::default();
    let mut row = |options: &Options| {
        let known = Superseded::default();
        let done = run_onto(options, registry.clone(), known, &[text.as_bytes()]).unwrap();
        registry = done.registry.rebase(registry.clone(), options.profile).unwrap();
        all_rows(&done).remove(0).contains_key("fresh")
    };
    assert_eq!([&frozen, &open, &frozen].map(&mut row), [false, true, true]);
}

#[test]
fn json_lines_hold_what_parquet_holds() {
    let lines = generated(Shape { rows: 500, repeat_one_in: 9, ..Shape::default() });
    for schema_type in [SchemaType::Monoschema, SchemaType::Multischema] {
        let parquet = Options { schema_type, ..options() };
        let json = Options { format: DataFormat::Json, ..parquet.clone() };
        let rows = |options: &Options| {
            let done = run(options, &[&lines]).unwrap();
            let mut rows: Vec<String> = table_rows(&done)
                .into_iter()
                .map(|(table, row)| table + &json!(row).to_string())
                .collect();
            rows.sort();
            let columns: Vec<_> =
                done.files.iter().map(|f| (f.table.clone(), f.columns.clone())).collect();
            (rows, columns)
        };
        assert_eq!(rows(&parquet), rows(&json));
    }
}

#[test]
fn json_has_timestamps_as_hive_reads_them_and_texts_escaped() {
    let text = line(
        "e",
        1,
        &json!({"quote": "a\"b\n\u{2028}", "list": [1, "x"], "big": 9_007_199_254_740_993_u64}),
    );
    let json = Options { format: DataFormat::Json, ..options() };
    let done = run(&json, &[text.as_bytes()]).unwrap();
    let row = json_lines(&done.files[0].bytes).remove(0);
    assert_eq!(row["time"], "2026-11-10 00:00:01.000000");
    assert_eq!(row["quote"], "a\"b\n\u{2028}");
    assert_eq!(row["list"], "[1,\"x\"]");
    assert_eq!(row["big"], "9007199254740993");
    let bigint = Options { time_type: TimeType::Bigint, ..json };
    let done = run(&bigint, &[text.as_bytes()]).unwrap();
    assert_eq!(json_lines(&done.files[0].bytes)[0]["time"], json!(1_794_268_801_000_i64));
}

#[test]
fn a_table_keeps_its_format() {
    let text = line("e", 1, &json!({}));
    for schema_type in [SchemaType::Monoschema, SchemaType::Multischema] {
        let parquet = Options { schema_type, ..options() };
        let known = run(&parquet, &[text.as_bytes()]).unwrap().registry;
        let json = Options { format: DataFormat::Json, ..parquet };
        let result = run_onto(&json, known, Superseded::default(), &[text.as_bytes()]);
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("data_format: the files of table"), "{error}");
    }
}
