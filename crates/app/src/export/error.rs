//! Why a slice is not published, and what this means for the next slices and the next run.

use super::StartError;
use super::safeguards::RowsTaken;
use crate::commit::CommitError;
use crate::document::DocumentError;
use crate::ports::{SourceError, StoreError};
use crate::registry::UnusableRegistry;
use mixlake_columnar::TransformError;
use mixlake_domain::{Origin, SliceLabel, TableNameError, Target, Window};

/// Why a slice is not published.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The events could not be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The events could not be transformed.
    #[error(transparent)]
    Transform(#[from] TransformError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest or ledger cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// The identities of a file's rows cannot be used.
    #[error(
        "the row identities {location} are missing or damaged. Export the slice of that data file again"
    )]
    Identities {
        /// Their location.
        location: String,
        /// What is wrong.
        #[source]
        cause: mixlake_columnar::NoIdentities,
    },
    /// The lake's slices are days, hours and minutes of another zone.
    #[error(
        "timezone: the slices of this lake are days, hours and minutes of {has}, and the setting says {wanted}. For another zone, use another s3_prefix or project"
    )]
    Zone {
        /// The zone of the lake.
        has: String,
        /// The zone of the settings.
        wanted: String,
    },
    /// The start of ingestion differs from the lake's.
    #[error(transparent)]
    Start(#[from] StartError),
    /// More lines are bad than allowed, so the response proves nothing.
    #[error(
        "{bad} of {lines} lines are not events, more than max_quarantine_share={share} allows: {}. The live rows stay as they are. If the lines are right, raise max_quarantine_share and export the slice again",
        reasons.join("; ")
    )]
    MostlyBad {
        /// The lines that are not events.
        bad: u64,
        /// All lines.
        lines: u64,
        /// The allowed share.
        share: f64,
        /// The first reasons.
        reasons: Vec<String>,
    },
    /// The input has no lines for a slice that has live rows.
    #[error(
        "the source has no line of this slice, but {rows} of its rows are live. The rows stay. To remove them, use \
         --allow-empty with --input, or sync the day by hand"
    )]
    Empty {
        /// The live rows.
        rows: u64,
    },
    /// The export would remove live rows.
    #[error(
        "the input has fewer rows than are live: {}. The live rows stay. Use --replace to replace them",
        list(taken)
    )]
    Fewer {
        /// The days and the numbers of rows.
        taken: Vec<RowsTaken>,
    },
    /// An earlier slice failed, and this slice would fail for the same reason.
    #[error("not tried: the problem that stopped {0} would stop this slice too")]
    NotTried(SliceLabel),
    /// The slice was split down to this window, and even this window could not be fetched completely.
    #[error(
        "the source does not send all events of {window}, and Mixlake does not ask for a shorter time"
    )]
    Minute {
        /// The window.
        window: Box<Window>,
        /// The error of the last attempt.
        #[source]
        cause: Box<ExportError>,
    },
    /// The slice's rows are in one file with rows of other slices.
    #[error(
        "a data file of {target} holds rows of {others} together with rows of this slice. Export the whole day again"
    )]
    Compacted {
        /// The day of the table.
        target: Target,
        /// The other slices.
        others: Origin,
    },
    /// A table has no usable name.
    #[error(transparent)]
    Table(#[from] TableNameError),
    /// Other runs made changes at each attempt.
    #[error(
        "other runs changed the same slice {0} times in a row. Run the export again when they are done"
    )]
    Contended(u32),
}

impl From<CommitError> for ExportError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => error.into(),
            CommitError::Contended(times) => Self::Contended(times),
        }
    }
}

fn list(taken: &[RowsTaken]) -> String {
    taken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl ExportError {
    /// Whether the next slice would fail for the same reason. A response without any event does, if each
    /// response is an export of its own: a proxy or a login page that responds in place of Mixpanel
    /// sends the same to every query.
    pub(super) fn meets_every_slice(&self, one_stream: bool) -> bool {
        match self {
            Self::Source(error) => error.meets_every_slice(),
            Self::Store(_) | Self::Registry { .. } | Self::Zone { .. } => true,
            Self::Start(error) => error.meets_every_slice(),
            Self::Transform(TransformError::NoEvent { .. }) => one_stream,
            Self::Transform(_)
            | Self::Document(_)
            | Self::Compacted { .. }
            | Self::Table(_)
            | Self::Identities { .. }
            | Self::MostlyBad { .. }
            | Self::Empty { .. }
            | Self::Fewer { .. }
            | Self::NotTried(_)
            | Self::Minute { .. }
            | Self::Contended(_) => false,
        }
    }

    /// Whether a retry at once may help.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Source(error) => error.is_transient(),
            Self::Transform(error) => stopped(error),
            Self::Store(_)
            | Self::Document(_)
            | Self::Compacted { .. }
            | Self::Table(_)
            | Self::Registry { .. }
            | Self::Identities { .. }
            | Self::Zone { .. }
            | Self::Start(_)
            | Self::MostlyBad { .. }
            | Self::Empty { .. }
            | Self::Fewer { .. }
            | Self::NotTried(_)
            | Self::Minute { .. }
            | Self::Contended(_) => false,
        }
    }

    /// Whether the response was not an export. Gateways sometimes send such responses for a short time,
    /// so one retry is enough to find out.
    pub(super) fn is_no_export(&self) -> bool {
        matches!(self, Self::Transform(TransformError::NoEvent { .. }))
    }

    /// Whether a smaller request may help.
    pub(super) fn may_be_too_much(&self) -> bool {
        match self {
            Self::Source(error) => error.may_be_too_much(),
            Self::Transform(_)
            | Self::Store(_)
            | Self::Document(_)
            | Self::Compacted { .. }
            | Self::Table(_)
            | Self::Registry { .. }
            | Self::Identities { .. }
            | Self::Zone { .. }
            | Self::Start(_)
            | Self::MostlyBad { .. }
            | Self::Empty { .. }
            | Self::Fewer { .. }
            | Self::NotTried(_)
            | Self::Minute { .. }
            | Self::Contended(_) => self.is_transient(),
        }
    }

    /// Whether a later run may succeed without a fix.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        match self {
            Self::Source(error) => error.is_for_later(),
            Self::Minute { cause, .. } => cause.is_for_later(),
            Self::Transform(error) => stopped(error),
            Self::NotTried(_) | Self::Contended(_) => true,
            Self::Store(_)
            | Self::Document(_)
            | Self::Compacted { .. }
            | Self::Table(_)
            | Self::Registry { .. }
            | Self::Identities { .. }
            | Self::Zone { .. }
            | Self::Start(_)
            | Self::MostlyBad { .. }
            | Self::Empty { .. }
            | Self::Fewer { .. } => false,
        }
    }
}

/// Whether the stream said, or shows, that it is incomplete.
fn stopped(error: &TransformError) -> bool {
    match error {
        TransformError::TerminatedEarly(_)
        | TransformError::CutLine(_)
        | TransformError::EndsWithError(_) => true,
        TransformError::NoEvent { .. }
        | TransformError::TimeType { .. }
        | TransformError::Format { .. }
        | TransformError::FarApart(_)
        | TransformError::TooManyBadLines { .. }
        | TransformError::TooManyNames { .. }
        | TransformError::Json(_)
        | TransformError::Parquet(_)
        | TransformError::Quarantine(_) => false,
    }
}
