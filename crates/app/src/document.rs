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

/// How often a document is read and swapped before the change is given up. Each time somebody else has made
/// a change, so this many in a row mean that something is wrong with the store.
pub(crate) const SWAPS: u32 = 64;

/// What a change does to a document.
pub(crate) enum Edit<R> {
    /// These bytes take its place.
    Write(Bytes, R),
    /// It stays as it is.
    Keep(R),
}

impl<R> Edit<R> {
    /// A JSON document takes its place.
    pub(crate) fn json<T: Serialize>(value: &T, answer: R) -> Self {
        Self::Write(json(value), answer)
    }
}

/// Changes a document: reads it, decides, and swaps it. When somebody else was faster it is read again, and
/// decided again: a refused write may be our own that was repeated after its answer was lost. None: others
/// were faster each time.
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
