//! Windows: the units of fetching. A slice that cannot be fetched as a whole is fetched in smaller
//! windows.

use crate::slice::Slice;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// The shortest window, in seconds. If one minute cannot be fetched, less cannot be fetched either.
const SHORTEST: i64 = 60;

/// A half-open range of time `[start, end)` of a slice: all of it or a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    slice: Slice,
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// All of a slice.
    #[must_use]
    pub fn whole(slice: &Slice) -> Self {
        Self { slice: slice.clone(), start: slice.start(), end: slice.end() }
    }

    /// The slice of the window.
    #[must_use]
    pub fn slice(&self) -> &Slice {
        &self.slice
    }

    /// The first instant inside.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant after.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether an instant lies in the window.
    #[must_use]
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// How long it is, in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.end.as_second() - self.start.as_second()
    }

    /// Whether it begins at the start of its slice.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.start == self.slice.start()
    }

    /// Splits the window in two at a whole minute, in order, without gap or overlap; none if the window
    /// is too short.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        let half = self.seconds() / 2 / SHORTEST * SHORTEST;
        if half < SHORTEST {
            return None;
        }
        let middle = self.start.checked_add(SignedDuration::from_secs(half)).ok()?;
        Some([Self { end: middle, ..self.clone() }, Self { start: middle, ..self.clone() }])
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.slice.start() && self.end == self.slice.end() {
            return self.slice.fmt(f);
        }
        write!(f, "{} to {} of {}", self.start, self.end, self.slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::Zone;
    use rstest::rstest;

    fn window(label: &str, zone: &str) -> Window {
        let zone = Zone::parse(zone).unwrap();
        Window::whole(&Slice::parse(label, &zone).unwrap())
    }

    /// All windows that cannot be split.
    fn shortest(window: Window) -> Vec<Window> {
        match window.halves() {
            Some(halves) => halves.into_iter().flat_map(shortest).collect(),
            None => vec![window],
        }
    }

    #[test]
    fn an_hour_is_cut_down_to_its_sixty_minutes() {
        let minutes = shortest(window("2026-11-10T13", "Asia/Kolkata"));
        assert_eq!(minutes.len(), 60);
        let text = minutes[1].to_string();
        assert_eq!(text, "2026-11-10T07:31:00Z to 2026-11-10T07:32:00Z of 2026-11-10T13");
    }

    #[test]
    fn a_whole_window_is_called_as_its_slice() {
        assert_eq!(window("2026-11-10T13", "UTC").to_string(), "2026-11-10T13");
    }

    #[rstest]
    #[case::day("2026-11-10")]
    #[case::short_day("2026-03-29")]
    #[case::long_day("2026-10-25")]
    #[case::second_pass("2026-10-25T02b")]
    #[case::quarter("2026-10-25T02b_15to30")]
    #[case::five_minutes("2026-11-10T13_55to60")]
    fn the_shortest_parts_cover_their_slice_once(#[case] label: &str) {
        let whole = window(label, "Europe/Berlin");
        let mut at = whole.start();
        for part in shortest(whole.clone()) {
            assert_eq!(part.start(), at);
            assert!((60..120).contains(&(part.end().as_second() - part.start().as_second())));
            at = part.end();
        }
        assert_eq!(at, whole.end());
    }
}
