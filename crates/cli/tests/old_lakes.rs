//! Lakes that earlier versions wrote are read, continued and repaired without a migration.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const LAKES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/lakes");

/// A lake of version 0.1, and the setting that made it.
type Lake = (&'static str, Option<&'static str>);
const ONE_TABLE: Lake = ("0.1/one-table", None);
const TABLE_PER_EVENT: Lake = ("0.1/table-per-event", Some("schema_type=multischema"));
const JSON_LINES: Lake = ("0.1/json-lines", Some("data_format=json"));

/// A copy of a lake, which tests may change.
struct Copied {
    folder: tempfile::TempDir,
    setting: Option<&'static str>,
}

impl Copied {
    fn of((name, setting): Lake) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(LAKES).join(name), folder.path());
        Self { folder, setting }
    }

    fn mixlake(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mixlake"));
        command.args(arguments).arg("--lake").arg(self.folder.path()).arg("--json");
        command.args(self.setting.iter().flat_map(|setting| ["--set", setting]));
        command.output().unwrap()
    }

    fn export(&self, from: &str, to: &str) -> Value {
        let input = format!("{LAKES}/events.jsonl");
        let output =
            self.mixlake(&["export", "--input", &input, "--from-date", from, "--to-date", to]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        json(&output)
    }

    /// What the doctor finds, notes left out.
    fn problems(&self, arguments: &[&str]) -> Vec<String> {
        let found = json(&self.mixlake(&[&["doctor", "--deep"], arguments].concat()));
        let findings = found["findings"].as_array().unwrap().iter();
        let problems = findings.filter(|finding| finding["severity"] != "note");
        problems.map(ToString::to_string).collect()
    }

    fn rows(&self) -> u64 {
        let view = json(&self.mixlake(&["catalog"]));
        let tables = view["tables"].as_array().unwrap().iter();
        let partitions = tables.flat_map(|table| table["partitions"].as_array().unwrap());
        let files = partitions.flat_map(|partition| partition["files"].as_array().unwrap());
        files.map(|file| file["rows"].as_u64().unwrap()).sum()
    }

    /// Every data file and manifest with its bytes.
    fn tables(&self) -> BTreeMap<String, Vec<u8>> {
        let all = files(self.folder.path()).into_iter();
        all.filter(|(path, _)| !path.contains("/_slices/") && !path.contains(".mixlake")).collect()
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no JSON; {}", String::from_utf8_lossy(&output.stderr)))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

#[rstest]
#[case::one_table(ONE_TABLE)]
#[case::table_per_event(TABLE_PER_EVENT)]
#[case::json_lines(JSON_LINES)]
fn an_old_lake_is_sound_and_is_continued(#[case] lake: Lake) {
    let lake = Copied::of(lake);
    assert_eq!(lake.problems(&[]), [""; 0]);
    assert_eq!(lake.rows(), 80);
    let report = lake.export("2026-11-12", "2026-11-12");
    assert_eq!(report["totals"]["written"], 20);
    assert_eq!(lake.rows(), 100);
    assert_eq!(lake.problems(&[]), [""; 0]);
}

#[rstest]
#[case::one_table(ONE_TABLE)]
#[case::table_per_event(TABLE_PER_EVENT)]
fn days_that_hold_the_same_rows_are_not_rewritten(#[case] lake: Lake) {
    let lake = Copied::of(lake);
    let before = lake.tables();
    lake.export("2026-11-10", "2026-11-11");
    assert_eq!(lake.tables().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!(lake.tables(), before);
}

#[rstest]
#[case::one_table(ONE_TABLE)]
#[case::table_per_event(TABLE_PER_EVENT)]
fn an_old_lake_with_a_lost_manifest_is_repaired(#[case] lake: Lake) {
    let lake = Copied::of(lake);
    let all = files(lake.folder.path());
    let lost = all.keys().find(|path| path.ends_with("2026/11/11/_manifest.json")).unwrap();
    fs::remove_file(lost).unwrap();
    assert_ne!(lake.problems(&[]), [""; 0]);
    lake.mixlake(&["doctor", "--repair"]);
    assert_eq!(lake.problems(&[]), [""; 0]);
    assert_eq!(lake.rows(), 80);
}

/// Compacted days, profiles and identities, without a person who was erased.
const MERGED: Lake = ("0.1/merged", None);

impl Copied {
    fn ran(&self, arguments: &[&str]) -> Value {
        let output = self.mixlake(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        json(&output)
    }

    /// The rows of a table without partitions.
    fn rows_of(&self, table: &str) -> u64 {
        let view = self.ran(&["catalog"]);
        let tables = view["tables"].as_array().unwrap().iter();
        let files =
            tables.filter(|it| it["table"] == table).filter_map(|it| it["files"].as_array());
        files.flatten().map(|file| file["rows"].as_u64().unwrap()).sum()
    }
}

#[test]
fn a_lake_of_merged_days_profiles_and_identities_is_sound_and_stays_as_it_is() {
    let lake = Copied::of(MERGED);
    let rows = ["mp_people_data", "mp_identity_mappings_data"].map(|table| lake.rows_of(table));
    assert_eq!((lake.rows(), rows), (79, [5, 34]));
    assert_eq!(lake.problems(&[]), [""; 0]);
    let before = lake.tables();
    let compacted = lake.ran(&["compact", "--from-date", "2026-11-10", "--to-date", "2026-11-11"]);
    let days = compacted["targets"].as_array().unwrap();
    assert!(days.len() == 2 && days.iter().all(|day| day["status"] == "unchanged"), "{compacted}");
    let identities = &lake.ran(&["identities"])["projects"][0];
    assert_eq!((&identities["days_read"], &identities["status"]), (&0.into(), &"unchanged".into()));
    let input = format!("{LAKES}/profiles.jsonl");
    let profiles = lake.ran(&["export", "--set", "data_source=people", "--input", &input]);
    let table = &profiles["tables"][0];
    assert_eq!((&table["status"], &table["suppressed"]), (&"unchanged".into(), &1.into()));
    let mut after = lake.tables();
    after.retain(|path, _| !path.contains("/_profiles/"));
    let mut expected = before;
    expected.retain(|path, _| !path.contains("/_profiles/"));
    assert_eq!(after.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert_eq!(after, expected);
}

#[test]
fn a_lake_of_merged_days_is_continued_and_the_erased_person_stays_out() {
    let lake = Copied::of(MERGED);
    let again = lake.export("2026-11-10", "2026-11-12");
    assert_eq!(
        (&again["totals"]["written"], &again["totals"]["suppressed"]),
        (&99.into(), &1.into())
    );
    assert_eq!(lake.rows(), 99);
    assert_eq!(lake.problems(&[]), [""; 0]);
    let identities = &lake.ran(&["identities"])["projects"][0];
    assert_eq!(identities["days_read"], 1, "the rows of two days are the same: {identities}");
}
