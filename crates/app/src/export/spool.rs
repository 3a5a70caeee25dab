//! What arrived of a window, kept until the window has proven complete.
//!
//! A window of several that make a slice is transformed together with those before it, and cannot be
//! taken out again. So its bytes wait here: the last of them in memory, the rest under hidden keys.

use super::{ExportError, Exporter};
use crate::hash;
use crate::ports::{ObjectStore, Precondition, SourceError};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use mixlake_columnar::{Completeness, Transform};
use mixlake_domain::Window;

/// The part of an output file's size that stays in memory, about.
const IN_MEMORY: usize = 4;

/// The bytes of a window that is complete.
pub(super) struct Spool {
    staged: Vec<String>,
    last: BytesMut,
}

impl Exporter<'_> {
    /// Reads a window to its proven end.
    pub(super) async fn spool(&self, window: &Window, attempt: u32) -> Result<Spool, ExportError> {
        let mut spool = Spool { staged: Vec::new(), last: BytesMut::new() };
        match self.fill(&mut spool, window, attempt).await {
            Ok(()) => Ok(spool),
            Err(error) => {
                spool.discard(self.store).await;
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        spool: &mut Spool,
        window: &Window,
        attempt: u32,
    ) -> Result<(), ExportError> {
        let mut completeness = Completeness::new(self.options.bounds.line_bytes);
        let mut chunks = self.source.fetch(window, attempt).await?;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            completeness.push(&chunk)?;
            spool.last.extend_from_slice(&chunk);
            if spool.last.len() >= self.options.bounds.file_bytes / IN_MEMORY {
                let bytes = spool.last.split().freeze();
                let key = self.layout.staged_lines(&window.slice().label(), &hash::content(&bytes));
                self.store.put(&key, bytes, Precondition::Absent).await?;
                spool.staged.push(key);
            }
        }
        completeness.finish()?;
        // The next window begins with a line of its own.
        spool.last.extend_from_slice(b"\n");
        Ok(())
    }

    /// Hands the bytes of a window to the transformation, and forgets them.
    pub(super) async fn pour(
        &self,
        spool: Spool,
        transform: &mut Transform,
    ) -> Result<(), ExportError> {
        let poured = self.pour_all(&spool, transform).await;
        spool.discard(self.store).await;
        poured
    }

    async fn pour_all(&self, spool: &Spool, transform: &mut Transform) -> Result<(), ExportError> {
        for key in &spool.staged {
            let bytes = self.staged_lines(key).await?;
            transform.push(&bytes)?;
        }
        Ok(transform.push(&spool.last)?)
    }

    /// Another run of the slice that received the same bytes may have deleted them.
    async fn staged_lines(&self, key: &str) -> Result<Bytes, ExportError> {
        let object = self.store.get(key).await?.ok_or_else(|| SourceError::Incomplete {
            reason: format!("{} is gone; another run used it too", self.store.location(key)),
            cause: None,
        })?;
        Ok(object.body)
    }
}

impl Spool {
    /// A failure here is no failure of the slice: what stays behind is hidden and expires.
    pub(super) async fn discard(self, store: &dyn ObjectStore) {
        for key in &self.staged {
            if let Err(error) = store.delete(key).await {
                tracing::warn!(key, error = crate::chain(&error), "staged lines stay behind");
            }
        }
    }
}
