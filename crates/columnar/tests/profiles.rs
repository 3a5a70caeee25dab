//! Profiles: lines of the engage API's `results` in, files out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flate2::read::GzDecoder;
use mixlake_columnar::{Bounds, Options, Superseded, Transform, TransformError, Transformed};
use mixlake_schema::Registry;
use mixlake_testkit::rows::{self, Row};
use serde_json::{Value, json};
use std::io::Read;

const TABLE: &str = "mp_people_data";

fn options() -> Options {
    Options::of("42".parse().unwrap())
}

fn pass(
    options: &Options,
    lines: &[String],
    known: Superseded,
) -> Result<Transformed, TransformError> {
    let table = (&TABLE.parse().unwrap(), "2026-11-20".parse().unwrap());
    let mut transform = Transform::profiles(options.clone(), table, Registry::default(), known)?;
    let mut full = Vec::new();
    for line in lines {
        transform.push(line.as_bytes())?;
        full.extend(transform.take_files());
    }
    let mut done = transform.finish()?;
    done.files.splice(0..0, full);
    Ok(done)
}

fn run(lines: &[String]) -> Transformed {
    pass(&options(), lines, Superseded::default()).unwrap()
}

fn profile(id: &str, properties: &Value) -> String {
    json!({"$distinct_id": id, "$properties": properties}).to_string() + "\n"
}

fn all_rows(done: &Transformed) -> Vec<Row> {
    done.files.iter().flat_map(|file| rows::of(&file.bytes)).collect()
}

fn columns(done: &Transformed) -> Vec<&str> {
    done.registry.tables()[TABLE].columns().iter().map(|column| &*column.name).collect()
}

#[test]
fn a_profile_is_a_row_and_every_property_a_column() {
    let lines = [
        profile("b", &json!({"$name": "Bo", "$last_seen": "2026-11-20T15:27:32", "time": 7})),
        profile(
            "a",
            &json!({"$name": "Al", "carts": [{"n": 1}], "plan": "free", "distinct_id": "x"}),
        ),
        profile("c", &json!({"plan": 3, "Plan": true})),
    ];
    let done = run(&lines);
    let expected = [
        "distinct_id",
        "mp_name",
        "mp_last_seen",
        "res_time",
        "carts",
        "plan",
        "distinct_id_1",
        "plan_number",
        "plan_1",
    ];
    assert_eq!(columns(&done), expected);
    let rows = all_rows(&done);
    let ids: Vec<&Value> = rows.iter().map(|row| &row["distinct_id"]).collect();
    assert_eq!(ids, ["a", "b", "c"], "sorted");
    assert_eq!(rows[0]["carts"], r#"[{"n":1}]"#);
    assert_eq!(rows[1]["mp_last_seen"], "2026-11-20T15:27:32");
    assert_eq!(rows[1]["res_time"], 7.0);
    assert_eq!((&rows[2]["plan_number"], &rows[2]["plan_1"]), (&json!(3.0), &json!(true)));
    assert_eq!(done.registry.events(), []);
    assert!(done.files.iter().all(|file| file.table == TABLE && file.identities.is_none()));
}

#[test]
fn without_profiles_the_table_is_there_with_its_column() {
    let done = run(&[]);
    assert_eq!((columns(&done), done.files.len()), (vec!["distinct_id"], 0));
}

#[test]
fn of_two_profiles_of_one_person_the_one_seen_last_stays_in_any_order() {
    let seen = |time: &str, n: u32| profile("a", &json!({"$last_seen": time, "n": n}));
    let mut lines = vec![
        seen("2026-11-20T10:00:00", 1),
        seen("2026-11-20T12:00:00", 2),
        profile("a", &json!({"n": 3})),
    ];
    for _ in 0..3 {
        let done = run(&lines);
        let rows = all_rows(&done);
        assert_eq!((rows.len(), &rows[0]["n"]), (1, &json!(2.0)));
        let counts = done.counts;
        assert_eq!((counts.received, counts.written, counts.duplicates), (3, 1, 2));
        lines.rotate_left(1);
    }
}

#[test]
fn a_second_pass_leaves_out_what_was_already_encoded() {
    let bounds = Bounds { group_rows: 2, identities: 2, ..Bounds::default() };
    let options = Options { bounds, ..options() };
    let seen = |id: &str, hour: u32| {
        profile(id, &json!({"$last_seen": format!("2026-11-20T{hour:02}:00:00"), "n": hour}))
    };
    let mut lines: Vec<String> = (0..9).map(|n| seen(&format!("p{n}"), 1)).collect();
    lines.push(seen("p0", 2));
    let first = pass(&options, &lines, Superseded::default()).unwrap();
    assert_eq!(first.superseded.len(), 1);
    let second = pass(&options, &lines, first.superseded).unwrap();
    let rows = all_rows(&second);
    let of_first: Vec<&Row> = rows.iter().filter(|row| row["distinct_id"] == "p0").collect();
    assert_eq!((rows.len(), of_first.len(), &of_first[0]["n"]), (9, 1, &json!(2.0)));
    assert_eq!((second.counts.written, second.counts.duplicates), (9, 1));
}

#[test]
fn a_line_that_is_no_profile_goes_to_quarantine_with_its_reason() {
    let bad = [r#"{"$properties":{"x":1}}"#, r#"{"$distinct_id":"b","$properties":"x"}"#];
    let mut lines: Vec<String> = bad.iter().map(|line| format!("{line}\n")).collect();
    lines.push(profile("a", &json!({})));
    let done = run(&lines);
    assert_eq!((done.counts.received, done.counts.written, done.counts.quarantined), (3, 1, 2));
    let mut text = String::new();
    GzDecoder::new(&done.quarantine.unwrap()[..]).read_to_string(&mut text).unwrap();
    for (line, reason) in
        bad.iter().zip(["$distinct_id: the field is missing", "$properties: must be an object"])
    {
        let quoted = serde_json::to_string(line).unwrap();
        assert!(text.contains(&quoted) && text.contains(reason), "{text}");
    }
}

#[test]
fn the_order_of_profiles_and_the_cuts_of_row_groups_do_not_change_the_rows() {
    let lines: Vec<String> = (0..40)
        .map(|n| {
            profile(
                &format!("{n:03}"),
                &json!({"n": n, "odd": if n % 2 == 1 { json!(n) } else { json!("e") }}),
            )
        })
        .collect();
    let hash = |lines: &[String], group_rows| {
        let bounds = Bounds { group_rows, ..Bounds::default() };
        let done = pass(&Options { bounds, ..options() }, lines, Superseded::default()).unwrap();
        done.files.iter().map(|file| file.rows_hash).sum::<mixlake_columnar::RowsHash>()
    };
    let reversed: Vec<String> = [lines[0].clone(), lines[1].clone()]
        .into_iter()
        .chain(lines[2..].iter().rev().cloned())
        .collect();
    assert_eq!(hash(&lines, 100), hash(&reversed, 7));
}
