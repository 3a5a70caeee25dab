//! Stores the bytes of a part of a slice until the slice is complete, and checkpoints for later runs.
//!
//! The parts of a slice are transformed one after another, and a part cannot be removed from the
//! transformation again. So the bytes of a part are stored under hidden keys until the part has proven
//! complete. If a run stops because its time or the query budget is used up, it writes a checkpoint for
//! each complete part. The next run of the slice uses them; otherwise it would start from the beginning
//! each time. A window that is too long for a run is recorded too, and the next run fetches its halves.

use super::{ExportError, Exporter};
use crate::manifest::Format;
use crate::ports::{ObjectStore, Precondition, Put, SourceError};
use crate::{document, hash};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use mixlake_columnar::{Completeness, Transform};
use mixlake_domain::{Timestamp, Window};
use serde::{Deserialize, Serialize};

/// The memory for the lines of a part: one divided by this, of the size of an output file.
const IN_MEMORY: usize = 4;

/// The time for which a checkpoint is used, in milliseconds: a day. Later, events that arrived late
/// would be missing.
const KEPT: i64 = 24 * 3_600_000;

/// The bytes of a complete part.
pub(super) struct Part {
    staged: Vec<String>,
    last: BytesMut,
    /// When it was fetched, in milliseconds since 1970.
    received: i64,
    /// The key of its checkpoint, if there is one.
    checkpoint: Option<String>,
}

/// The record of a part: the keys of its lines.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    format: Format,
    received: i64,
    lines: Vec<String>,
    /// Whether it could not be received within a run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    too_long: bool,
}

