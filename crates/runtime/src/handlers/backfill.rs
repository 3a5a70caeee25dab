//! What the state machine of a backfill asks the export function for, beside its slices: the plan at the beginning.

use crate::answer::{Failure, Kind};
use crate::clock;
use crate::config::ExportConfig;
use crate::request::{payload, whole_days};
use crate::settings::Problems;
use mixlake_app::backfill::Backfill;
use mixlake_app::ports::ObjectStore;
use mixlake_domain::Slice;
use serde_json::{Map, Value, json};

/// What a plan looks like, for whoever sent another one.
const PLAN: &str = "a plan is {\"plan\":{\"from_date\":\"2024-01-01\",\"to_date\":\"2025-12-31\",\"force\":false}}";

/// The most slices of a plan: a state of Step Functions holds 256 KB.
const MOST_SLICES: usize = 8_000;

/// Whether a payload asks for a plan.
pub(super) fn is_plan(payload: &Value) -> bool {
    payload.get("plan").is_some()
}

/// Answers the slices of a range that are not published, as payloads for this function, and how many to export at
/// the same time.
pub(super) async fn plan(
    config: &ExportConfig,
    store: &dyn ObjectStore,
    asked: &Value,
) -> Result<Value, Failure> {
    let wrong = |problems: Problems| Failure::new(Kind::InvalidPayload, problems);
    let (days, force) = range(config, asked).map_err(wrong)?;
    let backfill = Backfill { store, layout: &config.lake.layout, zone: &config.zone };
    let plan = backfill.plan(&config.by_cursor(days), force).await;
    let plan = plan.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    if plan.slices.len() > MOST_SLICES {
        let what = format!(
            "to_date: the range has {} days to export, and a backfill takes {MOST_SLICES}",
            plan.slices.len()
        );
        return Err(Failure::new(Kind::InvalidPayload, what));
    }
    let slices: Vec<Value> = plan.slices.iter().map(|slice| payload(slice, false)).collect();
    tracing::info!(days = plan.days, published = plan.published(), "the backfill is planned");
    Ok(json!({
        "slices": slices,
        "published": plan.published(),
        "concurrency": config.limits.slices_at_once(),
    }))
}

fn range(config: &ExportConfig, payload: &Value) -> Result<(Vec<Slice>, bool), Problems> {
    let wrong = || Problems::one("plan", PLAN);
    let outer: &Map<String, Value> = payload.as_object().ok_or_else(wrong)?;
    let fields = outer["plan"].as_object().filter(|_| outer.len() == 1).ok_or_else(wrong)?;
    let mut problems = Problems::default();
    for field in
        fields.keys().filter(|it| !["from_date", "to_date", "force"].contains(&it.as_str()))
    {
        problems.add(field, format!("no such field; {PLAN}"));
    }
    let force = match fields.get("force") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force,
        Some(other) => {
            problems.add("force", format!("must be true or false, got {other}"));
            false
        }
    };
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    let (from, to) = (("from_date", text("from_date")), ("to_date", text("to_date")));
    match whole_days(from, to, &config.zone, (clock::now(), config.margin())) {
        Ok(days) => problems.into_result((days, force)),
        Err(others) => {
            problems.extend(others);
            Err(problems)
        }
    }
}
