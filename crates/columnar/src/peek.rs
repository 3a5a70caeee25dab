//! What can be told of a line without a transformation: for sources that choose lines themselves.

use crate::event::{self, Event};
use crate::parse;
use crate::scan;
use crate::vocabulary::Vocabulary;
use mixlake_domain::{Timestamp, Zone};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind<'a> {
    /// Nothing but white space.
    Blank,
    /// An event of this name and time.
    Event {
        /// The original name.
        name: &'a str,
        /// When it happened.
        time: Timestamp,
    },
    /// The text with which an export says that it stopped early.
    EarlyEnd,
    /// A whole JSON value, but no event.
    Odd,
    /// No JSON, or only a part of it.
    Broken,
}

/// Tells lines apart, many of them one after another.
#[derive(Debug, Default)]
pub struct Peek {
    vocabulary: Vocabulary,
    event: Event,
    wall_clock: Option<Zone>,
}

impl Peek {
    /// With a zone, times are the wall clock of that zone.
    #[must_use]
    pub fn new(wall_clock: Option<Zone>) -> Self {
        Self { wall_clock, ..Self::default() }
    }

    /// What a line is.
    pub fn line(&mut self, line: &[u8]) -> LineKind<'_> {
        if is_blank(line) {
            return LineKind::Blank;
        }
        let read = scan::read(line, &mut self.vocabulary, &mut self.event);
        let parsed = read.and_then(|line| {
            let time = event::instant(self.event.time.get(line), self.wall_clock.as_ref())?;
            let name = self.vocabulary.name(self.event.number);
            Ok(LineKind::Event { name, time })
        });
        match parsed {
            Ok(kind) => kind,
            Err(_) if early_end(line).is_some() => LineKind::EarlyEnd,
            Err(_) if parse::is_whole(line) => LineKind::Odd,
            Err(_) => LineKind::Broken,
        }
    }
}

pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The text with which an export says, behind a status of 200, that it is not complete.
pub(crate) fn early_end(line: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(line).ok()?.trim();
    let end = text.to_ascii_lowercase();
    end.ends_with("terminated early").then(|| text.to_owned())
}
