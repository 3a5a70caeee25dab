//! The adapter for the Raw Event Export API.

use crate::backoff::backoff;
use crate::config::{Config, OUTAGE_QUERIES, Timings};
use crate::query::ExportQuery;
use crate::rate_limiter::RateLimiter;
use crate::reason::Reason;
use crate::{body, response, retry_after};
use futures::stream::{self, StreamExt};
use mixlake_app::budget::LONGEST_CLOSED;
use mixlake_app::ports::{BudgetError, EventChunks, EventSource, QueryBudget, SourceError, Turn};
use mixlake_domain::{Date, Window};
use reqwest::header::{ACCEPT_ENCODING, DATE, HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much of an error body is read. It is far more than is repeated, so that a secret at the cut is
/// not repeated in part.
const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// The shortest wait for a new query budget, so that `Retry-After: 0` does not cause a busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Mixpanel's Raw Event Export API as an event source. Create one per process: it holds the rate limit
/// and the connections.
pub struct MixpanelSource {
    config: Config,
    client: Client,
    limiter: RateLimiter,
    budget: Option<Arc<dyn QueryBudget>>,
    /// The queries that were sent.
    queries: AtomicU64,
}

/// The HTTP client cannot be set up; the usual cause is the machine's certificates.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client for Mixpanel")]
pub struct SetupError(#[source] reqwest::Error);

impl MixpanelSource {
    /// Sets up the client; it sends no query yet.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        if config.credentials.is_project_secret() {
            tracing::warn!(
                "Mixpanel retires project secrets on 2027-03-03: create a service account and put \
                 its username and secret into mixpanel_secret"
            );
        }
        let client = Client::builder()
            .user_agent(concat!("mixlake/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.timings.connect)
            .read_timeout(config.timings.idle)
            .redirect(Policy::none())
            .build()
            .map_err(SetupError)?;
        let limiter = RateLimiter::new(config.timings.query_gap);
        Ok(Self { config, client, limiter, budget: None, queries: AtomicU64::new(0) })
    }

    /// Shares the project's query budget with others.
    #[must_use]
    pub fn sharing(self, budget: Arc<dyn QueryBudget>) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Whether a query may start.
    async fn turn(&self) -> Result<Turn, SourceError> {
        if let Some(wait) = self.limiter.closed() {
            return Ok(Turn::After(wait));
        }
        let Some(budget) = &self.budget else { return Ok(Turn::Now) };
        budget.turn().await.map_err(unusable)
    }

    /// Sends one query if its turn has come. Otherwise, or if Mixpanel asks for it, returns the time to
    /// wait.
    async fn try_ask(&self, query: &ExportQuery) -> Result<Asked, SourceError> {
        if let Turn::After(wait) = self.turn().await? {
            return Ok(Asked::Wait(wait));
        }
        self.limiter.turn().await;
        let failed = match self.ask(query).await {
            Ok(chunks) => return Ok(Asked::Answered(chunks)),
            Err(failed) => failed,
        };
        if let Some(wait) = failed.wait {
            self.close(wait).await?;
        }
        match failed.error {
            SourceError::RateLimited { retry_after } => Ok(Asked::Wait(retry_after)),
            error @ (SourceError::Unavailable { .. } | SourceError::Unreachable { .. }) => {
                Ok(Asked::Down(error))
            }
            error @ (SourceError::Incomplete { .. }
            | SourceError::TimedOut { .. }
            | SourceError::OutOfTime
            | SourceError::NotYet { .. }
            | SourceError::Refused(_)) => Err(error),
        }
    }

    /// Blocks all queries for as long as Mixpanel says.
    async fn close(&self, wait: Duration) -> Result<(), SourceError> {
        let wait = wait.min(LONGEST_CLOSED);
        self.limiter.close(wait);
        let Some(budget) = &self.budget else { return Ok(()) };
        budget.closed(wait).await.map_err(unusable)
    }

    /// The remaining wait budget after a wait; none if the caller must wait instead.
    fn patience(&self, left: Duration, wait: Duration) -> Option<Duration> {
        let left = left.checked_sub(wait)?;
        self.is_in_time(wait).then_some(left)
    }

    /// Waits while the source is down; a smaller window would not help. Returns the error after
    /// [`OUTAGE_QUERIES`] queries, or if the wait would pass the deadline.
    async fn sit_out(
        &self,
        window: &Window,
        error: SourceError,
        queries: u32,
    ) -> Result<(), SourceError> {
        let Timings { outage_pause, .. } = self.config.timings;
        // The number of queries limits the pauses.
        let wait = backoff(queries, outage_pause, Duration::MAX, rand::random());
        if queries >= OUTAGE_QUERIES || !self.is_in_time(wait) {
            return Err(error);
        }
        let error = mixlake_app::chain(&error);
        tracing::warn!(%window, error, wait_ms = wait.as_millis(), "the source is down; retrying after a pause");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn is_in_time(&self, wait: Duration) -> bool {
        self.config.deadline.is_none_or(|deadline| Instant::now() + wait < deadline)
    }

    /// The same chunks, until the deadline.
    fn until_the_deadline(&self, chunks: EventChunks) -> EventChunks {
        let Some(deadline) = self.config.deadline else { return chunks };
        let next =
            async |(mut chunks, deadline): (EventChunks, Instant)| match tokio::time::timeout_at(
                deadline.into(),
                chunks.next(),
            )
            .await
            {
                Ok(chunk) => Ok(chunk.transpose()?.map(|chunk| (chunk, (chunks, deadline)))),
                Err(_) => Err(SourceError::OutOfTime),
            };
        stream::try_unfold((chunks, deadline), next).boxed()
    }

    /// One query, until the deadline.
    async fn ask(&self, query: &ExportQuery) -> Result<EventChunks, Failed> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        let Some(deadline) = self.config.deadline else { return self.ask_at_leisure(query).await };
        let asked = tokio::time::timeout_at(deadline.into(), self.ask_at_leisure(query)).await;
        asked.unwrap_or_else(|_| Err(SourceError::OutOfTime.into()))
    }

    /// One query without a deadline.
    async fn ask_at_leisure(&self, query: &ExportQuery) -> Result<EventChunks, Failed> {
        let (user, password) = self.config.credentials.basic();
        let response = self
            .client
            .get(self.config.endpoint.export_url())
            .query(&query.pairs())
            .basic_auth(user, Some(password))
            // Requested here and not by the client, so that its end is checked here.
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        match response.status() {
            StatusCode::OK => Ok(body::chunks(response)?),
            _ => Err(self.refusal(response, query.to_date()).await),
        }
    }

    async fn refusal(&self, response: Response, to_date: Date) -> Failed {
        let status = response.status().as_u16();
        let header =
            |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let said = retry_after::wait(header(RETRY_AFTER), header(DATE));
        let wait = said.unwrap_or(self.config.timings.rate_limit_pause);
        let message = self.config.credentials.redact(&beginning(response).await);
        let begins = self.config.zone.start_of(to_date);
        let error = response::error(status, &response::tidy(&message), wait, begins);
        let is_down = matches!(error, SourceError::Unavailable { .. });
        let wait = if status == 429 { Some(wait) } else { said.filter(|_| is_down) };
        Failed { error, wait }
    }

    fn unreachable(&self, error: reqwest::Error) -> SourceError {
        let endpoint = self.config.endpoint.to_string();
        if error.is_connect() {
            let reason = Reason::NoConnection(endpoint).to_string();
            return SourceError::Unreachable { reason, cause: Some(error.without_url().into()) };
        }
        // The URL contains the user's expression, which can name people.
        if error.is_timeout() {
            let seconds = self.config.timings.idle.as_secs();
            let reason = Reason::NoResponseInTime { endpoint, seconds }.to_string();
            return SourceError::TimedOut { reason, cause: Some(error.without_url().into()) };
        }
        let reason = Reason::NoResponse(endpoint).to_string();
        SourceError::Unavailable { reason, cause: Some(error.without_url().into()) }
    }
}

/// A query that did not return events, and how long Mixpanel asks to wait.
struct Failed {
    error: SourceError,
    wait: Option<Duration>,
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Self {
        Self { error, wait: None }
    }
}

/// The result of an attempt to query.
enum Asked {
    Answered(EventChunks),
    Wait(Duration),
    /// The source is down.
    Down(SourceError),
}

/// Without the budget no query is sent, neither for an hour nor for a minute.
fn unusable(error: BudgetError) -> SourceError {
    let reason = Reason::NoBudget.to_string();
    SourceError::Unreachable { reason, cause: Some(error.into()) }
}

impl fmt::Debug for MixpanelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MixpanelSource").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The first part of an error body. Read errors are ignored, because the status is more important.
async fn beginning(response: Response) -> String {
    let mut text = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        text.extend_from_slice(&piece);
        if text.len() >= ERROR_BODY_LIMIT {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[async_trait::async_trait]
impl EventSource for MixpanelSource {
    fn is_one_stream(&self) -> bool {
        true
    }

    fn divides(&self) -> bool {
        true
    }

    fn query(&self, window: &Window) -> Option<String> {
        let query = ExportQuery::of(window, &self.config)?;
        Some(format!("{} {:?}", self.config.endpoint, query.pairs()))
    }

    fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        let Some(query) = ExportQuery::of(window, &self.config) else {
            return Ok(stream::empty().boxed());
        };
        let Timings { backoff_base, backoff_cap, max_wait, .. } = self.config.timings;
        tokio::time::sleep(backoff(attempt, backoff_base, backoff_cap, rand::random())).await;
        let mut patience = max_wait;
        let mut down = 0;
        loop {
            tracing::debug!(%window, attempt, "querying Mixpanel for events");
            let wait = match self.try_ask(&query).await? {
                Asked::Answered(chunks) => return Ok(self.until_the_deadline(chunks)),
                Asked::Wait(wait) => wait.max(backoff_base).max(SHORTEST_WAIT),
                Asked::Down(error) => {
                    down += 1;
                    self.sit_out(window, error, down).await?;
                    continue;
                }
            };
            patience = self
                .patience(patience, wait)
                .ok_or(SourceError::RateLimited { retry_after: wait })?;
            tracing::warn!(%window, wait_ms = wait.as_millis(), "waiting for the query budget");
            tokio::time::sleep(wait).await;
        }
    }
}
