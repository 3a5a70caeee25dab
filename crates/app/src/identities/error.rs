//! Why identities are not rebuilt.

use crate::commit::CommitError;
use crate::document::DocumentError;
use crate::ports::StoreError;
use crate::registry::UnusableRegistry;
use mixlake_columnar::{PeopleError, TransformError};
use mixlake_schema::Contradiction;
use std::io::{self, ErrorKind};

/// Why identities are not rebuilt. The table stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentitiesError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest, or the list of erased people, cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// The table has a column of the same name and another type.
    #[error("the table of identities cannot get its columns")]
    Columns(#[from] Contradiction),
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
        cause: PeopleError,
    },
    /// What was read from the rows of a day cannot be used.
    #[error("{location} cannot be read. Delete it: the next run makes it again")]
    Facts {
        /// The object.
        location: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The rows could not be encoded.
    #[error(transparent)]
    Encode(#[from] TransformError),
    /// The folder of temporary files failed.
    #[error(
        "cannot use a temporary file. Identities need about 500 bytes of room there for each pair of identifiers; TMPDIR names the folder"
    )]
    Scratch(#[source] io::Error),
    /// The time ended.
    #[error(
        "the time ended before the identities of all days were put together. Run `mixlake identities` where there is more time"
    )]
    OutOfTime,
    /// Other runs made changes at each attempt.
    #[error(
        "other runs changed the same objects {0} times in a row. Run it again when they are done"
    )]
    Contended(u32),
}

impl From<CommitError> for IdentitiesError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => error.into(),
            CommitError::Contended(times) => Self::Contended(times),
        }
    }
}

/// All files of the work are temporary, and it is stopped by an error of this kind.
impl From<io::Error> for IdentitiesError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::TimedOut { Self::OutOfTime } else { Self::Scratch(error) }
    }
}
