//! Small JSON documents that several functions change at the same time, with compare-and-swap.

use crate::ports::{ObjectStore, Precondition, Put, StoreError};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A document as it was read, with the precondition for writing it back.
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
    /// The document has the wrong content.
    #[error("{location} cannot be read: it is damaged, or a later version of Mixlake wrote it")]
    Malformed {
        /// The location of the document.
        location: String,
        /// What is wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// The document belongs to another place: somebody copied it.
    #[error("{location} is in the wrong place: {text}")]
    Misplaced {
        /// The location of the document.
        location: String,
        /// What the document belongs to.
        text: String,
    },
}

impl DocumentError {
    /// Whether the error is in the document and not in the store.
    pub(crate) fn is_of_the_document(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::Misplaced { .. } => true,
            Self::Store(_) => false,
        }
    }
}

/// Reads a document. A missing document is not an error.
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
    /// Refuses a document that belongs to another place, which `other` names.
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

/// The number of attempts before a change fails. Each attempt fails because another run made a change,
/// so this many in a row mean that something is wrong with the store.
pub(crate) const SWAPS: u32 = 64;

/// The result of deciding on a change.
pub(crate) enum Edit<R> {
    /// Write these bytes.
    Write(Bytes, R),
    /// Write nothing.
    Keep(R),
}

impl<R> Edit<R> {
    /// Writes a JSON document.
    pub(crate) fn json<T: Serialize>(value: &T, answer: R) -> Self {
        Self::Write(json(value), answer)
    }
}

/// Changes a document: reads it, decides, and writes it if nobody changed it. If the write was refused,
/// it reads and decides again, because the refused write may be its own: the SDK repeats a request whose
/// response was lost. Returns `None` if other runs were faster each time.
pub(crate) async fn change<T, R, E: From<StoreError>, F: Future<Output = Result<Read<T>, E>>>(
    store: &dyn ObjectStore,
    key: &str,
    read: impl Fn() -> F,
    mut decide: impl FnMut(Read<T>) -> Result<Edit<R>, E>,
) -> Result<Option<R>, E> {
    for _ in 0..SWAPS {
        let read = read().await?;
        let precondition = read.precondition.clone();
        match decide(read)? {
            Edit::Keep(answer) => return Ok(Some(answer)),
            Edit::Write(bytes, answer) => match store.put(key, bytes, precondition).await? {
                Put::Done => return Ok(Some(answer)),
                Put::Refused => {}
            },
        }
    }
    Ok(None)
}

/// Writes a document if nobody has changed it since it was read.
pub(crate) async fn write<T: Serialize>(
    store: &dyn ObjectStore,
    key: &str,
    value: &T,
    when: Precondition,
) -> Result<Put, StoreError> {
    store.put(key, json(value), when).await
}

fn json<T: Serialize>(value: &T) -> Bytes {
    let mut json = serde_json::to_vec_pretty(value)
        .expect("strings, numbers and lists can always be written as JSON");
    json.push(b'\n');
    Bytes::from(json)
}
