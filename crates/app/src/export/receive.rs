//! Reads a slice to its proven end and transforms it.
//!
//! A slice that breaks off again and again is cut in two, and its halves again, down to a minute:
//! a source that dies in a long answer may live through a short one. The parts make one slice: they
//! are transformed behind one another, and nothing is visible unless every one of them is whole.

use super::elsewhere::Compared;
use super::spool::Spool;
use super::staging::{self, SliceFile};
use super::{ExportError, Exporter};
use crate::ports::SourceError;
use futures::StreamExt;
use mixlake_columnar::{DataFile, Superseded, Transform, TransformError, Transformed};
use mixlake_domain::{Slice, Window};
use mixlake_schema::Registry;

/// A slice that was received whole.
pub(super) struct Received {
    pub transformed: Transformed,
    pub files: Vec<SliceFile>,
    /// What was found out about the files of others.
    pub compared: Compared,
}

/// The windows in which a slice is asked for. Each one that cannot be had is replaced by its
/// halves, and stays so for as long as the slice is worked on.
pub(super) struct Windows {
    slice: Slice,
    windows: Vec<Window>,
}

impl Windows {
    pub(super) fn of(slice: &Slice) -> Self {
        Self { slice: slice.clone(), windows: vec![Window::whole(slice)] }
    }

    pub(super) fn slice(&self) -> &Slice {
        &self.slice
    }

    /// Cuts a window in two, and with it the later ones that are no shorter: they would only cost
    /// queries. Answers whether it could be.
    fn cut(&mut self, index: usize) -> bool {
        let (seconds, later) = (self.windows[index].seconds(), self.windows.split_off(index));
        let halves = |window: &Window| window.halves().filter(|_| window.seconds() >= seconds);
        let could = later.first().is_some_and(|window| window.halves().is_some());
        self.windows.extend(later.into_iter().flat_map(|window| match halves(&window) {
            Some(halves) => halves.to_vec(),
            None => vec![window],
        }));
        could
    }
}

/// How often a broken stream is asked for again.
const ATTEMPTS: u32 = 4;

/// How often a part of a slice is asked for before it is cut. Each asking costs one of the few
/// queries that a project has.
const ATTEMPTS_OF_A_PART: u32 = 2;

