//! The maintenance function: replaced files are deleted, the table of identities is brought up to date, and the files
//! of closed days are compacted.

use super::kept::record_rows;
use crate::answer::{Failure, Kind};
use crate::clients::Clients;
use crate::clock;
use crate::config::{IdentitiesConfig, MaintenanceConfig};
use crate::settings::{CatalogBy, Settings};
use mixlake_app::compact::{CompactionOutcome, CompactionReport, Compactor};
use mixlake_app::doctor::Doctor;
use mixlake_app::identities::{IdentityBounds, IdentityMapper};
use mixlake_app::ports::{Catalog, Clock, ObjectStore};
use mixlake_app::reconcile::Reconciler;
use mixlake_app::runs::{Why, identity_row};
use mixlake_columnar::{CompactionBounds, Compression};
use mixlake_domain::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// So many closed days are looked at. A sync may change any of the last days; older ones were compacted before, or are
/// compacted by hand.
const COMPACTED_DAYS: u32 = 30;

/// The most entries of a list in an answer.
const MOST_ITEMS: usize = 1_000;

/// The most problems that an error names.
const MOST_PROBLEMS: usize = 20;

/// The maintenance function.
pub struct MaintenanceHandler {
    config: MaintenanceConfig,
    store: Box<dyn ObjectStore>,
    catalog: Box<dyn Catalog>,
}

