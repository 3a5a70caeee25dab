//! Files of JSON lines, plain or gzip, as a source of events.
//!
//! A file holds events of any time, so each slice reads all files and takes its own; but for those that
//! were read before to their end and had nothing of its time. A line that
//! says nothing of its time belongs to the slice of the event before it, whichever slices are asked
//! for; at the start of a file, where there is none, to the first slice of the run. A file that is
//! damaged, or cut short, or says that its export stopped early fails every slice: nobody can tell
//! whose events are missing.

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_columnar::{Bounds, Line, LineKind, LineSplitter, Peek};
use mixlake_domain::{Slice, SliceLabel, Timestamp, Window, Zone};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Bytes that are read, and handed on, at a time.
const PIECE: usize = 256 << 10;

/// What is taken of the files.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The slice that takes lines before the first event of a file.
    pub first: Option<SliceLabel>,
    /// Only these events; empty: all.
    pub events: Vec<String>,
    /// Where times are the wall clock of a zone, that zone.
    pub wall_clock: Option<Zone>,
}

/// Files as a source of events.
#[derive(Debug, Clone)]
pub struct FileSource {
    files: Arc<[PathBuf]>,
    selection: Arc<Selection>,
    known: Arc<Mutex<HashMap<PathBuf, Content>>>,
}

/// What a sound file holds.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    /// The times of its first and last event.
    times: Option<(Timestamp, Timestamp)>,
    /// Whether it begins with a line that says nothing of its time.
    begins_odd: bool,
    /// Whether it says that its export stopped early.
    ends_early: bool,
}

/// What the reading thread says. Without the last word it has died, and the rest is missing.
enum Said {
    Lines(Bytes),
    Failed(SourceError),
    End,
}

type Sender = mpsc::Sender<Said>;

impl FileSource {
    /// Takes events from these files.
    #[must_use]
    pub fn new(files: Vec<PathBuf>, selection: Selection) -> Self {
        Self { files: files.into(), selection: Arc::new(selection), known: Arc::default() }
    }

    /// Whether a file is known to hold nothing that a slice takes.
    fn is_known_to_lack(&self, path: &Path, slice: &Slice) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied();
        known.is_some_and(|content| {
            let first = content.begins_odd && self.selection.first == Some(slice.label());
            let within = content
                .times
                .is_some_and(|(first, last)| first < slice.end() && slice.start() <= last);
            !first && !within && !content.ends_early
        })
    }

    fn remember(&self, path: &Path, content: Content) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), content);
    }
}

#[async_trait::async_trait]
impl EventSource for FileSource {
    async fn fetch(&self, window: &Window, _attempt: u32) -> Result<EventChunks, SourceError> {
        let (sender, receiver) = mpsc::channel(4);
        let (source, slice) = (self.clone(), window.slice().clone());
        tokio::task::spawn_blocking(move || source.read(&slice, &sender));
        Ok(stream::try_unfold(receiver, heard).boxed())
    }
}

async fn heard(
    mut receiver: mpsc::Receiver<Said>,
) -> Result<Option<(Bytes, mpsc::Receiver<Said>)>, SourceError> {
    match receiver.recv().await {
        Some(Said::Lines(bytes)) => Ok(Some((bytes, receiver))),
        Some(Said::End) => Ok(None),
        Some(Said::Failed(error)) => Err(error),
        None => {
            let reason = "the reading of the files was given up".to_owned();
            Err(SourceError::Incomplete { reason, cause: None })
        }
    }
}

/// Nobody reads the stream any more.
struct Abandoned;

impl FileSource {
    fn read(&self, slice: &Slice, sender: &Sender) {
        let mut out = Output { sender, bytes: BytesMut::new() };
        for path in &*self.files {
            if self.is_known_to_lack(path, slice) {
                continue;
            }
            match self.file(path, slice, &mut out) {
                Ok(Ok(())) => {}
                Ok(Err(Abandoned)) => return,
                Err(error) => {
                    // The reader may be gone already; then nobody needs to know.
                    sender.blocking_send(Said::Failed(failure(path, &error))).unwrap_or_default();
                    return;
                }
            }
        }
        if out.flush().is_ok() {
            sender.blocking_send(Said::End).unwrap_or_default();
        }
    }

