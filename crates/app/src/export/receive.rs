//! Receives a slice until it has proven complete, and transforms it.
//!
//! If a slice breaks off repeatedly, its window is split in half, and each half again, down to a minute:
//! a server that fails during a long response may complete a short one. The parts are transformed one
//! after another as one slice. Nothing is visible unless all of them are complete. A slice that needs
//! more time than a run has is received in parts by several runs.

use super::checkpoint::Part;
use super::received::{Compared, Received};
use super::staging::{self, SliceFile};
use super::time::since;
use super::{ExportError, Exporter};
use crate::people::People;
use crate::ports::SourceError;
use futures::StreamExt;
use mixlake_columnar::{DataFile, Options, Superseded, Transform};
use mixlake_domain::{Slice, Target, Window};
use mixlake_schema::Registry;
use std::collections::BTreeMap;
use std::time::Duration;

/// The windows in which a slice is fetched. A window that fails is replaced by its halves, and stays
/// split while the run works on the slice.
pub(super) struct Windows {
    slice: Slice,
    all: Vec<Window>,
    /// The number of times that the slice was received before.
    received: u32,
}

impl Windows {
    pub(super) fn of(slice: &Slice) -> Self {
        Self { slice: slice.clone(), all: vec![Window::whole(slice)], received: 0 }
    }

    pub(super) fn slice(&self) -> &Slice {
        &self.slice
    }

    /// Splits a window in half, and also later windows that are at least as long: they would only cost
    /// queries. Returns whether the window could be split.
    fn cut(&mut self, index: usize) -> bool {
        let (seconds, later) = (self.all[index].seconds(), self.all.split_off(index));
        let halves = |window: &Window| window.halves().filter(|_| window.seconds() >= seconds);
        let could = later.first().is_some_and(|window| window.halves().is_some());
        self.all.extend(later.into_iter().flat_map(|window| match halves(&window) {
            Some(halves) => halves.to_vec(),
            None => vec![window],
        }));
        could
    }
}

/// What is left out of a slice.
#[derive(Default)]
pub(super) struct Known {
    /// Rows that are older duplicates, or that another slice has.
    pub superseded: Superseded,
    /// The people who were erased.
    pub people: Option<People>,
}

/// The number of attempts for a stream that breaks.
const ATTEMPTS: u32 = 4;

/// The number of attempts if the response is not an export.
const ATTEMPTS_OF_NO_EXPORT: u32 = 2;

/// The number of attempts for a part of a slice before it is split. Each attempt costs one of the
/// project's few queries.
const ATTEMPTS_OF_A_PART: u32 = 2;

