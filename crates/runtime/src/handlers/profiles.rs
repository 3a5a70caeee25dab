//! The function that exports profiles: tables in, a report out.
//!
//! Its schedule fires each hour. A run exports the tables that are due, so a run that ended early is continued by
//! the next one, and most runs find nothing to do.

use super::kept::{keep_document, record_rows};
use super::source::{Caller, Mixpanel};
use crate::answer::{Failure, Kind};
use crate::clients::Clients;
use crate::config::{ProfileTable, ProfilesConfig};
use crate::profile_request::{self, ProfileRequest};
use crate::report::Kept;
use crate::settings::Settings;
use crate::{clock, metrics, profile_report};
use mixlake_app::export::{RunTime, Safeguards};
use mixlake_app::ports::{Clock, ObjectStore, ProfileSource};
use mixlake_app::profiles::{
    ProfileExporter, ProfilesError, ProfilesReport, ProfilesState, TableOutcome,
};
use mixlake_app::runs::{Why, profile_rows};
use mixlake_domain::Timestamp;
use mixlake_mixpanel::{Credentials, MixpanelProfiles};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The function.
pub struct ProfilesHandler {
    config: ProfilesConfig,
    clients: Clients,
    store: Arc<dyn ObjectStore>,
}

/// What a function keeps of its time, to publish what it has.
const TO_PUBLISH: Duration = Duration::from_mins(2);

/// How profiles are exported.
#[derive(Debug, Clone, Copy)]
pub struct ProfileRun {
    /// The time that there is.
    pub time: Option<RunTime>,
    /// What may happen to live rows.
    pub safeguards: Safeguards,
    /// Why, where the table of runs is to say so.
    pub why: Option<Why>,
}

impl ProfilesHandler {
    /// Reads the settings and builds the clients, once.
    pub async fn new(settings: &Settings) -> Result<Self, Failure> {
        let config = ProfilesConfig::check(settings).map_err(|p| Failure::settings(&p))?;
        let bucket = crate::config::bucket(settings).map_err(|p| Failure::settings(&p))?;
        let session = format!("mixlake-profiles-{}", config.lake.project);
        let clients = Clients::new(config.lake.access.clone(), session);
        let store = Arc::new(clients.lake(bucket).await?);
        Ok(Self { config, clients, store })
    }

    /// Exports the profiles that a payload asks for, in the time that is left.
    pub async fn handle(&self, payload: &Value, left: Duration) -> Result<Value, Failure> {
        let began = clock::now();
        let request = profile_request::read(payload, &self.config)
            .map_err(|problems| Failure::new(Kind::InvalidPayload, problems))?;
        let tables = self.wanted(&request).await?;
        let mut report = ProfilesReport::default();
        let mut kept = None;
        if !tables.is_empty() {
            let left = left.saturating_sub(TO_PUBLISH);
            let credentials = self.credentials().await?;
            let caller = Caller::invocation(request.due.is_some(), left);
            let source = |table: &ProfileTable| -> Result<Box<dyn ProfileSource>, Failure> {
                let store = Arc::clone(&self.store);
                let source = self.config.profiles(credentials.clone(), table, caller, store)?;
                Ok(Box::new(source))
            };
            let time = Some(RunTime { begins: began, ends: began + left });
            let run = ProfileRun { time, safeguards: self.config.safeguards, why: None };
            report = export_profiles(&self.config, &*self.store, &tables, source, run).await?;
            let why = if request.due.is_some() { Why::Schedule } else { Why::Manual };
            kept = Some(self.keep(&report, began, why).await);
        }
        self.emit(&report).await;
        finish(&report, kept.as_ref(), &request)
    }

    /// The tables that are asked for, or due.
    async fn wanted(&self, request: &ProfileRequest) -> Result<Vec<ProfileTable>, Failure> {
        let Some(due) = request.due else { return Ok(request.tables.clone()) };
        let Some(since) = self.config.due_since(due) else { return Ok(Vec::new()) };
        let state = self.state().await?;
        let due = request.tables.iter().filter(|table| state.is_due(&table.name, since));
        Ok(due.cloned().collect())
    }

    async fn state(&self) -> Result<ProfilesState, Failure> {
        let state = ProfilesState::read(&*self.store, &self.config.lake.layout).await;
        state.map_err(|error| Failure::caused(Kind::NoLake, &error))
    }

    async fn credentials(&self) -> Result<Credentials, Failure> {
        let Some(secret) = &self.config.secret else {
            let what = "MIXPANEL_SECRET: required: the name or ARN of a Secrets Manager secret";
            return Err(Failure::new(Kind::InvalidSettings, what));
        };
        self.clients.credentials(secret).await
    }

