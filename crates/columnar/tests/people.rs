//! The rows of a person are found in every place that names the person, and a file without them says what a
//! file says that never had them.

mod support;

use mixlake_columnar::{
    Bounds, Compression, Footer, Options, Person, Salt, Suppression, TableColumns, TailRead,
    Transformed, find_rows, is_identity, without_rows,
};
use mixlake_domain::DataFormat;
use rstest::rstest;
use serde_json::{Value, json};
use support::{all_rows, line, options, run};

const TABLE: &str = "mp_master_event";

/// Six rows of Ann in as many ways, and four of others.
fn lines() -> String {
    let others = [
        json!({"distinct_id": "bob", "$insert_id": "1", "price": 1.5, "paid": true}),
        json!({"distinct_id": "anne", "$user_id": 12, "note": "ann called"}),
        json!({"$device_id": "d2"}),
        json!({"distinct_id": "carl", "list": ["x"], "$user_id": "carl"}),
    ];
    let of_ann = [
        json!({"distinct_id": "ann", "$insert_id": "2", "price": -0.0, "only_ann": "x"}),
        json!({"distinct_id": "$device:d1", "$insert_id": "3"}),
        json!({"distinct_id": "x", "$device_id": "d1"}),
        json!({"distinct_id": "x", "$user_id": 4711}),
        json!({"$distinct_ids": ["y", "ann"]}),
        json!({"distinct_id": "y", "alias": "ann"}),
    ];
    let all = others.into_iter().chain(of_ann);
    all.zip(1..).map(|(properties, second)| line("Event", second, &properties)).collect()
}

fn ann() -> Person {
    Person::new(["ann", "$device:d1", "4711"])
}

fn without_ann(options: &Options) -> Options {
    let salt = Salt::new([3; 32]);
    let people = ["ann", "d1", "4711"].map(|id| salt.hash(id));
    Options { suppression: Some(Suppression::new(salt, people)), ..options.clone() }
}

fn columns(done: &Transformed) -> TableColumns {
    let columns = done.registry.tables()[TABLE].columns();
    let identity = columns.iter().filter(|column| is_identity(&column.property));
    TableColumns {
        identity: identity.map(|column| (column.name.clone(), column.property.clone())).collect(),
        overflow: Some("mp_properties".to_owned()),
        types: columns.iter().map(|column| (column.name.clone(), column.column_type)).collect(),
    }
}

fn sorted(mut rows: Vec<mixlake_testkit::rows::Row>) -> Vec<String> {
    for row in &mut rows {
        row.retain(|_, value| !value.is_null());
    }
    let mut rows: Vec<String> = rows.iter().map(|row| json!(row).to_string()).collect();
    rows.sort();
    rows
}

#[test]
fn the_events_of_an_erased_person_are_left_out_and_counted() {
    let all = run(&options(), &[lines().as_bytes()]).unwrap();
    let rest = run(&without_ann(&options()), &[lines().as_bytes()]).unwrap();
    let counts = rest.counts;
    assert_eq!((all.counts.suppressed, all.counts.written), (0, 10));
    assert_eq!((counts.received, counts.suppressed, counts.written), (10, 6, 4));
    let names = |done: &Transformed| done.registry.tables()[TABLE].columns().len();
    assert!(names(&rest) < names(&all), "their properties get no columns");
}

#[test]
fn a_bad_line_of_an_erased_person_is_not_kept() {
    let bad = "{\"event\":\"e\",\"properties\":{\"time\":\"x\",\"distinct_id\":\"ann\"}}\n\
               {\"event\":\"e\",\"properties\":{\"distinct_id\":\"bob\"}}\n";
    let lines = [lines(), bad.to_owned()].concat();
    let rest = run(&without_ann(&options()), &[lines.as_bytes()]).unwrap();
    assert_eq!((rest.counts.quarantined, rest.counts.suppressed), (1, 7));
    let of_bob = bad.lines().nth(1).unwrap();
    let expected =
        run(&options(), &[line("e", 1, &json!({})).as_bytes(), of_bob.as_bytes(), b"\n"]);
    assert_eq!(rest.quarantine, expected.unwrap().quarantine);
}

