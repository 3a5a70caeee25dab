//! The transformation seen from outside: lines in, files out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bytes::Bytes;
use mixlake_columnar::{
    Bounds, EventNameForm, FarApart, Options, Superseded, TimeType, Transform, TransformError,
    Transformed,
};
use mixlake_domain::{Slice, Zone};
use mixlake_schema::{MASTER_TABLE, Profile, Registry};
use mixlake_testkit::rows;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn options() -> Options {
    Options::of("42".parse().unwrap())
}

fn slice() -> Slice {
    Slice::day("2025-11-12".parse().unwrap(), &Zone::UTC)
}

fn run(options: &Options, pieces: &[&[u8]]) -> Result<Transformed, TransformError> {
    pass(options, pieces, Superseded::default())
}

fn pass(
    options: &Options,
    pieces: &[&[u8]],
    known: Superseded,
) -> Result<Transformed, TransformError> {
    let mut transform = Transform::new(options.clone(), slice(), Registry::default(), known)?;
    for piece in pieces {
        transform.push(piece)?;
    }
    let full = transform.take_files();
    let mut done = transform.finish()?;
    done.files.splice(0..0, full);
    Ok(done)
}

/// The line of an event on the slice's day.
fn line(second: u32, properties: &Value) -> String {
    let mut properties = properties.clone();
    properties["time"] = json!(1_762_912_800 + second);
    json!({"event": "e", "properties": properties}).to_string() + "\n"
}

fn all_rows(done: &Transformed) -> Vec<rows::Row> {
    done.files.iter().flat_map(|file| rows::of(&file.bytes)).collect()
}

fn quirks(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

#[test]
fn the_quirks_come_out_exactly() {
    let done = run(&options(), &[&quirks("quirks.jsonl")]).unwrap();
    let expected: Value = serde_json::from_slice(&quirks("quirks.expected.json")).unwrap();

    let columns: Vec<Value> = done.registry.tables()[MASTER_TABLE]
        .columns()
        .iter()
        .map(|c| json!({"name": c.name, "property": c.property, "type": c.column_type.name()}))
        .collect();
    assert_eq!(json!(columns), expected["columns"]);

    let by_id = |rows: Vec<Value>| -> BTreeMap<String, Value> {
        rows.into_iter().map(|row| (row["mp_insert_id"].to_string(), row)).collect()
    };
    let mut got = all_rows(&done);
    let mut want = expected["rows"].as_array().unwrap().clone();
    // A cell {"json": ..} stands for a text that parses to that value.
    for row in &mut want {
        let id = row["mp_insert_id"].clone();
        let actual = got.iter_mut().find(|g| g["mp_insert_id"] == id).unwrap();
        row.as_object_mut().unwrap().retain(|_, cell| !cell.is_null());
        for (name, cell) in row.as_object_mut().unwrap() {
            if let Some(inner) = cell.get("json") {
                let text = actual[name].as_str().unwrap();
                actual[name] = serde_json::from_str(text).unwrap();
                *cell = inner.clone();
            }
        }
    }
    let got = got.into_iter().map(Value::Object).collect();
    assert_eq!(by_id(got), by_id(want));
    assert_eq!(json!(done.counts.quarantined), expected["quarantined"]);
    assert_eq!((done.counts.received, done.counts.written, done.counts.duplicates), (12, 8, 0));
}

#[test]
fn bad_lines_are_kept_as_received_with_their_reason() {
    let broken: &[u8] = b"{\"event\":\"e\",\"prop\xff\n";
    let done = run(&options(), &[b"oops\n", broken]).unwrap();
    let mut text = String::new();
    let file = done.quarantine.unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&file[..]), &mut text).unwrap();
    let records: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(records[0]["line"], "oops");
    assert!(records[0]["reason"].as_str().unwrap().starts_with("line: not JSON"));
    assert_eq!(records[1]["line_base64"], "eyJldmVudCI6ImUiLCJwcm9w/w==");
    assert_eq!(done.counts.quarantined, 2);
    assert!(done.files.is_empty());
}

