//! The program as a person runs it: arguments in, exit code, report and lake out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_testkit::mixpanel::{Data, Fault, StandIn, StandInConfig};
use mixlake_testkit::rows;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/");

fn mixlake(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mixlake"))
        .args(arguments)
        .env_remove("MIXPANEL_SERVICE_ACCOUNT")
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("no report; standard error: {}", String::from_utf8_lossy(&output.stderr))
    })
}

fn lake() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn path(lake: &tempfile::TempDir) -> &str {
    lake.path().to_str().unwrap()
}

fn export(lake: &tempfile::TempDir, file: &str, from: &str, to: &str) -> Output {
    let input = format!("{DATA}{file}");
    let dates = ["--from-date", from, "--to-date", to];
    let place = ["--input", &input, "--lake", path(lake), "--json"];
    mixlake(&[&["export"], &place[..], &dates[..]].concat())
}

/// The tables as the catalog has them, and the rows of their live files.
fn catalog(lake: &tempfile::TempDir) -> (Value, Vec<rows::Row>) {
    let output = mixlake(&["catalog", "--lake", path(lake), "--json"]);
    assert!(output.status.success());
    let view = report(&output);
    let partitions = view["tables"][0]["partitions"].as_array().unwrap();
    let files = partitions.iter().flat_map(|p| p["files"].as_array().unwrap());
    let read = |file: &Value| {
        let location = file["location"].as_str().unwrap();
        rows::of(&std::fs::read(location).unwrap().into())
    };
    let rows = files.flat_map(read).collect();
    (view, rows)
}

