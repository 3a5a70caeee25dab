//! The engage API: profiles in pages of a session.

use super::fault::{Fault, PageFault};
use super::profiles::Profiles;
use super::server::{Refusal, Shared};
use super::{Limits, Totals, auth};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

pub(super) type Pairs = HashMap<String, String>;

/// The fields that this stand-in evaluates. It refuses all others, so that no test passes because a
/// filter was ignored.
const FIELDS: [&str; 3] = ["session_id", "page", "data_group_id"];

/// What the API says about a page of a session that it does not have.
const UNCACHED: &str = "request for page in uncached query for params";

/// The sessions that were begun. Each has the profiles of that moment.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    begun: u32,
    known: HashMap<String, Session>,
}

#[derive(Debug, Clone)]
struct Session {
    id: String,
    group: Option<String>,
    profiles: Profiles,
}

impl Sessions {
    fn begin(&mut self, group: Option<String>, profiles: Profiles) -> Session {
        self.begun += 1;
        let id = format!("{}-S{:05}", 1_794_268_800 + self.begun, self.begun);
        let session = Session { id: id.clone(), group, profiles };
        self.known.insert(id, session.clone());
        session
    }

    pub(super) fn end_all(&mut self) {
        self.known.clear();
    }
}

/// A page before it is written.
#[derive(Debug)]
struct Page {
    number: usize,
    size: usize,
    session: String,
    total: Option<usize>,
    results: Vec<Bytes>,
}

pub(super) async fn engage(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
    form: Result<Form<Pairs>, FormRejection>,
) -> Response {
    match answer(&shared, &headers, &uri, form) {
        Ok((page, fault)) => {
            shared.deliver(&headers, page.written(&fault), &fault, "application/json")
        }
        Err(Refused::AsIs(refusal)) => refusal.into_response(),
        Err(Refused::InJson(refusal)) => in_json(refusal, &uri),
    }
}

/// A response without profiles: a fault as the test wants it, or an error as the API writes it.
enum Refused {
    AsIs(Refusal),
    InJson(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::InJson(refusal)
    }
}

fn in_json(refusal: Refusal, uri: &Uri) -> Response {
    let message = json!({"request": uri.to_string(), "error": refusal.message}).to_string();
    let mut response = Refusal { message, ..refusal }.into_response();
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    uri: &Uri,
    form: Result<Form<Pairs>, FormRejection>,
) -> Result<(Page, Fault), Refused> {
    let bad = |message: String| Refusal::new(400, message);
    let query = Query::<Pairs>::try_from_uri(uri).map_err(|error| bad(error.to_string()))?.0;
    let form = form.map_err(|error| bad(error.body_text()))?.0;
    let fault = {
        let mut state = shared.lock();
        state.profile_requests.push(query.clone().into_iter().chain(form.clone()).collect());
        state.next_fault()
    };
    if let Fault::Status { code, message, retry_after } = fault {
        return Err(Refused::AsIs(Refusal { code, message, retry_after }));
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let project = query.get("project_id").map(String::as_str);
    auth::check(&shared.config, authorization, project).map_err(|text| Refusal::new(401, text))?;
    let (session, number) = session(shared, &form)?;
    let page = page(shared, &session, number, &fault)?;
    Ok((page, fault))
}

/// The session of a request, begun if it names none, and the number of the page.
fn session(shared: &Shared, form: &Pairs) -> Result<(Session, usize), Refusal> {
    let bad = |message: String| Err(Refusal::new(400, message));
    if let Some(name) = form.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return bad(format!("this stand-in does not know the parameter {name:?}"));
    }
    let number = match form.get("page").map(|page| page.parse()) {
        None => 0,
        Some(Ok(number)) => number,
        Some(Err(_)) => return bad(format!("page must be a whole number: {form:?}")),
    };
    let group = form.get("data_group_id").cloned();
    let Some(id) = form.get("session_id") else {
        if number > 0 {
            return bad("session_id is required if page is above 0".to_owned());
        }
        return Ok((begin(shared, group)?, 0));
    };
    match shared.lock().sessions.known.get(id) {
        Some(session) if session.group == group => Ok((session.clone(), number)),
        Some(_) | None => bad(format!("{UNCACHED} {form:?}")),
    }
}

