//! What the command line says of the files that it is given, and of what it did with them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

fn start(arguments: &[&str], stdin: Stdio) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mixlake"))
        .args(arguments)
        .env_remove("MIXPANEL_SERVICE_ACCOUNT")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn mixlake(arguments: &[&str]) -> Output {
    start(arguments, Stdio::null()).wait_with_output().unwrap()
}

fn export<'a>(input: &'a str, lake: &'a str, from: &'a str, to: &'a str) -> Vec<&'a str> {
    vec!["export", "--input", input, "--lake", lake, "--from-date", from, "--to-date", to]
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The event `e` of a day of November 2026.
fn event(day: i64) -> String {
    let time = 1_794_268_800 + (day - 10) * 86_400;
    json!({"event": "e", "properties": {"time": time, "n": day}}).to_string() + "\n"
}

/// A folder with a file and room for a lake.
struct Place(TempDir);

impl Place {
    fn with(content: impl Into<Vec<u8>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("input"), content.into()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn input(&self) -> String {
        self.path("input").display().to_string()
    }

    fn lake(&self) -> String {
        self.path("lake").display().to_string()
    }
}

/// Every file of a lake by its key.
fn snapshot(lake: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, lake: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, lake, found);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path.strip_prefix(lake).unwrap().to_owned(), bytes);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(lake, lake, &mut found);
    found
}

