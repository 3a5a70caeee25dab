//! Why files are not compacted.

use crate::commit::CommitError;
use crate::document::DocumentError;
use crate::ports::StoreError;
use crate::registry::UnusableRegistry;
use mixlake_columnar::{CompactionError, RowsHashError};
use mixlake_domain::{Date, Zone, ZoneError};
use std::io;

/// Why files are not compacted. They stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// The day can still get events.
    #[error(
        "{date} has not ended: today is {today} in {zone}. Compaction takes days up to yesterday"
    )]
    NotEnded {
        /// The day.
        date: Date,
        /// The current day.
        today: Date,
        /// The zone.
        zone: Zone,
    },
    /// The zone of the lake is not known here.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest or ledger cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// A live file does not exist.
    #[error("{location} is missing, but the manifest lists it. Run `mixlake doctor`")]
    Missing {
        /// The file.
        location: String,
    },
    /// A live file has other bytes than were written.
    #[error(
        "{location} is damaged: its bytes are not those that Mixlake wrote. Run `mixlake doctor --deep`"
    )]
    Damaged {
        /// The file.
        location: String,
    },
    /// The rows of a live file cannot be read.
    #[error("the rows of {location} cannot be read. Run `mixlake doctor --deep`")]
    Rows {
        /// The file.
        location: String,
        /// Why.
        #[source]
        cause: RowsHashError,
    },
    /// The identities of a file's rows cannot be used.
    #[error(
        "the row identities {location} are missing or damaged. Export the slices of that day again"
    )]
    Identities {
        /// Their location.
        location: String,
    },
    /// The files cannot be merged.
    #[error(transparent)]
    Merge(#[from] CompactionError),
    /// The folder of temporary files failed.
    #[error(
        "cannot use a temporary file. Compaction needs about three times as much room there as the day's files have bytes; TMPDIR names the folder"
    )]
    Scratch(#[source] io::Error),
    /// Other runs made changes at each attempt.
    #[error(
        "other runs changed the same day {0} times in a row. Run the compaction again when they are done"
    )]
    Contended(u32),
}

impl From<CommitError> for CompactError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => error.into(),
            CommitError::Contended(times) => Self::Contended(times),
        }
    }
}
