//! Executes a plan.

use super::plan::{Change, Outcome, Plan, plan};
use crate::document::{self, DocumentError};
use crate::hash::{self, Digest};
use crate::manifest::{LiveFile, Manifest};
use crate::ports::{ObjectStore, Precondition, Put, StoreError};
use bytes::Bytes;
use futures::StreamExt;
use mixlake_columnar::rows_hash_of;
use mixlake_domain::{DataFormat, Generation, Layout, Target};
use std::fs::File;

/// The number of attempts before a change fails. Each attempt fails because another run made a change,
/// so this many in a row mean that something is wrong with the store.
const SWAPS: u32 = document::SWAPS;

/// The number of attempts to write an object whose write is refused although it does not exist, or to
/// copy an object that exists although the copy fails.
const PUTS: u32 = 8;

/// A file to write.
pub(crate) struct NewFile<'a> {
    pub live: &'a LiveFile,
    pub body: &'a Body,
}

/// The bytes of a new file.
pub(crate) enum Body {
    Memory(Bytes),
    /// In the store, under this key.
    Staged(String),
    /// A file that may be too large for memory.
    File(File),
}

/// The reason why a change failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("other runs changed the same document {0} times in a row")]
    Contended(u32),
}

/// Changes targets of a lake.
#[derive(Clone, Copy)]
pub(crate) struct Commit<'a> {
    pub store: &'a dyn ObjectStore,
    pub layout: &'a Layout,
}

/// Can stop a change each time that a manifest was read.
#[async_trait::async_trait]
pub(crate) trait Guard<E>: Sync {
    /// Whether the change continues. `is_first` is true for the manifest that the change began with.
    async fn may_go_on(&self, current: Option<&Manifest>, is_first: bool) -> Result<bool, E>;
}

/// A manifest as it was read, with the precondition for writing it.
pub(crate) type Seen = (Option<Manifest>, Precondition);

/// The result of writing files.
enum Written {
    Done,
    /// The generation has a file with the same name and other content.
    Occupied,
    /// A staged file was deleted in the meantime.
    Gone,
}

