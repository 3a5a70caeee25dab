//! Sends requests: what the export API and the engage API have in common.

use crate::backoff::backoff;
use crate::config::{Config, OUTAGE_QUERIES, Timings};
use crate::rate_limiter::RateLimiter;
use crate::reason::Reason;
use crate::response::{self, Refusal};
use crate::retry_after;
use futures::stream::{self, StreamExt};
use mixlake_app::budget::LONGEST_CLOSED;
use mixlake_app::ports::{BudgetError, EventChunks, QueryBudget, SourceError, Turn};
use reqwest::header::{ACCEPT_ENCODING, DATE, HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much of an error body is read. It is far more than is repeated, so that a secret at the cut is
/// not repeated in part.
const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// The shortest wait for a new query budget, so that `Retry-After: 0` does not cause a busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// A connection to one API of Mixpanel, with its rate limit.
pub(crate) struct ApiClient {
    pub(crate) config: Config,
    http: Client,
    limiter: RateLimiter,
    budget: Option<Arc<dyn QueryBudget>>,
    /// The queries that were sent.
    queries: AtomicU64,
}

/// The HTTP client cannot be set up; the usual cause is the machine's certificates.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client for Mixpanel")]
pub struct SetupError(#[source] reqwest::Error);

/// A request to Mixpanel.
pub(crate) struct Request<'a> {
    /// The address of the API.
    pub(crate) endpoint: &'a str,
    /// The path below the address.
    pub(crate) path: &'static str,
    /// The parameters in the URL.
    pub(crate) query: Vec<(&'static str, String)>,
    /// The fields of a POST request. `None`: a GET request.
    pub(crate) form: Option<Vec<(&'static str, String)>>,
    /// Whether it is a query of the hourly budget.
    pub(crate) counts: bool,
    /// What it asks for, as the log names it.
    pub(crate) subject: String,
    /// A response with this text is a refusal, whatever its status is.
    pub(crate) final_words: Option<&'static str>,
}

/// A response that says all that Mixpanel has to say.
pub(crate) enum Answer {
    /// Status 200. The body has not been read.
    Success(Response),
    /// The same request will be refused again.
    Refused(Refusal),
}

impl ApiClient {
    /// Sets up the client; it sends no request yet.
    pub(crate) fn new(config: Config) -> Result<Self, SetupError> {
        if config.credentials.is_project_secret() {
            tracing::warn!(
                "Mixpanel retires project secrets on 2027-03-03: create a service account and put \
                 its username and secret into mixpanel_secret"
            );
        }
        let http = Client::builder()
            .user_agent(concat!("mixlake/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.timings.connect)
            .read_timeout(config.timings.idle)
            .redirect(Policy::none())
            .build()
            .map_err(SetupError)?;
        let limiter = RateLimiter::new(config.timings.query_gap);
        Ok(Self { config, http, limiter, budget: None, queries: AtomicU64::new(0) })
    }

    /// Shares the project's query budget with others.
    pub(crate) fn sharing(self, budget: Arc<dyn QueryBudget>) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// The queries of the hourly budget that were sent so far.
    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Sends a request. Waits for the budget and while the source is down, as long as the timings and
    /// the deadline allow. `attempt` is the number of failed attempts just before.
    pub(crate) async fn send(
        &self,
        request: &Request<'_>,
        attempt: u32,
    ) -> Result<Answer, SourceError> {
        let Timings { backoff_base, backoff_cap, max_wait, .. } = self.config.timings;
        tokio::time::sleep(backoff(attempt, backoff_base, backoff_cap, rand::random())).await;
        let subject = &request.subject;
        let mut patience = max_wait;
        let mut down = 0;
        loop {
            tracing::debug!(subject, attempt, "querying Mixpanel");
            let wait = match self.try_ask(request).await? {
                Asked::Answered(answer) => return Ok(answer),
                Asked::Wait(wait) => wait.max(backoff_base).max(SHORTEST_WAIT),
                Asked::Down(error) => {
                    down += 1;
                    self.sit_out(subject, error, down).await?;
                    continue;
                }
            };
            patience = self
                .patience(patience, wait)
                .ok_or(SourceError::RateLimited { retry_after: wait })?;
            tracing::warn!(subject, wait_ms = wait.as_millis(), "waiting for the query budget");
            tokio::time::sleep(wait).await;
        }
    }

    /// The same chunks, until the deadline.
    pub(crate) fn until_the_deadline(&self, chunks: EventChunks) -> EventChunks {
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

    /// Whether a request may start.
    async fn turn(&self, counts: bool) -> Result<Turn, SourceError> {
        if let Some(wait) = self.limiter.closed() {
            return Ok(Turn::After(wait));
        }
        let Some(budget) = &self.budget else { return Ok(Turn::Now) };
        let turn = if counts { budget.turn().await } else { budget.open().await };
        turn.map_err(unusable)
    }

    /// Sends one request if its turn has come. Otherwise, or if Mixpanel asks for it, returns the time
    /// to wait.
    async fn try_ask(&self, request: &Request<'_>) -> Result<Asked, SourceError> {
        if let Turn::After(wait) = self.turn(request.counts).await? {
            return Ok(Asked::Wait(wait));
        }
        self.limiter.turn().await;
        let failed = match self.ask(request).await {
            Ok(answer) => return Ok(Asked::Answered(answer)),
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

    /// Waits while the source is down; a smaller request would not help. Returns the error after
    /// [`OUTAGE_QUERIES`] queries, or if the wait would pass the deadline.
    async fn sit_out(
        &self,
        subject: &str,
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
        let wait_ms = wait.as_millis();
        tracing::warn!(subject, error, wait_ms, "the source is down; retrying after a pause");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn is_in_time(&self, wait: Duration) -> bool {
        self.config.deadline.is_none_or(|deadline| Instant::now() + wait < deadline)
    }

    /// One request, until the deadline.
    async fn ask(&self, request: &Request<'_>) -> Result<Answer, Failed> {
        if request.counts {
            self.queries.fetch_add(1, Ordering::Relaxed);
        }
        let Some(deadline) = self.config.deadline else {
            return self.ask_at_leisure(request).await;
        };
        let asked = tokio::time::timeout_at(deadline.into(), self.ask_at_leisure(request)).await;
        asked.unwrap_or_else(|_| Err(SourceError::OutOfTime.into()))
    }

    /// One request without a deadline.
    async fn ask_at_leisure(&self, request: &Request<'_>) -> Result<Answer, Failed> {
        let (user, password) = self.config.credentials.basic();
        let url = format!("{}{}", request.endpoint, request.path);
        let built = match &request.form {
            Some(fields) => self.http.post(url).form(fields),
            None => self.http.get(url),
        };
        let response = built
            .query(&request.query)
            .basic_auth(user, Some(password))
            // Requested here and not by the client, so that its end is checked here.
            .header(ACCEPT_ENCODING, "gzip")
            .send()
            .await
            .map_err(|error| self.unreachable(request.endpoint, error))?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Success(response)),
            _ => self.refusal(response, request.final_words).await,
        }
    }

    async fn refusal(
        &self,
        response: Response,
        final_words: Option<&str>,
    ) -> Result<Answer, Failed> {
        let status = response.status().as_u16();
        let header =
            |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let said = retry_after::wait(header(RETRY_AFTER), header(DATE));
        let wait = said.unwrap_or(self.config.timings.rate_limit_pause);
        let message = self.told(&beginning(response).await);
        let is_final = final_words.is_some_and(|words| message.contains(words));
        let refusal = Refusal { status, message };
        match refusal.outage(wait) {
            Some(error) if !is_final => {
                let is_busy = matches!(error, SourceError::RateLimited { .. });
                Err(Failed { error, wait: if is_busy { Some(wait) } else { said } })
            }
            _ => Ok(Answer::Refused(refusal)),
        }
    }

    /// A text of Mixpanel on one line, without the credentials.
    pub(crate) fn told(&self, text: &str) -> String {
        response::tidy(&self.config.credentials.redact(text))
    }

    fn unreachable(&self, endpoint: &str, error: reqwest::Error) -> SourceError {
        let endpoint = endpoint.to_owned();
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

/// A request that got no answer, and how long Mixpanel asks to wait.
struct Failed {
    error: SourceError,
    wait: Option<Duration>,
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Self {
        Self { error, wait: None }
    }
}

/// The result of an attempt to send a request.
enum Asked {
    Answered(Answer),
    Wait(Duration),
    /// The source is down.
    Down(SourceError),
}

/// Without the budget no query is sent, neither for an hour nor for a minute.
fn unusable(error: BudgetError) -> SourceError {
    let reason = Reason::NoBudget.to_string();
    SourceError::Unreachable { reason, cause: Some(error.into()) }
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