impl Exporter<'_> {
    /// Fetches a window until it has proven complete.
    pub(super) async fn receive_part(
        &self,
        window: &Window,
        attempt: u32,
    ) -> Result<Part, ExportError> {
        let received = (self.clock)().as_millisecond();
        let (staged, last) = (Vec::new(), BytesMut::new());
        let mut part = Part { staged, last, received, checkpoint: None };
        match self.fill(&mut part, window, attempt).await {
            Ok(()) => Ok(part),
            Err(error) => {
                part.discard(self.store).await;
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        part: &mut Part,
        window: &Window,
        attempt: u32,
    ) -> Result<(), ExportError> {
        let mut completeness = Completeness::new(self.options.bounds.line_bytes);
        let mut chunks = self.source.fetch(window, attempt).await?;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            self.in_time()?;
            completeness.push(&chunk)?;
            part.last.extend_from_slice(&chunk);
            if part.last.len() >= self.options.bounds.file_bytes / IN_MEMORY {
                self.stage_lines(part, window).await?;
            }
        }
        completeness.finish(self.source.is_one_stream())?;
        // The next part begins on a new line.
        part.last.extend_from_slice(b"\n");
        Ok(())
    }

    /// Moves the bytes from memory to the store.
    async fn stage_lines(&self, part: &mut Part, window: &Window) -> Result<(), ExportError> {
        let bytes = part.last.split().freeze();
        if bytes.is_empty() {
            return Ok(());
        }
        let key = self.layout.staged_lines(&window.slice().label(), &hash::content(&bytes));
        self.store.put(&key, bytes, Precondition::Absent).await?;
        part.staged.push(key);
        Ok(())
    }

    fn checkpoint_key(&self, window: &Window) -> Option<String> {
        let query = self.source.query(window)?;
        let asked = [query.as_str(), &window.to_string()];
        Some(self.layout.staged_part(&window.slice().label(), &hash::of_parts(asked)))
    }

    /// Writes a checkpoint of a complete part. A failure is only logged, because the run has failed
    /// already.
    pub(super) async fn keep(&self, window: &Window, part: Part) {
        if part.checkpoint.is_some() {
            return;
        }
        if let Err(error) = self.note_complete(window, &part).await {
            tracing::warn!(%window, error = crate::chain(&error), "cannot keep the part for a later run");
            part.discard(self.store).await;
        }
    }

    async fn note_complete(&self, window: &Window, part: &Part) -> Result<(), ExportError> {
        let (received, lines) = (part.received, part.staged.clone());
        self.write_checkpoint(
            window,
            Checkpoint { format: Format, received, lines, too_long: false },
        )
        .await
    }

    /// Records a window that took most of a run's time and did not finish. A failure is only logged, so
    /// that the run ends with its own error.
    pub(super) async fn note_if_too_long(
        &self,
        window: &Window,
        began: Timestamp,
        error: &ExportError,
    ) {
        let out_of_time = matches!(error, ExportError::Source(SourceError::OutOfTime));
        if !out_of_time || !self.source.divides() || !self.had_most_of_the_time(began) {
            return;
        }
        let received = self.now().as_millisecond();
        let checkpoint = Checkpoint { format: Format, received, lines: Vec::new(), too_long: true };
        if let Err(error) = self.write_checkpoint(window, checkpoint).await {
            tracing::warn!(%window, error = crate::chain(&error), "cannot record that the window is too long");
        }
    }

    /// Whether an earlier run found a window too long.
    pub(super) async fn was_too_long(&self, window: &Window) -> Result<bool, ExportError> {
        let Some(key) = self.checkpoint_key(window) else { return Ok(false) };
        let checkpoint = document::read::<Checkpoint>(self.store, &key).await?.value;
        Ok(checkpoint.is_some_and(|checkpoint| checkpoint.too_long && self.is_fresh(&checkpoint)))
    }

    fn is_fresh(&self, checkpoint: &Checkpoint) -> bool {
        (self.now().as_millisecond() - checkpoint.received).abs() <= KEPT
    }

    async fn write_checkpoint(
        &self,
        window: &Window,
        checkpoint: Checkpoint,
    ) -> Result<(), ExportError> {
        let Some(key) = self.checkpoint_key(window) else { return Ok(()) };
        let before = document::read::<Checkpoint>(self.store, &key).await?;
        match document::write(self.store, &key, &checkpoint, before.precondition).await? {
            // Another run wrote the same checkpoint.
            Put::Done | Put::Refused => Ok(()),
        }
    }

    /// A part that an earlier run received less than a day ago.
    pub(super) async fn kept_part(&self, window: &Window) -> Result<Option<Part>, ExportError> {
        let Some(key) = self.checkpoint_key(window) else { return Ok(None) };
        let Some(checkpoint) = document::read::<Checkpoint>(self.store, &key).await?.value else {
            return Ok(None);
        };
        if checkpoint.too_long || !self.is_fresh(&checkpoint) {
            return Ok(None);
        }
        for lines in &checkpoint.lines {
            if self.store.tail(lines, 1).await?.is_none() {
                return Ok(None);
            }
        }
        let (staged, received) = (checkpoint.lines, checkpoint.received);
        Ok(Some(Part { staged, last: BytesMut::new(), received, checkpoint: Some(key) }))
    }

    /// Passes the bytes of a part to the transformation, and stores the bytes that are in memory.
    pub(super) async fn transform_part(
        &self,
        window: &Window,
        part: &mut Part,
        transform: &mut Transform,
    ) -> Result<(), ExportError> {
        for key in &part.staged {
            let bytes = self.staged_lines(key).await?;
            transform.push(&bytes)?;
        }
        transform.push(&part.last)?;
        self.stage_lines(part, window).await
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

impl Part {
    /// A failure does not fail the slice: objects that stay are hidden, and expire.
    pub(super) async fn discard(self, store: &dyn ObjectStore) {
        for key in self.checkpoint.iter().chain(&self.staged) {
            if let Err(error) = store.delete(key).await {
                tracing::warn!(
                    key,
                    error = crate::chain(&error),
                    "cannot delete staged lines; they stay behind"
                );
            }
        }
    }
}
