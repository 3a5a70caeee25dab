//! What the state machine of a backfill asks the export function for, beside its slices: a plan at the beginning,
//! and a report at the end.

use super::kept::keep_document;
use crate::answer::{Failure, Kind};
use crate::clock;
use crate::config::ExportConfig;
use crate::request::{payload, whole_days};
use crate::settings::Problems;
use mixlake_app::backfill::{Backfill, Plan};
use mixlake_app::ports::ObjectStore;
use serde_json::{Map, Value, json};

/// What both look like, for whoever sent another one.
const FORMS: &str = "a plan is {\"plan\":{\"from_date\":\"2024-01-01\",\"to_date\":\"2025-12-31\",\"force\":false}}, and a \
    report is {\"report\":{\"from_date\":\"2024-01-01\",\"to_date\":\"2025-12-31\",\"failed\":[]}}";

/// The most slices of a plan: a state of Step Functions holds 256 KB.
const MOST_SLICES: usize = 8_000;

/// The most dates without a slice that an answer names. The report in the lake has all of them.
const MOST_MISSING: usize = 100;

/// Whether a payload asks for a plan or a report.
pub(super) fn is_of_backfill(payload: &Value) -> bool {
    ["plan", "report"].iter().any(|name| payload.get(name).is_some())
}

/// Answers a plan or a report.
pub(super) async fn answer(
    config: &ExportConfig,
    store: &dyn ObjectStore,
    payload: &Value,
) -> Result<Value, Failure> {
    let wrong = |problems: Problems| Failure::new(Kind::InvalidPayload, problems);
    let form = || wrong(Problems::one("payload", FORMS));
    let outer = payload.as_object().filter(|outer| outer.len() == 1).ok_or_else(form)?;
    let (plan, report) = (outer.get("plan"), outer.get("report"));
    let fields = plan.or(report).and_then(Value::as_object).ok_or_else(form)?;
    let known = if plan.is_some() { "force" } else { "failed" };
    let asked = asked(config, fields, known).map_err(wrong)?;
    let backfill = Backfill { store, layout: &config.lake.layout, zone: &config.zone };
    let found = backfill.plan(&config.by_cursor(asked.days), asked.force).await;
    let found = found.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    if plan.is_some() {
        return planned(config, &found);
    }
    let failed = fields.get("failed").cloned().unwrap_or_else(|| json!([]));
    Ok(reported(config, store, &found, (&asked.from, &asked.to), failed).await)
}

/// The slices that are not published, as payloads for this function, and how many to export at the same time.
fn planned(config: &ExportConfig, plan: &Plan) -> Result<Value, Failure> {
    let (days, published) = (plan.days, plan.published());
    if plan.slices.len() > MOST_SLICES {
        let days = plan.slices.len();
        let what =
            format!("to_date: {days} days are to be exported; a backfill takes {MOST_SLICES}");
        return Err(Failure::new(Kind::InvalidPayload, what));
    }
    tracing::info!(days, published, "the backfill is planned");
    // The state machine adds `force` itself.
    let slices: Vec<Value> = plan.slices.iter().map(|slice| payload(slice, false)).collect();
    let concurrency = config.limits.slices_at_once();
    Ok(json!({"slices": slices, "published": published, "concurrency": concurrency}))
}

/// What is published of the range now, and what failed. The lake keeps the whole.
async fn reported(
    config: &ExportConfig,
    store: &dyn ObjectStore,
    plan: &Plan,
    (from, to): (&str, &str),
    failed: Value,
) -> Value {
    let missing: Vec<String> = plan.slices.iter().map(ToString::to_string).collect();
    let document = json!({
        "kind": "backfill",
        "from_date": from,
        "to_date": to,
        "ended": clock::now().to_string(),
        "version": config.options.version,
        "days": plan.days,
        "published": plan.published(),
        "missing": missing,
        "failed": failed,
    });
    let kept =
        keep_document((&config.lake.layout, &config.options), store, document.to_string().into())
            .await;
    tracing::info!(days = plan.days, missing = missing.len(), "the backfill has ended");
    let mut answer = json!({
        "days": plan.days,
        "published": plan.published(),
        "missing": missing.len(),
        "missing_dates": missing.iter().take(MOST_MISSING).collect::<Vec<_>>(),
        "report": kept.location(),
    });
    if let Err(error) = &kept.0 {
        answer["report_error"] = error.as_str().into();
    }
    answer
}