/// The bad lines of a slice, as they are in its file.
fn bad_lines(done: &Transformed) -> Vec<Value> {
    let mut text = String::new();
    let Some(file) = &done.quarantine else { return Vec::new() };
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&file[..]), &mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The values that a column has.
fn column(done: &Transformed, name: &str) -> Vec<Value> {
    let mut rows = all_rows(done);
    rows.iter_mut().filter_map(|row| row.remove(name)).collect()
}

#[test]
fn ids_beyond_2_to_the_53rd_are_all_in_one_column() {
    let done = run(&options(), &[&quirks("reported/big_ids.jsonl")]).unwrap();
    let ids = ["3928097563762691601", "3928097563762691584", "3928097563762691072"];
    let mut got = column(&done, "gid");
    got.sort_by_key(|id| std::cmp::Reverse(id.to_string()));
    assert_eq!(got, ids);
    assert_eq!(column(&done, "gid_number"), [12.0]);
}

#[test]
fn an_event_with_half_a_surrogate_pair_is_kept_and_counted() {
    let done = run(&options(), &[&quirks("reported/lone_surrogate.jsonl")]).unwrap();
    assert_eq!(bad_lines(&done), [json!(null); 0]);
    let counts = done.counts;
    assert_eq!((counts.received, counts.written, counts.mended), (5, 5, 4));
    assert_eq!(column(&done, "title"), ["cut here \u{fffd}"]);
    assert_eq!(column(&done, "tags"), [r#"["cut here \ufffd"]"#]);
    assert_eq!(column(&done, "ok"), ["\u{1f600}"]);
    assert_eq!(column(&done, "k_"), [1.0]);
    assert!(column(&done, "distinct_id").contains(&json!("u\u{fffd}")));
    let columns = done.registry.tables()[MASTER_TABLE].columns();
    assert!(columns.iter().any(|column| column.property == "k\u{fffd}"));
}

#[test]
fn half_a_surrogate_pair_in_ids_and_in_the_name_of_the_event_is_replaced() {
    let text = r#"{"event":"e\ud83d","properties":{"time":1762912801,"$insert_id":"i\ud83d","distinct_id":"d"}}"#;
    let text = [text, &text.replace(r"i\ud83d", r"i\ufffd")].join("\n");
    let options = Options { event_name: EventNameForm::Raw, ..options() };
    let done = run(&options, &[text.as_bytes()]).unwrap();
    assert_eq!((done.counts.written, done.counts.duplicates, done.counts.mended), (1, 1, 2));
    assert_eq!(column(&done, "mp_event_name"), ["e\u{fffd}"]);
    assert_eq!(column(&done, "mp_insert_id"), ["i\u{fffd}"]);
}

#[test]
fn a_bad_line_is_not_mended_in_quarantine() {
    let line = r#"{"event":"e\ud83d","properties":{}}"#;
    let text = format!("{line}\n{}", self::line(1, &json!({})));
    let done = run(&options(), &[text.as_bytes()]).unwrap();
    assert_eq!(bad_lines(&done)[0]["line"], line);
    assert_eq!((done.counts.quarantined, done.counts.mended), (1, 0));
}

#[test]
fn a_key_twice_is_bad_only_if_its_values_differ() {
    let done = run(&options(), &[&quirks("reported/duplicate_key.jsonl")]).unwrap();
    assert_eq!(column(&done, "x"), [1.0, 1.0]);
    assert_eq!(column(&done, "n"), [r#"{"a":1,"a":2}"#]);
    let bad = bad_lines(&done);
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0]["reason"], "x: the key occurs twice with different values");
    let done = run(&options(), &[&quirks("reported/toplevel_distinct_id.jsonl")]).unwrap();
    assert_eq!((done.counts.written, done.counts.quarantined), (2, 0));
    assert_eq!(column(&done, "distinct_id"), ["u1", "u1"]);
}

#[rstest]
#[case::of_properties(|i| line(i, &json!({format!("id {i} {}", "x".repeat(100)): 1})))]
#[case::of_bad_lines(|i| line(i, &json!({format!("id {i} {}", "x".repeat(100)): 1})).replace("time", "no"))]
#[case::of_events(|i| line(i, &json!({})).replace("\"e\"", &format!("\"id {i} {}\"", "x".repeat(100))))]
fn more_names_than_fit_in_memory_end_a_slice(#[case] line: fn(u32) -> String) {
    let mut options = options();
    options.bounds.name_bytes = 2 << 20;
    let mut transform =
        Transform::new(options, slice(), Registry::default(), Superseded::default()).unwrap();
    let mut push = |i| transform.push(line(i).as_bytes());
    let (names, error) = (0..).find_map(|i| push(i).err().map(|error| (i, error))).unwrap();
    assert!((3_000..7_000).contains(&names), "{names} names");
    assert!(matches!(error, TransformError::TooManyNames { .. }), "{error}");
    let error = error.to_string();
    let example = format!("\"id {names} xxx");
    assert!(error.contains("in 2 MiB") && error.contains(&example), "{error}");
}

#[test]
fn lines_that_are_nothing_but_bad_end_a_slice_before_they_fill_memory() {
    let mut options = options();
    options.bounds.quarantine_bytes = 10_000;
    let noise = (0..40_000_u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17));
    let noise = noise.map(|number| format!("{number:x}")).collect::<Vec<_>>().join("\n");
    let error = run(&options, &[noise.as_bytes()]).unwrap_err();
    assert!(matches!(error, TransformError::TooManyBadLines { .. }), "{error}");
    assert!(error.to_string().contains("not JSON"), "{error}");
}

#[rstest]
#[case::a_line(b"export terminated early\n")]
#[case::no_line_end(b"terminated early")]
#[case::within_a_character(
    b"{\"event\":\"e\",\"properties\":{\"x\":\"Z\xC3export terminated early\n"
)]
#[case::past_the_bound(&[&[b'x'; 300][..], b"export terminated early\n"].concat())]
fn an_export_that_says_it_stopped_early_is_refused(#[case] end: &[u8]) {
    let mut options = options();
    options.bounds.line_bytes = 200;
    let text = [line(1, &json!({})).as_bytes(), end].concat();
    let error = run(&options, &[&text]).unwrap_err();
    assert!(matches!(error, TransformError::TerminatedEarly(_)), "{error}");
}

