//! Small JSON documents that many functions change at once: read, change, compare and swap.

use crate::ports::{ObjectStore, Precondition, Put, StoreError};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A document as it was read, with what is needed to write it back.
#[derive(Debug)]
pub(crate) struct Read<T> {
    pub value: Option<T>,
    pub precondition: Precondition,
}

/// A document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not say what it should.
    #[error("{location} cannot be read: it is damaged, or a later version of Mixlake wrote it")]
    Malformed {
        /// Where it lies.
        location: String,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// It is of another place: somebody copied it there.
    #[error("{location} does not belong there: {text}")]
    Misplaced {
        /// Where it lies.
        location: String,
        /// Of what it is.
        text: String,
    },
}

impl DocumentError {
    /// Whether the document is at fault, and not the store.
    pub(crate) fn is_of_the_document(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::Misplaced { .. } => true,
            Self::Store(_) => false,
        }
    }
}

/// Reads a document; absence is no error.
pub(crate) async fn read<T: DeserializeOwned>(
    store: &dyn ObjectStore,
    key: &str,
) -> Result<Read<T>, DocumentError> {
    let Some(object) = store.get(key).await? else {
        return Ok(Read { value: None, precondition: Precondition::Absent });
    };
    let value = serde_json::from_slice(&object.body)
        .map_err(|cause| DocumentError::Malformed { location: store.location(key), cause })?;
    Ok(Read { value: Some(value), precondition: Precondition::Matches(object.etag) })
}

impl<T> Read<T> {
    /// Refuses a document that says that it is of another place; `other` tells of which.
    pub(crate) fn of_its_place(
        self,
        location: impl FnOnce() -> String,
        other: impl FnOnce(&T) -> Option<String>,
    ) -> Result<Self, DocumentError> {
        match self.value.as_ref().and_then(other) {
            Some(text) => Err(DocumentError::Misplaced { location: location(), text }),
            None => Ok(self),
        }
    }
}

/// Writes a document if nobody has changed it since it was read.
pub(crate) async fn write<T: Serialize>(
    store: &dyn ObjectStore,
    key: &str,
    value: &T,
    when: Precondition,
) -> Result<Put, StoreError> {
    let mut json = serde_json::to_vec_pretty(value)
        .expect("strings, numbers and lists can always be written as JSON");
    json.push(b'\n');
    store.put(key, Bytes::from(json), when).await
}
