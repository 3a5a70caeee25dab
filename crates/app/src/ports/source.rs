//! The source of events.

use bytes::Bytes;
use futures::stream::BoxStream;
use mixlake_domain::{Timestamp, Window};
use std::time::Duration;

/// JSON lines in pieces of any size, cut anywhere, already decompressed.
///
/// The stream ends without an error only if the source's own protocol proves that it is complete: HTTP
/// framing, and the gzip trailer with its checksum.
pub type EventChunks = BoxStream<'static, Result<Bytes, SourceError>>;

/// A source of raw events.
#[async_trait::async_trait]
pub trait EventSource: Send + Sync {
    /// Starts reading the events of a window. The stream may also contain events outside of it.
    ///
    /// `attempt` is the number of failed attempts just before. The source waits, with jitter, unless it
    /// is 0.
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError>;

    /// Whether each response is one export from its first line to its last. If so, its lines must prove
    /// it. If lines are chosen from files, only the source can tell whether the files are complete.
    fn is_one_stream(&self) -> bool {
        false
    }

    /// Whether it may help to fetch a part of a window that failed. If so, the windows into which a
    /// slice is split contain each of its lines exactly once.
    fn divides(&self) -> bool {
        false
    }

    /// Everything that decides the content of a window, as text. A window that was received for the same
    /// text need not be fetched again within a day. `None`: it is always fetched.
    fn query(&self, _window: &Window) -> Option<String> {
        None
    }

    /// How many queries this source has sent so far. Reads of files are none. A source that wraps
    /// another one passes this on.
    fn queries(&self) -> u64 {
        0
    }
}

/// The reason why the events of a slice could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The stream broke off. A retry may help.
    #[error("the event stream ended before it was complete: {reason}")]
    Incomplete {
        /// What was missing.
        reason: String,
        /// The cause, if there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The source did not begin to respond in time. A smaller request may help.
    #[error("the event source did not answer in time: {reason}")]
    TimedOut {
        /// The time that was waited.
        reason: String,
        /// The cause, if there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The time of the run is used up. Complete parts are kept for the next run.
    #[error("the time of this run is used up. Run it again to continue from here")]
    OutOfTime,
    /// The source cannot respond now, and the adapter has waited as long as it may. A later run may
    /// succeed.
    #[error("the event source is not available: {reason}")]
    Unavailable {
        /// Status and message, or the connection error.
        reason: String,
        /// The cause, if there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The source cannot be reached, and the adapter has waited as long as it may. A later run may
    /// succeed.
    #[error("the event source cannot be reached: {reason}")]
    Unreachable {
        /// What failed.
        reason: String,
        /// The cause, if there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The query budget of the project is used up, or the source asks for a pause.
    #[error(
        "the query budget of the project is used up, or Mixpanel accepts no more queries for now. Try again in {} s",
        retry_after.as_secs()
    )]
    RateLimited {
        /// When to try again.
        retry_after: Duration,
    },
    /// The source does not export days that have not begun in the project's zone.
    #[error("the events are not available yet: {reason}. Ask again from {from} on")]
    NotYet {
        /// The message of the source.
        reason: String,
        /// The start of the last of these days.
        from: Timestamp,
    },
    /// The source refused the request, and will refuse it again.
    #[error("the event source refuses the request: {0}")]
    Refused(String),
}

impl SourceError {
    /// Whether the same request may succeed if it is sent again at once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Incomplete { .. } => true,
            Self::TimedOut { .. }
            | Self::OutOfTime
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::NotYet { .. }
            | Self::Refused(_) => false,
        }
    }

    /// Whether a smaller request may succeed.
    #[must_use]
    pub fn may_be_too_much(&self) -> bool {
        match self {
            Self::Incomplete { .. } | Self::TimedOut { .. } => true,
            Self::OutOfTime
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::NotYet { .. }
            | Self::Refused(_) => false,
        }
    }

    /// Whether a later run may succeed without a fix: the source is down or busy, the query budget is
    /// used up, or the time of the run is.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        match self {
            Self::Incomplete { .. }
            | Self::TimedOut { .. }
            | Self::OutOfTime
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::NotYet { .. } => true,
            Self::Refused(_) => false,
        }
    }

    /// Whether the next slice would fail for the same reason.
    #[must_use]
    pub fn meets_every_slice(&self) -> bool {
        match self {
            Self::Incomplete { .. } | Self::TimedOut { .. } => false,
            Self::OutOfTime
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::NotYet { .. }
            | Self::Refused(_) => true,
        }
    }
}