#[test]
fn a_cut_last_line_is_refused_wherever_it_is_cut() {
    let whole = line(1, &json!({"a": "é"}));
    let second = line(2, &json!({"b": [1]}));
    for cut in 1..second.len() - 1 {
        let text = [whole.as_bytes(), &second.as_bytes()[..cut]].concat();
        let result = run(&options(), &[&text]);
        assert!(matches!(result, Err(TransformError::CutLine(1))), "cut at {cut}: {result:?}");
    }
}

#[test]
fn a_last_line_without_its_end_counts_if_it_is_whole() {
    let text = line(1, &json!({}));
    assert_eq!(run(&options(), &[text.trim().as_bytes()]).unwrap().counts.written, 1);
}

#[test]
fn a_line_beyond_the_bound_goes_to_quarantine_and_the_next_one_is_read() {
    let mut options = options();
    options.bounds.line_bytes = 200;
    let text = line(1, &json!({"x": "y".repeat(500)})) + &line(2, &json!({}));
    let counts = run(&options, &[text.as_bytes()]).unwrap().counts;
    assert_eq!((counts.received, counts.written, counts.quarantined), (2, 1, 1));
}

#[test]
fn a_column_that_appears_late_needs_no_second_file() {
    let mut options = options();
    options.bounds.group_rows = 3;
    let text: String = (0..10)
        .map(|i| line(i, &if i < 7 { json!({"a": i}) } else { json!({"late": true}) }))
        .collect();
    let done = run(&options, &[text.as_bytes()]).unwrap();
    assert_eq!(done.files.len(), 1);
    assert_eq!(rows::columns(&done.files[0].bytes), ["mp_event_name", "time", "a", "late"]);
    assert_eq!(all_rows(&done).iter().filter(|r| r.contains_key("late")).count(), 3);
}

#[test]
fn rows_are_clustered_by_event_then_time() {
    let events = [("b", 5), ("a", 9), ("b", 1), ("a", 2)];
    let text: String = events
        .iter()
        .map(|(event, second)| line(*second, &json!({})).replace("\"e\"", &format!("\"{event}\"")))
        .collect();
    let done = run(&options(), &[text.as_bytes()]).unwrap();
    let order: Vec<String> = all_rows(&done)
        .iter()
        .map(|r| {
            format!(
                "{}{}",
                r["mp_event_name"].as_str().unwrap(),
                r["time"].as_i64().unwrap() % 10_000 / 1_000
            )
        })
        .collect();
    assert_eq!(order, ["a2", "a9", "b1", "b5"]);
}

