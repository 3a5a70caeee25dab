//! `mixlake erase` as a person runs it on a folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flate2::read::MultiGzDecoder;
use mixlake_testkit::rows;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

const INPUT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/storefront-events.jsonl.gz");

/// A person with seven events on five devices.
const PERSON: &str = "ca4dd6fe-23e9-5fc8-ab83-5879e261ab90";

fn mixlake(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mixlake"))
        .args(arguments)
        .env_remove("MIXPANEL_SERVICE_ACCOUNT")
        .output()
        .unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("no report; standard error: {}", String::from_utf8_lossy(&output.stderr))
    })
}

fn export(lake: &Path) -> Value {
    let lake = lake.to_str().unwrap();
    let dates = ["--from-date", "2026-11-10", "--to-date", "2026-11-13"];
    let output =
        mixlake(&[&["export", "--input", INPUT, "--lake", lake, "--json"][..], &dates].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    json_of(&output)
}

fn erase(lake: &Path, ids: &[&str], options: &[&str]) -> Output {
    let lake = lake.to_str().unwrap();
    mixlake(&[&["erase", "--lake", lake, "--distinct-id"][..], ids, options].concat())
}

/// Every file of a folder, decompressed.
fn objects(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            objects(&path, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if bytes.starts_with(b"PAR1") {
            text += &json!(rows::of(&bytes.into())).to_string();
        } else if bytes.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        }
        found.insert(path.display().to_string(), text);
    }
}

fn all(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    objects(folder, &mut found);
    found
}

fn with(folder: &Path, word: &str) -> Vec<String> {
    let found = all(folder).into_iter().filter(|(_, text)| text.contains(word));
    found.map(|(path, _)| path).collect()
}

/// The properties of all events of the input.
fn properties() -> Vec<serde_json::Map<String, Value>> {
    let mut text = String::new();
    MultiGzDecoder::new(std::fs::File::open(INPUT).unwrap()).read_to_string(&mut text).unwrap();
    let events = text.lines().filter(|line| !line.trim().is_empty());
    events
        .map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            serde_json::from_value(event["properties"].take()).unwrap()
        })
        .collect()
}

/// The rows that readers see, by `$insert_id`.
fn live(lake: &Path) -> BTreeMap<String, rows::Row> {
    let output = mixlake(&["catalog", "--lake", lake.to_str().unwrap(), "--json"]);
    let view = json_of(&output);
    let partitions = view["tables"][0]["partitions"].as_array().unwrap().iter();
    let files = partitions.flat_map(|partition| partition["files"].as_array().unwrap());
    let rows = files.flat_map(|file| {
        rows::of(&std::fs::read(file["location"].as_str().unwrap()).unwrap().into())
    });
    rows.map(|row| (row["mp_insert_id"].as_str().unwrap().to_owned(), row)).collect()
}

#[test]
fn a_person_is_gone_from_every_file_and_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path();
    export(lake);
    let of_person = properties().into_iter().filter(|it| it["distinct_id"] == PERSON);
    let mut identifiers: BTreeSet<String> =
        of_person.filter_map(|it| Some(it.get("$device_id")?.as_str()?.to_owned())).collect();
    identifiers.insert(PERSON.to_owned());
    let mut expected = live(lake);
    let count = expected.len();
    expected.retain(|_, row| {
        let of_row = ["distinct_id", "mp_device_id"].map(|column| row[column].as_str());
        !of_row.into_iter().flatten().any(|value| identifiers.contains(value))
    });
    let rows = count - expected.len();
    assert_eq!((identifiers.len(), rows), (6, 8), "one event came before the person was known");
    assert!(identifiers.iter().all(|identifier| !with(lake, identifier).is_empty()));

    let dry = json_of(&erase(lake, &[PERSON], &["--resolve", "--dry-run", "--json"]));
    assert_eq!((&dry["status"], &dry["resolved"]), (&json!("would_erase"), &json!(identifiers)));
    let output = erase(lake, &[PERSON], &["--resolve", "--delete-now", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = json_of(&output);
    assert_eq!((&report["status"], &report["kept"]), (&json!("erased"), &json!([])));
    assert_eq!(report["targets"], dry["targets"]);
    let removed =
        report["targets"].as_array().unwrap().iter().map(|it| it["rows"].as_u64().unwrap());
    assert_eq!(removed.sum::<u64>(), rows as u64);
    for identifier in &identifiers {
        assert_eq!(with(lake, identifier), [""; 0]);
    }
    assert_eq!(live(lake), expected);

    let again = export(lake);
    for slice in again["slices"].as_array().unwrap() {
        assert_eq!(slice["status"], "unchanged");
    }
    assert_eq!(again["totals"]["suppressed"], json!(rows));
    assert_eq!((with(lake, PERSON), live(lake)), (Vec::new(), expected));
    let doctor = mixlake(&["doctor", "--lake", lake.to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&doctor.stdout), "nothing is wrong\n");
}

#[test]
fn somebody_who_is_not_there_is_told_and_the_command_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path());
    let output = erase(folder.path(), &["nobody@example.com"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let told = "nothing of the person is in the lake; exports leave the person out\n";
    assert!(text.contains(told), "{text}");
    assert_eq!(with(folder.path(), "nobody@example.com"), [""; 0]);
}

#[test]
fn wrong_arguments_are_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path());
    let before = all(folder.path());
    let lake = folder.path().to_str().unwrap();
    let refused = |output: Output| {
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap().replace(lake, "LAKE")
    };
    let texts = [
        refused(mixlake(&["erase", "--lake", lake])),
        refused(erase(folder.path(), &[" "], &["--set", "keep_replaced_hours=soon"])),
        refused(erase(Path::new("gs://b/p"), &[""], &[])),
        refused(erase(&folder.path().join("empty"), &["x"], &[])),
    ];
    insta::assert_snapshot!(texts.join("\n"));
    assert_eq!(all(folder.path()), before);
}

/// Registry, ledgers, manifests and the catalog hold names of events and properties, and counts. Values of people
/// are in data files only.
#[test]
fn registry_and_comments_hold_no_values() {
    let folder = tempfile::tempdir().unwrap();
    export(folder.path());
    let names: BTreeSet<String> = properties().iter().flat_map(|it| it.keys().cloned()).collect();
    let values: BTreeSet<String> = properties()
        .into_iter()
        .flat_map(serde_json::Map::into_iter)
        .filter_map(|(_, value)| Some(value.as_str()?.to_owned()))
        // A shorter text may be a part of any word.
        .filter(|value| value.len() >= 12 && !names.contains(value))
        .collect();
    assert!(values.len() > 5_000);
    let documents: Vec<String> = all(folder.path())
        .into_iter()
        .filter(|(path, _)| !path.ends_with(".parquet") && !path.contains("_identities"))
        .map(|(_, text)| text)
        .collect();
    assert!(documents.iter().any(|text| text.contains("$device_id")), "the registry is among them");
    for value in &values {
        assert!(!documents.iter().any(|text| text.contains(value.as_str())), "{value}");
    }
}
