//! The second source: the files that Mixpanel's JSON pipelines write to a bucket.
//!
//! Exactly one slice takes each line: by its time; without a time, by the time of the event before it
//! in its file; if the time belongs to another folder, or there is no event before it, the slice in
//! which the folder's date ends. That slice is read only after the pipeline has written the whole
//! folder.

mod folders;
mod shape;

use crate::backoff::backoff;
use crate::filters::EventNames;
use crate::gunzip::Gunzip;
use crate::reason::Reason;
use bytes::{Bytes, BytesMut};
use folders::{File, Folders, unreadable};
use futures::stream::{self, BoxStream, StreamExt};
use mixlake_app::ports::{Clock, EventChunks, EventSource, ObjectStore, SourceError, StoreError};
use mixlake_columnar::{Bounds, Line, LineKind, LineSplitter, Peek};
use mixlake_domain::{ProjectId, Slice, Window, Zone};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Where the files are, and which of their events are taken.
#[derive(Debug, Clone)]
pub struct PipelineConfig {
    /// The path above the project's folder: empty, or ending in `/`.
    pub prefix: String,
    /// The project whose events are taken.
    pub project_id: ProjectId,
    /// The zone of the project.
    pub zone: Zone,
    /// The events that are taken.
    pub events: EventNames,
    /// If times are the local time of a zone, that zone.
    pub wall_clock: Option<Zone>,
    /// How long after the end of a slice the pipeline has written all of it.
    pub delay: Duration,
    /// Before the second attempt, on average; it doubles for each further attempt.
    pub backoff_base: Duration,
}

/// The longest wait before an attempt.
const BACKOFF_CAP: Duration = Duration::from_mins(1);

/// The files of a JSON pipeline as a source of events.
pub struct PipelineSource {
    store: Arc<dyn ObjectStore>,
    config: PipelineConfig,
    folders: Folders,
    clock: Clock,
}

impl PipelineSource {
    /// Takes events from the files in a bucket or folder.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, config: PipelineConfig, clock: Clock) -> Self {
        let folders = Folders::new(&config.prefix, &config.project_id, config.zone.clone());
        Self { store, config, folders, clock }
    }

    /// The pipeline may still be writing a slice that ended a short time ago.
    fn check_age(&self, slice: &Slice) -> Result<(), SourceError> {
        let now = (self.clock)();
        if slice.end() + self.config.delay <= now {
            return Ok(());
        }
        let hours = self.config.delay.as_secs() / 3600;
        let slice = slice.to_string();
        Err(SourceError::Refused(Reason::PipelineTooEarly { slice, hours }.to_string()))
    }
}

#[async_trait::async_trait]
impl EventSource for PipelineSource {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        let slice = window.slice().clone();
        self.check_age(&slice)?;
        let wait = backoff(attempt, self.config.backoff_base, BACKOFF_CAP, rand::random());
        tokio::time::sleep(wait).await;
        let files = self.folders.files(&*self.store, &slice).await?;
        let reading = Reading {
            store: Arc::clone(&self.store),
            folders: self.folders.clone(),
            config: self.config.clone(),
            slice,
            rest: files.iter().cloned().collect(),
            files,
            current: None,
        };
        let next =
            async |mut reading: Reading| Ok(reading.next().await?.map(|chunk| (chunk, reading)));
        Ok(stream::try_unfold(reading, next).boxed())
    }
}

/// The files of a slice that are being read.
struct Reading {
    store: Arc<dyn ObjectStore>,
    folders: Folders,
    config: PipelineConfig,
    slice: Slice,
    files: Vec<File>,
    rest: VecDeque<File>,
    current: Option<Open>,
}

/// A file that is being read.
struct Open {
    key: String,
    wire: BoxStream<'static, Result<Bytes, StoreError>>,
    /// None until the first byte is known.
    packing: Option<Packing>,
    lines: LineSplitter,
    chooser: Chooser,
}

enum Packing {
    Plain,
    Gzip(Box<Gunzip>),
}

