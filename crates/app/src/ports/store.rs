//! The store of objects.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::SystemTime;

/// The bytes of an object in pieces.
pub type ObjectBody = BoxStream<'static, Result<Bytes, StoreError>>;

/// A bucket, or a folder with the same layout. Keys are relative to it and use `/`.
///
/// Reads see everything that was written before. A write is complete or absent, whatever its size.
#[async_trait::async_trait]
pub trait ObjectStore: Send + Sync {
    /// The whole object, with its `ETag`; `None` if there is none.
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError>;

    /// The object in pieces of any size, for objects that may be too large for memory; `None` if there
    /// is none. A broken stream ends with an error.
    async fn read(&self, key: &str) -> Result<Option<ObjectBody>, StoreError> {
        let object = self.get(key).await?;
        Ok(object.map(|object| stream::iter([Ok(object.body)]).boxed()))
    }

    /// The last `length` bytes of an object (all of it, if it is shorter), with its size.
    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError>;

    /// Writes an object if the precondition holds.
    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError>;

    /// Writes an object from a file, which may be too large for memory, if the precondition holds.
    async fn put_file(
        &self,
        key: &str,
        file: &File,
        when: Precondition,
    ) -> Result<Put, StoreError> {
        let body = whole(file).map_err(|cause| StoreError {
            action: "write",
            location: self.location(key),
            hint: None,
            cause: cause.into(),
        })?;
        self.put(key, body, when).await
    }

    /// Copies an object within the store, and replaces an object at the destination.
    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError>;

    /// Deletes an object. It need not exist.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Ends uploads of keys with this prefix that began before a time and were not completed, and deletes their
    /// parts. Answers how many. A store without such uploads has none.
    async fn abort_uploads(&self, _prefix: &str, _before: SystemTime) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// All objects whose key starts with the prefix, in the order of their keys.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError>;

    /// How an object is encrypted at rest, if a write would encrypt it differently now. `None`: it is
    /// as a write would make it, it does not exist, or the store does not encrypt.
    async fn old_encryption(&self, _key: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// The location of a key, as the catalog has it: `s3://bucket/key`, or the path of a folder.
    fn location(&self, key: &str) -> String;
}

fn whole(mut file: &File) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// The precondition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// No object has the key.
    Absent,
    /// The object has this `ETag`: compare and swap.
    Matches(String),
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// Written.
    Done,
    /// Not written: the precondition failed, or another write was faster.
    Refused,
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bytes.
    pub body: Bytes,
    /// The version tag to compare and swap with.
    pub etag: String,
}

/// The end of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The last bytes.
    pub bytes: Bytes,
    /// The size of the whole object.
    pub size: u64,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// When it was written; `None` if the store does not report it.
    pub modified: Option<SystemTime>,
}

/// A call to the store failed. Only "not found" means absent; every other error is this.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {location}{}", hint.as_deref().map(|h| format!(": {h}")).unwrap_or_default())]
pub struct StoreError {
    /// `read`, `write`, `copy`, `delete` or `list`.
    pub action: &'static str,
    /// The full location.
    pub location: String,
    /// A hint for the user, if the adapter has one.
    pub hint: Option<String>,
    /// The cause.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
