//! Why a slice does not fit the start of ingestion of its lake.

use mixlake_domain::{Date, SliceLabel};

/// Slices would not share the events with those that the lake has.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another date, or none.
    #[error(
        "ingestion_start: the slices of this lake are of ingestion since {has}, and the settings say {}: events would be there twice or not at all. Set late_data=ingestion_cursor and ingestion_start={has}, or another s3_prefix",
        wanted.map_or("nothing of it".to_owned(), |date| date.to_string())
    )]
    Other {
        /// The date that it has.
        has: Date,
        /// The date that was asked for.
        wanted: Option<Date>,
    },
    /// The lake has slices of event time that were exported since.
    #[error(
        "ingestion_start: {0} has begun, and this lake has slices that were exported without it: events would be there twice. Set a date that is still to come, and let one export run before it begins"
    )]
    Begun(Date),
    /// The date has slices of the other time.
    #[error(
        "{slice} would hold events that {other} holds; a date has slices of the time of its events or of ingestion, never both (ingestion_start)"
    )]
    Both {
        /// The slice that was asked for.
        slice: SliceLabel,
        /// The one that is there.
        other: SliceLabel,
    },
}

impl StartError {
    /// Whether the next slice would meet it too.
    pub(super) fn meets_every_slice(&self) -> bool {
        match self {
            Self::Other { .. } | Self::Begun(_) => true,
            Self::Both { .. } => false,
        }
    }
}
