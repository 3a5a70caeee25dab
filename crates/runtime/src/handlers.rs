//! The handlers of the two functions: payload in, answer out.

use crate::answer::{Failure, Kind};
use crate::config::{CatalogBy, Cursor, ExportConfig, LakeConfig, Pipeline, Place};
use crate::notification::{Message, Notification, ObjectName};
use crate::settings::Settings;
use crate::{aws, clock, metrics, request};
use aws_config::SdkConfig;
use mixlake_app::budget::{Priority, SharedBudget};
use mixlake_app::export::{ExportReport, Exporter};
use mixlake_app::ports::{Catalog, EventSource, ObjectStore};
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
        let deadline = Instant::now() + left.saturating_sub(TO_PUBLISH);
        let now = clock::now();
        let slices = request::slices(payload, &self.config.zone, self.config.terms(), now)
            .map_err(|problems| Failure::new(Kind::InvalidPayload, problems))?;
        let slices = self.config.by_cursor(slices);
        let priority =
            if request::is_scheduled(payload) { Priority::Scheduled } else { Priority::Backfill };
        let source = self.source(priority, deadline).await?;
        let report = export(&self.config, &*source, &*self.store, &slices).await?;
        for whole in report.whole() {
            metrics::emit(self.config.lake.project.as_str(), whole, now.as_millisecond());
        }
        if report.is_whole() {
            return Ok(summary(&report));
        }
        Err(failure(&report))
    }

    async fn source(
        &self,
        priority: Priority,
        deadline: Instant,
    ) -> Result<Box<dyn EventSource>, Failure> {
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
        let budget = self.config.budget(Arc::clone(&self.store), priority);
        Ok(Box::new(self.config.source(credentials, Some(deadline))?.sharing(Arc::new(budget))))
    }
}

impl ExportConfig {
    /// The project's query budget, in its lake.
    #[must_use]
    pub fn budget(&self, store: Arc<dyn ObjectStore>, priority: Priority) -> SharedBudget {
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

    /// Mixpanel's API, as the settings say. It waits for the query budget until the deadline.
    pub fn source(
        &self,
        credentials: mixlake_mixpanel::Credentials,
        deadline: Option<Instant>,
    ) -> Result<MixpanelSource, Failure> {
        let mut config = mixlake_mixpanel::Config::new(
            self.endpoint.clone(),
            self.lake.project.clone(),
            credentials,
        );
        config.events = self.events.clone();
        config.where_expression.clone_from(&self.where_expression);
        config.event_time = self.event_time.clone();
        if let Some(Cursor { start, window_days, margin }) = self.cursor {
            let window = Duration::from_hours(u64::from(window_days) * 24);
            let since = Some(self.zone.start_of(start));
            config.ingestion = Ingestion { since, window, margin };
        }
        config.deadline = deadline;
        MixpanelSource::new(config).map_err(|error| Failure::caused(Kind::InvalidSettings, &error))
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
    let exporter = Exporter { source, store, layout, zone, options };
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
    use mixlake_app::ports::SourceError;
    use mixlake_domain::Zone;

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
