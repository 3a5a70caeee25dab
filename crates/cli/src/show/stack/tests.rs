use super::*;
use mixlake_stack::ScheduleId;
use serde_json::json;
use std::collections::BTreeMap;

fn stack(parameters: &[(&str, &str)]) -> Stack {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Stack {
        name: "mixlake".to_owned(),
        outputs: BTreeMap::new(),
        parameters: parameters.iter().map(pair).collect(),
    }
}

fn both(changed: bool) -> Vec<Switched> {
    let id = |name: &str| ScheduleId { group: "default".to_owned(), name: name.to_owned() };
    vec![
        Switched { schedule: id("mixlake-export"), changed },
        Switched { schedule: id("mixlake-sync"), changed: true },
    ]
}

fn request(force: bool) -> Request {
    let [from_date, to_date] = ["2024-01-01", "2025-12-31"].map(|date| date.parse().unwrap());
    Request { from_date, to_date, force }
}

fn execution(outcome: Outcome, request: Option<Request>) -> Execution {
    Execution {
        arn: "arn".to_owned(),
        outcome,
        request,
        started: "2026-11-27T20:00:00Z".to_owned(),
        stopped: None,
    }
}

#[test]
fn schedules() {
    let texts = [
        switched(&stack(&[("CatchUpDays", "7")]), Power::Off, &both(true)),
        switched(&stack(&[("CatchUpDays", "0")]), Power::Off, &both(false)),
        switched(&stack(&[("ScheduleState", "ENABLED")]), Power::On, &both(true)),
        switched(&stack(&[("ScheduleState", "DISABLED")]), Power::On, &both(false)),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_backfill_that_is_shown() {
    let running = |request| Begun::Running(execution(Outcome::Running, request));
    let texts = [
        begun(&Begun::Started("arn".to_owned()), &request(false)),
        begun(&running(Some(request(false))), &request(false)),
        begun(&running(Some(request(true))), &request(false)),
        begun(&running(None), &request(false)),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_backfill_that_ended() {
    let failed = |how: &str, error: Option<&str>, cause: Option<&str>| Outcome::Ended {
        how: how.to_owned(),
        error: error.map(str::to_owned),
        cause: cause.map(str::to_owned),
    };
    let report = json!({"report": "s3://lake/r.json", "published": 731, "missing": 0});
    let outcomes = [
        Outcome::Succeeded(report),
        Outcome::Succeeded(Value::Null),
        Outcome::Running,
        failed("failed", Some("BackfillIncomplete"), Some("2 slices failed.")),
        failed("timed_out", None, None),
        failed("aborted", Some("Canceled"), Some("mixlake cancel")),
    ];
    let next = command("mixlake", &request(true));
    let text = |outcome| ended(&execution(outcome, Some(request(true))), &next);
    insta::assert_snapshot!(outcomes.map(text).join("\n"));
}

#[test]
fn a_backfill_that_was_stopped() {
    let items = Items { total: 1_731, done: 12 };
    let texts = [
        canceled("mixlake", Some(&request(false)), Some(items)),
        canceled("my lake", Some(&request(true)), None),
        canceled("mixlake", None, None),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}
