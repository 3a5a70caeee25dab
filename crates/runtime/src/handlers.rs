//! The handlers of the two functions: payload in, answer out.

use crate::answer::{Failure, Kind};
use crate::config::{CatalogBy, Cursor, ExportConfig, LakeConfig, Pipeline, Place};
use crate::notification::{Message, Notification, ObjectName};
use crate::settings::Settings;
use crate::{aws, clock, metrics, request};
use aws_config::SdkConfig;
use mixlake_app::budget::{Priority, SharedBudget};
use mixlake_app::export::{ExportReport, Exporter};
use mixlake_app::ports::{Catalog, Clock, EventSource, ObjectStore};
use mixlake_app::reconcile::Reconciler;
use mixlake_domain::Slice;
use mixlake_mixpanel::{Ingestion, MixpanelSource, PipelineConfig, PipelineSource};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The export function.
pub struct ExportHandler {
    config: ExportConfig,
    sdk: SdkConfig,
    store: Arc<dyn ObjectStore>,
}

/// What a function keeps of its time, to publish what it has.
const TO_PUBLISH: Duration = Duration::from_mins(1);

impl ExportHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = ExportConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        if let Some(Pipeline { place: Place::Folder(folder), .. }) = &config.pipeline {
            let what =
                format!("RAW_PIPELINE_LOCATION: s3://bucket/prefix is expected, got {folder:?}");
            return Err(Failure::new(Kind::InvalidSettings, what));
        }
        let sdk = aws::sdk_config(settings).await;
        let store = Arc::new(aws::store(&sdk, settings)?);
        Ok(Self { config, sdk, store })
    }

    /// Exports the slices that a payload asks for, in the time that is left.
    pub async fn handle(&self, payload: &Value, left: Duration) -> Result<Value, Failure> {
        let now = clock::now();
        let slices = request::slices(payload, &self.config.zone, self.config.terms(), now)
            .map_err(|problems| Failure::new(Kind::InvalidPayload, problems))?;
        let slices = self.config.by_cursor(slices);
        let source = self.source(Patience::of(payload, left)).await?;
        let report = export(&self.config, &*source, &*self.store, &slices).await?;
        for whole in report.whole() {
            metrics::emit(self.config.lake.project.as_str(), whole, now.as_millisecond());
        }
        if report.is_whole() {
            return Ok(summary(&report));
        }
        Err(failure(&report))
    }

    async fn source(&self, patience: Patience) -> Result<Box<dyn EventSource>, Failure> {
        if let Some(Pipeline { place: Place::Bucket { bucket, prefix }, delay }) =
            &self.config.pipeline
        {
            let files = Arc::new(aws::bucket(&self.sdk, bucket.clone())?);
            return Ok(Box::new(self.config.pipeline(files, prefix, *delay)));
        }
        let Some(secret) = &self.config.secret else {
            let what = "MIXPANEL_SECRET: required: the name or ARN of a Secrets Manager secret";
            return Err(Failure::new(Kind::InvalidSettings, what));
        };
        let credentials = aws::credentials(&self.sdk, secret).await?;
        Ok(Box::new(self.config.source(credentials, patience, Arc::clone(&self.store))?))
    }
}

/// Who asks Mixpanel, and how long for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Whose share of the query budget is used.
    pub priority: Priority,
    /// A wait for it that would pass this is left to the caller.
    pub deadline: Option<Instant>,
}

impl Patience {
    /// Those of an invocation, in the time that is left.
    fn of(payload: &Value, left: Duration) -> Self {
        let scheduled = request::is_scheduled(payload);
        let priority = if scheduled { Priority::Scheduled } else { Priority::Backfill };
        Self { priority, deadline: Some(Instant::now() + left.saturating_sub(TO_PUBLISH)) }
    }

    /// A person who exports a long range would rather wait for the budget than come back for it.
    #[must_use]
    pub fn of_a_person() -> Self {
        Self { priority: Priority::Backfill, deadline: None }
    }
}

impl ExportConfig {
    /// The project's query budget, in its lake.
    fn budget(&self, store: Arc<dyn ObjectStore>, priority: Priority) -> SharedBudget {
        let key = self.lake.layout.budget();
        SharedBudget { store, key, limits: self.limits, priority, clock: Arc::new(clock::now) }
    }

