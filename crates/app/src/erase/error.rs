//! Why a person cannot be erased, or cannot be removed from an object.

use crate::commit::CommitError;
use crate::document::DocumentError;
use crate::ports::StoreError;
use crate::registry::UnusableRegistry;
use mixlake_columnar::{NoIdentities, PeopleError};

/// Why a person cannot be erased, or cannot be removed from an object.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest, a ledger, the receipt or the suppression document cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// The zone of the lake is unknown to this version.
    #[error(transparent)]
    Zone(#[from] mixlake_domain::ZoneError),
    /// An object cannot be searched, or its rows cannot be removed.
    #[error("{location} cannot be read. Export its slice again: the export leaves the person out")]
    File {
        /// Its location.
        location: String,
        /// What is wrong.
        #[source]
        cause: PeopleError,
    },
    /// The rows of a file are not those that the manifest lists.
    #[error(
        "the rows of {location} are not the rows that the manifest lists. Run mixlake doctor --deep, or export the slice again: the export leaves the person out"
    )]
    Differs {
        /// The location of the file.
        location: String,
    },
    /// The file is listed and missing.
    #[error("{location} is missing. Run mixlake doctor")]
    Missing {
        /// The location of the file.
        location: String,
    },
    /// The identities of a file's rows cannot be used.
    #[error("the row identities {location} are damaged. Export the slice of that data file again")]
    Identities {
        /// Their location.
        location: String,
        /// What is wrong.
        #[source]
        cause: NoIdentities,
    },
    /// An object with bad lines cannot be read.
    #[error("{location} cannot be read as gzip JSON lines. Delete it if it is not needed")]
    BadLines {
        /// Its location.
        location: String,
        /// What is wrong.
        #[source]
        cause: std::io::Error,
    },
    /// Each identifier led to further ones.
    #[error(
        "after {0} passes over the lake there are still new identifiers. Name them with --distinct-id, and leave out --resolve"
    )]
    Resolve(u32),
    /// Other runs made changes at each attempt.
    #[error("other runs changed the same documents each time. Run the erasure again")]
    Contended,
}

impl From<CommitError> for EraseError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error.into(),
            CommitError::Document(error) => error.into(),
            CommitError::Contended(_) => Self::Contended,
        }
    }
}
