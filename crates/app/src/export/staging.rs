//! Files of a slice before they are published.
//!
//! The last file of a day stays in memory. A file that is full before the stream ends must not be
//! visible yet and must not stay in memory, so it is stored under a hidden key.

use crate::commit::Body;
use crate::hash;
use crate::manifest::LiveFile;
use crate::ports::{ObjectStore, Precondition, StoreError};
use mixlake_columnar::DataFile;
use mixlake_domain::{Layout, SliceLabel, TableNameError, Target};

/// A file of a slice that is not published yet.
pub(crate) struct SliceFile {
    pub target: Target,
    pub slice: SliceLabel,
    pub live: LiveFile,
    pub body: Body,
}

impl SliceFile {
    pub(crate) fn in_memory(slice: SliceLabel, file: DataFile) -> Result<Self, TableNameError> {
        let target = Target::day(file.table.try_into()?, file.date);
        let live = LiveFile {
            name: Layout::file_name(&slice, file.part, file.format),
            origin: slice.into(),
            rows: file.rows,
            bytes: file.bytes.len() as u64,
            hash: hash::content(&file.bytes),
            rows_hash: Some(file.rows_hash),
            columns: file.columns,
            identities: file.identities.map(|rows| rows.hash()),
            compacted: false,
        };
        Ok(Self { target, slice, live, body: Body::Memory(file.bytes) })
    }

    /// Moves the bytes from memory to the store. Staged objects are named by their content, so several
    /// runs can write the same one.
    pub(crate) async fn stage(
        mut self,
        store: &dyn ObjectStore,
        layout: &Layout,
    ) -> Result<Self, StoreError> {
        if let Body::Memory(bytes) = self.body {
            let key = layout.staging(&self.slice, &self.live.hash);
            store.put(&key, bytes, Precondition::Absent).await?;
            self.body = Body::Staged(key);
        }
        Ok(self)
    }
}

/// Deletes staged files. Files that a crash leaves are hidden and expire by the bucket's lifecycle rule,
/// so a failure here does not fail the slice.
pub(crate) async fn discard(store: &dyn ObjectStore, files: &[SliceFile]) {
    for file in files {
        if let Body::Staged(key) = &file.body
            && let Err(error) = store.delete(key).await
        {
            tracing::warn!(
                key,
                error = crate::chain(&error),
                "cannot delete a staged file; it stays behind"
            );
        }
    }
}
