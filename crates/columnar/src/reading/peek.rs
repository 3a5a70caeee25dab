//! Reads one line without a transformation, for sources that choose lines themselves.

use crate::reading::event::{self, Event};
use crate::reading::lines::Line;
use crate::reading::parse;
use crate::reading::scan;
use crate::reading::vocabulary::Vocabulary;
use mixlake_domain::{Timestamp, Zone};
use serde_json::{Map, Value};

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
    /// No JSON, or only a part of it, or longer than a line may be. A stream whose last line has no
    /// end and is this was cut.
    Broken,
}

/// Tells lines apart, many of them one after another.
#[derive(Debug, Default)]
pub struct Peek {
    vocabulary: Vocabulary,
    event: Event,
    wall_clock: Option<Zone>,
}

/// Bytes of names that are kept from line to line.
const NAMES_KEPT: usize = 4 << 20;

impl Peek {
    /// With a zone, times are the wall clock of that zone.
    #[must_use]
    pub fn new(wall_clock: Option<Zone>) -> Self {
        Self { wall_clock, ..Self::default() }
    }

    /// What a line is.
    pub fn line(&mut self, line: Line<'_>) -> LineKind<'_> {
        match line {
            Line::Whole(bytes) => self.whole(bytes),
            Line::TooLong { end, .. } if early_end(end).is_some() => LineKind::EarlyEnd,
            Line::TooLong { .. } => LineKind::Broken,
        }
    }

    fn whole(&mut self, line: &[u8]) -> LineKind<'_> {
        if is_blank(line) {
            return LineKind::Blank;
        }
        if self.vocabulary.memory(self.event.number) > NAMES_KEPT {
            // Names only save time here.
            self.vocabulary = Vocabulary::default();
        }
        let read = scan::read(line, &mut self.vocabulary, &mut self.event);
        let parsed = read.and_then(|line| {
            let time = event::instant(self.event.time.get(&line), self.wall_clock.as_ref())?;
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

/// The texts with which an export says, behind a status of 200, that it is not complete; the longer
/// ones first.
const LAST_WORDS: [&[u8]; 2] = [b"export terminated early", b"terminated early"];

/// How much of a last line an error repeats, in characters.
const SHOWN: usize = 120;

/// What the last line of an answer says if it is no line of an export: an object with an error, or
/// text that is no JSON. Mixpanel, and what lies on the way to it, report errors in the middle of an
/// answer whose status was 200.
pub(crate) fn error_end(line: &[u8]) -> Option<String> {
    let fields = serde_json::from_slice::<Map<String, Value>>(line);
    let is_error = match fields {
        Ok(fields) => fields.contains_key("error") && !fields.contains_key("event"),
        Err(_) => !is_blank(line) && !parse::is_whole(line),
    };
    is_error.then(|| String::from_utf8_lossy(line).trim().chars().take(SHOWN).collect())
}

/// What an export that is not complete says at the end of its last line. Before it there may be half
/// a line, cut within a character. No event ends with a letter.
pub(crate) fn early_end(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii_end();
    LAST_WORDS.iter().find_map(|words| {
        let (_, end) = line.split_at_checked(line.len().checked_sub(words.len())?)?;
        end.eq_ignore_ascii_case(words).then(|| String::from_utf8_lossy(end).into_owned())
    })
}
