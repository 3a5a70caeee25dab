//! The export function: slices in, a report out.
//!
//! A run of the schedule first exports what runs before it did not publish, then its own slice. A scheduled sync
//! fetches the closed days that are due again. What a later run makes up for is no failure of this one.

use super::backfill;
use super::kept::{About, keep, record};
use super::source::Caller;
use crate::answer::{Failure, Kind};
use crate::clients::Clients;
use crate::config::{ExportConfig, Pipeline};
use crate::report::Kept;
use crate::request::{self, Request};
use crate::settings::{Place, Settings};
use crate::{clock, metrics, report};
use mixlake_app::export::{ExportReport, Exporter, Missing, OnEmpty, RunTime, Safeguards};
use mixlake_app::ports::{Clock, EventSource, ObjectStore};
use mixlake_app::runs::Why;
use mixlake_domain::{Date, Slice, Timestamp};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The export function.
pub struct ExportHandler {
    config: ExportConfig,
    clients: Clients,
    store: Arc<dyn ObjectStore>,
}

/// What a function keeps of its time, to publish what it has.
const TO_PUBLISH: Duration = Duration::from_mins(1);

/// How slices are exported.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    /// Whether slices that are published are fetched again.
    pub force: bool,
    /// The time that there is.
    pub time: Option<RunTime>,
    /// What may happen to live rows.
    pub safeguards: Safeguards,
    /// Why, where the table of runs is to say so. The function says it slice by slice.
    pub why: Option<Why>,
}

impl ExportHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = ExportConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        if let Some(Pipeline { place: Place::Folder(folder), .. }) = &config.pipeline {
            let what = format!("RAW_PIPELINE_LOCATION: must be s3://bucket/prefix, got {folder:?}");
            return Err(Failure::new(Kind::InvalidSettings, what));
        }
        let bucket = crate::config::bucket(settings).map_err(|p| Failure::settings(&p))?;
        let session = format!("mixlake-export-{}", config.lake.project);
        let clients = Clients::new(config.lake.access.clone(), session);
        let store = Arc::new(clients.lake(bucket).await?);
        Ok(Self { config, clients, store })
    }

    /// Exports the slices that a payload asks for, in the time that is left.
    pub async fn handle(&self, payload: &Value, left: Duration) -> Result<Value, Failure> {
        if backfill::is_of_backfill(payload) {
            return backfill::answer(&self.config, &*self.store, payload).await;
        }
        let now = clock::now();
        let request = request::read(payload, &self.config.zone, self.config.terms(), now)
            .map_err(|problems| Failure::new(Kind::InvalidPayload, problems))?;
        let left = left.saturating_sub(TO_PUBLISH);
        // The reserved part of the budget is for new slices; a sync can wait.
        let is_new = request.due.is_some() && !request.sync;
        let caller = Caller::invocation(is_new, left);
        let caller = if request.backfill { caller.who_comes_back() } else { caller };
        let source = self.source(caller).await?;
        let run = Run {
            force: request.force,
            time: Some(RunTime { begins: now, ends: now + left }),
            safeguards: safeguards(&self.config, &request),
            why: None,
        };
        answer(&self.config, &*source, &*self.store, &request, run).await
    }

    async fn source(&self, caller: Caller) -> Result<Box<dyn EventSource>, Failure> {
        if let Some(Pipeline { place: Place::Bucket { bucket, prefix }, delay }) =
            &self.config.pipeline
        {
            let files = Arc::new(self.clients.source(bucket.clone()).await?);
            return Ok(Box::new(self.config.pipeline(files, prefix, *delay)));
        }
        let Some(secret) = &self.config.secret else {
            let what = "MIXPANEL_SECRET: required: the name or ARN of a Secrets Manager secret";
            return Err(Failure::new(Kind::InvalidSettings, what));
        };
        let credentials = self.clients.credentials(secret).await?;
        Ok(Box::new(self.config.source(credentials, caller, Arc::clone(&self.store))?))
    }
}