#[test]
fn every_line_is_accounted_for() {
    let lines = event(12) + &event(14) + "not json\n{\"event\":\"e\",\"properties\":{}}\n";
    let place = Place::with(lines.as_bytes());
    let (input, lake) = (place.input(), place.lake());
    let arguments = export(&input, &lake, "2026-11-12", "2026-11-12");
    let output = mixlake(&[&arguments[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let totals = &report["totals"];
    let counts = ["received", "written", "quarantined", "outside"].map(|name| totals[name].clone());
    assert_eq!(counts, [3, 1, 2, 0].map(Value::from));
    let date = |date: &str| json!({"from": date, "to": date, "events": 1});
    assert_eq!(
        report["input"],
        json!({
            "lines": 4, "outside_dates": 1, "not_selected": 0,
            "dates": [date("2026-11-12"), date("2026-11-14")],
            "other_dates": [date("2026-11-14")],
        })
    );
    let said = mixlake(&arguments);
    let sentence = "Of 4 lines of the input, the export left out 1 of other dates (2026-11-14).";
    assert!(text(&said.stdout).contains(sentence), "{}", text(&said.stdout));
}

#[test]
fn dates_that_the_input_does_not_have_are_refused_with_those_that_it_has() {
    let place = Place::with((event(10) + &event(11) + &event(13)).as_bytes());
    let output = mixlake(&export(&place.input(), &place.lake(), "2026-12-01", "2026-12-02"));
    assert_eq!(output.status.code(), Some(2));
    let said = "the input has events of 2026-11-10 to 2026-11-11, 2026-11-13 only; \
                asked: 2026-12-01 to 2026-12-02";
    assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    assert!(!place.path("lake").exists());
}

/// A wrong file, no file at all for a day, and a filter that takes nothing: none empties a good day.
#[test]
fn rows_go_only_where_the_command_says_so() {
    let four = (10..14).map(event).collect::<String>() + &event(10).replace("\"n\":10", "\"n\":0");
    let place = Place::with(four.as_bytes());
    let (input, lake) = (place.input(), place.lake());
    let four_days = export(&input, &lake, "2026-11-10", "2026-11-13");
    assert_eq!(mixlake(&four_days).status.code(), Some(0));
    let good = snapshot(Path::new(&lake));

    std::fs::write(&input, event(10)).unwrap();
    let output = mixlake(&four_days);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("rows 2 -> 1 on 2026-11-10 in mp_master_event"), "{said}");
    assert!(said.contains("--replace") && said.matches("--allow-empty").count() == 3, "{said}");
    assert_eq!(snapshot(Path::new(&lake)), good);
    let filtered = mixlake(&[&four_days[..], &["--set", "events=Nope"]].concat());
    assert_eq!(filtered.status.code(), Some(1));
    assert_eq!(snapshot(Path::new(&lake)), good);

    let output = mixlake(&[&four_days[..], &["--replace", "--allow-empty"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let said = text(&output.stdout);
    assert!(said.contains("2026-11-11: rows 1 -> 0 on 2026-11-11 in mp_master_event"), "{said}");
}

/// What went wrong with a day of good rows must not be published in their place.
#[rstest]
#[case::error_body("{\"error\":\"Internal error\",\"request\":\"/api/2.0/export\"}\n", 2)]
#[case::part_then_error("", 2)]
#[case::page("<html>\n<body></body>\n</html>\n", 2)]
fn an_answer_that_was_saved_with_its_error_replaces_nothing(#[case] bad: &str, #[case] code: i32) {
    let reported = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/reported/");
    let good = format!("{reported}replace_good.jsonl");
    let place = Place::with(bad.as_bytes());
    let (lake, day) = (place.lake(), "2024-03-05");
    assert_eq!(mixlake(&export(&good, &lake, day, day)).status.code(), Some(0));
    let before = snapshot(Path::new(&lake));
    let part = format!("{reported}replace_part_then_error.jsonl");
    let input = if bad.is_empty() { part } else { place.input() };
    let output = mixlake(&[&export(&input, &lake, day, day)[..], &["--replace"]].concat());
    assert_eq!(output.status.code(), Some(code));
    assert!(!output.stderr.is_empty());
    assert_eq!(snapshot(Path::new(&lake)), before);
}

fn gzip(content: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(content.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// What is sent through a pipe gives the lake that the file gives.
#[rstest]
#[case::plain((event(10) + "oops\n" + &event(11) + &event(12)).into_bytes())]
#[case::gzip(gzip(&(event(10) + "oops\n" + &event(11) + &event(12))))]
fn a_pipe_is_as_good_as_a_file(#[case] content: Vec<u8>) {
    let place = Place::with(content.clone());
    let from_file = place.lake();
    let output = mixlake(&export(&place.input(), &from_file, "2026-11-10", "2026-11-12"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let expected = snapshot(Path::new(&from_file));

    let standard = place.path("standard").display().to_string();
    for input in ["-", "/dev/stdin"] {
        let mut child =
            start(&export(input, &standard, "2026-11-10", "2026-11-12"), Stdio::piped());
        child.stdin.take().unwrap().write_all(&content).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{input}: {}", text(&output.stderr));
        assert!(snapshot(Path::new(&standard)) == expected, "{input}");
    }

    let (pipe, lake) = (place.path("pipe"), place.path("named").display().to_string());
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let input = pipe.display().to_string();
    let written = std::thread::spawn(move || std::fs::write(pipe, content));
    let output = mixlake(&export(&input, &lake, "2026-11-10", "2026-11-12"));
    written.join().unwrap().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(snapshot(Path::new(&lake)) == expected);
}

#[test]
fn standard_input_is_given_once() {
    let place = Place::with(b"");
    let lake = place.lake();
    let arguments = export("-", &lake, "2026-11-10", "2026-11-10");
    let output = mixlake(&[&arguments[..], &["--input", "-"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("give it once"), "{}", text(&output.stderr));
}

#[rstest]
#[case::csv(b"event,time\nA,1\n".to_vec(), "input looks like CSV; expected JSON lines of the \
    export API, plain or gzip: {\"event\": ..., \"properties\": {...}}")]
#[case::zip(b"PK\x03\x04xx".to_vec(), "looks like a zip archive")]
#[case::utf16(event(10).encode_utf16().flat_map(u16::to_be_bytes).collect(), "looks like UTF-16")]
#[case::engage(br#"{"$distinct_id":"u","$properties":{}}"#.to_vec(), "the Engage API")]
#[case::flat(b"{\"event\":\"x\",\"time\":1}\n".to_vec(), "looks like flat events")]
#[case::html(b"<html></html>\n".to_vec(), "looks like HTML")]
#[case::error(b"{\"error\":\"Internal error\"}\n".to_vec(), "an error instead of events")]
#[case::error_at_the_end((event(10) + "{\"error\":\"Timeout\"}\n").into_bytes(), "(Timeout)")]
#[case::trailing([gzip(&event(10)), b"more".to_vec()].concat(), "neither gzip nor padding")]
#[case::cut(event(10).trim_end()[..30].into(), "ends in the middle of a line")]
#[case::nothing(b"\n".to_vec(), "the input has no lines")]
fn what_is_no_export_is_refused_by_its_name(#[case] content: Vec<u8>, #[case] words: &str) {
    let place = Place::with(content);
    let output = mixlake(&export(&place.input(), &place.lake(), "2026-11-10", "2026-11-10"));
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("--input: ") && said.contains(words), "{said}");
    assert!(!place.path("lake").exists());
}

#[test]
fn a_person_is_told_what_was_done_and_what_comes_next() {
    let place = Place::with((event(10) + &event(11)).as_bytes());
    let (input, lake) = (place.input(), place.lake());
    let output = mixlake(&export(&input, &lake, "2026-11-10", "2026-11-11"));
    let said = text(&output.stdout);
    let end = "\n2 slices: 2 published.\n2 rows in 2 files.\n4 new columns: ";
    assert!(said.contains(end), "{said}");
    let next = format!("Files: {lake}/local/\nNext: mixlake catalog --lake {lake}\n");
    assert!(said.ends_with(&next), "{said}");
    assert_eq!(text(&output.stderr), "");

    let output = mixlake(&["catalog", "--lake", &lake]);
    let end = format!(
        "1 table, 4 columns, 2 rows, 2 files.\n\
         Next: mixlake catalog --lake {lake} --sql  (views for DuckDB)\n"
    );
    assert!(text(&output.stdout).ends_with(&end), "{}", text(&output.stdout));

    let sql = mixlake(&["catalog", "--lake", &lake, "--sql"]);
    let sql = text(&sql.stdout);
    assert!(sql.starts_with("CREATE OR REPLACE VIEW \"mp_master_event\" AS\nSELECT NULL::VARCHAR"));
    assert_eq!(sql.matches("read_parquet(").count(), 2, "{sql}");
}

#[test]
fn each_failure_is_told_once() {
    let place = Place::with((event(10) + &event(11)).as_bytes());
    let ledger = place.path("lake/local/_slices/2026/11/10.json");
    std::fs::create_dir_all(ledger.parent().unwrap()).unwrap();
    std::fs::write(&ledger, "no ledger").unwrap();
    let output = mixlake(&export(&place.input(), &place.lake(), "2026-11-10", "2026-11-11"));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert_eq!(said.matches("FAILED: ").count(), 1, "{said}");
    assert!(said.contains("2 slices: 1 published, 1 failed."), "{said}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_lake_without_tables_says_so() {
    let place = Place::with(event(10).as_bytes());
    let lake = place.lake();
    mixlake(&export(&place.input(), &lake, "2026-11-10", "2026-11-10"));
    std::fs::remove_dir_all(place.path("lake/local/mp_master_event")).unwrap();
    let output = mixlake(&["catalog", "--lake", &lake]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("The lake has no tables"), "{}", text(&output.stdout));
}

#[test]
fn no_name_of_an_event_moves_the_terminal() {
    let line = event(10).replace("\"n\"", "\"\\u001b[2J\\u009bn\"");
    let place = Place::with(line.as_bytes());
    let lake = place.lake();
    let exported = mixlake(&export(&place.input(), &lake, "2026-11-10", "2026-11-10"));
    let catalog = mixlake(&["catalog", "--lake", &lake]);
    for output in [exported, catalog] {
        let said = text(&output.stdout);
        assert!(said.contains("\\u{1b}[2J"), "{said}");
        assert!(!said.contains(['\u{1b}', '\u{9b}']), "{said}");
    }
}

#[test]
fn who_stops_reading_is_no_failure() {
    let place = Place::with(event(10).as_bytes());
    let (input, lake) = (place.input(), place.lake());
    let export = export(&input, &lake, "2026-11-10", "2026-11-10");
    for arguments in [export, vec!["catalog", "--lake", &lake], vec!["settings"]] {
        let mut child = start(&arguments, Stdio::null());
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}
