//! An event source in memory that can break off in every way that a real one does.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_columnar::{Line, LineKind, Peek};
use mixlake_domain::{Slice, SliceLabel, Window};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a fetch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ending {
    /// With all lines.
    #[default]
    Whole,
    /// With [`SourceError::Incomplete`] after this many bytes.
    BreaksAfter(usize),
    /// With all lines and the text that says that the export was terminated early.
    TerminatedEarly,
    /// As if complete, but in the middle of the last line.
    CutLine,
    /// Before it starts, with [`SourceError::Unavailable`].
    Unavailable,
    /// Before it starts, with [`SourceError::TimedOut`].
    TimedOut,
    /// Before it starts, with [`SourceError::OutOfTime`].
    OutOfTime,
    /// As if complete, with this text instead of the lines.
    Says(&'static str),
    /// Before it starts, with [`SourceError::Refused`].
    Refused,
    /// Before it starts, with [`SourceError::RateLimited`].
    RateLimited,
}

/// A line and the slice that gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    line: String,
    /// The slice that gets it, whatever its time is; none: the slice that contains its time.
    served_to: Option<SliceLabel>,
}

/// A fake source. Clones share their lines, like two functions that read the same project.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Held>,
    endings: VecDeque<Ending>,
    always: Ending,
    divides: bool,
    one_stream: bool,
    filter: String,
    most: Option<usize>,
    fetches: Vec<(Window, u32)>,
}

/// Small enough that most lines are cut somewhere.
const PIECE: usize = 64;

impl MemorySource {
    /// A source without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes all lines.
    pub fn clear(&self) {
        self.lock().lines.clear();
    }

    /// Adds a line for the slice that contains its time. If it is not an event, no slice gets it.
    pub fn add(&self, line: impl Into<String>) {
        self.lock().lines.push(Held { line: line.into(), served_to: None });
    }

    /// Adds a line that this slice gets, whatever its content: a stray or a bad line.
    pub fn add_to(&self, slice: SliceLabel, line: impl Into<String>) {
        self.lock().lines.push(Held { line: line.into(), served_to: Some(slice) });
    }

    /// How the next fetches end, in order; later fetches succeed.
    pub fn next_endings(&self, endings: impl IntoIterator<Item = Ending>) {
        self.lock().endings = endings.into_iter().collect();
    }

    /// How every other fetch ends.
    pub fn always(&self, ending: Ending) {
        self.lock().always = ending;
    }

    /// From now on parts of slices can be fetched.
    pub fn divide(&self) {
        self.lock().divides = true;
    }

    /// From now on each response is an export of its own.
    pub fn be_one_stream(&self) {
        self.lock().one_stream = true;
    }

    /// From now on every query has this filter. It changes no line.
    pub fn filter(&self, filter: &str) {
        filter.clone_into(&mut self.lock().filter);
    }

    /// The connection breaks after this many lines of any window, as if the server had no more time.
    pub fn send_at_most(&self, lines: usize) {
        self.lock().most = Some(lines);
    }

    /// The fetched slices, each with the number of the attempt.
    #[must_use]
    pub fn fetches(&self) -> Vec<(SliceLabel, u32)> {
        self.windows()
            .into_iter()
            .map(|(window, attempt)| (window.slice().label(), attempt))
            .collect()
    }

    /// The fetched windows, each with the number of the attempt.
    #[must_use]
    pub fn windows(&self) -> Vec<(Window, u32)> {
        self.lock().fetches.clone()
    }

    /// The lines that a slice gets. A slice gets the lines of those that it covers.
    #[must_use]
    pub fn lines_of(&self, slice: &Slice) -> Vec<String> {
        self.lines_in(&Window::whole(slice))
    }

