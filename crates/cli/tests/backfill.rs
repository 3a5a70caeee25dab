//! `mixlake backfill --local` as a person runs it, against a Mixpanel that counts its queries.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_testkit::mixpanel::{Data, Fault, StandIn, StandInConfig};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/");
const DAYS: [&str; 4] = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"];

/// A Mixpanel with four days of events, and a lake beside it.
struct Place {
    runtime: tokio::runtime::Runtime,
    mixpanel: StandIn,
    lake: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let data = Data::load(&[Path::new(DATA).join("storefront-events.jsonl.gz")]).unwrap();
        let config = StandInConfig { project_id: "2195193".into(), ..StandInConfig::new(data) };
        let mixpanel = runtime.block_on(StandIn::start(config)).unwrap();
        Self { runtime, mixpanel, lake: tempfile::tempdir().unwrap() }
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mixlake"));
        let endpoint = format!("mixpanel_endpoint={}", self.mixpanel.url());
        let lake = self.lake.path().to_str().unwrap();
        command.args(["backfill", "--local", "--json", "--lake", lake]);
        command.args(["--from-date", DAYS[0], "--to-date", DAYS[3]]);
        command.args(["--set", "project_id=2195193", "--set", &endpoint]).args(options);
        let config = StandInConfig::new(Data::default());
        let account = format!("{}:{}", config.username, config.secret);
        command.env("MIXPANEL_SERVICE_ACCOUNT", account);
        command
    }

    fn run(&self, options: &[&str]) -> Output {
        self.command(options).output().unwrap()
    }

    /// The days that were asked for since the last time.
    fn asked(&self, before: usize) -> Vec<String> {
        let queries = self.mixpanel.queries();
        queries[before..].iter().map(|query| query["from_date"].clone()).collect()
    }
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_day_costs_one_query_and_a_published_day_none_unless_forced() {
    let place = Place::new();
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(place.asked(0), DAYS);
    let first = report(&output);
    let of_backfill = json!({
        "from_date": DAYS[0], "to_date": DAYS[3], "force": false, "days": 4, "published_before": 0,
    });
    assert_eq!(first["backfill"], of_backfill);
    assert_eq!(first["totals"]["received"], 5_277);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("4 days. Ctrl-C stops the backfill"), "{said}");
    assert!(said.contains("0 of 4 slices, about 5 min left at 50 queries an hour"), "{said}");

    let kept = std::fs::read_to_string(first["report_location"].as_str().unwrap()).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["slices"], first["slices"]);

    let again = place.run(&[]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert_eq!(place.asked(4), Vec::<String>::new());
    assert_eq!(report(&again)["backfill"]["published_before"], 4);
    assert!(report(&again).get("report_location").is_none(), "nothing was exported");

    let forced = place.run(&["--force"]);
    assert_eq!(place.asked(4), DAYS);
    let slices = report(&forced)["slices"].clone();
    assert!(slices.as_array().unwrap().iter().all(|slice| slice["status"] == "unchanged"));
}

#[test]
fn a_refusal_is_waited_for_and_no_failure() {
    let place = Place::new();
    let refusal = Fault::Status {
        code: 429,
        message: "Too many requests".to_owned(),
        retry_after: Some("6".to_owned()),
    };
    place.mixpanel.script([Fault::None, refusal]);
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(place.asked(0), [DAYS[0], DAYS[1], DAYS[1], DAYS[2], DAYS[3]]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 of 4 slices"), "{said}");
    assert!(said.contains("the query budget is used up until 20"), "{said}");
}

#[test]
fn a_backfill_that_was_killed_goes_on_where_it_stopped() {
    let place = Place::new();
    let refusal = Fault::Status {
        code: 429,
        message: "Too many requests".to_owned(),
        retry_after: Some("3600".to_owned()),
    };
    place.mixpanel.script([Fault::None, Fault::None, refusal]);
    let mut killed =
        place.command(&[]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(killed.stderr.take().unwrap()).lines();
    let waits = lines.map_while(Result::ok).any(|line| line.contains("is used up until"));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(waits, "it waits for the hour");

    // The next hour.
    std::fs::remove_file(place.lake.path().join("2195193/_budget/queries.json")).unwrap();
    let before = place.mixpanel.queries().len();
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(place.asked(before), DAYS[2..]);
    assert_eq!(report(&output)["backfill"]["published_before"], 2);
    drop(place.runtime);
}
