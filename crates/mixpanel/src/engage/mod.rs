//! The adapter for the engage API, which has the profiles.

mod fields;
mod page;
#[cfg(test)]
mod tests;
mod value;

use crate::body;
use crate::client::{Answer, ApiClient, Request, SetupError};
use crate::config::Config;
use crate::credentials::Credentials;
use crate::response::{self, SESSION_ENDED};
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{
    EventChunks, NextPage, PageError, PagePiece, PagePieces, ProfileSource, QueryBudget,
    SourceError,
};
pub(crate) use page::PageFlaw;
use page::PageReader;
use std::fmt;
use std::sync::Arc;

/// The longest profile, in bytes. Mixpanel's own limits allow far less.
const LONGEST_PROFILE: usize = 64 << 20;

/// Mixpanel's engage API as a source of profiles: of users, or of the groups of one key. Create one per
/// process and key: it holds the rate limit and the connections.
pub struct MixpanelProfiles {
    client: ApiClient,
    group: Option<String>,
}

impl MixpanelProfiles {
    /// Sets up the client; it sends no request yet. `group` is the `data_group_id` of a group key.
    pub fn new(config: Config, group: Option<String>) -> Result<Self, SetupError> {
        Ok(Self { client: ApiClient::new(config)?, group })
    }

    /// Shares the project's query budget with others.
    #[must_use]
    pub fn sharing(self, budget: Arc<dyn QueryBudget>) -> Self {
        Self { client: self.client.sharing(budget), ..self }
    }

    fn request(&self, next: Option<&NextPage>) -> Request<'_> {
        let config = &self.client.config;
        let project = config
            .credentials_need_project()
            .then(|| ("project_id", config.project_id.to_string()));
        let session = next.map(|next| ("session_id", next.session.clone()));
        let page = next.map(|next| ("page", next.page.to_string()));
        let group = self.group.clone().map(|group| ("data_group_id", group));
        Request {
            endpoint: config.endpoint.query_base(),
            path: "/api/query/engage",
            query: project.into_iter().collect(),
            form: Some([session, page, group].into_iter().flatten().collect()),
            // Mixpanel does not count the further pages of a session.
            counts: next.is_none(),
            subject: format!("page {} of the profiles", next.map_or(0, |next| next.page)),
            final_words: Some(SESSION_ENDED),
        }
    }
}

#[async_trait::async_trait]
impl ProfileSource for MixpanelProfiles {
    async fn page(&self, next: Option<&NextPage>, attempt: u32) -> Result<PagePieces, PageError> {
        match self.client.send(&self.request(next), attempt).await? {
            Answer::Success(response) => {
                let chunks = self.client.until_the_deadline(body::chunks(response)?);
                Ok(pieces(chunks, self.client.config.credentials.clone()))
            }
            Answer::Refused(refusal) => Err(refusal.of_profiles()),
        }
    }

    fn query(&self) -> Option<String> {
        let Config { endpoint, project_id, .. } = &self.client.config;
        Some(format!("{} {project_id} {:?}", endpoint.query_base(), self.group))
    }

    fn queries(&self) -> u64 {
        self.client.queries()
    }
}

impl fmt::Debug for MixpanelProfiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MixpanelProfiles")
            .field("config", &self.client.config)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

/// A page that is being received; `reader` is none after its end.
struct Arriving {
    chunks: EventChunks,
    reader: Option<PageReader>,
    credentials: Credentials,
}

fn pieces(chunks: EventChunks, credentials: Credentials) -> PagePieces {
    let reader = Some(PageReader::new(LONGEST_PROFILE));
    let arriving = Arriving { chunks, reader, credentials };
    stream::try_unfold(arriving, async |mut arriving| {
        Ok(arriving.next().await?.map(|piece| (piece, arriving)))
    })
    .boxed()
}

impl Arriving {
    /// The next piece; none after the end.
    async fn next(&mut self) -> Result<Option<PagePiece>, PageError> {
        let Some(mut reader) = self.reader.take() else { return Ok(None) };
        while let Some(chunk) = self.chunks.next().await.transpose()? {
            let mut lines = Vec::new();
            reader.read(&chunk, &mut lines).map_err(|flaw| self.error(&flaw))?;
            if !lines.is_empty() {
                self.reader = Some(reader);
                return Ok(Some(PagePiece::Lines(lines.into())));
            }
        }
        let end = reader.finish().map_err(|flaw| self.error(&flaw))?;
        Ok(Some(PagePiece::End(end)))
    }

    /// Texts of Mixpanel are in it.
    fn error(&self, flaw: &PageFlaw) -> PageError {
        let reason = response::tidy(&self.credentials.redact(&flaw.to_string()));
        if matches!(flaw, PageFlaw::Error(text) if text.contains(SESSION_ENDED)) {
            return PageError::SessionEnded(reason);
        }
        SourceError::Incomplete { reason, cause: None }.into()
    }
}