impl Reading {
    /// The next lines; none after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        loop {
            let Some(open) = &mut self.current else {
                let Some(file) = self.rest.pop_front() else { return self.finish().await };
                self.current = Some(self.open(file).await?);
                continue;
            };
            let lines = match open.wire.next().await {
                Some(piece) => open.take(piece.map_err(broken)?)?,
                None => match self.current.take() {
                    Some(open) => open.finish(&*self.store)?,
                    None => continue,
                },
            };
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }

    async fn open(&mut self, file: File) -> Result<Open, SourceError> {
        let wire = self.store.read(&file.key).await.map_err(unreadable)?;
        let wire =
            wire.ok_or_else(|| incomplete(&Reason::FileGone(self.store.location(&file.key))))?;
        // One more than the limit, so that the transformation detects that the line is too long.
        let lines = LineSplitter::new(Bounds::default().line_bytes + 1);
        let home = self.folders.is_last_of(file.date, &self.slice);
        let chooser = Chooser {
            folders: self.folders.clone(),
            events: self.config.events.clone(),
            slice: self.slice.clone(),
            peek: Peek::new(self.config.wall_clock.clone()),
            file: file.clone(),
            home,
            within: home,
        };
        Ok(Open { key: file.key, wire, packing: None, lines, chooser })
    }

    /// Files that were added or removed in the meantime may contain events.
    async fn finish(&mut self) -> Result<Option<Bytes>, SourceError> {
        if self.folders.files(&*self.store, &self.slice).await? == self.files {
            return Ok(None);
        }
        Err(incomplete(&Reason::PipelineChanged))
    }
}

impl Open {
    fn take(&mut self, mut piece: Bytes) -> Result<Bytes, SourceError> {
        let Some(first) = piece.first() else { return Ok(Bytes::new()) };
        let packing = self.packing.get_or_insert_with(|| match *first {
            0x1f => Packing::Gzip(Box::new(Gunzip::new())),
            _ => Packing::Plain,
        });
        let mut out = BytesMut::new();
        match packing {
            Packing::Plain => self.chooser.push(&mut self.lines, &piece, &mut out),
            Packing::Gzip(gunzip) => {
                while !piece.is_empty() {
                    let plain = gunzip.unpack(&mut piece).map_err(|e| damaged(&self.key, e))?;
                    self.chooser.push(&mut self.lines, &plain, &mut out);
                }
            }
        }
        Ok(out.freeze())
    }

    /// The last lines, if the file is complete.
    fn finish(mut self, store: &dyn ObjectStore) -> Result<Bytes, SourceError> {
        let mut out = BytesMut::new();
        if let Some(Packing::Gzip(gunzip)) = self.packing.take() {
            let plain = gunzip.finish().map_err(|e| damaged(&self.key, e))?;
            self.chooser.push(&mut self.lines, &plain, &mut out);
        }
        let rest = self.lines.rest();
        if self.chooser.peek.line(rest) == LineKind::Broken {
            return Err(incomplete(&Reason::FileCut(store.location(&self.key))));
        }
        self.chooser.line(rest, &mut out);
        Ok(out.freeze())
    }
}

/// Chooses the lines of a file that a slice takes, and converts them to the shape of the export API.
struct Chooser {
    folders: Folders,
    events: EventNames,
    slice: Slice,
    peek: Peek,
    file: File,
    /// Whether the file's date ends in the slice.
    home: bool,
    /// Whether the slice took the last event. Then it also takes the lines without a time that follow.
    within: bool,
}

impl Chooser {
    fn push(&mut self, lines: &mut LineSplitter, bytes: &[u8], out: &mut BytesMut) {
        let each = |line: Line<'_>| {
            self.line(line, out);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = lines.push(bytes, each);
    }

    fn line(&mut self, line: Line<'_>, out: &mut BytesMut) {
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong { end, .. } if self.peek.line(line) == LineKind::EarlyEnd => {
                return put(end, out);
            }
            Line::TooLong { start, .. } => return self.odd(start, out),
        };
        let converted = shape::export_line(bytes);
        let event = converted.as_deref().unwrap_or(bytes);
        match self.peek.line(Line::Whole(event)) {
            LineKind::Blank => {}
            LineKind::EarlyEnd => put(bytes, out),
            // A bad line is quarantined as received.
            LineKind::Odd | LineKind::Broken => self.odd(bytes, out),
            LineKind::Event { name, time } => {
                self.within = if self.folders.is_home_of(self.file.date, time) {
                    self.slice.contains(time)
                } else {
                    self.home
                };
                let wanted = self.events.names();
                if self.within && (wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
                {
                    put(event, out);
                }
            }
        }
    }

    fn odd(&self, bytes: &[u8], out: &mut BytesMut) {
        if self.within {
            put(bytes, out);
        }
    }
}

fn put(line: &[u8], out: &mut BytesMut) {
    out.extend_from_slice(line);
    out.extend_from_slice(b"\n");
}

fn incomplete(reason: &Reason) -> SourceError {
    SourceError::Incomplete { reason: reason.to_string(), cause: None }
}

/// A file that broke off while it was read.
fn broken(error: StoreError) -> SourceError {
    let reason = Reason::PipelineBroken.to_string();
    SourceError::Incomplete { reason, cause: Some(error.into()) }
}

fn damaged(key: &str, error: std::io::Error) -> SourceError {
    let reason = Reason::FileCorrupt(key.to_owned()).to_string();
    SourceError::Incomplete { reason, cause: Some(error.into()) }
}
