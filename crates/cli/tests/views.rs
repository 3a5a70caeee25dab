//! Views of a lake in a folder, as the command line keeps and shows them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn mixlake(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mixlake"))
        .args(arguments)
        .env_remove("MIXPANEL_SERVICE_ACCOUNT")
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(told).unwrap())
}

fn catalog(lake: &Path, options: &[&str]) -> Value {
    let place = lake.to_str().unwrap();
    let (_, told) = mixlake(&[&["catalog", "--lake", place, "--json"], options].concat());
    serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"))
}

/// A lake of the worked example: two events with a property of two types.
fn lake(folder: &Path, options: &[&str]) {
    let input = folder.join("input.jsonl");
    let lines = [
        json!({"event": "Sign Up", "properties": {"time": 1_794_268_800, "Plan Type": "free"}}),
        json!({"event": "Buy", "properties": {"time": 1_794_268_801, "Plan Type": 5}}),
    ];
    std::fs::write(&input, lines.map(|line| format!("{line}\n")).concat()).unwrap();
    let (input, place) = (input.to_str().unwrap(), folder.join("lake"));
    let dates = ["--from-date", "2026-11-10", "--to-date", "2026-11-10"];
    let place = ["export", "--input", input, "--lake", place.to_str().unwrap()];
    let (done, told) = mixlake(&[&place[..], &dates, options].concat());
    assert!(done, "{told}");
}

#[test]
fn views_are_made_kept_and_removed_as_the_setting_says() {
    let folder = tempfile::tempdir().unwrap();
    lake(folder.path(), &[]);
    let lake = folder.path().join("lake");
    assert_eq!(catalog(&lake, &[])["views"], json!([]));
    let views = json!(["mp_view_names", "mp_view_text"]);
    let found = catalog(&lake, &["--set", "views=true"]);
    assert_eq!((&found["views"], &found["failed"]), (&views, &json!([])));
    assert_eq!(found["tables"].as_array().unwrap().len(), 1, "a view is no table");
    assert_eq!(catalog(&lake, &[])["views"], views, "without the setting they stay");
    let (done, told) = mixlake(&["doctor", "--lake", lake.to_str().unwrap()]);
    assert!(done, "{told}");
    let (_, told) = mixlake(&["catalog", "--lake", lake.to_str().unwrap()]);
    assert!(told.contains("view mp_view_names\nview mp_view_text\n"), "{told}");
    let (done, told) = mixlake(&["catalog", "--lake", lake.to_str().unwrap(), "--sql"]);
    assert!(done && !told.contains("mp_view_"), "{told}");
    assert_eq!(catalog(&lake, &["--set", "views=false"])["views"], json!([]));
}

#[test]
fn each_table_of_an_event_has_its_own_view() {
    let folder = tempfile::tempdir().unwrap();
    lake(folder.path(), &["--set", "schema_type=multischema"]);
    let found = catalog(&folder.path().join("lake"), &["--set", "views=true"]);
    assert_eq!(found["views"], json!(["mp_view_names_buy", "mp_view_names_sign_up"]));
}

#[test]
fn a_name_that_is_taken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    lake(folder.path(), &[]);
    let lake = folder.path().join("lake");
    catalog(&lake, &[]);
    let tables = lake.join(".mixlake/catalog/mixpanel");
    let table = std::fs::read_to_string(tables.join("mp_master_event.json")).unwrap();
    std::fs::write(tables.join("mp_view_names.json"), table).unwrap();
    let found = catalog(&lake, &["--set", "views=true"]);
    let told = "a table, or a view that somebody else made, has the name of this view";
    assert_eq!(found["failed"], json!([{"key": "mp_view_names", "error": told}]));
}