/// What a run may do to live rows. A scheduled sync asks for many days in a row, so a source that answers nothing for a
/// while could empty all of them. It therefore never empties a day; a person may.
fn safeguards(config: &ExportConfig, request: &Request) -> Safeguards {
    let safeguards = config.safeguards();
    let is_alone = request.sync && request.due.is_some();
    Safeguards { empty: if is_alone { OnEmpty::Refuse } else { safeguards.empty }, ..safeguards }
}

/// What a request is answered.
async fn answer(
    config: &ExportConfig,
    source: &dyn EventSource,
    store: &dyn ObjectStore,
    request: &Request,
    run: Run,
) -> Result<Value, Failure> {
    let (clock, began): (Clock, _) = (Arc::new(clock::now), clock::now());
    let exporter = exporter(config, source, store, &clock, run);
    exporter.check().await.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    let asked = config.by_cursor(request.slices.clone());
    if request.sync {
        let report = sync_requested(config, &exporter, request).await?;
        if report.slices.is_empty() {
            return Ok(report::summary(&report));
        }
        let kept = keep(config, store, &report, About { began, why: &|_| Why::Sync }).await;
        return finish(&report, &kept, request);
    }
    let Some(due) = request.due else {
        let report = exporter.export(&asked).await;
        emit(config, &report);
        let why = if request.backfill { Why::Backfill } else { Why::Manual };
        let kept = keep(config, store, &report, About { began, why: &|_| why }).await;
        return finish(&report, &kept, request);
    };
    let missing = missing(config, &exporter, due).await?;
    let report = exporter.export(&with_missing(missing.slices.clone(), asked.clone())).await;
    emit(config, &report);
    let age = age_of_oldest(config, &missing, &report);
    metrics::emit_age(config.lake.project.as_str(), age, clock::now().as_millisecond());
    let why = |slice: &Slice| turn(slice, &asked);
    let kept = keep(config, store, &report, About { began, why: &why }).await;
    finish(&report, &kept, request)
}

/// The answer to a request. A schedule makes up for slices that a later run can export.
fn finish(report: &ExportReport, kept: &Kept, request: &Request) -> Result<Value, Failure> {
    if report.is_whole() {
        return Ok(report::answer(report, kept));
    }
    if request.due.is_some() && report.is_for_later() {
        let slices = report.errors().count();
        tracing::warn!(slices, "some slices are left to the next scheduled run");
        return Ok(report::answer(report, kept));
    }
    Err(report::failure(report, kept, request))
}

/// Why a scheduled run tries a slice: it is its turn, or an earlier run left it.
fn turn(slice: &Slice, due: &[Slice]) -> Why {
    let is_due = due.iter().any(|due| due.label() == slice.label());
    if is_due { Why::Schedule } else { Why::CatchUp }
}

/// Fetches days again: those of a person, or those of the schedule that are due.
async fn sync_requested(
    config: &ExportConfig,
    exporter: &Exporter<'_>,
    request: &Request,
) -> Result<ExportReport, Failure> {
    let mut dates: Vec<Date> = request.slices.iter().map(Slice::date).collect();
    if let Some(since) = request.due {
        let due = exporter.due_for_sync(&dates, since).await;
        dates = due.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
        tracing::info!(days = dates.len(), "the days that are due are fetched again");
    }
    let report = exporter.sync(&dates).await;
    emit(config, &report);
    if request.due.is_some() {
        let left = report.errors().count();
        metrics::emit_days_to_sync(
            config.lake.project.as_str(),
            left,
            clock::now().as_millisecond(),
        );
    }
    Ok(report)
}

fn exporter<'a>(
    config: &'a ExportConfig,
    source: &'a dyn EventSource,
    store: &'a dyn ObjectStore,
    clock: &'a Clock,
    run: Run,
) -> Exporter<'a> {
    Exporter {
        source,
        store,
        layout: &config.lake.layout,
        zone: &config.zone,
        options: &config.options,
        ingestion_start: config.cursor.map(|cursor| cursor.start),
        clock,
        time: run.time,
        force: run.force,
        safeguards: run.safeguards,
    }
}

