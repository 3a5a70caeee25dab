//! The hash of rows: the same for the same rows, however they are written, and another for other rows.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use mixlake_columnar::{
    Bounds, Compression, Options, RowsHash, RowsHashError, SchemaType, Superseded, TimeType,
    Transformed, rows_hash_of,
};
use mixlake_domain::{DataFormat, Slice, Zone};
use mixlake_schema::Registry;
use mixlake_testkit::generate::Shape;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZero;
use std::sync::Arc;
use support::events::{Event, events, key, lines, value};
use support::{generated, line, options, run, run_in, run_onto, table_rows};

/// The hash of all files of each table.
fn hashes(done: &Transformed) -> BTreeMap<&str, RowsHash> {
    let mut hashes = BTreeMap::new();
    for file in &done.files {
        *hashes.entry(file.table.as_str()).or_default() += file.rows_hash;
    }
    hashes
}

/// All rows with their tables, in an order that does not depend on how they are written.
fn rows(done: &Transformed) -> Vec<String> {
    let rows = table_rows(done).into_iter();
    let mut rows: Vec<String> = rows.map(|row| json!(row).to_string()).collect();
    rows.sort();
    rows
}

/// A slice whose names are given already, so that columns are called the same in each run.
fn named(options: &Options, names: &Registry, text: &str) -> Transformed {
    run_onto(options, names.clone(), Superseded::default(), &[text.as_bytes()]).unwrap()
}

/// The same setting of tables, with everything else another way.
fn otherwise(same: &Options) -> impl Strategy<Value = Options> + use<> {
    let same = same.clone();
    let cuts = (1_usize..9, 1_usize..4, select(vec![500, 5_000, 1 << 30]));
    let formats = select(vec![DataFormat::Parquet, DataFormat::Json]);
    (cuts, select(Compression::ALL.to_vec()), any::<bool>(), formats).prop_map(
        move |((group_rows, threads, file_bytes), compression, clustered, format)| {
            let threads = NonZero::new(threads).unwrap();
            let bounds = Bounds { group_rows, threads, file_bytes, ..Bounds::default() };
            Options { bounds, compression, clustered, format, ..same.clone() }
        },
    )
}

fn schema_types() -> impl Strategy<Value = Options> {
    select(vec![SchemaType::Monoschema, SchemaType::Multischema])
        .prop_map(|schema_type| Options { schema_type, ..options() })
}

/// A change of some events.
#[derive(Debug, Clone)]
enum Change {
    LeaveOut(Index),
    Repeat(Index),
    Put(Index, String, Value),
    Remove(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<Index>().prop_map(Change::LeaveOut),
        any::<Index>().prop_map(Change::Repeat),
        (any::<Index>(), key(), value()).prop_map(|(at, key, value)| Change::Put(at, key, value)),
        any::<[Index; 2]>().prop_map(|[at, property]| Change::Remove(at, property)),
    ]
}

impl Change {
    fn made(&self, mut events: Vec<Event>) -> Vec<Event> {
        let number = events.len();
        match self {
            Self::LeaveOut(at) => drop(events.remove(at.index(number))),
            Self::Repeat(at) => events.push(events[at.index(number)].clone()),
            Self::Put(at, key, value) => {
                events[at.index(number)].1.insert(key.clone(), value.clone());
            }
            Self::Remove(at, property) => {
                let properties = &mut events[at.index(number)].1;
                let name = properties.keys().nth(property.index(properties.len())).cloned();
                properties.remove(&name.unwrap());
            }
        }
        events
    }
}

/// An event that was sent so many times, each time with another value, and is known by its number.
fn sent(number: usize, time: u32) -> String {
    let id = format!("id {number}");
    let properties = json!({"$insert_id": id, "mp_processing_time_ms": time, "sent": time});
    line("E", u32::try_from(number).unwrap(), &properties)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_same_rows_written_otherwise_have_the_same_hash(
        (events, shuffled) in events().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        (same, other) in schema_types().prop_flat_map(|it| (Just(it.clone()), otherwise(&it))),
    ) {
        let names = run(&same, &[lines(&events).as_bytes()]).unwrap();
        // The format is one of a table, from its first slice on.
        let other_names = run(&Options { format: other.format, ..same.clone() }, &[lines(&events).as_bytes()]);
        let again = named(&other, &other_names.unwrap().registry, &lines(&shuffled));
        prop_assert_eq!(hashes(&names), hashes(&again));
    }

    #[test]
    fn the_hash_changes_if_and_only_if_a_row_does(
        events in events(), change in change(), options in schema_types(),
    ) {
        let changed = change.made(events.clone());
        let both = lines(&events) + &lines(&changed);
        let names = run(&options, &[both.as_bytes()]).unwrap().registry;
        let [before, after] = [&events, &changed].map(|it| named(&options, &names, &lines(it)));
        prop_assert_eq!(hashes(&before) == hashes(&after), rows(&before) == rows(&after));
    }

    #[test]
    fn repeated_rows_that_are_left_out_do_not_count(
        times in prop::collection::vec(1_u32..4, 1..20), group_rows in select(vec![100, 65_536]),
    ) {
        let last: String = times.iter().enumerate().map(|(number, &times)| sent(number, times)).collect();
        let all: String = (1..4)
            .flat_map(|time| times.iter().enumerate().map(move |(number, &times)| sent(number, times.min(time))))
            .collect();
        let bounds = Bounds { group_rows, ..Bounds::default() };
        let options = Options { bounds, ..options() };
        let [once, repeated] =
            [last, all].map(|text| run(&options, &[text.as_bytes()]).unwrap());
        prop_assert_eq!(repeated.counts.duplicates, 2 * times.len() as u64);
        prop_assert_eq!(hashes(&once), hashes(&repeated));
    }
}