#[rstest]
#[case::snappy(options())]
#[case::zstd(Options { compression: Compression::Zstd, ..options() })]
#[case::many_row_groups(Options { bounds: Bounds { group_rows: 2, ..Bounds::default() }, ..options() })]
#[case::json(Options { format: DataFormat::Json, ..options() })]
fn a_file_without_a_person_holds_what_an_export_without_the_person_holds(#[case] options: Options) {
    let mut all = run(&options, &[lines().as_bytes()]).unwrap();
    let rest = run(&without_ann(&options), &[lines().as_bytes()]).unwrap();
    let columns = columns(&all);
    let file = &mut all.files[0];
    let found = find_rows(&file.bytes, file.format, &columns, &ann()).unwrap();
    assert_eq!(found.rows.len(), 6);
    assert_eq!(found.mentions, [("note".to_owned(), 1)].into());
    let (new, before) =
        without_rows(&file.bytes, file.format, &columns, &found.rows, None).unwrap();
    let new = new.unwrap();
    assert_eq!(before, file.rows_hash);
    assert_eq!((new.rows, new.rows_hash), (rest.files[0].rows, rest.files[0].rows_hash));
    (file.bytes, file.rows) = (new.bytes.clone(), new.rows);
    assert_eq!(sorted(all_rows(&all)), sorted(all_rows(&rest)));
    let again = find_rows(&new.bytes, all.files[0].format, &columns, &ann()).unwrap();
    assert_eq!(again.rows, [0; 0]);
    if options.format == DataFormat::Parquet {
        let footer = |bytes: &[u8]| match Footer::read(bytes, bytes.len() as u64).unwrap() {
            TailRead::Whole(footer) => footer,
            TailRead::Needs(bytes) => panic!("{bytes}"),
        };
        let (ours, theirs) = (footer(&new.bytes), footer(&rest.files[0].bytes));
        assert_eq!(ours.codecs, theirs.codecs);
        let notes = ["project", "table", "slice", "rows", "rows_hash", "version"];
        assert_eq!(
            notes.map(|note| ours.notes.get(note)),
            notes.map(|note| theirs.notes.get(note))
        );
    }
}

#[test]
fn a_file_of_one_person_only_is_gone() {
    let all =
        run(&options(), &[line("Event", 1, &json!({"distinct_id": "ann"})).as_bytes()]).unwrap();
    let file = &all.files[0];
    let found = find_rows(&file.bytes, file.format, &columns(&all), &ann()).unwrap();
    assert_eq!(found.keys[0].time, Some(1_794_268_801_000));
    assert_eq!(found.keys[0].distinct_id.as_deref(), Some("ann"));
    let without = without_rows(&file.bytes, file.format, &columns(&all), &found.rows, None);
    assert!(without.unwrap().0.is_none());
}

#[test]
fn a_property_without_a_column_identifies_a_person_too() {
    let frozen = mixlake_columnar::Contract { freeze: true, ..Default::default() };
    let contracts = mixlake_columnar::Contracts { all: frozen, ..Default::default() };
    let options = Options { contracts, ..options() };
    let of_ann: Value = json!({"distinct_id": "x", "$user_id": "ann"});
    let all = run(&options, &[line("Event", 1, &of_ann).as_bytes()]).unwrap();
    let file = &all.files[0];
    let found = find_rows(&file.bytes, file.format, &columns(&all), &ann()).unwrap();
    assert_eq!(found.rows, [0], "mp_properties holds it");
}

#[rstest]
#[case(DataFormat::Parquet, "cannot read the Parquet file")]
#[case(DataFormat::Json, "cannot read the file as gzip JSON lines")]
fn a_file_that_cannot_be_read_is_not_taken_for_one_without_the_person(
    #[case] format: DataFormat,
    #[case] expected: &str,
) {
    let file = b"no file".to_vec().into();
    let error = find_rows(&file, format, &TableColumns::default(), &ann()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}