/// What runs of the schedule before `due` should have published, and did not.
async fn missing(
    config: &ExportConfig,
    exporter: &Exporter<'_>,
    due: Timestamp,
) -> Result<Missing, Failure> {
    let expected = request::expected(due, &config.zone, config.terms(), config.catch_up_days);
    let expected: Vec<_> =
        expected.into_iter().map(|date| config.expected_by_cursor(date)).collect();
    let missing = exporter.missing(&expected).await;
    let missing = missing.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    if !missing.slices.is_empty() {
        tracing::warn!(slices = missing.slices.len(), oldest = %missing.slices[0], "earlier slices are missing; they are exported first");
    }
    if let Some((from, to)) = missing.before {
        tracing::warn!(%from, %to, days = config.catch_up_days, "dates older than catch_up_days are missing; export them by hand");
    }
    Ok(missing)
}

/// The missing slices, then those that are due and not among them.
fn with_missing(mut slices: Vec<Slice>, due: Vec<Slice>) -> Vec<Slice> {
    let others: Vec<Slice> = due
        .into_iter()
        .filter(|due| !slices.iter().any(|slice| slice.label().overlaps(&due.label())))
        .collect();
    slices.extend(others);
    slices
}

/// For how long the oldest slice has been due that is not published; none if there is none.
fn age_of_oldest(config: &ExportConfig, missing: &Missing, report: &ExportReport) -> Duration {
    let failed = report.slices.iter().filter(|slice| slice.outcome.is_err());
    let failed = failed.map(|slice| slice.slice.end());
    let before = missing.before.map(|(first, _)| config.zone.start_of(first));
    let oldest = failed.chain(before).min();
    oldest.map_or(Duration::ZERO, |oldest| clock::since(oldest + config.delay()))
}

fn emit(config: &ExportConfig, report: &ExportReport) {
    for whole in report.whole().filter(|slice| slice.status.was_received()) {
        metrics::emit(config.lake.project.as_str(), whole, clock::now().as_millisecond());
    }
}

/// Exports slices from any source into any store. If the run says why, it is recorded in the table of
/// runs. An error: the lake cannot be used, and nothing was begun.
pub async fn export(
    config: &ExportConfig,
    source: &dyn EventSource,
    store: &dyn ObjectStore,
    slices: &[Slice],
    run: Run,
) -> Result<ExportReport, Failure> {
    let (clock, began): (Clock, _) = (Arc::new(clock::now), clock::now());
    let exporter = exporter(config, source, store, &clock, run);
    exporter.check().await.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    let report = exporter.export(slices).await;
    if let Some(why) = run.why {
        record(config, store, &report, About { began, why: &|_| why }, None).await;
    }
    Ok(report)
}

/// Fetches days from any source again, and records when. An error: the lake cannot be used, and nothing was begun.
pub async fn sync(
    config: &ExportConfig,
    source: &dyn EventSource,
    store: &dyn ObjectStore,
    days: &[Slice],
    run: Run,
) -> Result<ExportReport, Failure> {
    let (clock, began): (Clock, _) = (Arc::new(clock::now), clock::now());
    let exporter = exporter(config, source, store, &clock, run);
    exporter.check().await.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    let dates: Vec<Date> = days.iter().map(Slice::date).collect();
    let report = exporter.sync(&dates).await;
    if let Some(why) = run.why {
        record(config, store, &report, About { began, why: &|_| why }, None).await;
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_scheduled_sync_never_empties_a_day() {
        let settings = Settings::from_pairs(["project_id=42"]).unwrap();
        let config = ExportConfig::check(&settings).unwrap();
        let on_empty = |payload: Value| {
            let request = request::read(&payload, &config.zone, config.terms(), clock::now());
            safeguards(&config, &request.unwrap()).empty
        };
        assert_eq!(on_empty(json!({"sync_time": "2026-11-10T14:40:00Z"})), OnEmpty::Refuse);
        assert_eq!(on_empty(json!({"date": "2020-11-10", "sync": true})), OnEmpty::AskAgain);
        assert_eq!(on_empty(json!({"scheduled_time": "2026-11-10T14:10:00Z"})), OnEmpty::AskAgain);
    }
}