    /// The files of a pipeline, as the settings say.
    #[must_use]
    pub fn pipeline(
        &self,
        files: Arc<dyn ObjectStore>,
        prefix: &str,
        delay: Duration,
    ) -> PipelineSource {
        let config = PipelineConfig {
            prefix: prefix.to_owned(),
            project_id: self.lake.project.clone(),
            zone: self.zone.clone(),
            events: self.events.clone(),
            wall_clock: self.options.wall_clock.clone(),
            delay,
            backoff_base: Duration::from_secs(1),
        };
        PipelineSource::new(files, config, Arc::new(clock::now))
    }

    /// Mixpanel's API, as the settings say, within the query budget that lies in the lake.
    pub fn source(
        &self,
        credentials: mixlake_mixpanel::Credentials,
        patience: Patience,
        lake: Arc<dyn ObjectStore>,
    ) -> Result<MixpanelSource, Failure> {
        let mut config = mixlake_mixpanel::Config::new(
            self.endpoint.clone(),
            self.lake.project.clone(),
            credentials,
        );
        config.events = self.events.clone();
        config.where_expression.clone_from(&self.where_expression);
        config.event_time = self.event_time.clone();
        config.zone = self.zone.clone();
        if let Some(Cursor { start, window_days, margin }) = self.cursor {
            let window = Duration::from_hours(u64::from(window_days) * 24);
            let since = Some(self.zone.start_of(start));
            config.ingestion = Ingestion { since, window, margin };
        }
        config.deadline = patience.deadline;
        let source = MixpanelSource::new(config)
            .map_err(|error| Failure::caused(Kind::InvalidSettings, &error))?;
        Ok(source.sharing(Arc::new(self.budget(lake, patience.priority))))
    }
}

/// Exports slices from any source into any store. An error: the lake cannot be used, and nothing
/// was begun.
pub async fn export(
    config: &ExportConfig,
    source: &dyn EventSource,
    store: &dyn ObjectStore,
    slices: &[Slice],
) -> Result<ExportReport, Failure> {
    let (layout, zone, options) = (&config.lake.layout, &config.zone, &config.options);
    let ingestion_start = config.cursor.map(|cursor| cursor.start);
    let clock: Clock = Arc::new(clock::now);
    let exporter =
        Exporter { source, store, layout, zone, options, ingestion_start, clock: &clock };
    exporter.check().await.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    Ok(exporter.export(slices).await)
}

/// The report of an export, as documented in docs/REPORT.md.
#[must_use]
pub fn summary(report: &ExportReport) -> Value {
    let slices = report.slices.iter().map(|slice| match &slice.outcome {
        Ok(whole) => json!(whole),
        Err(error) => json!({
            "slice": slice.slice.to_string(),
            "from": slice.slice.start().to_string(),
            "to": slice.slice.end().to_string(),
            "status": "failed",
            "error": mixlake_app::chain(error),
        }),
    });
    let mut summary = json!({"slices": slices.collect::<Vec<_>>(), "totals": report.totals()});
    if let Some(seconds) = retry_after_seconds(report) {
        summary["retry_after_seconds"] = seconds.into();
    }
    summary
}

/// The failure of an export that is not whole. One that has to wait for the query budget says so in
/// a form that whoever invoked the function can act on.
fn failure(report: &ExportReport) -> Failure {
    let Some(seconds) = retry_after_seconds(report) else {
        return Failure::new(Kind::SliceFailed, failed(report));
    };
    let document = json!({
        "retry_after_seconds": seconds,
        "error": "the project's query budget is used up; ask for what is not published again",
        "report": summary(report),
    });
    Failure::new(Kind::RateLimited, document)
}

/// Rounded up: who comes back then is let in.
fn retry_after_seconds(report: &ExportReport) -> Option<u64> {
    let wait = report.retry_after()?;
    Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX))
}

/// What to say of an export that is not whole: what failed, what to do, and the whole report.
fn failed(report: &ExportReport) -> String {
    let errors: Vec<String> = report
        .slices
        .iter()
        .filter_map(|s| {
            Some(format!("{}: {}", s.slice, mixlake_app::chain(s.outcome.as_ref().err()?)))
        })
        .collect();
    format!(
        "{} of {} slices are not published: {}. What is published stays so; ask for the others \
         again, from the first that failed. Report: {}",
        errors.len(),
        report.slices.len(),
        errors.join("; "),
        summary(report)
    )
}

