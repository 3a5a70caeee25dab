//! The HTTP server.

use super::auth;
use super::body::{compose, deliver};
use super::budget::Budget;
use super::config::{Framing, StandInConfig};
use super::engage::{Sessions, engage};
use super::fault::Fault;
use super::params::ExportParams;
use super::profiles::Profiles;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mixlake_domain::{Date, Timestamp, Zone};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running stand-in on 127.0.0.1; it stops when dropped.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: StandInConfig,
    last_data_day: Option<Date>,
    state: Mutex<Changing>,
}

#[derive(Debug, Default)]
pub(super) struct Changing {
    budget: Budget,
    script: VecDeque<Fault>,
    always: Option<Fault>,
    queries: Vec<HashMap<String, String>>,
    body_lengths: Vec<usize>,
    /// The query API has a budget of its own.
    pub(super) profile_budget: Budget,
    pub(super) profile_requests: Vec<HashMap<String, String>>,
    pub(super) profiles: Profiles,
    pub(super) sessions: Sessions,
}

impl Changing {
    /// The fault of the next response.
    pub(super) fn next_fault(&mut self) -> Fault {
        let scripted = self.script.pop_front();
        scripted.or_else(|| self.always.clone()).unwrap_or(Fault::None)
    }
}

impl StandIn {
    /// Starts serving on the current Tokio runtime.
    pub async fn start(config: StandInConfig) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = listener.local_addr()?;
        let last_data_day = config.data.last_day();
        let state = Changing { profiles: config.profiles.clone(), ..Changing::default() };
        let shared = Arc::new(Shared { config, last_data_day, state: Mutex::new(state) });
        let router = Router::new()
            .route("/api/2.0/export", get(export))
            .route("/api/query/engage", post(engage))
            .fallback(async || Refusal::new(404, "Not Found"))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Serving ends with the process or by `abort`; nobody could receive an error.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shared, server })
    }

    /// The base URL: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the next requests fail, one fault per request, in order; later requests succeed.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().script = faults.into_iter().collect();
    }

    /// The fault of every request that has no scripted fault.
    pub fn always(&self, fault: Fault) {
        self.shared.lock().always = Some(fault);
    }

    /// Replaces the profiles of users. Sessions that have begun keep theirs.
    pub fn hold(&self, profiles: Profiles) {
        self.shared.lock().profiles = profiles;
    }

    /// Forgets all sessions of the engage API.
    pub fn end_sessions(&self) {
        self.shared.lock().sessions.end_all();
    }

    /// The parameters of the requests for profiles received so far, of the URL and of the form, whatever
    /// the response was.
    #[must_use]
    pub fn profile_requests(&self) -> Vec<HashMap<String, String>> {
        self.shared.lock().profile_requests.clone()
    }

    /// The queries for events received so far, decoded, whatever the response was.
    #[must_use]
    pub fn queries(&self) -> Vec<HashMap<String, String>> {
        self.shared.lock().queries.clone()
    }

    /// The body lengths of all 200 responses so far, as sent, without faults that shorten them.
    #[must_use]
    pub fn body_lengths(&self) -> Vec<usize> {
        self.shared.lock().body_lengths.clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Changing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::disallowed_methods, reason = "the real API has a clock too")]
    fn today(&self) -> Date {
        let clock = Zone::UTC.date_of(Timestamp::now());
        self.config.today.unwrap_or_else(|| self.last_data_day.map_or(clock, |day| day.max(clock)))
    }

    /// Everything before the body: authentication, budget, query.
    fn admit(&self, headers: &HeaderMap, uri: &Uri) -> Result<(ExportParams, Fault), Refusal> {
        let pairs = Query::<HashMap<String, String>>::try_from_uri(uri)
            .map_err(|error| Refusal::new(400, error.to_string()))?
            .0;
        let fault = {
            let mut state = self.lock();
            state.queries.push(pairs.clone());
            state.next_fault()
        };
        if let Fault::Status { code, message, retry_after } = fault {
            return Err(Refusal { code, message, retry_after });
        }
        let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let project = pairs.get("project_id").map(String::as_str);
        auth::check(&self.config, authorization, project).map_err(|m| Refusal::new(401, m))?;
        let taken = self.lock().budget.take(Instant::now(), self.config.limits);
        taken.map_err(Refusal::too_many)?;
        let params = ExportParams::read(&pairs, self.today()).map_err(|m| Refusal::new(400, m))?;
        Ok((params, fault))
    }

    fn answer(&self, headers: &HeaderMap, params: &ExportParams, fault: &Fault) -> Response {
        let body = compose(self.config.data.select(params), params.time_in_ms(), fault);
        self.deliver(headers, body, fault, "text/plain")
    }

    /// A body with status 200, compressed and damaged.
    pub(super) fn deliver(
        &self,
        headers: &HeaderMap,
        body: Vec<u8>,
        fault: &Fault,
        content_type: &'static str,
    ) -> Response {
        let gzip = self.config.gzip && accepts_gzip(headers);
        let Ok(delivery) = deliver(body, gzip, fault) else {
            return Refusal::new(500, "cannot compress").into_response();
        };
        let (gzip, length) = (delivery.gzip, delivery.length);
        self.lock().body_lengths.push(delivery.whole);
        let mut answer = Response::new(Body::from_stream(delivery.stream(self.config.seed)));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
        if gzip {
            headers.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("gzip"));
        }
        if self.config.framing == Framing::Length {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        answer
    }
}

async fn export(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    match shared.admit(&headers, &uri) {
        Ok((params, fault)) => shared.answer(&headers, &params, &fault),
        Err(refusal) => refusal.into_response(),
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|one| one.trim().starts_with("gzip")))
}

/// A plain-text response without data.
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) message: String,
    pub(super) retry_after: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        // Whole seconds, rounded up, so that a client that waits this long is accepted.
        let seconds = wait.as_millis().div_ceil(1000).to_string();
        Self { retry_after: Some(seconds), ..Self::new(429, "Query rate limit exceeded") }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.message).into_response();
        if let Some(value) = self.retry_after.and_then(|value| value.parse().ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}
