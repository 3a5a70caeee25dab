//! The settings of a stand-in.

use super::budget::Limits;
use super::data::Data;
use super::profiles::Profiles;
use mixlake_domain::{Date, Timestamp, Zone};
use std::collections::BTreeMap;

/// The settings of a stand-in. [`StandInConfig::new`] suits tests; change only the fields that you
/// test.
#[derive(Debug, Clone)]
pub struct StandInConfig {
    /// The lines to serve.
    pub data: Data,
    /// The profiles of users, as the engage API sends them.
    pub profiles: Profiles,
    /// The profiles of groups, by the `data_group_id` of their key.
    pub groups: BTreeMap<String, Profiles>,
    /// How many profiles a full page has.
    pub page_size: usize,
    /// Which pages say how many profiles there are.
    pub totals: Totals,
    /// The only project.
    pub project_id: String,
    /// The service account's user name.
    pub username: String,
    /// The service account's secret.
    pub secret: String,
    /// The project secret, if the old authentication is allowed too.
    pub project_secret: Option<String>,
    /// How many queries of each API succeed before 429; no limit by default, because tests run many.
    pub limits: Limits,
    /// How HTTP gives the length of a body.
    pub framing: Framing,
    /// Whether large bodies are compressed for clients that request it; a proxy may undo it.
    pub gzip: bool,
    /// Where bodies are split into chunks; the same seed splits the same body at the same positions.
    pub seed: u64,
    /// The TCP port on 127.0.0.1; 0 selects a free one.
    pub port: u16,
    /// The last day that may be requested. By default it is today or the last day of the data,
    /// whichever is later, so that prepared data can be served on any day.
    pub today: Option<Date>,
}

impl StandInConfig {
    /// Sets the current time, so that a day that has not begun in the project's zone is refused.
    #[must_use]
    pub fn at(self, now: Timestamp, zone: &Zone) -> Self {
        Self { today: Some(zone.date_of(now)), ..self }
    }
}

/// Which pages of profiles say how many there are. The API's documentation shows it on a first page;
/// clients of the API note that later pages do not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totals {
    /// Every page.
    EveryPage,
    /// The first one.
    FirstPage,
}

/// How HTTP gives the end of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `Transfer-Encoding: chunked`, like the real API.
    Chunked,
    /// `Content-Length`, as a proxy may send it.
    Length,
}

impl StandInConfig {
    /// A stand-in for tests: a service account, no limits, chunked, a free port.
    #[must_use]
    pub fn new(data: Data) -> Self {
        Self {
            data,
            profiles: Profiles::default(),
            groups: BTreeMap::new(),
            page_size: 1000,
            totals: Totals::EveryPage,
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
