//! `mixlake status` and `mixlake timeline` on lakes in a folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const EVENTS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/storefront-events.jsonl.gz");

fn mixlake(lake: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mixlake"));
    command.args(arguments).arg("--lake").arg(lake).output().unwrap()
}

/// A lake that has days from one to another.
fn export(lake: &Path, from: &str, to: &str) {
    let dates = ["--from-date", from, "--to-date", to];
    let output = mixlake(lake, &[&["export", "--input", EVENTS][..], &dates].concat());
    assert!(output.status.success(), "{output:?}");
}

fn told(lake: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = mixlake(lake, arguments);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), document["projects"][0].clone())
}

#[test]
fn days_between_the_first_and_the_last_are_missing() {
    let lake = tempfile::tempdir().unwrap();
    export(lake.path(), "2026-11-10", "2026-11-10");
    export(lake.path(), "2026-11-13", "2026-11-13");
    let (code, status) = told(lake.path(), &["status", "--json", "--set", "frequency=daily"]);
    assert_eq!((code, &status["project"]), (Some(0), &Value::from("local")));
    assert_eq!(status["missing"], serde_json::json!(["2026-11-11", "2026-11-12"]));
    assert_eq!((&status["published"], &status["first_date"]), (&2.into(), &"2026-11-10".into()));
    assert_eq!(status["oldest_unpublished"], "2026-11-11");

    let text = String::from_utf8(mixlake(lake.path(), &["status"]).stdout).unwrap();
    assert!(text.contains("  published      2 slices, the last is 2026-11-13\n"), "{text}");
    let (code, timeline) = told(lake.path(), &["timeline", "--json"]);
    let days = timeline["days"].as_array().unwrap();
    assert_eq!((code, days.len()), (Some(0), 2));
    assert_eq!((&days[0]["slices"], &days[0]["last_sync"]), (&1.into(), &Value::Null));
    assert!(days[0]["rows"].as_u64().unwrap() > 0);
    assert!(days[0]["first_export"].is_string());
}

#[test]
fn files_are_no_runs_of_the_pipeline() {
    let lake = tempfile::tempdir().unwrap();
    export(lake.path(), "2026-11-10", "2026-11-10");
    assert!(!lake.path().join("local/mp_export_runs").exists());
    assert!(!lake.path().join("local/_reports").exists());
}

#[test]
fn a_damaged_ledger_is_a_problem_and_the_rest_is_told() {
    let lake = tempfile::tempdir().unwrap();
    export(lake.path(), "2026-11-10", "2026-11-11");
    fs::write(lake.path().join("local/_slices/2026/11/10.json"), "{").unwrap();
    let (code, status) = told(lake.path(), &["status", "--json"]);
    assert_eq!((code, &status["published"]), (Some(1), &Value::from(1)));
    assert_eq!(status["unreadable"][0]["key"], "local/_slices/2026/11/10.json");
    let output = mixlake(lake.path(), &["timeline"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("  PROBLEM: local/_slices/2026/11/10.json: "), "{text}");
    assert!(text.contains("\nNext: mixlake doctor --lake "), "{text}");
}

#[test]
fn a_folder_without_a_lake_is_refused() {
    let lake = tempfile::tempdir().unwrap();
    for command in ["status", "timeline"] {
        let output = mixlake(lake.path(), &[command]);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("has no lake"), "{text}");
    }
}