    fn file(
        &self,
        path: &Path,
        slice: &Slice,
        out: &mut Output<'_>,
    ) -> io::Result<Result<(), Abandoned>> {
        let mut file = open(path)?;
        // One more than the bound, so that the transformation sees that the line is too long.
        let mut lines = LineSplitter::new(Bounds::default().line_bytes + 1);
        let mut chooser = Chooser::new(&self.selection, slice);
        let mut piece = vec![0; PIECE];
        let mut start = true;
        loop {
            let length = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = &piece[..length];
            let bytes = if std::mem::take(&mut start) { without_mark(bytes) } else { bytes };
            let each = |line: Line<'_>| chooser.takes(line).map_or(Ok(()), |line| out.line(line));
            if lines.push(bytes, each).is_err() {
                return Ok(Err(Abandoned));
            }
        }
        let rest = lines.rest();
        if chooser.peek.line(rest) == LineKind::Broken {
            let what = "it ends in the middle of a line";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        let taken = chooser.takes(rest);
        self.remember(path, chooser.content);
        Ok(taken.map_or(Ok(()), |line| out.line(line)))
    }
}

/// Some editors put a mark at the start of UTF-8 files.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Chooses the lines of a file that belong to a slice.
struct Chooser<'a> {
    selection: &'a Selection,
    slice: &'a Slice,
    peek: Peek,
    /// Whether the last event belongs to the slice, and with it what says nothing of its time.
    within: bool,
    content: Content,
}

impl<'a> Chooser<'a> {
    fn new(selection: &'a Selection, slice: &'a Slice) -> Self {
        let peek = Peek::new(selection.wall_clock.clone());
        let within = selection.first == Some(slice.label());
        Self { selection, slice, peek, within, content: Content::default() }
    }

    /// What the slice takes of a line.
    fn takes<'l>(&mut self, line: Line<'l>) -> Option<&'l [u8]> {
        let (start, end) = match line {
            Line::Whole(bytes) => (bytes, bytes),
            Line::TooLong { start, end } => (start, end),
        };
        let taken = match self.peek.line(line) {
            LineKind::Blank => false,
            LineKind::Event { name, time } => {
                let events = &self.selection.events;
                let (first, last) = self.content.times.unwrap_or((time, time));
                self.content.times = Some((first.min(time), last.max(time)));
                self.within = self.slice.contains(time);
                self.within && (events.is_empty() || events.iter().any(|wanted| wanted == name))
            }
            LineKind::EarlyEnd => {
                self.content.ends_early = true;
                return Some(end);
            }
            LineKind::Odd | LineKind::Broken => {
                self.content.begins_odd |= self.content.times.is_none();
                self.within
            }
        };
        taken.then_some(start)
    }
}

/// Collects lines until it pays to hand them on.
struct Output<'a> {
    sender: &'a Sender,
    bytes: BytesMut,
}

impl Output<'_> {
    fn line(&mut self, line: &[u8]) -> Result<(), Abandoned> {
        self.bytes.extend_from_slice(line);
        self.bytes.extend_from_slice(b"\n");
        if self.bytes.len() < PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Abandoned> {
        let bytes = self.bytes.split().freeze();
        self.sender.blocking_send(Said::Lines(bytes)).map_err(|_| Abandoned)
    }
}