impl MaintenanceHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = MaintenanceConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        let bucket = crate::config::bucket(settings).map_err(|p| Failure::settings(&p))?;
        let session = format!("mixlake-maintenance-{}", config.lake.project);
        let clients = Clients::new(config.lake.access.clone(), session);
        let store = Box::new(clients.lake(bucket).await?);
        let catalog = Box::new(clients.catalog(&config.lake.database).await?);
        Ok(Self { config, store, catalog })
    }

    /// Deletes replaced files, brings the table of identities up to date, and compacts the last closed days in the time
    /// that is left.
    pub async fn handle(&self, payload: &Value, left: Duration) -> Result<Value, Failure> {
        if self.config.lake.catalog == CatalogBy::Crawler {
            // Only the locations in the catalog prove that no reader is sent to a replaced file. A crawler reads
            // replaced folders too, so a compacted day would appear twice.
            tracing::info!(
                "catalog=crawler: a crawler keeps the tables, so there is no maintenance"
            );
            return Ok(json!({}));
        }
        let ends = clock::now() + left;
        tracing::info!(%payload, "maintenance begins");
        // Collection is short. It comes first, so that a long compaction cannot keep it from running.
        let (collected, mut problems) = self.collect().await?;
        let mut answer = json!({ "collected": collected });
        if let Some(config) = self.config.identities {
            let why =
                if payload.get("scheduled_time").is_some() { Why::Schedule } else { Why::Manual };
            let (identities, others) = self.identities(config, ends, why).await;
            answer["identities"] = identities;
            problems.extend(others);
        }
        if let Some(compression) = self.config.compact {
            let (compacted, others) = self.compact(compression, ends).await?;
            answer["compacted"] = compacted;
            problems.extend(others);
        }
        if problems.is_empty() { Ok(answer) } else { Err(failed(&problems)) }
    }

    async fn collect(&self) -> Result<(Value, Vec<String>), Failure> {
        let lake = &self.config.lake;
        let lake = Reconciler {
            store: &*self.store,
            catalog: &*self.catalog,
            layout: &lake.layout,
            project: &lake.project,
            table_prefix: &lake.table_prefix,
            on_drift: lake.on_drift,
        };
        let (now, grace) = (clock::now().into(), self.config.keep_replaced);
        let doctor = Doctor { lake, engines: &[], deep: false, now, grace };
        let collection = doctor.collect(None).await;
        let collection =
            collection.map_err(|error| Failure::caused(Kind::MaintenanceFailed, &error))?;
        for day in &collection.deleted {
            let (table, day, files) = (&day.table, &day.subject, day.files);
            tracing::info!(table, day, files, "replaced files were deleted");
        }
        let failed = collection.failed.iter();
        let problems =
            failed.map(|day| format!("{} {}: {}", day.table, day.subject, day.error)).collect();
        let mut document = json!(collection);
        for list in ["deleted", "kept", "failed"] {
            shorten(&mut document[list]);
        }
        Ok((document, problems))
    }

    /// Brings the table of identities up to date, in half of the time that is left: the days that it has read by then
    /// are kept, so the next run goes on.
    async fn identities(
        &self,
        config: IdentitiesConfig,
        ends: Timestamp,
        why: Why,
    ) -> (Value, Vec<String>) {
        let clock: Clock = Arc::new(clock::now);
        let scratch = std::env::temp_dir();
        let now = clock::now();
        let half = ends.duration_since(now) / 2;
        let lake = &self.config.lake;
        let options = config.options(&lake.project, env!("CARGO_PKG_VERSION"));
        let mapper = IdentityMapper {
            store: &*self.store,
            layout: &lake.layout,
            options: &options,
            merge: config.merge,
            bounds: IdentityBounds::default(),
            clock: &clock,
            ends: Some(now + half),
            scratch: &scratch,
        };
        let done = mapper.run().await;
        let row = identity_row(&done, (now, clock::now()), options.version, why);
        record_rows((&lake.layout, &options), &*self.store, &[row]).await;
        let report = match done {
            Ok(report) => report,
            Err(error) => {
                let problem = format!("identities: {}", mixlake_app::chain(&error));
                return (json!({ "status": "failed" }), vec![problem]);
            }
        };
        let (days, read, left) = (report.days, report.days_read, report.days_left);
        if left > 0 {
            tracing::warn!(
                days,
                read,
                left,
                "the time is used up; the next maintenance reads the days that are left"
            );
        } else {
            tracing::info!(days, read, identities = report.identities, "identities are up to date");
        }
        let failed = report.failed.iter();
        let problems = failed.map(|day| format!("identities of {}: {}", day.day, day.error));
        let problems = problems.collect();
        let mut document = report.document();
        shorten(&mut document["failed"]);
        (document, problems)
    }

    /// Compacts day after day. A day is not begun if, judging by the days before it, it may not fit.
    async fn compact(
        &self,
        compression: Compression,
        ends: Timestamp,
    ) -> Result<(Value, Vec<String>), Failure> {
        let clock: Clock = Arc::new(clock::now);
        let scratch = std::env::temp_dir();
        let compactor = Compactor {
            store: &*self.store,
            layout: &self.config.lake.layout,
            project: &self.config.lake.project,
            compression,
            version: env!("CARGO_PKG_VERSION"),
            bounds: CompactionBounds::default(),
            clock: &clock,
            scratch: &scratch,
        };
        let wrong = |error| Failure::caused(Kind::MaintenanceFailed, &error);
        let (mut report, mut longest) = (CompactionReport::default(), Duration::ZERO);
        for date in compactor.last_dates(COMPACTED_DAYS).await.map_err(wrong)? {
            let began = clock::now();
            if began + longest * 2 >= ends {
                tracing::warn!(%date, "the time is used up; the next maintenance compacts from this day on");
                break;
            }
            report.targets.extend(compactor.compact(&[date]).await.map_err(wrong)?.targets);
            longest = longest.max(clock::since(began));
        }
        let failed = report.targets.iter().filter_map(|target| {
            let error = target.outcome.as_ref().err()?;
            let day = target.mp_date.map(|date| date.to_string()).unwrap_or_default();
            Some(format!("{} {day}: {}", target.table, mixlake_app::chain(error)))
        });
        let problems = failed.collect();
        report.targets.retain(|target| !matches!(target.outcome, Ok(CompactionOutcome::Unchanged)));
        let mut document = report.document();
        shorten(&mut document["targets"]);
        Ok((document, problems))
    }
}

/// Keeps the beginning of a list: an answer has at most 6 MB.
fn shorten(list: &mut Value) {
    if let Some(items) = list.as_array_mut() {
        items.truncate(MOST_ITEMS);
    }
}

fn failed(problems: &[String]) -> Failure {
    let first: Vec<String> =
        problems.iter().take(MOST_PROBLEMS).map(|it| it.chars().take(500).collect()).collect();
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    let more =
        if more > 0 { format!("; and {more} more, which the log has") } else { String::new() };
    for problem in problems {
        tracing::error!(problem, "maintenance failed for a day");
    }
    Failure::new(Kind::MaintenanceFailed, first.join("; ") + &more)
}
