//! Objects as files.

use crate::blocking::blocking;
use crate::key::relative_path;
use crate::lake_folder::{LakeFolder, open};
use crate::listing::list;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{
    Object, ObjectBody, ObjectMeta, ObjectStore, Precondition, Put, StoreError, Tail,
};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Bytes per read.
const PIECE: u64 = 256 << 10;

/// A folder with the layout of a bucket. Clones and other processes can use it at the same time.
#[derive(Debug, Clone)]
pub struct FolderStore {
    lake: LakeFolder,
}

impl FolderStore {
    /// The folder is created with the first object.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        let lake = LakeFolder::new(folder).map_err(|cause| StoreError {
            action: "read",
            location: folder.display().to_string(),
            hint: None,
            cause: Box::new(cause),
        })?;
        Ok(Self { lake })
    }

    /// Runs work on the file of a key, on a thread that may block.
    async fn with_file<T: Send + 'static>(
        &self,
        action: &'static str,
        key: &str,
        work: impl FnOnce(&LakeFolder, &Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lake = self.lake.clone();
        let path = relative_path(key).map(|path| lake.root().join(path));
        let result = blocking(move || work(&lake, &path?)).await;
        result.map_err(|cause| self.failed(action, key, cause))
    }

    fn failed(&self, action: &'static str, key: &str, cause: io::Error) -> StoreError {
        let hint = hint(&cause);
        StoreError { action, location: self.location(key), hint, cause: Box::new(cause) }
    }
}

#[async_trait::async_trait]
impl ObjectStore for FolderStore {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        self.with_file("read", key, |_, path| read(path)).await
    }

    async fn read(&self, key: &str) -> Result<Option<ObjectBody>, StoreError> {
        let Some(file) = self.with_file("read", key, |_, path| open(path)).await? else {
            return Ok(None);
        };
        let next = async |(mut file, store, key): (File, Self, String)| {
            let read = blocking(move || {
                let mut piece = Vec::new();
                let read = (&mut file).take(PIECE).read_to_end(&mut piece);
                (read.map(|_| piece), file)
            });
            let (piece, file) = read.await;
            let piece = piece.map_err(|cause| store.failed("read", &key, cause))?;
            Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (file, store, key))))
        };
        Ok(Some(stream::try_unfold((file, self.clone(), key.to_owned()), next).boxed()))
    }

    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError> {
        self.with_file("read", key, move |_, path| read_tail(path, length)).await
    }

    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError> {
        self.with_file("write", key, move |lake, path| match when {
            Precondition::Absent => create(lake, path, |lake| lake.stage(&body)),
            Precondition::Matches(etag) => swap(lake, path, |lake| lake.stage(&body), &etag),
        })
        .await
    }

    async fn put_file(
        &self,
        key: &str,
        file: &File,
        when: Precondition,
    ) -> Result<Put, StoreError> {
        let file = file.try_clone().map_err(|cause| self.failed("write", key, cause))?;
        self.with_file("write", key, move |lake, path| match when {
            Precondition::Absent => create(lake, path, |lake| lake.stage_open(file)),
            Precondition::Matches(etag) => swap(lake, path, |lake| lake.stage_open(file), &etag),
        })
        .await
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let from = relative_path(from).map_err(|cause| self.failed("copy", from, cause))?;
        self.with_file("copy", to, move |lake, to| copy(lake, &lake.root().join(from), to)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.with_file("delete", key, |lake, path| lake.remove(path, &lake.lock()?)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let (root, wanted): (PathBuf, String) = (self.lake.root().to_owned(), prefix.to_owned());
        let result = blocking(move || list(&root, &wanted)).await;
        result.map_err(|cause| self.failed("list", prefix, cause))
    }

    fn location(&self, key: &str) -> String {
        self.lake.location(key)
    }
}

fn read(path: &Path) -> io::Result<Option<Object>> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let mut body = Vec::new();
    file.read_to_end(&mut body)?;
    let etag = etag(&body);
    Ok(Some(Object { body: body.into(), etag }))
}

fn read_tail(path: &Path, length: u64) -> io::Result<Option<Tail>> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(length)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(Tail { bytes: bytes.into(), size }))
}

fn create(
    lake: &LakeFolder,
    path: &Path,
    stage: impl FnOnce(&LakeFolder) -> io::Result<TempPath>,
) -> io::Result<Put> {
    // This check saves writing a large body that will be refused; the atomic rename still decides.
    if path.is_file() {
        return Ok(Put::Refused);
    }
    let staged = stage(lake)?;
    let done = lake.publish_new(staged, path, &lake.lock()?)?;
    Ok(if done { Put::Done } else { Put::Refused })
}

fn swap(
    lake: &LakeFolder,
    path: &Path,
    stage: impl FnOnce(&LakeFolder) -> io::Result<TempPath>,
    wanted: &str,
) -> io::Result<Put> {
    let staged = stage(lake)?;
    let lock = lake.lock()?;
    match read(path)? {
        Some(object) if object.etag == wanted => {
            lake.publish(staged, path, &lock).map(|()| Put::Done)
        }
        Some(_) | None => Ok(Put::Refused),
    }
}

fn copy(lake: &LakeFolder, from: &Path, to: &Path) -> io::Result<()> {
    let staged = lake.stage_copy(from)?;
    lake.publish(staged, to, &lake.lock()?)
}

/// Derived from the content, as in S3, and in quotes, as S3 returns it.
fn etag(body: &[u8]) -> String {
    format!("\"{}\"", blake3::hash(body).to_hex())
}

/// What a person can do about it.
pub(crate) const HINTS: [(io::ErrorKind, &str); 4] = [
    (io::ErrorKind::PermissionDenied, "check the owner and permissions of the lake's folder"),
    (io::ErrorKind::StorageFull, "the disk is full"),
    (io::ErrorKind::IsADirectory, ONE_OR_THE_OTHER),
    (io::ErrorKind::NotADirectory, ONE_OR_THE_OTHER),
];
const ONE_OR_THE_OTHER: &str = "in a local lake, a key cannot also be the folder of another key";

fn hint(cause: &io::Error) -> Option<String> {
    let hint = HINTS.iter().find(|(kind, _)| *kind == cause.kind());
    hint.map(|(_, hint)| (*hint).to_owned())
}