/// Every file of the lake with its bytes.
fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut snapshot(&path));
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn the_quirks_come_out_exactly() {
    let lake = lake();
    let output = export(&lake, "quirks.jsonl", "2025-11-12", "2025-11-12");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(report(&output)["totals"]["quarantined"], 4);

    let text = std::fs::read_to_string(format!("{DATA}quirks.expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let (view, rows) = catalog(&lake);
    let hive = |kind: &str| if kind == "number" { "double".to_owned() } else { kind.to_owned() };
    let columns: Vec<Value> = expected["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| json!({"name": c["name"], "type": hive(c["type"].as_str().unwrap()), "property": c["property"]}))
        .collect();
    assert_eq!(view["tables"][0]["columns"], json!(columns));
    assert_eq!(rows.len(), expected["rows"].as_array().unwrap().len());
    for wanted in expected["rows"].as_array().unwrap() {
        let row = rows.iter().find(|row| row["mp_insert_id"] == wanted["mp_insert_id"]).unwrap();
        for column in &columns {
            let name = column["name"].as_str().unwrap();
            let cell = row.get(name).cloned().unwrap_or(Value::Null);
            let want = wanted.get(name).cloned().unwrap_or(Value::Null);
            match want.get("json") {
                Some(inner) => {
                    let parsed: Value = serde_json::from_str(cell.as_str().unwrap()).unwrap();
                    assert_eq!(&parsed, inner, "{name}");
                }
                None => assert_eq!(cell, want, "{name}"),
            }
        }
    }
}

#[test]
fn the_storefront_adds_up_and_twice_is_once() {
    let lake = lake();
    let run = || export(&lake, "storefront-events.jsonl.gz", "2026-11-10", "2026-11-13");
    let first = report(&run());
    let totals = &first["totals"];
    let counts =
        ["received", "written", "duplicates", "quarantined"].map(|n| totals[n].as_u64().unwrap());
    assert_eq!(counts, [5_277, 5_237, 40, 0]);
    let (_, rows) = catalog(&lake);
    assert_eq!(rows.len(), 5_237);

    let before = snapshot(lake.path());
    let second = report(&run());
    for slice in second["slices"].as_array().unwrap() {
        assert_eq!(slice["status"], "unchanged");
    }
    catalog(&lake);
    assert_eq!(snapshot(lake.path()), before);
}

#[test]
fn a_damaged_file_is_refused_before_any_work() {
    let lake = lake();
    let whole = std::fs::read(format!("{DATA}storefront-events.jsonl.gz")).unwrap();
    let cut = lake.path().join("cut.gz");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let place = lake.path().join("lake");
    let output = mixlake(&[
        "export",
        "--input",
        cut.to_str().unwrap(),
        "--lake",
        place.to_str().unwrap(),
        "--from-date",
        "2026-11-10",
        "--to-date",
        "2026-11-10",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cut.gz is truncated: its gzip data ends too early"), "{said}");
    assert!(!place.exists(), "something was written");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_before_any_work() {
    let lake = lake();
    let place = lake.path().join("lake");
    let output = mixlake(&[
        "export",
        "--input",
        "/no/such/file",
        "--lake",
        place.to_str().unwrap(),
        "--from-date",
        "2026-13-01",
        "--to-date",
        "soon",
        "--set",
        "timezone=Mars",
        "--set",
        "event_name=shouted",
        "--set",
        "where=1",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for field in
        ["--input: /no/such/file", "--from-date", "--to-date", "timezone", "event_name", "where"]
    {
        assert!(said.contains(field), "{field} is missing in:\n{said}");
    }
    assert!(!place.exists(), "something was written");
}

#[test]
fn a_misspelt_setting_is_refused_with_a_suggestion() {
    let output = mixlake(&[
        "export",
        "--input",
        DATA,
        "--lake",
        "/tmp/never",
        "--from-date",
        "2026-11-10",
        "--to-date",
        "2026-11-10",
        "--set",
        "time-zone=UTC",
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("time-zone: there is no such setting"), "{said}");
}

#[test]
fn the_table_of_settings_is_the_same_as_text_as_json_and_in_the_help() {
    let text = String::from_utf8(mixlake(&["settings"]).stdout).unwrap();
    let help = String::from_utf8(mixlake(&["export", "--help"]).stdout).unwrap();
    let table = report(&mixlake(&["settings", "--json"]));
    let rows = table.as_array().unwrap();
    assert!(rows.len() > 40, "{}", rows.len());
    for row in rows {
        let name = row["name"].as_str().unwrap();
        assert!(text.contains(&format!("| `{name}` |")), "{name}");
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn settings_change_what_they_say_they_change() {
    let lake = lake();
    let input = format!("{DATA}storefront-events.jsonl.gz");
    let output = mixlake(&[
        "export",
        "--input",
        &input,
        "--lake",
        path(&lake),
        "--json",
        "--from-date",
        "2026-11-12",
        "--to-date",
        "2026-11-12",
        "--set",
        "timezone=America/New_York",
        "--set",
        "event_name=raw",
        "--set",
        "time_type=bigint",
        "--set",
        "deduplicate=false",
        "--set",
        "events=add to cart",
        "--set",
        "project_id=2195193",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let slice = &report(&output)["slices"][0];
    assert_eq!(slice["from"], "2026-11-12T05:00:00Z");
    assert_eq!((&slice["duplicates"], &slice["received"]), (&json!(0), &slice["written"]));
    let (view, rows) = catalog(&lake);
    assert_eq!(view["tables"][0]["columns"][1]["type"], "bigint");
    assert!(rows.iter().all(|row| row["mp_event_name"] == "add to cart"));
    assert!(view["tables"][0]["location"].as_str().unwrap().ends_with("/2195193/mp_master_event/"));
}

#[test]
fn without_input_mixpanel_is_asked_with_the_account_of_the_environment() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let data = Data::load(&[Path::new(DATA).join("storefront-events.jsonl.gz")]).unwrap();
    let config = StandInConfig::new(data);
    let (user, secret, project) = ("mixlake-test", "s3cret", "2195193");
    let config = StandInConfig {
        project_id: project.into(),
        username: user.into(),
        secret: secret.into(),
        ..config
    };
    let stand_in = runtime.block_on(StandIn::start(config)).unwrap();
    let lake = lake();
    let endpoint = format!("mixpanel_endpoint={}", stand_in.url());
    let run = |account: &str| {
        Command::new(env!("CARGO_BIN_EXE_mixlake"))
            .args(["export", "--lake", path(&lake), "--json", "--set", "project_id=2195193"])
            .args(["--from-date", "2026-11-11", "--to-date", "2026-11-11", "--set", &endpoint])
            .env("MIXPANEL_SERVICE_ACCOUNT", account)
            .output()
            .unwrap()
    };
    let refused = run("mixlake-test:wrong");
    assert_eq!(refused.status.code(), Some(1));
    assert!(report(&refused)["slices"][0]["error"].as_str().unwrap().contains("401"));
    let good = report(&run("mixlake-test:s3cret"));
    assert_eq!(
        (&good["totals"]["received"], &good["totals"]["written"]),
        (&json!(1_703), &json!(1_688))
    );
}

/// A file of hourly events on 2026-11-10 to 12, UTC.
fn hourly(lake: &tempfile::TempDir) -> String {
    let path = lake.path().join("hourly.jsonl");
    let lines: String = (0..72)
        .map(|hour| {
            let time = 1_794_268_800 + hour * 3_600;
            json!({"event": "e", "properties": {"time": time, "$insert_id": hour.to_string()}})
                .to_string()
                + "\n"
        })
        .collect();
    std::fs::write(&path, lines).unwrap();
    path.display().to_string()
}

fn run(input: &str, place: &str, dates: [&str; 2], set: &[&str]) -> Output {
    let mut arguments = vec!["export", "--json", "--input", input, "--lake", place];
    arguments.extend(["--from-date", dates[0], "--to-date", dates[1]]);
    arguments.extend(set.iter().flat_map(|setting| ["--set", setting]));
    mixlake(&arguments)
}

#[test]
fn a_lake_keeps_the_zone_of_its_slices() {
    let lake = lake();
    let (input, place) = (hourly(&lake), lake.path().join("lake").display().to_string());
    assert_eq!(run(&input, &place, ["2026-11-10", "2026-11-12"], &[]).status.code(), Some(0));
    let before = snapshot(Path::new(&place));
    let other = run(&input, &place, ["2026-11-11", "2026-11-11"], &["timezone=Europe/Berlin"]);
    assert_eq!(other.status.code(), Some(2));
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(
        said.contains("timezone: the slices of this lake are days, hours and minutes of UTC"),
        "{said}"
    );
    assert_eq!(snapshot(Path::new(&place)), before);
}

#[test]
fn two_projects_do_not_share_a_table_unnoticed() {
    let lake = lake();
    let (input, place) = (hourly(&lake), lake.path().join("lake").display().to_string());
    let export = |place: &str, set: &[&str]| run(&input, place, ["2026-11-10", "2026-11-10"], set);
    assert_eq!(export(&place, &["project_id=1"]).status.code(), Some(0));

    // An export says it first.
    let before = snapshot(Path::new(&place));
    let refused = export(&place, &["project_id=2"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("project_id: the lake has the tables of project 1"), "{said}");
    assert!(said.contains("glue_table_prefix"), "{said}");
    assert_eq!(snapshot(Path::new(&place)), before);

    // So does the catalog, where the second project came from elsewhere.
    let other = lake.path().join("other");
    export(other.to_str().unwrap(), &["project_id=2"]);
    std::fs::rename(other.join("2"), Path::new(&place).join("2")).unwrap();
    let output = mixlake(&["catalog", "--lake", &place, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let view = report(&output);
    assert_eq!(view["tables"].as_array().unwrap().len(), 1);
    assert!(view["failed"][0]["error"].as_str().unwrap().contains("glue_table_prefix"), "{view}");
    let missing = mixlake(&["catalog", "--lake", &place, "--set", "project_id=77"]);
    assert_eq!(missing.status.code(), Some(2));
    let apart = mixlake(&[
        "catalog",
        "--lake",
        &place,
        "--json",
        "--set",
        "project_id=2",
        "--set",
        "glue_table_prefix=two_",
    ]);
    assert_eq!(report(&apart)["tables"][0]["table"], "two_mp_master_event");
    let prefixed = ["project_id=2", "glue_table_prefix=two_"];
    assert_eq!(export(&place, &prefixed).status.code(), Some(0));
    assert_eq!(export(&place, &["project_id=1"]).status.code(), Some(0));
}

#[test]
fn a_lake_may_be_moved() {
    let lake = lake();
    let (input, place) = (hourly(&lake), lake.path().join("lake"));
    let shown = |place: &Path| {
        let output = mixlake(&["catalog", "--lake", place.to_str().unwrap(), "--json"]);
        report(&output)["tables"][0]["partitions"][0]["files"][0]["location"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    run(&input, place.to_str().unwrap(), ["2026-11-10", "2026-11-10"], &[]);
    assert!(Path::new(&shown(&place)).exists());
    let moved = lake.path().join("moved");
    std::fs::rename(&place, &moved).unwrap();
    assert!(Path::new(&shown(&moved)).exists());
    assert!(Path::new(&shown(&lake.path().join("moved/../moved"))).exists());
}

#[test]
fn what_would_meet_every_slice_is_asked_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let data = Data::load(&[Path::new(DATA).join("storefront-events.jsonl.gz")]).unwrap();
    let config = StandInConfig::new(data);
    let account = format!("{}:{}", config.username, config.secret);
    let project = format!("project_id={}", config.project_id);
    let stand_in = runtime.block_on(StandIn::start(config)).unwrap();
    let message = "no plan".to_owned();
    stand_in.script([Fault::Status { code: 402, message, retry_after: None }]);
    let endpoint = format!("mixpanel_endpoint={}", stand_in.url());
    let lake = lake();
    let output = Command::new(env!("CARGO_BIN_EXE_mixlake"))
        .args(["export", "--lake", path(&lake), "--json"])
        .args(["--from-date", "2026-11-10", "--to-date", "2026-11-13"])
        .args(["--set", &project, "--set", &endpoint])
        .env("MIXPANEL_SERVICE_ACCOUNT", account)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let slices = report(&output)["slices"].as_array().unwrap().clone();
    assert!(slices[0]["error"].as_str().unwrap().contains("no plan"), "{}", slices[0]);
    for slice in &slices[1..] {
        assert!(slice["error"].as_str().unwrap().starts_with("not tried"), "{slice}");
    }
    assert_eq!(stand_in.queries().len(), 1);
}

#[test]
fn one_hour_of_each_day_can_be_exported_and_days_without_it_are_told() {
    let lake = lake();
    let (file, place) = (hourly(&lake), lake.path().join("lake").display().to_string());
    let hour = |hour: &str, from: &str, to: &str| {
        let dates = ["--from-date", from, "--to-date", to, "--hour", hour];
        let place = ["--input", &file, "--allow-empty", "--lake", &place, "--json"];
        let zone = ["--set", "timezone=Europe/Berlin"];
        mixlake(&[&["export"], &dates[..], &place, &zone].concat())
    };
    let slices = |output: &Output| {
        let slices = report(output)["slices"].as_array().unwrap().clone();
        slices.iter().map(|slice| slice["slice"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let three = hour("13", "2026-11-10", "2026-11-12");
    assert_eq!(slices(&three), ["2026-11-10T13", "2026-11-11T13", "2026-11-12T13"]);
    let three = report(&three);
    assert_eq!(
        (&three["totals"]["written"], &three["input"]["outside_dates"]),
        (&json!(3), &json!(69))
    );
    let skipped = hour("02", "2026-03-28", "2026-03-30");
    assert_eq!(slices(&skipped), ["2026-03-28T02", "2026-03-30T02"]);
    let told = String::from_utf8(skipped.stderr).unwrap();
    let why = "\"2026-03-29T02\" does not occur in Europe/Berlin: the clocks are set forward at that hour\n";
    assert_eq!(told, why);
    assert_eq!(slices(&hour("02b", "2026-10-25", "2026-10-25")), ["2026-10-25T02b"]);
}

#[test]
fn the_doctor_says_what_is_wrong_and_puts_it_right() {
    let lake = lake();
    export(&lake, "storefront-events.jsonl.gz", "2026-11-10", "2026-11-11");
    let doctor = |arguments: &[&str]| {
        let output = mixlake(&[&["doctor", "--lake", path(&lake)], arguments].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = doctor(&[]);
    assert_eq!(code, Some(1), "nothing is in the catalog yet: {text}");
    let expected = "mp_master_event: there are live files, but the catalog has no table\n    \
                    --repair would: bring the table up to date with the manifests\n\
                    1 problem, 0 notes\n";
    assert_eq!(text, expected);

    let (code, text) = doctor(&["--repair", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["repaired"][0]["kind"], "table_missing");
    assert_eq!(report["repaired"][0]["remedy"], json!({"do": "reconcile"}));
    assert_eq!((&report["findings"], &report["failed"]), (&json!([]), &json!([])));
    assert_eq!(doctor(&["--deep"]), (Some(0), "nothing is wrong\n".to_owned()));

    // What only a person can do is told, and is still a failure.
    let (view, _) = catalog(&lake);
    let file = view["tables"][0]["partitions"][1]["files"][0]["location"].as_str().unwrap();
    std::fs::remove_file(file).unwrap();
    let (code, text) = doctor(&["--repair"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("but the file is missing\n    done: send readers to a new folder"),
        "{text}"
    );
    assert!(text.contains("by hand: export 2026-11-11 again"), "{text}");
    export(&lake, "storefront-events.jsonl.gz", "2026-11-11", "2026-11-11");
    assert_eq!(doctor(&["--repair"]).0, Some(0));
    assert_eq!(doctor(&[]), (Some(0), "nothing is wrong\n".to_owned()));
}

/// It is kept in a file, which can be cut like any other.
#[test]
fn a_table_of_the_catalog_that_is_cut_is_told_and_made_again() {
    let lake = lake();
    export(&lake, "storefront-events.jsonl.gz", "2026-11-10", "2026-11-11");
    let (before, rows) = catalog(&lake);
    let databases = std::fs::read_dir(lake.path().join(".mixlake/catalog")).unwrap();
    let database = databases.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let table = database.join("mp_master_event.json");
    let whole = std::fs::read(&table).unwrap();
    std::fs::write(&table, &whole[..whole.len() / 2]).unwrap();
    let output = mixlake(&["doctor", "--lake", path(&lake), "--repair", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report:#}");
    let finding = &report["findings"][0];
    assert_eq!(finding["kind"], "unreadable_document", "{report:#}");
    assert!(finding["remedy"]["advice"].as_str().unwrap().contains("delete it"), "{report:#}");
    assert_eq!(std::fs::read(&table).unwrap().len(), whole.len() / 2, "it is left to a person");
    std::fs::remove_file(&table).unwrap();
    assert_eq!(catalog(&lake), (before, rows), "as the doctor advises");
    let output = mixlake(&["doctor", "--lake", path(&lake)]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "nothing is wrong\n");
}

/// What was replaced a moment ago may still be read.
#[test]
fn the_doctor_keeps_what_was_replaced_for_a_while() {
    let lake = lake();
    export(&lake, "storefront-events.jsonl.gz", "2026-11-10", "2026-11-10");
    let (view, _) = catalog(&lake);
    let file = view["tables"][0]["partitions"][0]["files"][0]["location"].as_str().unwrap();
    let stray = Path::new(file).parent().unwrap().join("part-0");
    std::fs::write(&stray, "x").unwrap();
    let doctor = |arguments: &[&str]| {
        let output = mixlake(&[&["doctor", "--lake", path(&lake)], arguments].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = doctor(&["--repair"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("part-0, but no manifest lists it\n    done: send"), "{text}");
    assert!(text.contains("--repair will, later: delete them"), "{text}");
    assert!(Path::new(file).exists());
    let (_, rows) = catalog(&lake);
    let (code, text) = doctor(&["--repair", "--keep-replaced", "0"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!Path::new(file).exists(), "{text}");
    assert!(stray.exists(), "it is not ours to delete");
    assert_eq!(catalog(&lake).1.len(), rows.len());
    assert_eq!(doctor(&[]), (Some(0), "nothing is wrong\n".to_owned()));
}

#[test]
fn the_tables_of_a_crawler_are_left_alone() {
    let lake = lake();
    export(&lake, "quirks.jsonl", "2025-11-12", "2025-11-12");
    for command in ["catalog", "doctor"] {
        let output = mixlake(&[command, "--lake", path(&lake), "--set", "catalog=crawler"]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains("catalog: with catalog=crawler, a Glue crawler updates the tables"),
            "{error}"
        );
    }
}

#[test]
fn the_files_of_a_pipeline_are_a_source_too() {
    let (lake, files) = (lake(), lake());
    let folder = files.path().join("7/mp_master_event/2024/05/06/13");
    std::fs::create_dir_all(&folder).unwrap();
    let line = |second: u32| {
        // 2024-05-06, 13 o'clock.
        format!(
            r#"{{"event_name":"Sign Up","time":{},"distinct_id":"u{second}","insert_id":"i{second}","properties":{{"plan":"free","n":12345678901234567890123}}}}"#,
            1_715_000_400 + second
        )
    };
    let text = [line(0), line(1), line(1), "oops".to_owned()].join("\n") + "\n";
    std::fs::write(folder.join("part-0.json"), text).unwrap();
    let location = format!("raw_pipeline_location={}", path(&files));
    let run = |set: &[&str]| {
        let dates = ["--from-date", "2024-05-06", "--to-date", "2024-05-06"];
        let set: Vec<&str> = set.iter().flat_map(|pair| ["--set", pair]).collect();
        mixlake(&[&["export", "--lake", path(&lake), "--json"], &dates[..], &set[..]].concat())
    };
    let output = run(&["project_id=7", "event_source=raw_pipeline", &location]);
    let totals = &report(&output)["totals"];
    assert_eq!(
        (&totals["received"], &totals["written"], &totals["duplicates"], &totals["quarantined"]),
        (&json!(4), &json!(2), &json!(1), &json!(1))
    );
    let (_, rows) = catalog(&lake);
    assert_eq!(
        (&rows[0]["mp_event_name"], &rows[0]["n"]),
        (&json!("sign_up"), &json!("12345678901234567890123"))
    );

    let wrong = run(&["project_id=7", "event_source=raw_pipeline", "where=properties[\"a\"] == 1"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        said.contains("where: only Mixpanel") && said.contains("raw_pipeline_location"),
        "{said}"
    );
}

#[test]
fn a_day_is_compacted_once_and_its_rows_stay() {
    let (lake, input) = (lake(), format!("{DATA}storefront-events.jsonl.gz"));
    let dates = ["--from-date", "2026-11-10", "--to-date", "2026-11-10"];
    for hour in ["09", "10", "16"] {
        let place = ["export", "--input", &input, "--lake", path(&lake), "--hour", hour];
        assert!(mixlake(&[&place[..], &dates].concat()).status.success());
    }
    let compact = |more: &[&str]| {
        let output = mixlake(&[&["compact", "--lake", path(&lake)], &dates[..], more].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (_, mut before) = catalog(&lake);
    let (code, text) = compact(&["--json"]);
    assert_eq!(code, Some(0), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let day = &report["targets"][0];
    assert_eq!((&day["table"], &day["mp_date"]), (&json!("mp_master_event"), &json!("2026-11-10")));
    assert_eq!((&day["status"], &day["rows"]), (&json!("compacted"), &json!(before.len())));
    assert_eq!((&day["before"]["files"], &day["after"]["files"]), (&json!(3), &json!(1)));
    assert_eq!(day["change"]["change"], "replaced");
    assert_eq!(report["totals"], json!({"before": day["before"], "after": day["after"]}));
    let (view, mut after) = catalog(&lake);
    let file = &view["tables"][0]["partitions"][0]["files"][0];
    assert_eq!(file["slice"], "2026-11-10T09, 2026-11-10T10, 2026-11-10T16");
    for rows in [&mut before, &mut after] {
        rows.sort_by_cached_key(|row| json!(row).to_string());
    }
    assert_eq!(before, after);

    let snapshot = snapshot(lake.path());
    let (code, text) = compact(&[]);
    let bytes = &day["after"]["bytes"];
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.starts_with("mp_master_event 2026-11-10: ") && text.contains(" bytes, unchanged\n"),
        "{text}"
    );
    assert!(text.contains("\n0 days compacted. Before: 1 file of "), "{text}, {bytes}");
    assert!(self::snapshot(lake.path()) == snapshot, "a second run writes nothing");
    let doctor = mixlake(&["doctor", "--lake", path(&lake)]);
    let text = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(0), "{text}");
    assert!(text.contains("0 problems, 1 note"), "the replaced files stay for a day: {text}");
}

#[test]
fn days_that_cannot_be_compacted_are_refused() {
    let lake = lake();
    let compact = |from: &str, to: &str| {
        let dates = ["--from-date", from, "--to-date", to];
        let output = mixlake(&[&["compact", "--lake", path(&lake)], &dates[..]].concat());
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let text = compact("2026-11-10", "yesterday");
    assert!(text.contains("--to-date"), "{text}");
    let text = compact("2026-11-10", "2026-11-09");
    assert!(text.contains("--to-date: 2026-11-09 is before --from-date 2026-11-10"), "{text}");
    let text = compact("2026-11-10", "2026-11-10");
    assert!(text.contains("has no lake"), "{text}");
    export(&lake, "storefront-events.jsonl.gz", "2026-11-10", "2026-11-10");
    let text = compact("2198-12-31", "2199-01-01");
    assert!(
        text.contains("has not ended: today is ") && text.contains("up to yesterday"),
        "{text}"
    );
}
