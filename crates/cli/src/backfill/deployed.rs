//! A backfill that a deployed stack runs.

use crate::arguments::Backfill;
use crate::{show, stack};
use anyhow::{Context, Result};
use mixlake_app::budget::Limits;
use mixlake_domain::Zone;
use mixlake_runtime::settings::table::{
    INGESTION_MARGIN_MINUTES, LATE_DATA, QUERIES_PER_HOUR, TIMEZONE,
};
use mixlake_runtime::settings::{LateData, Problems, Row, Settings};
use mixlake_runtime::{now, request};
use mixlake_stack::{Begun, Execution, Outcome, Request, Stack, find};
use serde_json::{Value, json};
use std::time::Duration;

/// Starts the backfill, or finds the one that runs, and shows it until it ends.
pub async fn run(name: &str, arguments: &Backfill, verbose: bool) -> Result<bool> {
    let account = stack::account().await?;
    let stack = find(&account, name).await?;
    let settings = settings(&stack);
    let request = check(arguments, &settings)?;
    let begun = mixlake_stack::backfill(&account, &stack, &request, &new_name(&request)).await?;
    show::note(&show::begun(&begun, &request));
    let per_hour = Limits::an_hour(settings.get(&QUERIES_PER_HOUR).unwrap_or(60)).of_a_backfill();
    let mut meter = show::Meter::new(verbose, per_hour);
    meter.say("planning");
    let mut show = |items: Option<mixlake_stack::Items>| {
        if let Some(items) = items {
            meter.at(items.done, items.total);
        }
    };
    let ended = mixlake_stack::watch(&account, begun.arn(), &mut show).await;
    drop(meter);
    let ended =
        ended.context("the backfill goes on in AWS, and the same command shows it again")?;
    if arguments.json {
        show::json(&document(&stack, &begun, &ended))?;
    } else {
        show::text(&show::ended(&ended, &show::command(&stack.name, &request)))?;
    }
    let is_ours = ended.request.as_ref() == Some(&request);
    Ok(is_ours && matches!(ended.outcome, Outcome::Succeeded(_)))
}

/// The settings of a stack that say which days there are, and how fast they come.
fn settings(stack: &Stack) -> Settings {
    let parameters: [(&dyn Row, &str); 4] = [
        (&TIMEZONE, "Timezone"),
        (&LATE_DATA, "LateData"),
        (&INGESTION_MARGIN_MINUTES, "IngestionMarginMinutes"),
        (&QUERIES_PER_HOUR, "QueriesPerHour"),
    ];
    let mut settings = Settings::default();
    for (row, parameter) in parameters {
        if let Some(value) = stack.parameter(parameter) {
            settings.set(row, value);
        }
    }
    settings
}

fn check(arguments: &Backfill, settings: &Settings) -> Result<Request, Problems> {
    let zone = settings.get(&TIMEZONE).unwrap_or(Zone::UTC);
    let margin = match settings.get(&LATE_DATA) {
        Some(LateData::IngestionCursor) => settings.get(&INGESTION_MARGIN_MINUTES),
        Some(LateData::Sync) | None => None,
    };
    let latest = (now(), margin.unwrap_or(Duration::ZERO));
    let (from, to) = (arguments.from_date.as_str(), arguments.to_date.as_str());
    let days = request::whole_days(("--from-date", from), ("--to-date", to), &zone, latest)?;
    let [Some(first), Some(last)] = [days.first(), days.last()] else {
        let what = format!("{zone} skips this date");
        return Err(Problems::one("--from-date", what));
    };
    Ok(Request { from_date: first.date(), to_date: last.date(), force: arguments.force })
}

/// A name that no other execution has.
fn new_name(request: &Request) -> String {
    format!("backfill-{}-{}-{}", request.from_date, request.to_date, now().as_millisecond())
}

fn document(stack: &Stack, begun: &Begun, ended: &Execution) -> Value {
    let (outcome, report, error, cause) = match &ended.outcome {
        Outcome::Running => ("running", Value::Null, None, None),
        Outcome::Succeeded(output) => ("succeeded", output.clone(), None, None),
        Outcome::Ended { how, error, cause } => {
            (how.as_str(), Value::Null, error.as_ref(), cause.as_ref())
        }
    };
    json!({
        "stack": stack.name,
        "execution": ended.arn,
        "started_now": matches!(begun, Begun::Started(_)),
        "request": ended.request,
        "started": ended.started,
        "stopped": ended.stopped,
        "outcome": outcome,
        "report": report,
        "error": error,
        "cause": cause,
    })
}