/// Gzip is known by its first two bytes, whatever the file is called.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut start = Vec::new();
    File::open(path)?.take(2).read_to_end(&mut start)?;
    let file = File::open(path)?;
    Ok(if start == [0x1f, 0x8b] { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Reading the same file again will not help.
fn failure(path: &Path, error: &io::Error) -> SourceError {
    SourceError::Refused(format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn line(second: i64) -> String {
        let time = 1_794_268_800 + second;
        format!("{{\"event\":\"e\",\"properties\":{{\"time\":{time}}}}}\n")
    }

    fn days() -> [Slice; 2] {
        ["2026-11-10", "2026-11-11"].map(|day| Slice::parse(day, &Zone::UTC).unwrap())
    }

    fn source(content: &[u8]) -> (FileSource, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let first = Some(days()[0].label());
        let selection = Selection { first, events: vec![], wall_clock: None };
        (FileSource::new(vec![file.path().to_owned()], selection), file)
    }

    async fn all(source: &FileSource, slice: &Slice) -> Result<String, SourceError> {
        let mut chunks = source.fetch(&Window::whole(slice), 0).await?;
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            text.push_str(std::str::from_utf8(&chunk?).unwrap());
        }
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    }

    #[tokio::test]
    async fn each_slice_takes_its_own_lines_and_the_odd_ones_behind_them() {
        let text = "odd\n".to_owned() + &line(0) + "\n" + &line(86_400) + "oops\n" + &line(1);
        let (source, _file) = source(&gzip(&text));
        let [first, second] = days();
        assert_eq!(all(&source, &first).await.unwrap(), "odd\n".to_owned() + &line(0) + &line(1));
        assert_eq!(all(&source, &second).await.unwrap(), line(86_400) + "oops\n");
    }

    #[tokio::test]
    async fn a_file_that_had_nothing_for_a_slice_is_not_read_again_for_it() {
        let text = "odd\n".to_owned() + &line(86_400) + "oops\n";
        let (source, file) = source(text.as_bytes());
        let [first, second] = days();
        let third = Slice::parse("2026-11-12", &Zone::UTC).unwrap();
        assert_eq!(all(&source, &third).await.unwrap(), "");
        // Whoever reads it now fails.
        std::fs::write(file.path(), line(0).trim_end_matches("}\n")).unwrap();
        assert_eq!(all(&source, &third).await.unwrap(), "");
        for slice in [first, second] {
            all(&source, &slice).await.unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_file_that_was_read_before_gives_each_slice_the_same() {
        let text = "odd\n".to_owned() + &line(0) + "\n" + &line(86_400) + "oops\n" + &line(1);
        let (source, _file) = source(text.as_bytes());
        for slice in days() {
            let fresh = FileSource { known: Arc::default(), ..source.clone() };
            let expected = all(&fresh, &slice).await.unwrap();
            assert_eq!(all(&source, &slice).await.unwrap(), expected);
            assert_eq!(all(&source, &slice).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_mark_at_the_start_of_a_file_is_no_part_of_its_first_line() {
        let (source, _file) = source(("\u{feff}".to_owned() + &line(0)).as_bytes());
        assert_eq!(all(&source, &days()[0]).await.unwrap(), line(0));
    }

    #[tokio::test]
    async fn a_gzip_file_cut_anywhere_fails_every_slice() {
        let whole = gzip(&(line(0) + &line(86_400)));
        for cut in 3..whole.len() {
            let (source, _file) = source(&whole[..cut]);
            for slice in days() {
                assert!(all(&source, &slice).await.is_err(), "cut at {cut}");
            }
        }
    }

    #[tokio::test]
    async fn a_plain_file_that_ends_within_a_line_fails_every_slice() {
        let text = line(0) + &line(86_400);
        let (source, _file) = source(&text.as_bytes()[..text.len() - 5]);
        for slice in days() {
            let error = all(&source, &slice).await.unwrap_err();
            assert!(error.to_string().contains("in the middle of a line"), "{error}");
        }
    }

    /// The start of a line that is longer than a line may be.
    fn half_a_long_line() -> String {
        line(0) + "{\"event\":\"" + &"e".repeat(Bounds::default().line_bytes + 10)
    }

    #[tokio::test]
    async fn a_file_that_ends_within_a_line_past_the_bound_fails_every_slice() {
        let (source, _file) = source(half_a_long_line().as_bytes());
        for slice in days() {
            let error = all(&source, &slice).await.unwrap_err();
            assert!(error.to_string().contains("in the middle of a line"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_thread_that_dies_is_no_end() {
        let (sender, receiver) = mpsc::channel(1);
        sender.send(Said::Lines(Bytes::from_static(b"x"))).await.unwrap();
        drop(sender);
        let Some((_, receiver)) = heard(receiver).await.unwrap() else { panic!("no lines") };
        assert!(matches!(heard(receiver).await, Err(SourceError::Incomplete { .. })));
    }

    #[tokio::test]
    async fn an_early_end_reaches_every_slice() {
        for before in [line(0), half_a_long_line()] {
            let (source, _file) = source((before + "export terminated early\n").as_bytes());
            for slice in days() {
                assert!(all(&source, &slice).await.unwrap().ends_with("terminated early\n"));
            }
        }
    }
}
