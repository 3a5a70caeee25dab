use super::merge::{Compaction, CompactionError, CompactionInput};
use super::output::CompactedFile;
use super::{Compacted, CompactionBounds};
use crate::{
    Compression, DataFile, EventNameForm, Footer, Options, RowsHash, SchemaType, Superseded,
    TailRead, Transform, rows_hash_of,
};
use bytes::Bytes;
use mixlake_domain::{Slice, Zone};
use mixlake_schema::Registry;
use mixlake_testkit::generate::Shape;
use mixlake_testkit::rows::{self, Row};
use parquet::bloom_filter::Sbbf;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;

/// A day of a table in the files of its hours.
struct Day {
    files: Vec<DataFile>,
    registry: Registry,
}

fn options() -> Options {
    Options::of("42".parse().unwrap())
}

fn hours(options: &Options, hours: &[Vec<u8>]) -> Day {
    let slice = Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC);
    let (mut files, mut registry) = (Vec::new(), Registry::default());
    for lines in hours {
        let (options, known) = (options.clone(), Superseded::default());
        let mut transform = Transform::new(options, slice.clone(), registry, known).unwrap();
        transform.push(lines).unwrap();
        files.extend(transform.take_files());
        let done = transform.finish().unwrap();
        files.extend(done.files);
        registry = done.registry;
    }
    Day { files, registry }
}

/// Generated events, dealt out to hours.
fn generated(shape: Shape, number: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    shape.write(&mut all).unwrap();
    let mut hours = vec![Vec::new(); number];
    for (row, line) in all.split_inclusive(|&byte| byte == b'\n').enumerate() {
        hours[row * 7 % number].extend_from_slice(line);
    }
    hours
}

fn line(event: &str, second: u32, properties: &Value) -> Vec<u8> {
    let mut properties = properties.clone();
    properties["time"] = json!(1_794_268_800 + second);
    (json!({"event": event, "properties": properties}).to_string() + "\n").into_bytes()
}

impl Day {
    fn inputs(&self) -> Vec<CompactionInput<Bytes>> {
        let input = |file: &DataFile| CompactionInput {
            file: file.bytes.clone(),
            rows_hash: file.rows_hash,
        };
        self.files.iter().map(input).collect()
    }

    fn how<'a>(&'a self, bounds: CompactionBounds, scratch: &'a std::path::Path) -> Compaction<'a> {
        Compaction {
            registry: &self.registry,
            table: &self.files[0].table,
            compression: Compression::Zstd,
            version: "1.2.3",
            bounds,
            scratch,
        }
    }

    fn merged(&self, bounds: CompactionBounds) -> Vec<(Bytes, CompactedFile)> {
        let scratch = std::env::temp_dir();
        let mut merged = self.how(bounds, &scratch).merge(self.inputs()).unwrap();
        all_files(&mut merged)
    }

    fn hash(&self) -> RowsHash {
        self.files.iter().map(|file| file.rows_hash).sum()
    }
}

fn all_files(merged: &mut Compacted<'_>) -> Vec<(Bytes, CompactedFile)> {
    let files = 0..merged.files();
    let write = |number| {
        let mut file = merged.write(number, &[("slice", "2026-11-10".to_owned())]).unwrap();
        let mut bytes = Vec::new();
        file.file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, file.bytes);
        (Bytes::from(bytes), file)
    };
    files.map(write).collect()
}

fn footer(file: &Bytes) -> Footer {
    match Footer::read(file, file.len() as u64).unwrap() {
        TailRead::Whole(footer) => footer,
        TailRead::Needs(bytes) => panic!("it needs {bytes} bytes"),
    }
}

/// Rows in an order that does not depend on where they are.
fn sorted(mut rows: Vec<Row>) -> Vec<String> {
    let mut texts: Vec<String> = rows.drain(..).map(|row| json!(row).to_string()).collect();
    texts.sort();
    texts
}

fn key(row: &Row) -> (String, i64) {
    let event = row.get("mp_event_name").and_then(Value::as_str).unwrap_or_default();
    (event.to_owned(), row["time"].as_i64().unwrap())
}

/// The rows of each row group.
fn group_rows(file: &Bytes) -> Vec<usize> {
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let groups = reader.metadata().row_groups().iter();
    groups.map(|group| usize::try_from(group.num_rows()).unwrap()).collect()
}

fn check(day: &Day, files: &[(Bytes, CompactedFile)]) {
    let before = day.files.iter().flat_map(|file| rows::of(&file.bytes)).collect();
    let after: Vec<Row> = files.iter().flat_map(|(bytes, _)| rows::of(bytes)).collect();
    assert!(after.iter().map(key).is_sorted());
    assert_eq!(sorted(after), sorted(before));
    let mut hash = RowsHash::default();
    for (bytes, file) in files {
        assert_eq!(rows_hash_of(bytes.clone()).unwrap(), (file.rows, file.rows_hash));
        hash += file.rows_hash;
        let footer = footer(bytes);
        assert_eq!(footer.rows, file.rows);
        assert_eq!(footer.notes["rows_hash"].parse(), Ok(file.rows_hash));
        let names = footer.columns.iter().map(|(name, _)| name);
        assert!(names.eq(&file.columns));
        let columns = day.registry.tables()[&day.files[0].table].columns();
        let mut in_order = columns.iter();
        assert!(file.columns.iter().all(|name| in_order.any(|column| column.name == *name)));
    }
    assert_eq!(hash, day.hash());
}