impl Exporter<'_> {
    /// Receives a slice. A stream that breaks, or says that it ended early, is fetched again, then in
    /// parts.
    pub(super) async fn receive(
        &self,
        windows: &mut Windows,
        registry: &Registry,
        known: &Known,
    ) -> Result<Received, ExportError> {
        let before = windows.received;
        windows.received += 1;
        if let [whole] = &*windows.all {
            let error = match self.in_one(whole, before, registry, known).await {
                Ok(received) => return Ok(received),
                Err(error) => error,
            };
            self.cut(windows, 0, error)?;
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.in_parts(windows, registry, known).await {
                // The windows cannot be smaller. The failure between receiving and transforming means
                // that another run of the slice has deleted the same parts.
                Err(error) if error.may_be_too_much() && attempt < ATTEMPTS => {
                    let slice = &windows.slice;
                    tracing::info!(%slice, attempt, error = crate::chain(&error), "the parts of the slice failed; the export asks for all of them again");
                }
                result => return result,
            }
        }
    }

    /// The windows in which a slice is fetched. A window that fails is replaced by its halves, and stays
    /// split while the run works on the slice.
    pub(super) async fn windows(&self, slice: &Slice) -> Result<Windows, ExportError> {
        let mut windows = Windows::of(slice);
        if self.time.is_none() || !self.source.divides() {
            return Ok(windows);
        }
        let mut index = 0;
        while let Some(window) = windows.all.get(index) {
            if !self.was_too_long(window).await? || !windows.cut(index) {
                index += 1;
            }
        }
        Ok(windows)
    }

    /// Receives a slice in one stream. `before` counts how often it was received before.
    async fn in_one(
        &self,
        window: &Window,
        before: u32,
        registry: &Registry,
        known: &Known,
    ) -> Result<Received, ExportError> {
        let mut attempt = 0;
        loop {
            let began = self.now();
            let mut files = Vec::new();
            let mut transform = self.transform(window.slice(), registry, known)?;
            let read = self.stream(window, before + attempt, &mut transform, &mut files).await;
            attempt += 1;
            match self.finish(window.slice(), read.map(|()| transform), files).await {
                Err(error) if may_ask_again(&error, attempt, ATTEMPTS) => {
                    let slice = window.slice();
                    tracing::warn!(%slice, attempt, error = crate::chain(&error), "the slice failed; the export asks for it again");
                }
                Err(error) => {
                    self.note_if_too_long(window, began, &error).await;
                    return Err(error);
                }
                Ok(received) => return Ok(received),
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
            self.in_time()?;
        }
        Ok(())
    }

    /// Receives a slice in parts, each of which is complete before it is transformed.
    async fn in_parts(
        &self,
        windows: &mut Windows,
        registry: &Registry,
        known: &Known,
    ) -> Result<Received, ExportError> {
        let (mut files, mut parts) = (Vec::new(), Vec::new());
        let mut transform = self.transform(&windows.slice, registry, known)?;
        let read = self.parts(windows, &mut transform, &mut files, &mut parts).await;
        let received = self.finish(&windows.slice, read.map(|()| transform), files).await;
        // If the run ended for another reason than the parts themselves, the next run continues with
        // them.
        let for_later = received.as_ref().is_err_and(goes_on_later);
        for (window, part) in windows.all.iter().zip(parts) {
            if for_later {
                self.keep(window, part).await;
            } else {
                part.discard(self.store).await;
            }
        }
        received
    }

    async fn parts(
        &self,
        windows: &mut Windows,
        transform: &mut Transform,
        files: &mut Vec<SliceFile>,
        parts: &mut Vec<Part>,
    ) -> Result<(), ExportError> {
        let mut index = 0;
        let mut longest = Duration::ZERO;
        while let Some(window) = windows.all.get(index) {
            let began = self.now();
            self.fits(longest)?;
            match self.part(window).await {
                Ok(mut part) => {
                    longest = longest.max(since(began, self.now()));
                    let transformed = self.transform_part(window, &mut part, transform).await;
                    parts.push(part);
                    transformed?;
                    self.stage_full(&windows.slice, transform, files).await?;
                    index += 1;
                }
                Err(error) => {
                    self.note_if_too_long(window, began, &error).await;
                    self.cut(windows, index, error)?;
                }
            }
        }
        Ok(())
    }

    /// The attempts continue the count of the failed one before the window was split.
    async fn part(&self, window: &Window) -> Result<Part, ExportError> {
        if let Some(part) = self.kept_part(window).await? {
            tracing::info!(%window, "an earlier run received this part; it is not requested again");
            return Ok(part);
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.receive_part(window, attempt).await {
                Err(error) if may_ask_again(&error, attempt, ATTEMPTS_OF_A_PART) => {
                    tracing::warn!(%window, attempt, error = crate::chain(&error), "a part of the slice failed; the export asks for it again");
                }
                result => return result,
            }
        }
    }

    /// Splits a window that failed, or returns the error if that does not help.
    fn cut(
        &self,
        windows: &mut Windows,
        index: usize,
        error: ExportError,
    ) -> Result<(), ExportError> {
        if !self.source.divides() || !error.may_be_too_much() {
            return Err(error);
        }
        let window = windows.all[index].clone();
        if windows.cut(index) {
            tracing::warn!(%window, error = crate::chain(&error), "the window failed; the export asks for each half of it");
            return Ok(());
        }
        Err(ExportError::Minute { window: Box::new(window), cause: Box::new(error) })
    }

    fn transform(
        &self,
        slice: &Slice,
        registry: &Registry,
        known: &Known,
    ) -> Result<Transform, ExportError> {
        let suppression = known.people.as_ref().map(People::suppression);
        let options = Options { suppression, ..self.options.clone() };
        let rows = known.superseded.clone();
        Ok(Transform::new(options, slice.clone(), registry.clone(), rows)?)
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

    /// Ends the transformation of a complete stream. If the stream broke, its staged files are deleted.
    async fn finish(
        &self,
        slice: &Slice,
        read: Result<Transform, ExportError>,
        mut files: Vec<SliceFile>,
    ) -> Result<Received, ExportError> {
        let finished = read.and_then(|transform| {
            let transformed = transform.finish()?;
            self.judge(&transformed)?;
            Ok(transformed)
        });
        let mut transformed = match finished {
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
        files.sort_by(|a, b| (&a.target, &a.live.name).cmp(&(&b.target, &b.live.name)));
        let mut by_target: BTreeMap<Target, Vec<usize>> = BTreeMap::new();
        for (place, file) in files.iter().enumerate() {
            by_target.entry(file.target.clone()).or_default().push(place);
        }
        Ok(Received { transformed, files, by_target, compared: Compared::default() })
    }

    /// A file of the slice. The identities of its rows are stored.
    async fn file(&self, slice: &Slice, file: DataFile) -> Result<SliceFile, ExportError> {
        let identities = file.identities.clone();
        let file = SliceFile::in_memory(slice.label(), file)?;
        if let Some(identities) = identities {
            self.keep_identities(&file, &identities).await?;
        }
        Ok(file)
    }
}

/// Whether to try again at once.
fn may_ask_again(error: &ExportError, attempt: u32, most: u32) -> bool {
    (error.is_transient() && attempt < most)
        || (error.is_no_export() && attempt < ATTEMPTS_OF_NO_EXPORT)
}

/// Whether to keep complete parts: the run ends because the source is down, the query budget is used up,
/// or its time is.
fn goes_on_later(error: &ExportError) -> bool {
    match error {
        ExportError::Source(error) => match error {
            SourceError::RateLimited { .. }
            | SourceError::OutOfTime
            | SourceError::Unavailable { .. }
            | SourceError::Unreachable { .. } => true,
            SourceError::Incomplete { .. }
            | SourceError::TimedOut { .. }
            | SourceError::NotYet { .. }
            | SourceError::Refused(_) => false,
        },
        ExportError::Transform(_)
        | ExportError::Store(_)
        | ExportError::Document(_)
        | ExportError::Compacted { .. }
        | ExportError::Table(_)
        | ExportError::Registry { .. }
        | ExportError::Identities { .. }
        | ExportError::Zone { .. }
        | ExportError::Start(_)
        | ExportError::MostlyBad { .. }
        | ExportError::Empty { .. }
        | ExportError::Fewer { .. }
        | ExportError::NotTried(_)
        | ExportError::Minute { .. }
        | ExportError::Contended(_) => false,
    }
}