/// What is asked for.
struct Asked {
    from: String,
    to: String,
    days: Vec<mixlake_domain::Slice>,
    force: bool,
}

fn asked(config: &ExportConfig, fields: &Map<String, Value>, own: &str) -> Result<Asked, Problems> {
    let mut problems = Problems::default();
    for field in fields.keys().filter(|it| !["from_date", "to_date", own].contains(&it.as_str())) {
        problems.add(field, format!("no such field; {FORMS}"));
    }
    let force = match fields.get("force") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force,
        Some(other) => {
            problems.add("force", format!("must be true or false, got {other}"));
            false
        }
    };
    if let Some(other) = fields.get("failed").filter(|failed| !failed.is_array()) {
        problems.add("failed", format!("must be a list of texts, got {other}"));
    }
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    let (from, to) = (text("from_date"), text("to_date"));
    let latest = (clock::now(), config.margin());
    match whole_days(("from_date", from), ("to_date", to), &config.zone, latest) {
        Ok(days) => {
            problems.into_result(Asked { from: from.to_owned(), to: to.to_owned(), days, force })
        }
        Err(others) => {
            problems.extend(others);
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use mixlake_testkit::store::MemoryStore;
    use rstest::rstest;

    async fn ask(store: &MemoryStore, payload: Value) -> Result<Value, String> {
        let settings = Settings::from_pairs(["project_id=42"]).unwrap();
        let config = ExportConfig::check(&settings).unwrap();
        answer(&config, store, &payload).await.map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn a_plan_has_a_payload_for_each_day() {
        let range = json!({"plan": {"from_date": "2024-02-28", "to_date": "2024-03-01"}});
        let plan = ask(&MemoryStore::new(), range).await.unwrap();
        let days = ["2024-02-28", "2024-02-29", "2024-03-01"].map(|date| json!({"date": date}));
        assert_eq!(plan, json!({"slices": days, "published": 0, "concurrency": 10}));
    }

    #[tokio::test]
    async fn a_report_tells_what_is_missing_and_the_lake_keeps_it() {
        let store = MemoryStore::new();
        let range = json!({"report": {
            "from_date": "2024-01-01", "to_date": "2024-12-31", "failed": ["2024-01-02: refused"],
        }});
        let report = ask(&store, range).await.unwrap();
        assert_eq!((&report["missing"], &report["published"]), (&json!(366), &json!(0)));
        assert_eq!(report["missing_dates"].as_array().unwrap().len(), MOST_MISSING);
        let objects = store.snapshot();
        let [document] = objects.values().collect::<Vec<_>>()[..] else { panic!("one object") };
        let document: Value = serde_json::from_slice(document).unwrap();
        assert_eq!(document["missing"].as_array().unwrap().len(), 366);
        assert_eq!(document["failed"], json!(["2024-01-02: refused"]));
        assert!(report["report"].as_str().unwrap().contains("42/_reports/"), "{report}");
    }

    #[rstest]
    #[case::no_range(json!({"plan": {}}), "from_date: must be a date such as")]
    #[case::future(json!({"plan": {"from_date": "2024-01-01", "to_date": "2999-01-01"}}), "to_date: 2999-01-01 is not over")]
    #[case::force(json!({"plan": {"from_date": "2024-01-01", "to_date": "2024-01-02", "force": 1}}), "force: must be true or false")]
    #[case::failed(json!({"report": {"from_date": "2024-01-01", "to_date": "2024-01-02", "failed": 1}}), "failed: must be a list")]
    #[case::unknown(json!({"plan": {"from_date": "2024-01-01", "to_date": "2024-01-02", "x": 1}}), "x: no such field")]
    #[case::both(json!({"plan": {}, "report": {}}), "payload: a plan is")]
    #[tokio::test]
    async fn bad_input_is_refused_and_named(#[case] payload: Value, #[case] expected: &str) {
        let error = ask(&MemoryStore::new(), payload).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