#[test]
fn a_day_of_hours_becomes_one_file_of_the_same_rows_sorted_across_the_day() {
    let day = hours(&options(), &generated(Shape { rows: 6_000, ..Shape::default() }, 5));
    let files = day.merged(CompactionBounds::default());
    assert_eq!(files.len(), 1);
    check(&day, &files);
    let before: usize = day.files.iter().map(|file| file.bytes.len()).sum();
    assert!(files[0].0.len() < before, "{} of {before}", files[0].0.len());
}

#[test]
fn a_footer_says_what_the_footers_of_exported_files_say() {
    let options = Options { compression: Compression::Zstd, version: "1.2.3", ..options() };
    let lines = generated(Shape { rows: 900, ..Shape::default() }, 2);
    let whole = hours(&options, &[lines.concat()]);
    let day = hours(&options, &lines);
    let files = day.merged(CompactionBounds::default());
    let (merged, exported) = (footer(&files[0].0), footer(&whole.files[0].bytes));
    assert_eq!((merged.rows, &merged.codecs), (exported.rows, &exported.codecs));
    assert_eq!(merged.notes["rows_hash"], exported.notes["rows_hash"]);
    let names = |footer: &Footer| footer.columns.iter().cloned().collect::<BTreeMap<_, _>>();
    assert_eq!(names(&merged), names(&exported));
    // Who knows the identities of the rows adds them.
    let keys = |footer: &Footer| {
        let keys = footer.notes.keys().filter(|key| *key != "identities");
        keys.cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&merged), keys(&exported));
    let events = |footer: &Footer| {
        serde_json::from_str::<BTreeMap<String, String>>(&footer.notes["events"]).unwrap()
    };
    assert_eq!(events(&merged), events(&exported));
    for note in ["project", "table", "slice", "version"] {
        assert_eq!(merged.notes[note], exported.notes[note], "{note}");
    }
}

#[test]
fn row_groups_end_where_large_events_end() {
    let mut hours_of = Vec::new();
    for hour in 0..3 {
        let events = ["a", "b", "c", "d"].iter().zip([3, 1_500, 2, 1_200]);
        let lines = events.flat_map(|(event, rows)| {
            (0..rows).flat_map(move |row| line(event, hour * 3_600 + row, &json!({"n": row})))
        });
        hours_of.push(lines.collect());
    }
    let day = hours(&options(), &hours_of);
    let bounds = CompactionBounds { group_rows: 2_500, ..CompactionBounds::default() };
    let files = day.merged(bounds);
    check(&day, &files);
    let groups = group_rows(&files[0].0);
    assert_eq!(groups, [2_255, 2_254, 1_803, 1_803], "the few rows of a and c are with b and d");
}

#[test]
fn each_row_group_has_a_bloom_filter_of_its_people() {
    let day = hours(&options(), &generated(Shape { rows: 3_000, ..Shape::default() }, 3));
    let bounds = CompactionBounds { group_rows: 700, ..CompactionBounds::default() };
    let (file, _) = &day.merged(bounds)[0];
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    let people = columns.iter().position(|column| column.name() == "distinct_id").unwrap();
    let mut rows = rows::of(file).into_iter();
    for group in reader.metadata().row_groups() {
        let filter = Sbbf::read_from_column_chunk(group.column(people), file).unwrap().unwrap();
        for row in rows.by_ref().take(usize::try_from(group.num_rows()).unwrap()) {
            assert!(filter.check(&row["distinct_id"].as_str().unwrap()));
        }
        let bounds = group.column(0).statistics().unwrap();
        assert!(
            bounds.min_bytes_opt().is_some() && group.column(0).column_index_offset().is_some()
        );
    }
    assert!(rows.next().is_none());
}

#[test]
fn large_days_become_files_of_nearly_equal_size() {
    let day = hours(&options(), &generated(Shape { rows: 8_000, ..Shape::default() }, 3));
    let whole = day.merged(CompactionBounds::default())[0].0.len() as u64;
    let bounds = CompactionBounds { group_rows: 400, file_bytes: whole / 4, ..Default::default() };
    let files = day.merged(bounds);
    check(&day, &files);
    assert!((3..=7).contains(&files.len()), "{}", files.len());
    let sizes = files.iter().map(|(bytes, _)| bytes.len());
    let (least, most) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
    assert!(most < 2 * least, "{least}..{most}");
}

