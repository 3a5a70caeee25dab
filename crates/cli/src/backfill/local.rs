//! A backfill without a stack: the same days, exported one after another.

use crate::arguments::Export;
use crate::export::{Work, check, source};
use crate::show::{Meter, Metered};
use crate::{lake, neighbours, show};
use anyhow::{Context, Result};
use mixlake_app::backfill::{Backfill, Plan};
use mixlake_app::export::{ExportError, ExportReport, SliceOutcome};
use mixlake_app::ports::{EventSource, ObjectStore, SourceError};
use mixlake_app::runs::Why;
use mixlake_domain::{Slice, Timestamp};
use mixlake_runtime::config::ExportConfig;
use mixlake_runtime::{Caller, Clients, Run, export, keep_whole, now, summary};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Exports the days that are not published. Answers whether all are afterwards.
pub async fn run(arguments: &Export, account: Option<String>, verbose: bool) -> Result<bool> {
    let (settings, problems) = lake::settings(&arguments.lake);
    let (config, asked) =
        check(arguments, Work::Backfill, &settings, account.as_deref(), problems)?;
    neighbours::check(&arguments.lake, &config.lake, &settings).await?;
    let clients = Clients::new(config.lake.access.clone(), lake::SESSION);
    let store = lake::store(&arguments.lake, &settings, &clients).await?;
    let source = source(&clients, &config, account, &store, Caller::backfill()).await?;
    let backfill = Backfill { store: &*store, layout: &config.lake.layout, zone: &config.zone };
    let plan =
        backfill.plan(&asked.slices, arguments.force).await.context("cannot plan the backfill")?;
    show::note(&show::local_note(&plan));
    let began = now();
    let report = carry_out(&plan, source, &config, &*store, arguments.force, verbose).await?;
    let kept = if plan.slices.is_empty() {
        None
    } else {
        Some(keep_whole(&config, &*store, &report, began).await)
    };
    if arguments.lake.json {
        show::json(&document(arguments, &plan, &report, kept.as_ref()))?;
    } else {
        let run = show::Run {
            location: &|key| store.location(key),
            root: &store.location(config.lake.layout.root()),
            input: None,
            next: &lake::command("catalog", &arguments.lake, &[]),
        };
        show::text(&show::local(&report, &plan, kept.as_ref(), &run))?;
    }
    Ok(report.is_whole())
}

/// Where the report is in the lake, or why it is not.
type Kept = Result<String, String>;

fn document(arguments: &Export, plan: &Plan, report: &ExportReport, kept: Option<&Kept>) -> Value {
    let mut document = summary(report);
    match kept {
        Some(Ok(location)) => document["report_location"] = location.as_str().into(),
        Some(Err(error)) => document["report_error"] = error.as_str().into(),
        None => {}
    }
    document["backfill"] = json!({
        "from_date": arguments.from_date,
        "to_date": arguments.to_date,
        "force": arguments.force,
        "days": plan.days,
        "published_before": plan.published(),
    });
    document
}

/// Exports all slices of a plan. A used-up query budget is no failure: the export waits for it.
async fn carry_out(
    plan: &Plan,
    source: Box<dyn EventSource>,
    config: &ExportConfig,
    store: &dyn ObjectStore,
    force: bool,
    verbose: bool,
) -> Result<ExportReport> {
    let meter = Arc::new(Mutex::new(Meter::new(verbose, config.limits.of_a_backfill())));
    let labels = plan.slices.iter().map(Slice::label).collect();
    let source = Metered::new(source, labels, Arc::clone(&meter));
    let (safeguards, why) = (config.safeguards(), Some(Why::Backfill));
    let run = Run { force, time: None, safeguards, why };
    let mut report = ExportReport::default();
    let mut left = plan.slices.clone();
    while !left.is_empty() {
        let mut part = export(config, &source, store, &left, run).await?;
        let wait = part.retry_after();
        left = rate_limited(&mut part);
        report.slices.extend(part.slices);
        if let Some(wait) = wait {
            let (done, total) = (report.slices.len() as u64, plan.slices.len() as u64);
            let until = in_seconds(wait).to_string();
            meter.lock().unwrap_or_else(PoisonError::into_inner).waits(done, total, &until);
            tokio::time::sleep(wait).await;
        }
    }
    Ok(report)
}

/// Takes the slices out of a report that wait for the query budget: from the first one on, all do.
fn rate_limited(report: &mut ExportReport) -> Vec<Slice> {
    let waits = |slice: &SliceOutcome| {
        matches!(slice.outcome, Err(ExportError::Source(SourceError::RateLimited { .. })))
    };
    let first = report.slices.iter().position(waits).unwrap_or(report.slices.len());
    report.slices.split_off(first).into_iter().map(|slice| slice.slice).collect()
}

/// The second after a wait.
fn in_seconds(wait: Duration) -> Timestamp {
    let end = now() + wait;
    Timestamp::from_second(end.as_second() + 1).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_domain::Zone;

    fn outcome(day: &str, outcome: Result<(), ExportError>) -> SliceOutcome {
        let slice = Slice::parse(day, &Zone::UTC).unwrap();
        let label = slice.label();
        let outcome = Err(outcome.err().unwrap_or(ExportError::NotTried(label)));
        SliceOutcome { slice, outcome, effort: None }
    }

    #[test]
    fn only_slices_that_wait_for_the_budget_are_tried_again() {
        let refused = ExportError::Source(SourceError::Refused("400".to_owned()));
        let retry_after = Duration::from_mins(1);
        let waits = ExportError::Source(SourceError::RateLimited { retry_after });
        let mut report = ExportReport {
            slices: vec![
                outcome("2026-11-10", Err(refused)),
                outcome("2026-11-11", Err(waits)),
                outcome("2026-11-12", Ok(())),
            ],
        };
        let left: Vec<String> = rate_limited(&mut report).iter().map(ToString::to_string).collect();
        assert_eq!(left, ["2026-11-11", "2026-11-12"]);
        assert_eq!(report.slices.len(), 1);
        assert!(rate_limited(&mut report).is_empty());
    }
}
