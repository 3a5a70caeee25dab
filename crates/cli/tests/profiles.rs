//! `mixlake export --set data_source=people` with files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PROFILES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/storefront-profiles.jsonl.gz");
const PEOPLE: [&str; 3] = ["export", "--set", "data_source=people"];

fn mixlake(lake: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mixlake"));
    command.args(arguments).arg("--lake").arg(lake).output().unwrap()
}

fn export(lake: &Path, arguments: &[&str]) -> Output {
    mixlake(lake, &[&PEOPLE[..], arguments].concat())
}

/// What the export tells of its only table.
fn table(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["tables"].as_array().unwrap().len(), 1, "{document}");
    document["tables"][0].clone()
}

fn profile(id: &str, properties: &Value) -> String {
    json!({"$distinct_id": id, "$properties": properties}).to_string() + "\n"
}

#[test]
fn the_catalog_has_the_table_and_its_file() {
    let lake = tempfile::tempdir().unwrap();
    let output = export(lake.path(), &["--input", PROFILES, "--json"]);
    assert!(output.status.success(), "{output:?}");
    let told = table(&output);
    assert_eq!((&told["table"], &told["status"]), (&"mp_people_data".into(), &"published".into()));
    assert_eq!((&told["received"], &told["written"]), (&300.into(), &300.into()));

    let catalog = mixlake(lake.path(), &["catalog", "--json"]);
    let catalog: Value = serde_json::from_slice(&catalog.stdout).unwrap();
    let table = &catalog["tables"][0];
    let location = table["location"].as_str().unwrap();
    assert_eq!((&table["table"], &table["partitions"]), (&"mp_people_data".into(), &json!([])));
    let file = &table["files"][0];
    assert_eq!(file["rows"], 300);
    assert!(file["location"].as_str().unwrap().starts_with(location), "{file}");
    let doctor = mixlake(lake.path(), &["doctor", "--deep"]);
    assert!(doctor.status.success(), "{doctor:?}");
    let status = String::from_utf8(mixlake(lake.path(), &["status"]).stdout).unwrap();
    assert!(status.contains("  profiles       mp_people_data: 300 profiles of 20"), "{status}");
}

#[test]
fn the_same_file_again_is_unchanged_and_another_one_replaces_the_table() {
    let lake = tempfile::tempdir().unwrap();
    export(lake.path(), &["--input", PROFILES]);
    let again = export(lake.path(), &["--input", PROFILES]);
    let text = String::from_utf8(again.stdout).unwrap();
    assert!(text.starts_with("mp_people_data: unchanged: 300 received, 300 written"), "{text}");

    let other = lake.path().join("other.jsonl");
    fs::write(&other, profile("a", &json!({"plan": "free"}))).unwrap();
    let other = other.to_str().unwrap();
    let refused = export(lake.path(), &["--input", other]);
    let text = String::from_utf8(refused.stdout).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text.contains("rows 300 -> 1 in mp_people_data"), "{text}");
    let replaced = export(lake.path(), &["--input", other, "--replace", "--json"]);
    let told = table(&replaced);
    assert_eq!((&told["status"], &told["written"]), (&"published".into(), &1.into()));
    assert_eq!(told["change"]["change"], "replaced");
}

#[test]
fn a_group_key_has_a_table_of_its_own() {
    let lake = tempfile::tempdir().unwrap();
    let output = export(lake.path(), &["--input", PROFILES, "--group", "Company ID", "--json"]);
    assert_eq!(table(&output)["table"], "mp_group_company_id_data");
    assert!(lake.path().join("local/mp_group_company_id_data/_manifest.json").exists());
    assert!(!lake.path().join("local/mp_people_data").exists());
}

#[test]
fn a_bad_line_and_a_second_profile_of_a_person_are_counted() {
    let lake = tempfile::tempdir().unwrap();
    let input = lake.path().join("input.jsonl");
    let lines = [
        profile("a", &json!({"$last_seen": "2026-11-20T10:00:00", "n": 1})),
        profile("a", &json!({"$last_seen": "2026-11-21T10:00:00", "n": 2})),
        "{\"$properties\":{}}\n".to_owned(),
    ];
    fs::write(&input, lines.concat()).unwrap();
    let output = export(lake.path(), &["--input", input.to_str().unwrap(), "--json"]);
    let told = table(&output);
    let counts = ["received", "written", "duplicates", "quarantined"].map(|it| &told[it]);
    assert_eq!(counts, [&json!(3), &json!(1), &json!(1), &json!(1)]);
    assert!(lake.path().join(told["quarantine"].as_str().unwrap()).exists());
}

#[test]
fn what_is_no_export_of_profiles_is_refused_before_any_work() {
    let lake = tempfile::tempdir().unwrap();
    let empty = lake.path().join("empty.jsonl");
    fs::write(&empty, "\n").unwrap();
    let empty = empty.to_str().unwrap();
    for (arguments, problem) in [
        (
            &["--input", PROFILES, "--from-date", "2026-11-10"][..],
            "--from-date: profiles have no dates",
        ),
        (&["--input", PROFILES, "--hour", "3"], "--hour: profiles have no dates"),
        (&["--input", PROFILES, "--set", "where=true"], "where: is of events"),
        (&["--set", "project_id=1", "--group", "x"], "--group: \"x\" is no group key"),
        (&["--set", "project_id=1"], "MIXPANEL_SERVICE_ACCOUNT: required to ask Mixpanel"),
        (
            &["--input", PROFILES, "--set", "people_frequency=monthly"],
            "it accepts off, hourly, daily, weekly",
        ),
        (
            &["--input", PROFILES, "--set", "data_group_id=company"],
            "data_group_id: must be group_key:ID",
        ),
        (&["--input", empty], "--input: the input has no lines"),
    ] {
        let output = export(lake.path(), arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text.contains(problem), "{arguments:?}: {text}");
        assert!(!lake.path().join("local").exists(), "{arguments:?}");
    }
    let dates = ["--from-date", "2026-11-10", "--to-date", "2026-11-10"];
    for (command, arguments, problem) in [
        ("sync", &["--set", "data_source=people"][..], "data_source: profiles have no days"),
        ("export", &["--input", PROFILES, "--group", "x"], "--group: events have no group key"),
        (
            "export",
            &["--set", "allow_empty=true"],
            "allow_empty: has an effect only with data_source=people",
        ),
        ("export", &["--input", PROFILES], "export them with data_source=people"),
    ] {
        let output = mixlake(lake.path(), &[&[command][..], &dates, arguments].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(problem), "{arguments:?}: {text}");
    }
}
