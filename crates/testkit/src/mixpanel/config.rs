//! What a stand-in serves, to whom, and how.

use super::budget::Limits;
use super::data::Data;
use mixlake_domain::{Date, Timestamp, Zone};

/// The settings of a stand-in. [`StandInConfig::new`] suits tests; change the fields you test.
#[derive(Debug, Clone)]
pub struct StandInConfig {
    /// The lines to serve.
    pub data: Data,
    /// The only project there is.
    pub project_id: String,
    /// The service account's user name.
    pub username: String,
    /// The service account's secret.
    pub secret: String,
    /// The project secret, where the old way to authenticate is allowed too.
    pub project_secret: Option<String>,
    /// How many queries are answered before 429; none by default, for tests run many.
    pub limits: Limits,
    /// How the length of a body is told.
    pub framing: Framing,
    /// Whether large bodies are compressed for clients that ask for it; a proxy may undo it.
    pub gzip: bool,
    /// Where bodies are cut into chunks; the same seed cuts the same body at the same places.
    pub seed: u64,
    /// The TCP port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The last day that may be asked for. By default the clock's, or the last day of the data
    /// where that is later, so that prepared data can be served on any day.
    pub today: Option<Date>,
}

impl StandInConfig {
    /// It is this instant there, and a day that has not begun in the project's zone is not answered for.
    #[must_use]
    pub fn at(self, now: Timestamp, zone: &Zone) -> Self {
        Self { today: Some(zone.date_of(now)), ..self }
    }
}

/// How HTTP tells where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `Transfer-Encoding: chunked`, as the real API answers.
    Chunked,
    /// `Content-Length`, as a proxy in between may answer.
    Length,
}

impl StandInConfig {
    /// A stand-in for tests: a service account, no limits, chunked, a free port.
    #[must_use]
    pub fn new(data: Data) -> Self {
        Self {
            data,
            project_id: "3141592".to_owned(),
            username: "export.0a1b2c.mp-service-account".to_owned(),
            secret: "correct-horse-battery".to_owned(),
            project_secret: None,
            limits: Limits::NONE,
            framing: Framing::Chunked,
            gzip: true,
            seed: 1,
            port: 0,
            today: None,
        }
    }
}
