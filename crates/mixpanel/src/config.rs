//! What the source is told, all of it in types that cannot be wrong.

use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::event_time::EventTime;
use crate::filters::{EventNames, WhereExpression};
use mixlake_domain::{ProjectId, Timestamp, Zone};
use std::time::{Duration, Instant};

/// The settings of a [`MixpanelSource`](crate::MixpanelSource).
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API is.
    pub endpoint: Endpoint,
    /// Whose events.
    pub project_id: ProjectId,
    /// Who asks.
    pub credentials: Credentials,
    /// The events to fetch.
    pub events: EventNames,
    /// A further condition on them.
    pub where_expression: Option<WhereExpression>,
    /// What the times of the project's events mean.
    pub event_time: EventTime,
    /// The project's zone: a day that has not begun there is not answered for.
    pub zone: Zone,
    /// What is asked by the time at which events were processed.
    pub ingestion: Ingestion,
    /// How long to wait for what.
    pub timings: Timings,
    /// A wait that would pass this is left to the caller.
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

/// How slices of ingestion are asked for, and what slices of event time leave to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingestion {
    /// Where slices of ingestion begin: events that were processed from then on are theirs alone.
    pub since: Option<Timestamp>,
    /// How long before they were processed events may have happened.
    pub window: Duration,
}

impl Default for Ingestion {
    fn default() -> Self {
        Self { since: None, window: Duration::from_hours(150 * 24) }
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer and between any two reads. Large exports take minutes to
    /// begin.
    pub idle: Duration,
    /// Together, in one call, until a used-up query budget is reported to the caller.
    pub max_wait: Duration,
    /// When 429 comes without `Retry-After`.
    pub rate_limit_pause: Duration,
    /// Before the second query to a source that is down, on average; it doubles with every further one. With
    /// [`OUTAGE_QUERIES`] of them an outage of five minutes is waited for.
    pub outage_pause: Duration,
    /// Before the second attempt, on average; it doubles with every further one.
    pub backoff_base: Duration,
    /// At most, before any attempt.
    pub backoff_cap: Duration,
    /// Between the starts of two queries: three a second are allowed.
    pub query_gap: Duration,
}

/// How many queries a call spends on a source that is down.
pub const OUTAGE_QUERIES: u32 = 6;

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_mins(5),
            // An hour's budget is there again within an hour.
            max_wait: Duration::from_mins(65),
            rate_limit_pause: Duration::from_mins(1),
            outage_pause: Duration::from_secs(10),
            backoff_base: Duration::from_secs(1),
            backoff_cap: Duration::from_mins(1),
            query_gap: Duration::from_millis(334),
        }
    }
}
