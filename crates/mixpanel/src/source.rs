//! The adapter for the Raw Event Export API.

use crate::body;
use crate::client::{Answer, ApiClient, Request, SetupError};
use crate::config::Config;
use crate::query::ExportQuery;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{EventChunks, EventSource, QueryBudget, SourceError};
use mixlake_domain::Window;
use std::fmt;
use std::sync::Arc;

/// Mixpanel's Raw Event Export API as an event source. Create one per process: it holds the rate limit
/// and the connections.
pub struct MixpanelSource {
    client: ApiClient,
}

impl MixpanelSource {
    /// Sets up the client; it sends no query yet.
    pub fn new(config: Config) -> Result<Self, SetupError> {
        Ok(Self { client: ApiClient::new(config)? })
    }

    /// Shares the project's query budget with others.
    #[must_use]
    pub fn sharing(self, budget: Arc<dyn QueryBudget>) -> Self {
        Self { client: self.client.sharing(budget) }
    }
}

impl fmt::Debug for MixpanelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MixpanelSource")
            .field("config", &self.client.config)
            .finish_non_exhaustive()
    }
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
        let config = &self.client.config;
        let query = ExportQuery::of(window, config)?;
        Some(format!("{} {:?}", config.endpoint.export_base(), query.pairs()))
    }

    fn queries(&self) -> u64 {
        self.client.queries()
    }

    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        let config = &self.client.config;
        let Some(query) = ExportQuery::of(window, config) else {
            return Ok(stream::empty().boxed());
        };
        let request = Request {
            endpoint: config.endpoint.export_base(),
            path: "/api/2.0/export",
            query: query.pairs(),
            form: None,
            counts: true,
            subject: window.to_string(),
            final_words: None,
        };
        match self.client.send(&request, attempt).await? {
            Answer::Success(response) => {
                Ok(self.client.until_the_deadline(body::chunks(response)?))
            }
            Answer::Refused(refusal) => {
                Err(refusal.of_events(config.zone.start_of(query.to_date())))
            }
        }
    }
}