#[test]
fn row_groups_of_several_threads_have_the_hash_of_one() {
    let lines = generated(Shape { rows: 6_000, repeat_one_in: 50, ..Shape::default() });
    let names = run(&options(), &[&lines]).unwrap();
    for threads in [1, 3] {
        let threads = NonZero::new(threads).unwrap();
        let bounds =
            Bounds { group_rows: 2_500, threads, file_bytes: 100_000, ..Bounds::default() };
        let done = run(&Options { bounds, ..options() }, &[&lines]).unwrap();
        assert!(done.files.len() > 1, "cut into several files");
        assert_eq!(hashes(&done), hashes(&names));
    }
}

#[test]
fn a_cell_counts_by_its_column_and_type() {
    let of = |properties: Value| {
        let done = run(&options(), &[line("E", 1, &properties).as_bytes()]).unwrap();
        done.files[0].rows_hash
    };
    let different = [
        json!({}),
        json!({"a": ""}),
        json!({"a": "1"}),
        json!({"a": 1}),
        json!({"a": true}),
        json!({"b": 1}),
        json!({"a": 1, "b": 2}),
        json!({"a": 2, "b": 1}),
        json!({"a": 0.0}),
        json!({"a": -0.0}),
    ];
    for (number, one) in different.iter().enumerate() {
        for other in &different[..number] {
            assert_ne!(of(one.clone()), of(other.clone()), "{one} {other}");
        }
    }
    assert_eq!(of(json!({"a": 1, "b": 2})), of(json!({"b": 2, "a": 1})), "the order of columns");
    assert_eq!(of(json!({"a": null})), of(json!({})), "a null is no cell");
    let bigint = Options { time_type: TimeType::Bigint, ..options() };
    let done = run(&bigint, &[line("E", 1, &json!({})).as_bytes()]).unwrap();
    assert_ne!(done.files[0].rows_hash, of(json!({})), "the type of time");
}

fn data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn quirks(options: &Options) -> Transformed {
    let day = Slice::day("2025-11-12".parse().unwrap(), &Zone::UTC);
    run_in(options, day, &data("quirks.jsonl"))
}

#[test]
fn both_formats_of_real_events_have_the_same_hash() {
    let mut storefront = Vec::new();
    let packed = data("storefront-events.jsonl.gz");
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut storefront).unwrap();
    let json = Options { format: DataFormat::Json, ..options() };
    let day = support::slice();
    let [files, lines] =
        [&options(), &json].map(|options| run_in(options, day.clone(), &storefront));
    assert!(files.files.len() > 1, "several days");
    assert_eq!(hashes(&files), hashes(&lines));
    let hash = |file: &mixlake_columnar::DataFile| (file.date, file.rows, file.rows_hash);
    let [files, lines]: [Vec<_>; 2] =
        [files, lines].map(|done| done.files.iter().map(hash).collect());
    assert_eq!(files, lines);
    assert_eq!(hashes(&quirks(&options())), hashes(&quirks(&json)));
}

/// An export of the quirks by the version before files said the hash of their rows.
#[test]
fn a_file_that_does_not_say_its_hash_is_compared_with_one_that_does() {
    let old = include_bytes!("data/quirks-without-rows-hash.parquet");
    let new = &quirks(&options()).files[0];
    assert_eq!(rows_hash_of(Bytes::from_static(old)).unwrap(), (new.rows, new.rows_hash));
}

/// A file of one column and no rows.
fn other_file(column: &str) -> Bytes {
    let message = format!("message other {{ {column} }}");
    let schema = Arc::new(parse_message_type(&message).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    group.next_column().unwrap().unwrap().close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap().into()
}

#[test]
fn a_file_of_another_writer_has_no_hash() {
    for column in
        ["optional int32 a;", "required double a;", "optional group a { optional double b; }"]
    {
        let refused = rows_hash_of(other_file(column));
        assert!(matches!(refused, Err(RowsHashError::Type(_))), "{column}: {refused:?}");
    }
    let empty = rows_hash_of(other_file("optional double a;")).unwrap();
    assert_eq!(empty, (0, RowsHash::default()));
    let refused = rows_hash_of(Bytes::from_static(b"no Parquet file"));
    assert!(matches!(refused, Err(RowsHashError::Parquet(_))), "{refused:?}");
}
