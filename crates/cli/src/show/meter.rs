//! How far a backfill is: a bar on a terminal, lines in a log.

use super::progress::Progress;
use super::words;
use mixlake_app::ports::{EventChunks, EventSource, SourceError};
use mixlake_domain::{SliceLabel, Window};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The cells of the bar.
const CELLS: u64 = 24;

/// The time between two lines of a log.
const PAUSE: Duration = Duration::from_secs(30);

/// Shows how far a backfill is, and what the query budget makes of the rest.
pub struct Meter {
    bar: Progress,
    log: Option<Box<dyn Write + Send>>,
    logged: Option<(u64, Instant)>,
    /// How many slices the query budget has in an hour.
    per_hour: u32,
}

impl Meter {
    /// A bar on standard error if that is a terminal, or lines if it is not, or if steps are logged there too.
    pub fn new(verbose: bool, per_hour: u32) -> Self {
        if !verbose && io::stderr().is_terminal() {
            return Self::on(Some(Box::new(io::stderr())), None, per_hour);
        }
        Self::on(None, Some(Box::new(io::stderr())), per_hour)
    }

    fn on(
        bar: Option<Box<dyn Write + Send>>,
        log: Option<Box<dyn Write + Send>>,
        per_hour: u32,
    ) -> Self {
        Self { bar: Progress::on(bar), log, logged: None, per_hour }
    }

    /// So many slices of all are done.
    pub fn at(&mut self, done: u64, total: u64) {
        let text = state(done, total, self.per_hour);
        self.bar.say(&format!("{} {text}", bar(done, total)));
        let is_due = |(logged, at): (u64, Instant)| done != logged && at.elapsed() >= PAUSE;
        if self.logged.is_none_or(is_due) {
            self.line(&text);
            self.logged = Some((done, Instant::now()));
        }
    }

    /// Nothing goes on until then.
    pub fn waits(&mut self, done: u64, total: u64, until: &str) {
        let text = format!(
            "{}; the query budget is used up until {until}",
            state(done, total, self.per_hour)
        );
        self.bar.say(&format!("{} {text}", bar(done, total)));
        self.line(&text);
    }

    /// What goes on before slices are counted.
    pub fn say(&mut self, text: &str) {
        self.bar.say(text);
    }

    fn line(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            // Standard error may be closed; the work goes on.
            writeln!(log, "{text}").and_then(|()| log.flush()).unwrap_or_default();
        }
    }
}

/// `[######------]`.
fn bar(done: u64, total: u64) -> String {
    let full = done.min(total) * CELLS / total.max(1);
    let cells = |count: u64, with: &str| with.repeat(usize::try_from(count).unwrap_or_default());
    format!("[{}{}]", cells(full, "#"), cells(CELLS - full, "-"))
}

fn state(done: u64, total: u64, per_hour: u32) -> String {
    let slices = format!("{} of {}", words::number(done), words::some(total, "slice"));
    match total.saturating_sub(done) {
        0 => slices,
        left => {
            let queries = if per_hour == 1 { "query" } else { "queries" };
            let left = duration(left, per_hour);
            format!(
                "{slices}, about {left} left at {} {queries} an hour",
                words::number(per_hour.into())
            )
        }
    }
}

/// What the query budget takes for so many slices, each of one query.
fn duration(slices: u64, per_hour: u32) -> String {
    let minutes = (slices * 60).div_ceil(u64::from(per_hour.max(1)));
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{} {hours} h", words::some(days, "day")),
    }
}

/// A source whose queries move a meter.
pub struct Metered {
    source: Box<dyn EventSource>,
    slices: Vec<SliceLabel>,
    meter: Arc<Mutex<Meter>>,
}

impl Metered {
    /// The slices are those that will be asked for, in order.
    pub fn new(
        source: Box<dyn EventSource>,
        slices: Vec<SliceLabel>,
        meter: Arc<Mutex<Meter>>,
    ) -> Self {
        Self { source, slices, meter }
    }
}

#[async_trait::async_trait]
impl EventSource for Metered {
    async fn fetch(&self, window: &Window, attempt: u32) -> Result<EventChunks, SourceError> {
        let label = window.slice().label();
        if let Some(done) = self.slices.iter().position(|slice| *slice == label) {
            let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
            meter.at(done as u64, self.slices.len() as u64);
        }
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

#[cfg(test)]
mod tests {
    use super::super::progress::Screen;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(0, 730, 50, "0 of 730 slices, about 14 h 36 min left at 50 queries an hour")]
    #[case::days(0, 5_844, 50, "0 of 5,844 slices, about 4 days 20 h left at 50 queries an hour")]
    #[case::minutes(729, 730, 50, "729 of 730 slices, about 2 min left at 50 queries an hour")]
    #[case::smallest_budget(0, 1, 1, "0 of 1 slice, about 1 h 0 min left at 1 query an hour")]
    #[case::all(730, 730, 50, "730 of 730 slices")]
    fn what_is_left_is_estimated_from_the_budget(
        #[case] done: u64,
        #[case] total: u64,
        #[case] per_hour: u32,
        #[case] expected: &str,
    ) {
        assert_eq!(state(done, total, per_hour), expected);
    }

    #[rstest]
    #[case(0, 3, "[------------------------]")]
    #[case(1, 3, "[########----------------]")]
    #[case(3, 3, "[########################]")]
    #[case::nothing_to_do(0, 0, "[------------------------]")]
    fn a_bar_has_its_share_of_full_cells(
        #[case] done: u64,
        #[case] total: u64,
        #[case] expected: &str,
    ) {
        assert_eq!(bar(done, total), expected);
    }

    #[test]
    fn a_log_gets_the_first_count_and_each_wait_and_not_every_slice() {
        let screen = Screen::default();
        let mut meter = Meter::on(None, Some(Box::new(screen.clone())), 50);
        for done in 0..100 {
            meter.at(done, 100);
        }
        meter.waits(50, 100, "20:51 UTC");
        let lines: Vec<String> = screen.text().lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "0 of 100 slices, about 2 h 0 min left at 50 queries an hour",
                "50 of 100 slices, about 1 h 0 min left at 50 queries an hour; the query budget is used up until \
                 20:51 UTC",
            ]
        );
    }

    #[test]
    fn a_terminal_gets_a_bar_that_goes_at_the_end() {
        let screen = Screen::default();
        let mut meter = Meter::on(Some(Box::new(screen.clone())), None, 50);
        meter.at(25, 100);
        drop(meter);
        let clear = "\r\x1b[K";
        let bar = "[######------------------] 25 of 100 slices, about 1 h 30 min left at 50 queries an hour";
        assert_eq!(screen.text(), format!("{clear}{bar}{clear}"));
    }
}
