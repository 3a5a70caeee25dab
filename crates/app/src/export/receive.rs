//! Reads a slice to its proven end and transforms it.

use super::staging::{self, SliceFile};
use super::{ExportError, Exporter};
use futures::StreamExt;
use mixlake_columnar::{Superseded, Transform, TransformError, Transformed};
use mixlake_domain::Slice;
use mixlake_schema::Registry;

/// A slice that was received whole.
pub(super) struct Received {
    pub transformed: Transformed,
    pub files: Vec<SliceFile>,
}

/// How often a broken stream is asked for again.
const ATTEMPTS: u32 = 4;

impl Exporter<'_> {
    /// Receives a slice; a stream that breaks, or says that it stopped early, is asked for again.
    pub(super) async fn receive(
        &self,
        slice: &Slice,
        registry: Registry,
        known: Superseded,
    ) -> Result<Received, ExportError> {
        let mut attempt = 0;
        loop {
            let mut files = Vec::new();
            let result =
                self.attempt(slice, attempt, registry.clone(), known.clone(), &mut files).await;
            attempt += 1;
            let error = match result {
                Ok(transformed) => return Ok(Received { transformed, files }),
                Err(error) => error,
            };
            staging::discard(self.store, &files).await;
            if !is_transient(&error) || attempt == ATTEMPTS {
                return Err(error);
            }
            tracing::warn!(%slice, attempt, error = crate::chain(&error), "asking for the slice again");
        }
    }

    async fn attempt(
        &self,
        slice: &Slice,
        attempt: u32,
        registry: Registry,
        known: Superseded,
        files: &mut Vec<SliceFile>,
    ) -> Result<Transformed, ExportError> {
        let mut transform = Transform::new(self.options.clone(), slice.clone(), registry, known)?;
        let mut chunks = self.source.fetch(slice, attempt).await?;
        while let Some(chunk) = chunks.next().await {
            transform.push(&chunk?)?;
            for file in transform.take_files() {
                let file = SliceFile::in_memory(slice.label(), file);
                files.push(file.stage(self.store, self.layout).await?);
            }
        }
        let mut transformed = transform.finish()?;
        for file in transformed.files.drain(..) {
            files.push(SliceFile::in_memory(slice.label(), file));
        }
        files.sort_by(|a, b| {
            (&a.table, a.date, &a.live.name).cmp(&(&b.table, b.date, &b.live.name))
        });
        Ok(transformed)
    }
}

fn is_transient(error: &ExportError) -> bool {
    match error {
        ExportError::Source(error) => error.is_transient(),
        ExportError::Transform(error) => match error {
            TransformError::TerminatedEarly(_) | TransformError::CutLine(_) => true,
            TransformError::TimeType { .. }
            | TransformError::Format { .. }
            | TransformError::FarApart(_)
            | TransformError::TooManyBadLines { .. }
            | TransformError::Json(_)
            | TransformError::Parquet(_)
            | TransformError::Quarantine(_) => false,
        },
        ExportError::Store(_)
        | ExportError::Document(_)
        | ExportError::Registry { .. }
        | ExportError::Zone { .. }
        | ExportError::NotTried(_)
        | ExportError::Contended(_) => false,
    }
}