/// The catalog function.
pub struct CatalogHandler {
    config: LakeConfig,
    bucket: String,
    store: Box<dyn ObjectStore>,
    catalog: Box<dyn Catalog>,
}

impl CatalogHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = LakeConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        let bucket = crate::config::bucket(settings).map_err(|p| Failure::settings(&p))?;
        let sdk = aws::sdk_config(settings).await;
        let store = Box::new(aws::store(&sdk, settings)?);
        let catalog = Box::new(aws::catalog(&sdk, &config.database));
        Ok(Self { config, bucket, store, catalog })
    }

    /// A handler over any store and catalog.
    #[must_use]
    pub fn over(
        config: LakeConfig,
        bucket: &str,
        store: Box<dyn ObjectStore>,
        catalog: Box<dyn Catalog>,
    ) -> Self {
        Self { config, bucket: bucket.to_owned(), store, catalog }
    }

    /// Brings the objects that a notification names into the catalog.
    pub async fn handle(&self, payload: Value) -> Result<Value, Failure> {
        let notification = Notification::read(payload)
            .map_err(|error| Failure::caused(Kind::InvalidPayload, &error))?;
        match notification {
            Notification::Queue(messages) => Ok(self.queue(&messages).await),
            Notification::Direct(objects) => self.direct(&objects).await,
        }
    }

    /// Answers which messages have to come again; the others are done.
    async fn queue(&self, messages: &[Message]) -> Value {
        let objects = messages.iter().filter_map(|m| m.objects.as_ref().ok()).flatten();
        let failed = self.reconcile(objects).await.1;
        let again = |message: &&Message| match &message.objects {
            Err(error) => {
                let error = mixlake_app::chain(error);
                tracing::error!(message = message.id, error, "the message cannot be read");
                true
            }
            Ok(objects) => objects.iter().any(|o| self.is_ours(o) && failed.contains_key(&o.key)),
        };
        let failures: Vec<Value> = messages
            .iter()
            .filter(again)
            .map(|message| json!({"itemIdentifier": message.id}))
            .collect();
        json!({ "batchItemFailures": failures })
    }

    async fn direct(&self, objects: &[ObjectName]) -> Result<Value, Failure> {
        let (tables, failed) = self.reconcile(objects).await;
        if failed.is_empty() {
            return Ok(json!({ "tables": tables }));
        }
        let failed: Vec<String> =
            failed.into_iter().map(|(key, error)| format!("{key}: {error}")).collect();
        Err(Failure::new(Kind::CatalogFailed, failed.join("; ")))
    }

    async fn reconcile(
        &self,
        objects: impl IntoIterator<Item = &ObjectName>,
    ) -> (Value, BTreeMap<String, String>) {
        if self.config.catalog == CatalogBy::Crawler {
            tracing::info!("catalog=crawler: the tables are a crawler's, nothing to do here");
            return (json!([]), BTreeMap::new());
        }
        let keys = objects.into_iter().filter(|o| self.is_ours(o)).map(|o| o.key.as_str());
        let reconciler = Reconciler {
            store: &*self.store,
            catalog: &*self.catalog,
            layout: &self.config.layout,
            project: &self.config.project,
            table_prefix: &self.config.table_prefix,
            on_drift: self.config.on_drift,
        };
        let done = reconciler.reconcile(keys).await;
        for table in &done.tables {
            for what in &table.repaired {
                tracing::warn!(table = table.table, what, "the table was put right");
            }
            tracing::info!(
                table = table.table,
                created = table.created,
                appended_columns = table.appended_columns.len(),
                partitions_set = table.partitions_set.len(),
                partitions_removed = table.partitions_removed.len(),
                "the table is up to date"
            );
        }
        let failed =
            done.failed.iter().map(|(key, error)| (key.clone(), mixlake_app::chain(&**error)));
        (json!(done.tables), failed.collect())
    }

    fn is_ours(&self, object: &ObjectName) -> bool {
        object.bucket == self.bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_app::export::{ExportError, SliceOutcome};
    use mixlake_app::ports::{Precondition, SourceError};
    use mixlake_domain::{Window, Zone};
    use mixlake_mixpanel::EventTime;
    use mixlake_testkit::store::MemoryStore;

    /// A project whose events carry wall clock readings, at an address where nobody listens.
    fn old_project() -> ExportConfig {
        let pairs = [
            "project_id=1",
            "timezone=Europe/Berlin",
            "project_created_before_2023=true",
            "mixpanel_endpoint=http://127.0.0.1:9",
        ];
        ExportConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap()
    }

    fn source(patience: Patience, lake: &MemoryStore) -> MixpanelSource {
        let credentials = mixlake_mixpanel::Credentials::from_pair("me:s").unwrap();
        old_project().source(credentials, patience, Arc::new(lake.clone())).unwrap()
    }

    /// How a source answers in a lake with this budget document.
    async fn asked(patience: Patience, budget: &Value) -> SourceError {
        let lake = MemoryStore::new();
        let key = old_project().lake.layout.budget();
        lake.put(&key, budget.to_string().into(), Precondition::Absent).await.unwrap();
        let slice = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
        let asked = source(patience, &lake).fetch(&Window::whole(&slice), 0).await;
        asked.map(|_| ()).unwrap_err()
    }

    const LEFT: Duration = Duration::from_mins(15);

    #[tokio::test]
    async fn the_schedule_finds_the_part_of_the_budget_that_persons_leave() {
        let minute_ago = clock::now().as_millisecond() - 60_000;
        let most = json!({"format": 1, "started": vec![minute_ago; 50]});
        let person = Patience::of(&json!({"date": "2026-11-10"}), LEFT);
        let schedule = Patience::of(&json!({"scheduled_time": "2026-11-10T14:10:00Z"}), LEFT);
        let error = asked(person, &most).await;
        assert!(matches!(error, SourceError::RateLimited { .. }), "{error:?}");
        let error = asked(schedule, &most).await;
        assert!(matches!(error, SourceError::Unreachable { .. }), "it asks: {error:?}");
    }

    #[tokio::test]
    async fn a_function_does_not_wait_past_its_deadline() {
        let now = clock::now().as_millisecond();
        let half_an_hour = now + 1_800_000;
        let closed =
            json!({"format": 1, "started": [], "closed": {"since": now, "until": half_an_hour}});
        let patience = Patience::of(&json!({"date": "2026-11-10"}), LEFT);
        let asking = asked(patience, &closed);
        let error = tokio::time::timeout(Duration::from_mins(1), asking).await.unwrap();
        assert!(matches!(error, SourceError::RateLimited { .. }), "{error:?}");
    }

    #[test]
    fn what_the_settings_say_of_time_reaches_the_source() {
        let source = format!("{:?}", source(Patience::of_a_person(), &MemoryStore::new()));
        let config = old_project();
        let event_time = format!("event_time: {:?}", EventTime::WallClock(config.zone.clone()));
        let zone = format!("zone: {:?}", config.zone);
        assert!(source.contains(&event_time) && source.contains(&zone), "{source}");
        assert!(source.contains("deadline: None"), "{source}");
    }

    fn report(error: SourceError) -> ExportReport {
        let slice = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
        let outcome = Err(ExportError::Source(error));
        ExportReport { slices: vec![SliceOutcome { slice, outcome }] }
    }

    #[test]
    fn a_used_up_budget_is_answered_with_the_time_to_come_back() {
        let failure = failure(&report(SourceError::RateLimited {
            retry_after: Duration::from_millis(1_799_001),
        }));
        assert_eq!(failure.kind, Kind::RateLimited);
        let document: Value = serde_json::from_str(&failure.message).unwrap();
        assert_eq!(document["retry_after_seconds"], 1800);
        assert_eq!(document["report"]["slices"][0]["slice"], "2026-11-10");
        assert_eq!(document["report"]["retry_after_seconds"], 1800);
    }

    #[test]
    fn any_other_failure_is_told_in_words() {
        let failure = failure(&report(SourceError::Refused("401".to_owned())));
        assert_eq!(failure.kind, Kind::SliceFailed);
        assert!(failure.message.starts_with("1 of 1 slices are not published"), "{failure}");
    }
}
