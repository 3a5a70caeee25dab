//! What can be told of a line without a transformation: for sources that choose lines themselves.

use crate::event;
use crate::keys::Keys;
use crate::names::EventNumbers;
use mixlake_domain::{Timestamp, Zone};

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineKind {
    /// Nothing but white space.
    Blank,
    /// An event of this name and time.
    Event {
        /// The original name.
        name: String,
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

impl LineKind {
    /// Looks at a line. With a zone, its time is the wall clock of that zone.
    #[must_use]
    pub fn of(line: &[u8], wall_clock: Option<&Zone>) -> Self {
        if is_blank(line) {
            return Self::Blank;
        }
        // One line at a time, far apart: nothing is worth remembering.
        let (mut keys, mut names) = (Keys::default(), EventNumbers::default());
        let parsed = event::parse(line, &mut keys, &mut names).and_then(|event| {
            let time = event::instant(event.time, wall_clock)?;
            Ok(Self::Event { name: event.name.into_owned(), time })
        });
        match parsed {
            Ok(kind) => kind,
            Err(_) if early_end(line).is_some() => Self::EarlyEnd,
            Err(_) if event::is_whole(line) => Self::Odd,
            Err(_) => Self::Broken,
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