    async fn keep(&self, report: &ProfilesReport, began: Timestamp, why: Why) -> Kept {
        let lake = (&self.config.lake.layout, &self.config.options);
        let version = self.config.options.version;
        let document = profile_report::whole(report, (began, clock::now()), version);
        let kept = keep_document(lake, &*self.store, document).await;
        let rows = profile_rows(report, began, (kept.location(), version), why);
        record_rows(lake, &*self.store, &rows).await;
        kept
    }

    /// Writes the metrics of the tables, and how old the oldest of all tables is.
    async fn emit(&self, report: &ProfilesReport) {
        let (project, now) = (self.config.lake.project.as_str(), clock::now());
        for table in report.whole() {
            metrics::emit_profiles(project, table, now.as_millisecond());
        }
        // Without the state, the age is unknown; the alarm treats a missing value as one that is too high.
        let Ok(state) = self.state().await else { return };
        let began = |table: &ProfileTable| {
            let published = state.tables.get(&table.name)?.published.as_ref()?;
            Some(published.began)
        };
        let began: Vec<Option<Timestamp>> = self.config.tables.iter().map(began).collect();
        let oldest = began.into_iter().min().flatten();
        metrics::emit_profiles_age(project, oldest.map(clock::since), now.as_millisecond());
    }
}

/// The answer. A schedule makes up for what a later run can export.
fn finish(
    report: &ProfilesReport,
    kept: Option<&Kept>,
    request: &ProfileRequest,
) -> Result<Value, Failure> {
    if report.is_whole() {
        return Ok(profile_report::answer(report, kept));
    }
    if request.due.is_some() && report.is_for_later() {
        tracing::warn!("the export of profiles is left to the next scheduled run");
        return Ok(profile_report::answer(report, kept));
    }
    Err(profile_report::failure(report, kept))
}

impl ProfilesConfig {
    /// Mixpanel's engage API as the source of a table, within its query budget, which lies in the lake.
    pub fn profiles(
        &self,
        credentials: Credentials,
        table: &ProfileTable,
        caller: Caller,
        lake: Arc<dyn ObjectStore>,
    ) -> Result<MixpanelProfiles, Failure> {
        let of = Mixpanel {
            endpoint: &self.endpoint,
            lake: &self.lake,
            zone: &self.zone,
            limits: self.limits,
        };
        let group = table.group.as_ref().map(|group| group.id.clone());
        let source = MixpanelProfiles::new(of.config(credentials, caller), group);
        let source = source.map_err(|error| Failure::caused(Kind::InvalidSettings, &error))?;
        let budget = of.budget(self.lake.layout.profile_budget(), lake, caller.priority);
        Ok(source.sharing(Arc::new(budget)))
    }
}

/// Exports tables one after another, each from a source of its own, until one fails for a reason that the next one
/// would meet too. If the run says why, it is recorded in the table of runs. An error: the lake cannot be used, and
/// nothing was begun.
pub async fn export_profiles<'s>(
    config: &ProfilesConfig,
    store: &dyn ObjectStore,
    tables: &[ProfileTable],
    source: impl Fn(&ProfileTable) -> Result<Box<dyn ProfileSource + 's>, Failure>,
    run: ProfileRun,
) -> Result<ProfilesReport, Failure> {
    let began = clock::now();
    let mut report = ProfilesReport::default();
    for table in tables {
        let source = source(table)?;
        let tried = export_table(config, store, table, &*source, run).await?;
        let is_last = tried.outcome.as_ref().is_err_and(ProfilesError::meets_every_table);
        report.tables.push(tried);
        if is_last {
            break;
        }
    }
    report.not_tried = tables[report.tables.len()..].iter().map(|it| it.name.clone()).collect();
    if let Some(why) = run.why {
        let rows = profile_rows(&report, began, (None, config.options.version), why);
        record_rows((&config.lake.layout, &config.options), store, &rows).await;
    }
    Ok(report)
}

async fn export_table(
    config: &ProfilesConfig,
    store: &dyn ObjectStore,
    table: &ProfileTable,
    source: &dyn ProfileSource,
    run: ProfileRun,
) -> Result<TableOutcome, Failure> {
    let clock: Clock = Arc::new(clock::now);
    let exporter = ProfileExporter {
        source,
        store,
        layout: &config.lake.layout,
        options: &config.options,
        clock: &clock,
        time: run.time,
        safeguards: run.safeguards,
    };
    let checked = exporter.check(&table.name).await;
    checked.map_err(|error| Failure::caused(Kind::NoLake, &error))?;
    Ok(exporter.export(&table.name).await)
}
