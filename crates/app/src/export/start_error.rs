//! Why a slice does not fit the start of ingestion of its lake.

use mixlake_domain::{Date, SliceLabel};

/// Events would be in two slices, or in none.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings have another date, or none.
    #[error(
        "ingestion_start: this lake has slices by ingestion time since {has}, and the setting is {}. The lake would have events twice or not at all. Set late_data=ingestion_cursor and ingestion_start={has}, or use another s3_prefix",
        wanted.map_or("not set".to_owned(), |date| date.to_string())
    )]
    Other {
        /// The start of the lake.
        has: Date,
        /// The start of the settings.
        wanted: Option<Date>,
    },
    /// The start has passed, and the lake has slices of event time since.
    #[error(
        "ingestion_start: {0} has already begun, and this lake has slices that were exported without it. The lake would have events twice. Set a future date, and let one export run before that date begins"
    )]
    Begun(Date),
    /// The date has slices of the other kind of time.
    #[error(
        "{slice} would hold events that {other} already holds. A date has slices by event time or by ingestion time, never both (ingestion_start)"
    )]
    Both {
        /// The requested slice.
        slice: SliceLabel,
        /// The existing slice.
        other: SliceLabel,
    },
}

impl StartError {
    /// Whether the next slice would fail for the same reason.
    pub(super) fn meets_every_slice(&self) -> bool {
        match self {
            Self::Other { .. } | Self::Begun(_) => true,
            Self::Both { .. } => false,
        }
    }
}
