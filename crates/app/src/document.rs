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
