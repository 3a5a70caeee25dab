//! Files of JSON lines, plain or gzip, as a source of events.
//!
//! A file holds events of any time, so each slice reads all files and takes its own. A line that
//! says nothing of its time belongs to the slice of the event before it, whichever slices are asked
//! for; at the start of a file, where there is none, to the first slice of the run. A file that is
//! damaged, or cut short, or says that its export stopped early fails every slice: nobody can tell
//! whose events are missing.

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_columnar::{Bounds, Line, LineKind, LineSplitter, Peek};
use mixlake_domain::{Slice, SliceLabel, Window, Zone};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
}

type Sender = mpsc::Sender<Result<Bytes, SourceError>>;

impl FileSource {
    /// Takes events from these files.
    #[must_use]
    pub fn new(files: Vec<PathBuf>, selection: Selection) -> Self {
        Self { files: files.into(), selection: Arc::new(selection) }
    }
}

#[async_trait::async_trait]
impl EventSource for FileSource {
    async fn fetch(&self, window: &Window, _attempt: u32) -> Result<EventChunks, SourceError> {
        let (sender, receiver) = mpsc::channel(4);
        let (source, slice) = (self.clone(), window.slice().clone());
        tokio::task::spawn_blocking(move || source.read(&slice, &sender));
        let next = async |mut receiver: mpsc::Receiver<_>| {
            receiver.recv().await.map(|item| (item, receiver))
        };
        Ok(stream::unfold(receiver, next).boxed())
    }
}

/// Nobody reads the stream any more.
struct Abandoned;

impl FileSource {
    fn read(&self, slice: &Slice, sender: &Sender) {
        let mut out = Output { sender, bytes: BytesMut::new() };
        for path in &*self.files {
            match self.file(path, slice, &mut out) {
                Ok(Ok(())) => {}
                Ok(Err(Abandoned)) => return,
                Err(error) => {
                    // The reader may be gone already; then nobody needs to know.
                    sender.blocking_send(Err(failure(path, &error))).unwrap_or_default();
                    return;
                }
            }
        }
        out.flush().unwrap_or(());
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
            let each = |line: Line<'_>| if chooser.takes(line) { out.line(line) } else { Ok(()) };
            if lines.push(bytes, each).is_err() {
                return Ok(Err(Abandoned));
            }
        }
        match lines.rest() {
            Line::Whole(rest) if chooser.peek.line(rest) == LineKind::Broken => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends in the middle of a line"))
            }
            rest @ (Line::Whole(_) | Line::TooLong(_)) => {
                Ok(if chooser.takes(rest) { out.line(rest) } else { Ok(()) })
            }
        }
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
}

impl<'a> Chooser<'a> {
    fn new(selection: &'a Selection, slice: &'a Slice) -> Self {
        let peek = Peek::new(selection.wall_clock.clone());
        Self { selection, slice, peek, within: selection.first == Some(slice.label()) }
    }

    fn takes(&mut self, line: Line<'_>) -> bool {
        let kind = match line {
            Line::Whole(bytes) => self.peek.line(bytes),
            Line::TooLong(_) => LineKind::Broken,
        };
        match kind {
            LineKind::Blank => false,
            LineKind::Event { name, time } => {
                let events = &self.selection.events;
                self.within = self.slice.contains(time);
                self.within && (events.is_empty() || events.contains(&name))
            }
            LineKind::EarlyEnd => true,
            LineKind::Odd | LineKind::Broken => self.within,
        }
    }
}

/// Collects lines until it pays to hand them on.
struct Output<'a> {
    sender: &'a Sender,
    bytes: BytesMut,
}

impl Output<'_> {
    fn line(&mut self, line: Line<'_>) -> Result<(), Abandoned> {
        let (Line::Whole(line) | Line::TooLong(line)) = line;
        self.bytes.extend_from_slice(line);
        self.bytes.extend_from_slice(b"\n");
        if self.bytes.len() < PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Abandoned> {
        let bytes = self.bytes.split().freeze();
        self.sender.blocking_send(Ok(bytes)).map_err(|_| Abandoned)
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

    #[tokio::test]
    async fn an_early_end_reaches_every_slice() {
        let (source, _file) = source((line(0) + "export terminated early\n").as_bytes());
        for slice in days() {
            assert!(all(&source, &slice).await.unwrap().ends_with("terminated early\n"));
        }
    }
}