    fn lines_in(&self, window: &Window) -> Vec<String> {
        let state = self.lock();
        state.lines.iter().filter(|held| held.is_of(window)).map(|held| held.line.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_ending(&self, window: &Window, attempt: u32, lines: &[String]) -> Ending {
        let mut state = self.lock();
        state.fetches.push((window.clone(), attempt));
        let always = state.always;
        match (state.endings.pop_front(), state.most) {
            (Some(ending), _) => ending,
            (None, Some(most)) if lines.len() > most => {
                Ending::BreaksAfter(lines[..most].iter().map(|line| line.len() + 1).sum())
            }
            (None, _) => always,
        }
    }
}

impl Held {
    fn is_of(&self, window: &Window) -> bool {
        let slice = window.slice().label();
        if let Some(label) = self.served_to {
            return slice.covers(&label) && window.is_first();
        }
        match Peek::new(None).line(Line::Whole(self.line.as_bytes())) {
            LineKind::Event { time, .. } => window.contains(time),
            LineKind::Blank | LineKind::EarlyEnd | LineKind::Odd | LineKind::Broken => false,
        }
    }
}

#[async_trait::async_trait]
impl EventSource for MemorySource {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        tokio::task::yield_now().await;
        let lines = self.lines_in(window);
        let ending = self.next_ending(window, attempt, &lines);
        let mut text = lines.join("\n");
        let mut error = None;
        match ending {
            Ending::Whole => text.push('\n'),
            Ending::CutLine => text.truncate(text.len().saturating_sub(2)),
            Ending::TerminatedEarly => text.push_str("\nexport terminated early\n"),
            Ending::BreaksAfter(bytes) => {
                text.truncate(bytes);
                let reason = "injected: the connection was closed".to_owned();
                error = Some(SourceError::Incomplete { reason, cause: None });
            }
            Ending::Unavailable => {
                let reason = "injected: 503".to_owned();
                return Err(SourceError::Unavailable { reason, cause: None });
            }
            Ending::Says(said) => said.clone_into(&mut text),
            Ending::TimedOut => {
                let reason = "injected: no answer".to_owned();
                return Err(SourceError::TimedOut { reason, cause: None });
            }
            Ending::OutOfTime => return Err(SourceError::OutOfTime),
            Ending::RateLimited => {
                let retry_after = Duration::from_mins(30);
                return Err(SourceError::RateLimited { retry_after });
            }
            Ending::Refused => return Err(SourceError::Refused("injected: 400".to_owned())),
        }
        let text = Bytes::from(text);
        let pieces = (0..text.len()).step_by(PIECE);
        let pieces: Vec<_> =
            pieces.map(|at| Ok(text.slice(at..(at + PIECE).min(text.len())))).collect();
        Ok(stream::iter(pieces.into_iter().chain(error.map(Err))).boxed())
    }

    fn is_one_stream(&self) -> bool {
        self.lock().one_stream
    }

    fn divides(&self) -> bool {
        self.lock().divides
    }

    fn query(&self, _window: &Window) -> Option<String> {
        Some(self.lock().filter.clone())
    }

    fn queries(&self) -> u64 {
        self.lock().fetches.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_domain::Zone;

    fn slice(label: &str) -> Slice {
        Slice::parse(label, &Zone::UTC).unwrap()
    }

    /// 01:10.
    const LINE: &str = r#"{"event":"e","properties":{"time":1794273000}}"#;

    async fn read(source: &MemorySource, label: &str) -> Result<String, SourceError> {
        let mut chunks = source.fetch(&Window::whole(&slice(label)), 0).await?;
        let mut text = String::new();
        while let Some(chunk) = chunks.next().await {
            text.push_str(std::str::from_utf8(&chunk?).unwrap());
        }
        Ok(text)
    }

    #[tokio::test]
    async fn a_slice_gets_its_own_lines_and_those_meant_for_it() {
        let source = MemorySource::new();
        source.add(LINE);
        source.add_to(slice("2026-11-10T05").label(), "oops");
        assert_eq!(read(&source, "2026-11-10T01").await.unwrap(), format!("{LINE}\n"));
        assert_eq!(read(&source, "2026-11-10T05").await.unwrap(), "oops\n");
        assert_eq!(read(&source, "2026-11-10").await.unwrap(), format!("{LINE}\noops\n"));
        assert_eq!(read(&source, "2026-11-11").await.unwrap(), "\n");
    }

    #[tokio::test]
    async fn each_fetch_ends_as_it_was_told() {
        let source = MemorySource::new();
        source.add(LINE);
        source.next_endings([Ending::BreaksAfter(3), Ending::TerminatedEarly, Ending::CutLine]);
        assert!(matches!(read(&source, "2026-11-10").await, Err(SourceError::Incomplete { .. })));
        assert!(read(&source, "2026-11-10").await.unwrap().ends_with("terminated early\n"));
        assert!(!read(&source, "2026-11-10").await.unwrap().ends_with('}'));
        assert_eq!(read(&source, "2026-11-10").await.unwrap(), format!("{LINE}\n"));
        source.always(Ending::Refused);
        assert!(matches!(read(&source, "2026-11-10").await, Err(SourceError::Refused(_))));
        assert_eq!(source.fetches().len(), 5);
    }
}