impl Commit<'_> {
    /// Changes a target. `seen` is its manifest as it was first read. The guard is asked before anything
    /// is written; if it refuses, the change is superseded. Returns the outcome and the manifest.
    pub(crate) async fn change<E: From<CommitError>>(
        &self,
        target: &Target,
        seen: Seen,
        mut change: Change<'_>,
        files: &[NewFile<'_>],
        guard: &dyn Guard<E>,
    ) -> Result<(Outcome, Option<Manifest>), E> {
        let mut written: Option<(Outcome, Manifest)> = None;
        let mut seen = Some(seen);
        for _ in 0..SWAPS {
            let is_first = seen.is_some();
            let (current, precondition) = match seen.take() {
                Some(seen) => seen,
                None => self.read(target).await.map_err(CommitError::from)?,
            };
            if let Some((outcome, manifest)) = &written
                && current.as_ref() == Some(manifest)
            {
                // A conditional write can report failure after it succeeded: the SDK repeated it.
                return Ok((outcome.clone(), current));
            }
            if !guard.may_go_on(current.as_ref(), is_first).await? {
                return Ok((Outcome::Superseded, current));
            }
            let current = self.with_rows_hashes(current, &change).await?;
            let (outcome, manifest) = match plan(current.as_ref(), target, &change) {
                Plan::Unchanged => return Ok((Outcome::Unchanged, current)),
                Plan::Append(manifest) => match self.write(target, &manifest, files).await? {
                    Written::Done => (Outcome::Appended, manifest),
                    // Somebody put other content there that no manifest lists.
                    Written::Occupied => {
                        change.fence = true;
                        continue;
                    }
                    Written::Gone => return Ok((Outcome::Superseded, current)),
                },
                Plan::Replace { manifest, copies } => {
                    for copied in &copies {
                        let from = self.layout.generation(&copied.target, &copied.generation);
                        self.copy(target, &manifest.generation, &from, &copied.name).await?;
                    }
                    match self.write(target, &manifest, files).await? {
                        Written::Done => {
                            let from = current.map(|manifest| manifest.generation);
                            let to = manifest.generation.clone();
                            (Outcome::Replaced { from, to }, manifest)
                        }
                        // The generation is named by its content, so a file there has been damaged.
                        Written::Occupied => {
                            change.avoid.insert(manifest.generation);
                            continue;
                        }
                        Written::Gone => return Ok((Outcome::Superseded, current)),
                    }
                }
            };
            match self.swap(&manifest, precondition).await? {
                Put::Done => return Ok((outcome, Some(manifest))),
                Put::Refused => written = Some((outcome, manifest)),
            }
        }
        Err(CommitError::Contended(SWAPS).into())
    }

    /// The manifest of a target.
    pub(crate) async fn read(&self, target: &Target) -> Result<Seen, DocumentError> {
        let read = Manifest::read(self.store, self.layout, target).await?;
        Ok((read.value, read.precondition))
    }

    /// The manifest with the hashes of the rows of the files that a change would replace. Version 0.1
    /// did not write these hashes, so the files are read. Otherwise the first export of each day by a
    /// later version would rewrite it.
    pub(crate) async fn with_rows_hashes(
        &self,
        manifest: Option<Manifest>,
        change: &Change<'_>,
    ) -> Result<Option<Manifest>, CommitError> {
        let mut manifest = match manifest {
            Some(manifest) if !change.fence => manifest,
            other => return Ok(other),
        };
        let folder = self.layout.generation(&manifest.target, &manifest.generation);
        let replaced = manifest.files.iter_mut().filter(|file| change.removal.takes(file));
        let replaced: Vec<&mut LiveFile> = replaced.collect();
        let has: u64 = replaced.iter().map(|file| file.rows).sum();
        let wanted: u64 = change.files.iter().map(|file| file.rows).sum();
        // Where their number differs, they are other rows anyway.
        for file in replaced.into_iter().filter(|file| has == wanted && file.rows_hash.is_none()) {
            if DataFormat::of_file(&file.name) != Some(DataFormat::Parquet) {
                continue;
            }
            let object = self.store.get(&format!("{folder}{}", file.name)).await?;
            // A file that cannot be read says nothing, and is replaced.
            let read = object.and_then(|object| rows_hash_of(object.body).ok());
            file.rows_hash = read.filter(|(rows, _)| *rows == file.rows).map(|(_, hash)| hash);
        }
        Ok(Some(manifest))
    }

    /// Writes a manifest if nobody has changed it since it was read.
    pub(crate) async fn swap(
        &self,
        manifest: &Manifest,
        when: Precondition,
    ) -> Result<Put, CommitError> {
        let key = self.layout.manifest(&manifest.target);
        Ok(document::write(self.store, &key, manifest, when).await?)
    }

    async fn write(
        &self,
        target: &Target,
        manifest: &Manifest,
        files: &[NewFile<'_>],
    ) -> Result<Written, CommitError> {
        let folder = self.layout.generation(target, &manifest.generation);
        for file in files {
            let key = format!("{folder}{}", file.live.name);
            match file.body {
                Body::Staged(staged) => {
                    if !self.copy_staged(staged, &key).await? {
                        return Ok(Written::Gone);
                    }
                }
                Body::File(body) => {
                    if !put_file_once(self.store, &key, body, &file.live.hash).await? {
                        return Ok(Written::Occupied);
                    }
                }
                Body::Memory(bytes) => {
                    if !put_once(self.store, &key, bytes, &file.live.hash).await? {
                        return Ok(Written::Occupied);
                    }
                }
            }
        }
        Ok(Written::Done)
    }

    async fn copy(
        &self,
        target: &Target,
        to: &Generation,
        from: &str,
        name: &str,
    ) -> Result<(), CommitError> {
        let to = format!("{}{name}", self.layout.generation(target, to));
        Ok(self.store.copy(&format!("{from}{name}"), &to).await?)
    }

    /// Copies a staged file. Returns whether it still existed: a run with the same content deletes its
    /// staged files when it is done, and may stage them again.
    async fn copy_staged(&self, staged: &str, key: &str) -> Result<bool, CommitError> {
        let mut tries = 1;
        while let Err(error) = self.store.copy(staged, key).await {
            if self.store.tail(staged, 1).await?.is_none() {
                return Ok(false);
            }
            if tries == PUTS {
                return Err(error.into());
            }
            tries += 1;
        }
        Ok(true)
    }
}

/// Writes an object unless it exists. Returns whether it exists with this content.
pub(crate) async fn put_once(
    store: &dyn ObjectStore,
    key: &str,
    bytes: &Bytes,
    hash: &str,
) -> Result<bool, CommitError> {
    for _ in 0..PUTS {
        match store.put(key, bytes.clone(), Precondition::Absent).await? {
            Put::Done => return Ok(true),
            // Refused, yet perhaps not there: the write that was faster may still fail.
            Put::Refused => {
                if let Some(there) = store.get(key).await? {
                    return Ok(hash::content(&there.body) == hash);
                }
            }
        }
    }
    Err(CommitError::Contended(PUTS))
}

/// The same for an object that may be too large for memory.
async fn put_file_once(
    store: &dyn ObjectStore,
    key: &str,
    file: &File,
    hash: &str,
) -> Result<bool, CommitError> {
    for _ in 0..PUTS {
        match store.put_file(key, file, Precondition::Absent).await? {
            Put::Done => return Ok(true),
            Put::Refused => {
                if let Some(mut there) = store.read(key).await? {
                    let mut digest = Digest::default();
                    while let Some(piece) = there.next().await {
                        digest.update(&piece?);
                    }
                    return Ok(digest.finish() == hash);
                }
            }
        }
    }
    Err(CommitError::Contended(PUTS))
}