impl Exporter<'_> {
    /// Receives a slice; a stream that breaks, or says that it stopped early, is asked for again,
    /// then in parts.
    pub(super) async fn receive(
        &self,
        windows: &mut Windows,
        registry: &Registry,
        known: &Superseded,
    ) -> Result<Received, ExportError> {
        if let [whole] = &*windows.windows {
            let error = match self.in_one(whole, registry, known).await {
                Ok(received) => return Ok(received),
                Err(error) => error,
            };
            self.cut(windows, 0, error)?;
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.in_parts(windows, registry, known).await {
                // The windows are as small as they have to be: what stopped between receiving and
                // transforming is that another run of the slice has cleared the same parts away.
                Err(error) if may_be_too_much(&error) && attempt < ATTEMPTS => {
                    let slice = &windows.slice;
                    tracing::info!(%slice, attempt, error = crate::chain(&error), "asking for all parts again");
                }
                result => return result,
            }
        }
    }

    /// Receives a slice in one stream.
    async fn in_one(
        &self,
        window: &Window,
        registry: &Registry,
        known: &Superseded,
    ) -> Result<Received, ExportError> {
        let mut attempt = 0;
        loop {
            let mut files = Vec::new();
            let mut transform = self.transform(window.slice(), registry, known)?;
            let read = self.stream(window, attempt, &mut transform, &mut files).await;
            attempt += 1;
            match self.finish(window.slice(), read.map(|()| transform), files).await {
                Err(error) if is_transient(&error) && attempt < ATTEMPTS => {
                    let slice = window.slice();
                    tracing::warn!(%slice, attempt, error = crate::chain(&error), "asking for the slice again");
                }
                result => return result,
            }
        }
    }

    async fn stream(
        &self,
        window: &Window,
        attempt: u32,
        transform: &mut Transform,
        files: &mut Vec<SliceFile>,
    ) -> Result<(), ExportError> {
        let mut chunks = self.source.fetch(window, attempt).await?;
        while let Some(chunk) = chunks.next().await {
            transform.push(&chunk?)?;
            self.stage_full(window.slice(), transform, files).await?;
        }
        Ok(())
    }

    /// Receives a slice in parts, each of which is complete before it is transformed.
    async fn in_parts(
        &self,
        windows: &mut Windows,
        registry: &Registry,
        known: &Superseded,
    ) -> Result<Received, ExportError> {
        let (mut files, mut spools) = (Vec::new(), Vec::new());
        let mut transform = self.transform(&windows.slice, registry, known)?;
        let read = self.parts(windows, &mut transform, &mut files, &mut spools).await;
        let received = self.finish(&windows.slice, read.map(|()| transform), files).await;
        // Where the query budget ended the run, the next one goes on from here.
        let for_later = received.as_ref().is_err_and(is_for_later);
        for (window, spool) in windows.windows.iter().zip(spools) {
            if for_later {
                self.keep(window, spool).await;
            } else {
                spool.discard(self.store).await;
            }
        }
        received
    }

    async fn parts(
        &self,
        windows: &mut Windows,
        transform: &mut Transform,
        files: &mut Vec<SliceFile>,
        spools: &mut Vec<Spool>,
    ) -> Result<(), ExportError> {
        let mut index = 0;
        while let Some(window) = windows.windows.get(index) {
            match self.part(window).await {
                Ok(mut spool) => {
                    let poured = self.pour(window, &mut spool, transform).await;
                    spools.push(spool);
                    poured?;
                    self.stage_full(&windows.slice, transform, files).await?;
                    index += 1;
                }
                Err(error) => self.cut(windows, index, error)?,
            }
        }
        Ok(())
    }

    /// The attempts count on from that which failed before the window was cut.
    async fn part(&self, window: &Window) -> Result<Spool, ExportError> {
        if let Some(spool) = self.kept(window).await? {
            tracing::info!(%window, "the part is there from an earlier run");
            return Ok(spool);
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.spool(window, attempt).await {
                Err(error) if is_transient(&error) && attempt < ATTEMPTS_OF_A_PART => {
                    tracing::warn!(%window, attempt, error = crate::chain(&error), "asking for the part again");
                }
                result => return result,
            }
        }
    }

    /// Replaces a window that could not be had by its halves, or says why that does not help.
    fn cut(
        &self,
        windows: &mut Windows,
        index: usize,
        error: ExportError,
    ) -> Result<(), ExportError> {
        if !self.source.divides() || !may_be_too_much(&error) {
            return Err(error);
        }
        let window = windows.windows[index].clone();
        if windows.cut(index) {
            tracing::warn!(%window, error = crate::chain(&error), "asking for each half of the window");
            return Ok(());
        }
        Err(ExportError::Minute { window: Box::new(window), cause: Box::new(error) })
    }

    fn transform(
        &self,
        slice: &Slice,
        registry: &Registry,
        known: &Superseded,
    ) -> Result<Transform, ExportError> {
        let (options, slice) = (self.options.clone(), slice.clone());
        Ok(Transform::new(options, slice, registry.clone(), known.clone())?)
    }

    async fn stage_full(
        &self,
        slice: &Slice,
        transform: &mut Transform,
        files: &mut Vec<SliceFile>,
    ) -> Result<(), ExportError> {
        for file in transform.take_files() {
            let file = self.file(slice, file).await?;
            files.push(file.stage(self.store, self.layout).await?);
        }
        Ok(())
    }

    /// Ends the transformation of a stream that has ended. Of one that broke nothing stays.
    async fn finish(
        &self,
        slice: &Slice,
        read: Result<Transform, ExportError>,
        mut files: Vec<SliceFile>,
    ) -> Result<Received, ExportError> {
        let mut transformed = match read.and_then(|transform| Ok(transform.finish()?)) {
            Ok(transformed) => transformed,
            Err(error) => {
                staging::discard(self.store, &files).await;
                return Err(error);
            }
        };
        for file in transformed.files.drain(..) {
            match self.file(slice, file).await {
                Ok(file) => files.push(file),
                Err(error) => {
                    staging::discard(self.store, &files).await;
                    return Err(error);
                }
            }
        }
        files.sort_by(|a, b| {
            (&a.table, a.date, &a.live.name).cmp(&(&b.table, b.date, &b.live.name))
        });
        Ok(Received { transformed, files, compared: Compared::default() })
    }

    /// A file of the slice, the identities of whose rows are kept.
    async fn file(&self, slice: &Slice, file: DataFile) -> Result<SliceFile, ExportError> {
        let identities = file.identities.clone();
        let file = SliceFile::in_memory(slice.label(), file);
        if let Some(identities) = identities {
            self.keep_identities(&file, &identities).await?;
        }
        Ok(file)
    }
}

/// Whether the run ends only because it is not its turn.
fn is_for_later(error: &ExportError) -> bool {
    matches!(error, ExportError::Source(SourceError::RateLimited { .. }))
}

/// Whether asking again may help.
fn is_transient(error: &ExportError) -> bool {
    match error {
        ExportError::Source(error) => error.is_transient(),
        ExportError::Transform(error) => stopped(error),
        ExportError::Store(_)
        | ExportError::Document(_)
        | ExportError::Registry { .. }
        | ExportError::Identities { .. }
        | ExportError::Zone { .. }
        | ExportError::Start(_)
        | ExportError::NotTried(_)
        | ExportError::Minute { .. }
        | ExportError::Contended(_) => false,
    }
}

/// Whether asking for less may help.
fn may_be_too_much(error: &ExportError) -> bool {
    match error {
        ExportError::Source(error) => error.may_be_too_much(),
        ExportError::Transform(_)
        | ExportError::Store(_)
        | ExportError::Document(_)
        | ExportError::Registry { .. }
        | ExportError::Identities { .. }
        | ExportError::Zone { .. }
        | ExportError::Start(_)
        | ExportError::NotTried(_)
        | ExportError::Minute { .. }
        | ExportError::Contended(_) => is_transient(error),
    }
}

/// Whether the stream said, or shows, that there should have been more.
fn stopped(error: &TransformError) -> bool {
    match error {
        TransformError::TerminatedEarly(_) | TransformError::CutLine(_) => true,
        TransformError::TimeType { .. }
        | TransformError::Format { .. }
        | TransformError::FarApart(_)
        | TransformError::TooManyBadLines { .. }
        | TransformError::Json(_)
        | TransformError::Parquet(_)
        | TransformError::Quarantine(_) => false,
    }
}
