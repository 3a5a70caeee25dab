//! The source of profiles.

use super::SourceError;
use bytes::Bytes;
use futures::stream::BoxStream;

/// A source of profiles, in pages. It gives users, or the groups of one key.
#[async_trait::async_trait]
pub trait ProfileSource: Send + Sync {
    /// Starts reading a page. Without `next`, the source begins a session and sends its first page.
    ///
    /// `attempt` is the number of failed attempts just before. The source waits, with jitter, unless it
    /// is 0.
    async fn page(&self, next: Option<&NextPage>, attempt: u32) -> Result<PagePieces, PageError>;

    /// Everything that decides which profiles the source sends, as text. `None`: pages of one run are of
    /// no use to the next run.
    fn query(&self) -> Option<String>;

    /// How many queries this source has sent so far.
    fn queries(&self) -> u64 {
        0
    }
}

/// A page in pieces. The last one is [`PagePiece::End`]. A stream that ends without it, or with an error, is no
/// page.
pub type PagePieces = BoxStream<'static, Result<PagePiece, PageError>>;

/// A page of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage {
    /// What the source calls the session.
    pub session: String,
    /// The number of the page. The first one is 0.
    pub page: u64,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PagePiece {
    /// Whole lines. Each is one profile, as the source has it, on one line.
    Lines(Bytes),
    /// The end of a page that is complete.
    End(PageEnd),
}

/// What a source says about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd {
    /// The number of the page.
    pub page: u64,
    /// How many profiles a full page has.
    pub page_size: u64,
    /// What the source calls the session.
    pub session: String,
    /// How many profiles all pages have together. The first page always says it; later ones need not.
    pub total: Option<u64>,
    /// How many profiles this page has.
    pub profiles: u64,
}

/// The reason why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The source does not know the session any more. Its pages have to be read again, in a new session.
    #[error("Mixpanel has forgotten the session of these pages: {0}")]
    SessionEnded(String),
    /// As for events.
    #[error(transparent)]
    Source(#[from] SourceError),
}
