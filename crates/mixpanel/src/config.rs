//! The settings of the source, in types that hold only valid values.

use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::event_time::EventTime;
use crate::filters::{EventNames, WhereExpression};
use mixlake_domain::{ProjectId, Timestamp, Zone};
use std::time::{Duration, Instant};

/// The settings of a [`MixpanelSource`](crate::MixpanelSource).
#[derive(Debug, Clone)]
pub struct Config {
    /// The address of the API.
    pub endpoint: Endpoint,
    /// The project whose events are fetched.
    pub project_id: ProjectId,
    /// The credentials.
    pub credentials: Credentials,
    /// The events to fetch.
    pub events: EventNames,
    /// An additional condition on the events.
    pub where_expression: Option<WhereExpression>,
    /// What the times of the project's events mean.
    pub event_time: EventTime,
    /// The project's zone: Mixpanel refuses days that have not begun there.
    pub zone: Zone,
    /// What is queried by the time at which events were processed.
    pub ingestion: Ingestion,
    /// How long to wait.
    pub timings: Timings,
    /// If a wait would end after this time, the caller must wait instead.
    pub deadline: Option<Instant>,
}

impl Config {
    /// All events of a project that was created since 2023.
    #[must_use]
    pub fn new(endpoint: Endpoint, project_id: ProjectId, credentials: Credentials) -> Self {
        Self {
            endpoint,
            project_id,
            credentials,
            events: EventNames::default(),
            where_expression: None,
            event_time: EventTime::Utc,
            zone: Zone::UTC,
            ingestion: Ingestion::default(),
            timings: Timings::default(),
            deadline: None,
        }
    }

    /// A service account sees many projects, a project secret only its own.
    pub(crate) fn credentials_need_project(&self) -> bool {
        !self.credentials.is_project_secret()
    }
}

/// How slices of ingestion are queried, and what slices of event time leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingestion {
    /// The start of slices of ingestion: only they have the events that were processed from then on.
    pub since: Option<Timestamp>,
    /// How long before their processing the events may have happened.
    pub window: Duration,
}

impl Default for Ingestion {
    fn default() -> Self {
        Self { since: None, window: Duration::from_hours(150 * 24) }
    }
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of a response and between two reads. Large exports take minutes to begin.
    pub idle: Duration,
    /// The total wait in one call before a used-up query budget is reported to the caller.
    pub max_wait: Duration,
    /// If 429 comes without `Retry-After`.
    pub rate_limit_pause: Duration,
    /// Before the second query to a source that is down, on average; it doubles for each further query.
    /// With [`OUTAGE_QUERIES`] queries this covers an outage of five minutes.
    pub outage_pause: Duration,
    /// Before the second attempt, on average; it doubles for each further attempt.
    pub backoff_base: Duration,
    /// The longest wait before an attempt.
    pub backoff_cap: Duration,
    /// Between the starts of two queries: three per second are allowed.
    pub query_gap: Duration,
}

/// How many queries a call sends to a source that is down.
pub const OUTAGE_QUERIES: u32 = 6;

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_mins(5),
            // The budget of an hour is available again within an hour.
            max_wait: Duration::from_mins(65),
            rate_limit_pause: Duration::from_mins(1),
            outage_pause: Duration::from_secs(10),
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_mins(1),
            query_gap: Duration::from_millis(334),
        }
    }
}