#[test]
fn an_event_outside_the_slice_goes_to_its_own_date_and_is_counted() {
    let text = line(0, &json!({})) + &line(200_000, &json!({}));
    let done = run(&options(), &[text.as_bytes()]).unwrap();
    let dates: Vec<String> = done.files.iter().map(|f| f.date.to_string()).collect();
    assert_eq!(dates, ["2025-11-12", "2025-11-14"]);
    assert_eq!(done.counts.outside, 1);
}

#[test]
fn a_repeat_whose_twin_is_encoded_already_needs_a_further_pass_that_gives_the_newest() {
    let mut options = options();
    options.bounds.group_rows = 2;
    let row = |version: u32| {
        line(1, &json!({"$insert_id": "i", "mp_processing_time_ms": version, "v": version}))
    };
    let other = |second| line(second, &json!({"$insert_id": "o"}));
    let text = row(1) + &other(2) + &other(3) + &row(2);
    let first = run(&options, &[text.as_bytes()]).unwrap();
    assert!(!first.superseded.is_empty());
    let second = pass(&options, &[text.as_bytes()], first.superseded).unwrap();
    assert!(second.superseded.is_empty());
    let versions: Vec<_> = all_rows(&second).iter().filter_map(|r| r.get("v").cloned()).collect();
    assert_eq!(versions, [json!(2.0)]);
    assert_eq!((second.counts.written, second.counts.duplicates), (3, 1));
}

/// Events of which most come again a little later, processed anew.
fn processed_again(events: u32, again: u32, later: u32) -> String {
    let row = |i: u32, version: u32| {
        line(
            i,
            &json!({"$insert_id": format!("i{i}"), "mp_processing_time_ms": version, "v": version}),
        )
    };
    let mut text = String::new();
    for i in 0..events + later {
        if i < events {
            text += &row(i, 1);
        }
        if let Some(earlier) = i.checked_sub(later).filter(|&i| i < again) {
            text += &row(earlier, 2);
        }
    }
    text
}

#[test]
fn more_events_come_again_within_the_window_of_identities_than_it_holds() {
    let mut options = options();
    options.bounds = Bounds { group_rows: 4, identities: 64, ..options.bounds };
    let text = processed_again(140, 120, 20);
    let first = run(&options, &[text.as_bytes()]).unwrap();
    assert_eq!(first.superseded.len(), 120);
    let second = pass(&options, &[text.as_bytes()], first.superseded).unwrap();
    assert!(second.superseded.is_empty());
    assert_eq!((second.counts.written, second.counts.duplicates), (140, 120));
    let newest = all_rows(&second).iter().filter(|row| row["v"] == json!(2.0)).count();
    assert_eq!((newest, all_rows(&second).len()), (120, 140));
}

#[test]
fn more_events_that_come_again_late_than_there_is_room_for_are_an_error() {
    let mut options = options();
    options.bounds = Bounds { group_rows: 4, identities: 64, superseded: 100, ..options.bounds };
    let run = |again| run(&options, &[processed_again(140, again, 20).as_bytes()]);
    assert_eq!(run(100).unwrap().superseded.len(), 100);
    let error = run(101).unwrap_err();
    assert!(matches!(error, TransformError::FarApart(FarApart::TooMany(100))), "{error}");
    let message = error.to_string();
    assert!(message.contains("shorter slices") && message.contains("deduplicate=false"));
}

#[test]
fn a_row_that_a_further_pass_finds_newer_than_was_known_needs_one_more() {
    let mut options = options();
    options.bounds.group_rows = 4;
    let text = processed_again(40, 20, 10);
    let known = run(&options, &[text.as_bytes()]).unwrap().superseded;
    let text = text + &line(3, &json!({"$insert_id": "i3", "mp_processing_time_ms": 3, "v": 3}));
    let second = pass(&options, &[text.as_bytes()], known.clone()).unwrap();
    assert_eq!(second.superseded.len(), 1);
    let third = pass(&options, &[text.as_bytes()], known.merged(&second.superseded)).unwrap();
    assert!(third.superseded.is_empty());
    let rows = all_rows(&third);
    let of_3: Vec<_> = rows.iter().filter(|row| row["mp_insert_id"] == "i3").collect();
    assert_eq!((rows.len(), of_3.len(), &of_3[0]["v"]), (40, 1, &json!(3.0)));
}

