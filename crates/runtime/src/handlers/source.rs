//! The sources of events, as the settings say.

use crate::answer::{Failure, Kind};
use crate::clock;
use crate::config::{Cursor, ExportConfig, LakeConfig};
use mixlake_app::budget::{Limits, Priority, SharedBudget};
use mixlake_app::ports::ObjectStore;
use mixlake_domain::Zone;
use mixlake_mixpanel::{
    Config, Credentials, Endpoint, Ingestion, MixpanelSource, PipelineConfig, PipelineSource,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Queries in the same second wait for less than this.
const SHORT_WAIT: Duration = Duration::from_secs(5);

/// Who asks Mixpanel, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Whose share of the query budget is used.
    pub priority: Priority,
    /// A wait for it that would pass this is left to the caller.
    pub deadline: Option<Instant>,
    /// A longer wait for it than this is left to the caller; `None` is the longest that makes sense.
    pub patience: Option<Duration>,
}

impl Caller {
    /// An invocation of the function, with the time that is left to receive.
    pub(super) fn invocation(scheduled: bool, left: Duration) -> Self {
        let priority = if scheduled { Priority::Scheduled } else { Priority::Backfill };
        Self { priority, deadline: Some(Instant::now() + left), patience: None }
    }

    /// A person who exports a long range would rather wait for the budget than come back for it.
    #[must_use]
    pub fn person() -> Self {
        Self { priority: Priority::Backfill, deadline: None, patience: None }
    }

    /// A backfill that says for how long it waits for the budget, and so waits itself.
    #[must_use]
    pub fn backfill() -> Self {
        Self { patience: Some(SHORT_WAIT), ..Self::person() }
    }

    /// The same for a caller that waits for nothing, where each second of a function costs.
    pub(super) fn who_comes_back(self) -> Self {
        Self { patience: Some(SHORT_WAIT), ..self }
    }
}

/// What every client of Mixpanel needs of the settings.
pub(super) struct Mixpanel<'a> {
    pub endpoint: &'a Endpoint,
    pub lake: &'a LakeConfig,
    pub zone: &'a Zone,
    pub limits: Limits,
}

impl Mixpanel<'_> {
    /// A query budget of the project, in its lake. Mixpanel counts the queries of its APIs apart, so each API has
    /// a budget of its own: one that refuses queries does not stop the other.
    pub(super) fn budget(
        &self,
        key: String,
        store: Arc<dyn ObjectStore>,
        priority: Priority,
    ) -> SharedBudget {
        SharedBudget { store, key, limits: self.limits, priority, clock: Arc::new(clock::now) }
    }

    /// The configuration of a client for a caller.
    pub(super) fn config(&self, credentials: Credentials, caller: Caller) -> Config {
        let mut config = Config::new(self.endpoint.clone(), self.lake.project.clone(), credentials);
        config.zone = self.zone.clone();
        config.deadline = caller.deadline;
        if let Some(patience) = caller.patience {
            config.timings.max_wait = patience;
        }
        config
    }
}

