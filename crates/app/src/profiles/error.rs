//! Why profiles are not published.

use super::session::PagesProblem;
use crate::commit::CommitError;
use crate::document::DocumentError;
use crate::export::RowsTaken;
use crate::ports::{PageError, SourceError, StoreError};
use crate::registry::UnusableRegistry;
use mixlake_columnar::TransformError;

/// Why the profiles of a table are not published. The live table stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// A page could not be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Mixpanel has forgotten the session, and a second one too.
    #[error(
        "Mixpanel forgot the session of the pages twice, so no run can read all of them: {0}. Run the export again"
    )]
    SessionEnded(String),
    /// The pages are not all profiles.
    #[error("the pages are not all profiles, so the live table stays as it is")]
    Pages(#[from] PagesProblem),
    /// The profiles could not be transformed.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// Lines came, and none of them is a profile.
    #[error(
        "none of the {lines} lines is a profile: {}. The live table stays as it is",
        reasons.join("; ")
    )]
    NoProfile {
        /// How many lines came.
        lines: u64,
        /// The first reasons.
        reasons: Vec<String>,
    },
    /// More lines are bad than allowed.
    #[error(
        "{bad} of {lines} lines are not profiles, more than max_quarantine_share={share} allows: {}. The live table stays as it is. If the lines are right, raise max_quarantine_share and export the profiles again",
        reasons.join("; ")
    )]
    MostlyBad {
        /// The lines that are not profiles.
        bad: u64,
        /// All lines.
        lines: u64,
        /// The allowed share.
        share: f64,
        /// The first reasons.
        reasons: Vec<String>,
    },
    /// There is no profile, but the table has rows.
    #[error(
        "the source has no profile, but {rows} rows are live. The rows stay. To remove them, set allow_empty=true"
    )]
    Empty {
        /// The live rows.
        rows: u64,
    },
    /// The input has fewer profiles than are live.
    #[error(
        "the input has fewer profiles than are live: {0}. The live rows stay. Use --replace to replace them"
    )]
    Fewer(RowsTaken),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// The registry does not have a table whose files are live.
    #[error(
        "{location} does not have the names of the table's columns, and the live files do not record all of them. Restore the last good version of the document, then export again"
    )]
    NamesLost {
        /// Its location.
        location: String,
    },
    /// An event has the name of the table.
    #[error(
        "an event of this lake has a table of its own with the name {0}, so there can be no table of profiles with this name"
    )]
    Taken(String),
    /// Other runs made changes at each attempt.
    #[error(
        "other runs changed the same table {0} times in a row. Run the export again when they are done"
    )]
    Contended(u32),
}

impl From<CommitError> for ProfilesError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => error.into(),
            CommitError::Contended(times) => Self::Contended(times),
        }
    }
}

impl From<PageError> for ProfilesError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::SessionEnded(text) => Self::SessionEnded(text),
            PageError::Source(error) => error.into(),
        }
    }
}

impl ProfilesError {
    /// Whether the run ends because the source is down, the query budget is used up, or its time is. A later
    /// run goes on with the pages that are complete.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        match self {
            Self::Source(error) => match error {
                SourceError::TimedOut { .. }
                | SourceError::OutOfTime
                | SourceError::Unavailable { .. }
                | SourceError::Unreachable { .. }
                | SourceError::RateLimited { .. }
                | SourceError::NotYet { .. } => true,
                SourceError::Incomplete { .. } | SourceError::Refused(_) => false,
            },
            Self::Contended(_) => true,
            Self::SessionEnded(_)
            | Self::Pages(_)
            | Self::Transform(_)
            | Self::NoProfile { .. }
            | Self::MostlyBad { .. }
            | Self::Empty { .. }
            | Self::Fewer(_)
            | Self::Store(_)
            | Self::Document(_)
            | Self::Registry { .. }
            | Self::NamesLost { .. }
            | Self::Taken(_) => false,
        }
    }

    /// Whether the export of the next table would fail for the same reason.
    #[must_use]
    pub fn meets_every_table(&self) -> bool {
        match self {
            Self::Source(error) => error.meets_every_slice(),
            Self::Store(_) | Self::Registry { .. } => true,
            Self::SessionEnded(_)
            | Self::Pages(_)
            | Self::Transform(_)
            | Self::NoProfile { .. }
            | Self::MostlyBad { .. }
            | Self::Empty { .. }
            | Self::Fewer(_)
            | Self::Document(_)
            | Self::NamesLost { .. }
            | Self::Taken(_)
            | Self::Contended(_) => false,
        }
    }
}