#[test]
fn what_was_merged_before_is_merged_again_to_the_same_bytes() {
    let day = hours(&options(), &generated(Shape { rows: 2_000, ..Shape::default() }, 4));
    let bounds = CompactionBounds { group_rows: 500, ..CompactionBounds::default() };
    let once = day.merged(bounds);
    let input = CompactionInput { file: once[0].0.clone(), rows_hash: once[0].1.rows_hash };
    let scratch = std::env::temp_dir();
    let mut twice = day.how(bounds, &scratch).merge(vec![input]).unwrap();
    assert!(all_files(&mut twice)[0].0 == once[0].0);
}

#[test]
fn a_table_of_one_event_is_sorted_by_time() {
    let options = Options { schema_type: SchemaType::Multischema, ..options() };
    let hour = |first: u32| {
        (0..50).flat_map(|row| line("Sign Up", first + row * 10, &json!({"n": row}))).collect()
    };
    let day = hours(&options, &[hour(5), hour(0), hour(3)]);
    let files = day.merged(CompactionBounds::default());
    check(&day, &files);
    assert_eq!(footer(&files[0].0).notes["event"], "Sign Up");
}

#[test]
fn large_values_do_not_meet_in_one_row_group() {
    let large = |row: u32| format!("{row}-{}", "x".repeat(2_000));
    let hour = |hour: u32| {
        let large =
            (0..200).flat_map(move |row| line("large", hour + row, &json!({"text": large(row)})));
        large.chain((0..200).flat_map(|row| line("small", row, &json!({"n": row})))).collect()
    };
    let day = hours(&options(), &[hour(0), hour(1), hour(2)]);
    let bounds = CompactionBounds { values: 100_000, ..CompactionBounds::default() };
    let files = day.merged(bounds);
    check(&day, &files);
    let groups = group_rows(&files[0].0);
    let (large, small) = groups.split_at(groups.len() - 1);
    assert!(
        large.iter().all(|&rows| rows <= 50) && large.iter().sum::<usize>() == 600,
        "{groups:?}"
    );
    assert_eq!(small, [600]);
}

#[test]
fn other_rows_than_the_manifest_lists_are_not_merged() {
    let day = hours(&options(), &generated(Shape { rows: 100, ..Shape::default() }, 2));
    let mut inputs = day.inputs();
    inputs[0].rows_hash = inputs[1].rows_hash;
    let scratch = std::env::temp_dir();
    let how = day.how(CompactionBounds::default(), &scratch);
    let error = how.merge(inputs).err().unwrap();
    assert!(matches!(error, CompactionError::OtherRows { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_an_error() {
    let day = hours(&options(), &generated(Shape { rows: 400, ..Shape::default() }, 1));
    let (scratch, whole) = (std::env::temp_dir(), day.files[0].bytes.clone());
    let how = day.how(CompactionBounds::default(), &scratch);
    for at in (4..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 0x55;
        let file = Bytes::from(bytes);
        let input = CompactionInput { file, rows_hash: day.hash() };
        if let Ok(mut merged) = how.merge(vec![input]) {
            // A byte that no row depends on, such as one of a statistic.
            check(&day, &all_files(&mut merged));
        }
    }
}

#[test]
fn a_day_without_rows_is_no_file() {
    let day = hours(&options(), &generated(Shape { rows: 10, ..Shape::default() }, 1));
    let scratch = std::env::temp_dir();
    let how = day.how(CompactionBounds::default(), &scratch);
    assert_eq!(how.merge(Vec::<CompactionInput<Bytes>>::new()).unwrap().files(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_come_out_as_they_went_in_whatever_the_bounds_are(
        seed in any::<u64>(),
        rows in 1_u64..900,
        number in 1_usize..6,
        names in 1_usize..9,
        (clustered, raw) in any::<(bool, bool)>(),
        (group_rows, exported, values) in (1_u32..400, 1_usize..400, 1_usize..200_000),
        file_bytes in 5_000_u64..200_000,
    ) {
        let shape = Shape { seed, rows, names, properties: 40, per_event: 9, ..Shape::default() };
        let event_name = if raw { EventNameForm::Raw } else { EventNameForm::Cleaned };
        let mut options = Options { clustered, event_name, deduplicate: false, ..options() };
        options.bounds.group_rows = exported;
        let day = hours(&options, &generated(shape, number));
        let bounds = CompactionBounds { group_rows, values, file_bytes };
        let files = day.merged(bounds);
        check(&day, &files);
        for (bytes, _) in &files {
            prop_assert!(group_rows_within(bytes, group_rows));
        }
        let again = day.merged(bounds);
        prop_assert!(files.iter().zip(&again).all(|(one, other)| one.0 == other.0));
    }
}

fn group_rows_within(file: &Bytes, most: u32) -> bool {
    group_rows(file).into_iter().all(|rows| rows <= most as usize)
}