impl ExportConfig {
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
        credentials: Credentials,
        caller: Caller,
        lake: Arc<dyn ObjectStore>,
    ) -> Result<MixpanelSource, Failure> {
        let of = Mixpanel {
            endpoint: &self.endpoint,
            lake: &self.lake,
            zone: &self.zone,
            limits: self.limits,
        };
        let mut config = of.config(credentials, caller);
        config.events = self.events.clone();
        config.where_expression.clone_from(&self.where_expression);
        config.event_time = self.event_time.clone();
        if let Some(Cursor { start, window_days, .. }) = self.cursor {
            let window = Duration::from_hours(u64::from(window_days) * 24);
            let since = Some(self.zone.start_of(start));
            config.ingestion = Ingestion { since, window };
        }
        let source = MixpanelSource::new(config)
            .map_err(|error| Failure::caused(Kind::InvalidSettings, &error))?;
        let budget = of.budget(self.lake.layout.budget(), lake, caller.priority);
        Ok(source.sharing(Arc::new(budget)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProfilesConfig;
    use crate::settings::Settings;
    use mixlake_app::ports::{EventSource, PageError, Precondition, ProfileSource, SourceError};
    use mixlake_domain::{Slice, Window, Zone};
    use mixlake_mixpanel::EventTime;
    use mixlake_testkit::store::MemoryStore;
    use serde_json::{Value, json};

    /// A project whose events carry wall clock readings, at an address where nobody listens.
    fn old_project() -> ExportConfig {
        let pairs = PROJECT.into_iter().chain(["project_created_before_2023=true"]);
        ExportConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap()
    }

    const PROJECT: [&str; 3] =
        ["project_id=1", "timezone=Europe/Berlin", "mixpanel_endpoint=http://127.0.0.1:9"];

    fn source(caller: Caller, lake: &MemoryStore) -> MixpanelSource {
        let credentials = Credentials::from_pair("me:s").unwrap();
        old_project().source(credentials, caller, Arc::new(lake.clone())).unwrap()
    }

    /// How a source answers in a lake with this budget document.
    async fn asked(caller: Caller, budget: &Value) -> SourceError {
        let lake = MemoryStore::new();
        let key = old_project().lake.layout.budget();
        lake.put(&key, budget.to_string().into(), Precondition::Absent).await.unwrap();
        let slice = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
        let asked = source(caller, &lake).fetch(&Window::whole(&slice), 0).await;
        asked.map(|_| ()).unwrap_err()
    }

    /// Too short to wait for a server that is down.
    const LEFT: Duration = Duration::from_secs(4);

    #[tokio::test]
    async fn the_schedule_finds_the_part_of_the_budget_that_persons_leave() {
        let minute_ago = clock::now().as_millisecond() - 60_000;
        let most = json!({"format": 1, "started": vec![minute_ago; 50]});
        let person = Caller::invocation(false, LEFT);
        let schedule = Caller::invocation(true, LEFT);
        let error = asked(person, &most).await;
        assert!(matches!(error, SourceError::RateLimited { .. }), "{error:?}");
        let error = asked(schedule, &most).await;
        assert!(matches!(error, SourceError::Unreachable { .. }), "it asks: {error:?}");
    }

    #[tokio::test]
    async fn an_api_that_refuses_queries_does_not_stop_the_other() {
        let now = clock::now().as_millisecond();
        let closed = json!({"since": now, "until": now + 1_800_000});
        let closed = json!({"format": 1, "started": [], "closed": closed}).to_string();
        let caller = Caller::invocation(false, LEFT);
        let config = old_project();
        let people = ProfilesConfig::check(&Settings::from_pairs(PROJECT).unwrap()).unwrap();
        for is_of_profiles in [false, true] {
            let lake = MemoryStore::new();
            let layout = &config.lake.layout;
            let key = if is_of_profiles { layout.profile_budget() } else { layout.budget() };
            lake.put(&key, closed.clone().into(), Precondition::Absent).await.unwrap();
            let slice = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
            let events = source(caller, &lake).fetch(&Window::whole(&slice), 0).await;
            let credentials = Credentials::from_pair("me:s").unwrap();
            let table = &people.tables[0];
            let profiles =
                people.profiles(credentials, table, caller, Arc::new(lake.clone())).unwrap();
            let profiles = match profiles.page(None, 0).await {
                Err(PageError::Source(error)) => error,
                other => panic!("{:?}", other.map(|_| ())),
            };
            let is_refused = |error: &SourceError| matches!(error, SourceError::RateLimited { .. });
            let events = events.map(|_| ()).unwrap_err();
            assert_eq!(
                (is_refused(&events), is_refused(&profiles)),
                (!is_of_profiles, is_of_profiles)
            );
        }
    }

    #[tokio::test]
    async fn a_function_does_not_wait_past_its_deadline() {
        let now = clock::now().as_millisecond();
        let half_an_hour = now + 1_800_000;
        let closed =
            json!({"format": 1, "started": [], "closed": {"since": now, "until": half_an_hour}});
        let caller = Caller::invocation(false, LEFT);
        let asking = asked(caller, &closed);
        let error = tokio::time::timeout(Duration::from_mins(1), asking).await.unwrap();
        assert!(matches!(error, SourceError::RateLimited { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_backfill_is_told_of_a_long_wait_at_once() {
        let of_a_function = Caller::invocation(false, Duration::from_mins(14)).who_comes_back();
        for caller in [Caller::backfill(), of_a_function] {
            let now = clock::now().as_millisecond();
            let closed = json!({"since": now, "until": now + 60_000});
            let budget = json!({"format": 1, "started": [], "closed": closed});
            let asking = asked(caller, &budget);
            let error = tokio::time::timeout(Duration::from_secs(20), asking).await.unwrap();
            assert!(matches!(error, SourceError::RateLimited { .. }), "{error:?}");
        }
    }

    #[test]
    fn what_the_settings_say_of_time_reaches_the_source() {
        let source = format!("{:?}", source(Caller::person(), &MemoryStore::new()));
        let config = old_project();
        let event_time = format!("event_time: {:?}", EventTime::WallClock(config.zone.clone()));
        let zone = format!("zone: {:?}", config.zone);
        assert!(source.contains(&event_time) && source.contains(&zone), "{source}");
        assert!(source.contains("deadline: None"), "{source}");
    }
}