/// Begins a session. Only this counts as a query.
fn begin(shared: &Shared, group: Option<String>) -> Result<Session, Refusal> {
    let mut state = shared.lock();
    // The query API has no limit for a second.
    let limits = Limits { per_second: usize::MAX, ..shared.config.limits };
    state.profile_budget.take(Instant::now(), limits).map_err(Refusal::too_many)?;
    let profiles = match &group {
        None => state.profiles.clone(),
        Some(id) => shared.config.groups.get(id).cloned().ok_or_else(|| {
            Refusal::new(400, format!("data_group_id {id:?} is not a group key of the project"))
        })?,
    };
    Ok(state.sessions.begin(group, profiles))
}

/// The page that is sent: the one that was asked for, unless a fault sends another one.
fn page(shared: &Shared, session: &Session, number: usize, fault: &Fault) -> Result<Page, Refusal> {
    let size = shared.config.page_size;
    let says_total = number == 0 || shared.config.totals == Totals::EveryPage;
    let total = says_total.then(|| session.profiles.len());
    let of = |number| session.profiles.page(number, size).to_vec();
    let mut page = Page { number, size, session: session.id.clone(), total, results: of(number) };
    let Fault::Page(fault) = fault else { return Ok(page) };
    match *fault {
        PageFault::Skipped => {
            page.number += 1;
            page.results = of(page.number);
        }
        PageFault::Repeated => {
            page.number = page.number.saturating_sub(1);
            page.results = of(page.number);
        }
        PageFault::Number(number) => page.number = number,
        PageFault::Total(total) => page.total = Some(total),
        PageFault::Dropped(count) => {
            page.results.truncate(page.results.len().saturating_sub(count));
        }
        PageFault::Doubled => page.results.extend(page.results.first().cloned()),
        PageFault::PageSize(size) => page.size = size,
        PageFault::OtherSession => page.session.push_str("-other"),
        PageFault::SessionEnded => {
            shared.lock().sessions.known.remove(&session.id);
            return Err(Refusal::new(400, format!("{UNCACHED} {}", session.id)));
        }
    }
    Ok(page)
}

/// What a failed export says in the middle of its body.
const TERMINATED_EARLY: &[u8] = b"export terminated early\n";

impl Page {
    /// The body, in the order of the API's documentation.
    fn written(mut self, fault: &Fault) -> Vec<u8> {
        match fault {
            Fault::RepeatLines { every } => {
                let times = |(at, line): (usize, Bytes)| {
                    std::iter::repeat_n(line, 1 + usize::from(at.is_multiple_of(*every)))
                };
                self.results = self.results.into_iter().enumerate().flat_map(times).collect();
            }
            Fault::ReorderLines => self.results.reverse(),
            Fault::TerminatedEarly { after_lines } => self.results.truncate(*after_lines),
            Fault::None
            | Fault::CutConnection { .. }
            | Fault::EndEarly { .. }
            | Fault::DropTrailer
            | Fault::Corrupt { .. }
            | Fault::TerminatedWithin { .. }
            | Fault::CutAbove { .. }
            | Fault::Stall { .. }
            | Fault::Status { .. }
            | Fault::Page(_) => {}
        }
        let Self { number, size, session, total, results } = self;
        let total = total.map(|total| format!(r#""total": {total}, "#)).unwrap_or_default();
        let mut body = format!(
            r#"{{"page": {number}, "page_size": {size}, "session_id": "{session}", "status": "ok", {total}"results": ["#
        )
        .into_bytes();
        body.extend_from_slice(&results.join(&b", "[..]));
        match fault {
            Fault::TerminatedEarly { .. } => body.extend_from_slice(TERMINATED_EARLY),
            Fault::TerminatedWithin { after } => {
                body.truncate(*after);
                body.extend_from_slice(TERMINATED_EARLY);
            }
            Fault::None
            | Fault::CutConnection { .. }
            | Fault::EndEarly { .. }
            | Fault::DropTrailer
            | Fault::Corrupt { .. }
            | Fault::RepeatLines { .. }
            | Fault::ReorderLines
            | Fault::CutAbove { .. }
            | Fault::Stall { .. }
            | Fault::Status { .. }
            | Fault::Page(_) => body.extend_from_slice(b"]}"),
        }
        body
    }
}