#[test]
fn an_event_without_insert_id_is_never_a_duplicate() {
    let text = line(1, &json!({})).repeat(3) + &line(1, &json!({"$insert_id": ""})).repeat(2);
    assert_eq!(run(&options(), &[text.as_bytes()]).unwrap().counts.written, 5);
}

#[test]
fn past_the_budget_values_are_kept_under_their_original_names() {
    let wide: serde_json::Map<_, _> = (0..2_000).map(|i| (format!("P {i}"), json!(i))).collect();
    let done = run(&options(), &[line(1, &Value::Object(wide)).as_bytes()]).unwrap();
    let row = &all_rows(&done)[0];
    assert_eq!(row.len(), Profile::Portable.columns() - 1, "all but distinct_id");
    let rest: Value = serde_json::from_str(row["mp_properties"].as_str().unwrap()).unwrap();
    let rest = rest.as_object().unwrap();
    assert_eq!(rest.len() + row.len() - 3, 2_000);
    assert!(rest.iter().all(|(name, value)| *name == format!("P {value}")));
}

#[test]
fn a_table_keeps_its_type_of_time() {
    let registry = run(&options(), &[line(1, &json!({})).as_bytes()]).unwrap().registry;
    let bigint = Options { time_type: TimeType::Bigint, ..options() };
    let error = Transform::new(bigint, slice(), registry, Superseded::default()).err().unwrap();
    assert!(error.to_string().starts_with("time_type:"), "{error}");
}

#[test]
fn wall_clock_times_of_old_projects_become_instants() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let options = Options { wall_clock: Some(berlin.clone()), date_zone: berlin, ..options() };
    let done = run(&options, &[line(0, &json!({})).as_bytes()]).unwrap();
    assert_eq!(all_rows(&done)[0]["time"], json!(1_762_909_200_000_i64));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_chunking_and_any_row_groups_give_the_same_rows(
        cuts in prop::collection::vec(0_usize..2_100, 0..8),
        group_rows in 1_usize..20,
    ) {
        let bytes = quirks("quirks.jsonl");
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        let mut small = options();
        small.bounds.group_rows = group_rows;
        let whole = run(&options(), &[&bytes]).unwrap();
        let cut = run(&small, &pieces).unwrap();
        prop_assert_eq!(sorted(&whole), sorted(&cut));
        prop_assert_eq!(whole.counts, cut.counts);
        prop_assert_eq!(whole.registry, cut.registry);
        prop_assert_eq!(whole.quarantine, cut.quarantine);
    }

    #[test]
    fn rows_do_not_depend_on_the_order_of_arrival(
        order in Just((0_u32..30).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // Thirty lines: ten rows, each three times with another processing time.
        let at = |i: u32| line(i % 10, &json!({
            "$insert_id": format!("i{}", i % 10), "mp_processing_time_ms": i, "v": i,
        }));
        let text: String = order.iter().map(|i| at(*i)).collect();
        let done = run(&options(), &[text.as_bytes()]).unwrap();
        let kept: Vec<Value> = all_rows(&done).iter().map(|r| r["v"].clone()).collect();
        let newest: Vec<Value> = (20..30).map(|i| json!(f64::from(i))).collect();
        prop_assert_eq!(kept, newest);
        prop_assert_eq!((done.counts.written, done.counts.duplicates), (10, 20));
    }
}

fn sorted(done: &Transformed) -> Vec<String> {
    let mut rows: Vec<String> = all_rows(done).iter().map(|r| json!(r).to_string()).collect();
    rows.sort();
    rows
}

#[test]
fn equal_slices_give_equal_bytes() {
    let bytes =
        |done: Transformed| -> Vec<Bytes> { done.files.into_iter().map(|f| f.bytes).collect() };
    let file = quirks("quirks.jsonl");
    let run = || bytes(run(&options(), &[&file]).unwrap());
    assert_eq!(run(), run());
}
