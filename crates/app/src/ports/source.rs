//! Where events come from.

use bytes::Bytes;
use futures::stream::BoxStream;
use mixlake_domain::{Timestamp, Window};
use std::time::Duration;

/// JSON lines in pieces of any size, cut anywhere, already decompressed.
///
/// The stream ends only when the source has proven complete by its own protocol: HTTP framing,
/// the gzip trailer and its checksum. Anything else ends it with an error.
pub type EventChunks = BoxStream<'static, Result<Bytes, SourceError>>;

/// A source of raw events.
#[async_trait::async_trait]
pub trait EventSource: Send + Sync {
    /// Starts reading the events of a window. Events outside of it may come along.
    ///
    /// `attempt` counts what failed just before; a source waits, with jitter, unless it is 0.
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError>;

    /// Whether each answer is one export from its first line to its last, so that its lines have to show
    /// it. Where lines are chosen from files, only the source can tell whether the files are sound.
    fn is_one_stream(&self) -> bool {
        false
    }

    /// Whether it may help to ask for a part of a window that could not be had. If so, the windows
    /// that a slice is cut into have each of its lines exactly once.
    fn divides(&self) -> bool {
        false
    }

    /// All that decides what a window has, as text: a window that was received for the same text need
    /// not be asked for again within a day. None: it is always asked for.
    fn query(&self, _window: &Window) -> Option<String> {
        None
    }
}

/// Why the events of a slice could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The stream broke off: trying again may help.
    #[error("the event stream ended before it was complete: {reason}")]
    Incomplete {
        /// What was missing.
        reason: String,
        /// The error below, where there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The source did not begin to answer in time: asking for less may help.
    #[error("the event source did not answer in time: {reason}")]
    TimedOut {
        /// How long it was waited for.
        reason: String,
        /// The error below, where there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The time of the run is used up. What is complete is kept for the next run.
    #[error("the time of this run is used up; run it again to go on from here")]
    OutOfTime,
    /// The source cannot answer now, and the adapter has waited for it as long as it may: a later run
    /// may succeed.
    #[error("the event source is not available: {reason}")]
    Unavailable {
        /// Status and message, or what failed to connect.
        reason: String,
        /// The error below, where there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The source cannot be reached at all, and the adapter has waited as long as it may: a later run may
    /// succeed.
    #[error("the event source cannot be reached: {reason}")]
    Unreachable {
        /// What failed.
        reason: String,
        /// The error below, where there is one.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The query budget of the project is used up, or the source asks to be left alone.
    #[error(
        "the project's query budget is used up, or Mixpanel asks to be left alone; try again in {} s",
        retry_after.as_secs()
    )]
    RateLimited {
        /// When to come back.
        retry_after: Duration,
    },
    /// Days that have not begun where the project is are not answered for yet.
    #[error("the events cannot be had yet: {reason}; ask again from {from} on")]
    NotYet {
        /// What the source says.
        reason: String,
        /// When the last of the days begins.
        from: Timestamp,
    },
    /// The source refuses: the same request will be refused again.
    #[error("the events cannot be had: {0}")]
    Refused(String),
}

impl SourceError {
    /// Whether the same request may succeed at once.
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

    /// Whether a request for less may succeed where this one did not.
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

    /// Whether a later run may succeed, though nobody puts anything right: the source is down, or busy, or
    /// it is not the run's turn, or its time is used up.
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

    /// Whether the next slice would meet it too.
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
