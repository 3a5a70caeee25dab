//! What arrived of a window, kept until the window has proven complete.
//!
//! A window of several that make a slice is transformed together with those before it, and cannot be
//! taken out again. So its bytes wait here under hidden keys. If the run has to stop, for its time or the
//! query budget is used up, the next one of the slice finds them: else it would begin anew for ever. A
//! window that is too long for a run is noted too: the next run asks for its halves.

use super::{ExportError, Exporter};
use crate::manifest::Format;
use crate::ports::{ObjectStore, Precondition, Put, SourceError};
use crate::{document, hash};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use mixlake_columnar::{Completeness, Transform};
use mixlake_domain::{Timestamp, Window};
use serde::{Deserialize, Serialize};

/// The part of an output file's size that stays in memory, about.
const IN_MEMORY: usize = 4;

/// How long a window is kept, in milliseconds: a day. Events that come late are missing in an older one.
const KEPT: i64 = 24 * 3_600_000;

/// The bytes of a window that is complete.
pub(super) struct Part {
    staged: Vec<String>,
    last: BytesMut,
    /// When it was asked for, in milliseconds since 1970.
    received: i64,
    /// The key of the document that says which they are.
    checkpoint: Option<String>,
}

/// A window that was received.
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
    /// Reads a window to its proven end.
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
        // The next window begins with a line of its own.
        part.last.extend_from_slice(b"\n");
        Ok(())
    }

    /// Moves the bytes out of memory.
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

    /// Notes a complete window for a later run. That cannot make this one fail: it has.
    pub(super) async fn keep(&self, window: &Window, part: Part) {
        if part.checkpoint.is_some() {
            return;
        }
        if let Err(error) = self.note_complete(window, &part).await {
            tracing::warn!(%window, error = crate::chain(&error), "the part is not kept");
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

    /// Notes a window that had most of a run's time and did not end within it. That cannot make the run
    /// fail otherwise than it did.
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
            tracing::warn!(%window, error = crate::chain(&error), "cannot note that the window is too long");
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
            // Another run has the same window.
            Put::Done | Put::Refused => Ok(()),
        }
    }

    /// A window that an earlier run received not long ago.
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

    /// Hands the bytes of a window to the transformation, and what is in memory of them to the store.
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
    /// A failure here is no failure of the slice: what stays behind is hidden and expires.
    pub(super) async fn discard(self, store: &dyn ObjectStore) {
        for key in self.checkpoint.iter().chain(&self.staged) {
            if let Err(error) = store.delete(key).await {
                tracing::warn!(key, error = crate::chain(&error), "staged lines stay behind");
            }
        }
    }
}
