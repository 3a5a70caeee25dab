//! A line on standard error that says how far the work is, if somebody looks.

use super::words;
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_domain::{SliceLabel, Window};
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the line changes at most.
const PAUSE: Duration = Duration::from_millis(100);

/// The line. It goes when this is dropped.
pub struct Progress {
    out: Option<Box<dyn Write + Send>>,
    shown: Option<Instant>,
}

impl Progress {
    /// A line on standard error if that is a terminal; none beside steps that are logged there.
    pub fn new(verbose: bool) -> Self {
        let looks = !verbose && io::stderr().is_terminal();
        Self::on(looks.then(|| Box::new(io::stderr()) as Box<dyn Write + Send>))
    }

    pub(super) fn on(out: Option<Box<dyn Write + Send>>) -> Self {
        Self { out, shown: None }
    }

    /// Says how far the work is. What comes too soon after the last is left out.
    pub fn now_and_then(&mut self, text: impl FnOnce() -> String) {
        if self.out.is_some() && self.shown.is_none_or(|last| last.elapsed() >= PAUSE) {
            self.say(&text());
        }
    }

    /// Says what begins.
    pub fn say(&mut self, text: &str) {
        if let Some(out) = &mut self.out {
            let text = words::clean(text).replace('\n', " ");
            // Standard error may be closed; the work goes on.
            write!(out, "\r\x1b[K{text}").and_then(|()| out.flush()).unwrap_or_default();
            self.shown = Some(Instant::now());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let (Some(out), Some(_)) = (&mut self.out, self.shown) {
            write!(out, "\r\x1b[K").and_then(|()| out.flush()).unwrap_or_default();
        }
    }
}

/// A source that says which slice is asked for.
pub struct Watched {
    source: Box<dyn EventSource>,
    slices: Vec<SliceLabel>,
    progress: Mutex<Progress>,
}

impl Watched {
    /// The slices are those that will be asked for, in order.
    pub fn new(source: Box<dyn EventSource>, slices: Vec<SliceLabel>, progress: Progress) -> Self {
        Self { source, slices, progress: Mutex::new(progress) }
    }

    fn told(&self, window: &Window) -> String {
        let label = window.slice().label();
        match self.slices.iter().position(|slice| *slice == label) {
            Some(index) => format!("slice {} of {}: {window}", index + 1, self.slices.len()),
            None => format!("slice {window}"),
        }
    }
}

#[async_trait::async_trait]
impl EventSource for Watched {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        let text = self.told(window);
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).say(&text);
        self.source.fetch(window, attempt).await
    }

    fn is_one_stream(&self) -> bool {
        self.source.is_one_stream()
    }

    fn divides(&self) -> bool {
        self.source.divides()
    }

    fn query(&self, window: &Window) -> Option<String> {
        self.source.query(window)
    }

    fn queries(&self) -> u64 {
        self.source.queries()
    }
}

/// What was written, for tests.
#[cfg(test)]
#[derive(Clone, Default)]
pub(super) struct Screen(std::sync::Arc<Mutex<Vec<u8>>>);

#[cfg(test)]
impl Screen {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixlake_domain::{Slice, Zone};
    use mixlake_testkit::source::MemorySource;

    #[tokio::test]
    async fn each_slice_is_told_with_its_number_and_the_line_goes_at_the_end() {
        let screen = Screen::default();
        let progress = Progress::on(Some(Box::new(screen.clone())));
        let slices = ["2026-11-10", "2026-11-11"].map(|day| Slice::parse(day, &Zone::UTC).unwrap());
        let labels = slices.iter().map(Slice::label).collect();
        let source = Watched::new(Box::new(MemorySource::new()), labels, progress);
        for slice in &slices {
            source.fetch(&Window::whole(slice), 0).await.map(|_| ()).unwrap();
        }
        drop(source);
        let clear = "\r\x1b[K";
        let expected =
            format!("{clear}slice 1 of 2: 2026-11-10{clear}slice 2 of 2: 2026-11-11{clear}");
        assert_eq!(screen.text(), expected);
    }

    #[test]
    fn what_comes_too_soon_is_left_out() {
        let screen = Screen::default();
        let mut progress = Progress::on(Some(Box::new(screen.clone())));
        for number in 0..1_000 {
            progress.now_and_then(|| number.to_string());
        }
        assert!(screen.text().matches('\r').count() < 500, "{}", screen.text());
    }
}
