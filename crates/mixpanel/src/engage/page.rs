//! Splits a page of the engage API into its profiles, as its bytes arrive.
//!
//! It holds one profile at a time. It checks that the page is one JSON object with all fields of a page,
//! but not what the profiles contain.

use super::fields::{Field, Fields, RESULTS_MISTYPED};
use super::value::ValueText;
use mixlake_app::ports::PageEnd;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Why a response is not a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageFlaw {
    #[error("the response is empty")]
    Empty,
    #[error("the response is not the JSON object of a page; it begins with `{0}`")]
    NotAnObject(char),
    #[error("the response ends in the middle of the page")]
    Cut,
    #[error("the page is not JSON at byte {0}")]
    NotJson(u64),
    #[error("profile {0} of the page is not JSON")]
    BadProfile(u64),
    #[error("profile {number} of the page is longer than {limit} bytes")]
    LongProfile { number: u64, limit: usize },
    #[error("a field of the page is longer than {0} bytes")]
    LongField(usize),
    #[error("the page has the field `{0}` twice")]
    Repeated(&'static str),
    #[error("the page does not have the field `{0}`")]
    Missing(&'static str),
    #[error("the field `{name}` of the page must be {accepted}")]
    Mistyped { name: &'static str, accepted: &'static str },
    #[error("the response reports an error: {0}")]
    Error(String),
    #[error("the response has the status {0}, not \"ok\"")]
    Status(String),
    #[error("the response goes on after the end of the page")]
    Trailing,
}

/// Reads a page whose bytes arrive in pieces of any size.
#[derive(Debug)]
pub(crate) struct PageReader {
    longest: usize,
    state: State,
    value: ValueText,
    /// The field that is being read.
    field: Field,
    fields: Fields,
    profiles: u64,
    /// How many bytes have been read.
    at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before(Expected),
    Within(Part),
}

/// What comes next, after white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Page,
    FirstName,
    Name,
    Colon,
    Value,
    AfterValue,
    FirstProfile,
    Profile,
    AfterProfile,
    Nothing,
}

/// A value that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Value,
    Profile,
}

impl PageReader {
    /// A reader that accepts profiles of up to `longest` bytes.
    pub(crate) fn new(longest: usize) -> Self {
        Self {
            longest,
            state: State::Before(Expected::Page),
            value: ValueText::default(),
            field: Field::Other,
            fields: Fields::default(),
            profiles: 0,
            at: 0,
        }
    }

    /// Reads the next bytes, and appends each profile that they complete to `lines`. After an error the
    /// reader is of no use.
    pub(crate) fn read(&mut self, bytes: &[u8], lines: &mut Vec<u8>) -> Result<(), PageFlaw> {
        let mut rest = bytes;
        while let Some(byte) = rest.first() {
            let taken = match self.state {
                State::Before(_) if is_space(*byte) => 1,
                State::Before(expected) => {
                    self.state = self.step(expected, *byte)?;
                    // A value begins with this byte.
                    usize::from(matches!(self.state, State::Before(_)))
                }
                State::Within(part) => self.take(part, rest, lines)?,
            };
            self.at += taken as u64;
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// What the page says about itself, if it is complete.
    pub(crate) fn finish(self) -> Result<PageEnd, PageFlaw> {
        match self.state {
            State::Before(Expected::Nothing) => self.fields.end(self.profiles),
            State::Before(Expected::Page) => Err(PageFlaw::Empty),
            State::Before(_) | State::Within(_) => Err(PageFlaw::Cut),
        }
    }

    /// The state after a byte between values.
    fn step(&mut self, expected: Expected, byte: u8) -> Result<State, PageFlaw> {
        use Expected::{
            AfterProfile, AfterValue, Colon, FirstName, FirstProfile, Name, Nothing, Page, Profile,
            Value,
        };
        let next = match (expected, byte) {
            (Page, b'{') => FirstName,
            (Page, _) => return Err(PageFlaw::NotAnObject(char::from(byte))),
            (FirstName | AfterValue, b'}') => Nothing,
            (FirstName | Name, b'"') => return Ok(self.within(Part::Name)),
            (Colon, b':') => Value,
            (Value, b'[') if self.field == Field::Results => FirstProfile,
            (Value, _) if self.field == Field::Results => return Err(RESULTS_MISTYPED),
            (Value, _) => return Ok(self.within(Part::Value)),
            (AfterValue, b',') => Name,
            (FirstProfile | AfterProfile, b']') => AfterValue,
            (FirstProfile | Profile, _) => return Ok(self.within(Part::Profile)),
            (AfterProfile, b',') => Profile,
            (Nothing, _) => return Err(PageFlaw::Trailing),
            (FirstName | Name | Colon | AfterValue | AfterProfile, _) => {
                return Err(PageFlaw::NotJson(self.at));
            }
        };
        Ok(State::Before(next))
    }

    fn within(&mut self, part: Part) -> State {
        self.value.begin();
        State::Within(part)
    }

    /// Takes bytes of a value. Returns how many.
    fn take(&mut self, part: Part, bytes: &[u8], lines: &mut Vec<u8>) -> Result<usize, PageFlaw> {
        let (taken, has_ended) = self.value.take(bytes);
        let (limit, number) = (self.longest, self.profiles + 1);
        if self.value.bytes().len() > limit {
            return Err(match part {
                Part::Name | Part::Value => PageFlaw::LongField(limit),
                Part::Profile => PageFlaw::LongProfile { number, limit },
            });
        }
        if has_ended {
            let next = match part {
                Part::Name => self.name(taken)?,
                Part::Value => self.field_value(taken)?,
                Part::Profile => self.profile(number, lines)?,
            };
            self.state = State::Before(next);
        }
        Ok(taken)
    }

    /// Handles a complete name of a field. `taken` is for the place of an error.
    fn name(&mut self, taken: usize) -> Result<Expected, PageFlaw> {
        let name: String = self.parsed(taken)?;
        self.field = Field::named(&name);
        self.fields.begin(self.field)?;
        Ok(Expected::Colon)
    }

    /// Handles a complete value of a field.
    fn field_value(&mut self, taken: usize) -> Result<Expected, PageFlaw> {
        match self.field {
            Field::Known(known) => {
                let value = self.parsed(taken)?;
                self.fields.set(known, value);
            }
            Field::Results | Field::Other => {
                self.parsed::<IgnoredAny>(taken)?;
            }
        }
        Ok(Expected::AfterValue)
    }

    /// Handles a complete profile.
    fn profile(&mut self, number: u64, lines: &mut Vec<u8>) -> Result<Expected, PageFlaw> {
        let text = self.value.bytes();
        serde_json::from_slice::<IgnoredAny>(text).map_err(|_| PageFlaw::BadProfile(number))?;
        lines.extend_from_slice(text);
        lines.push(b'\n');
        self.profiles = number;
        Ok(Expected::AfterProfile)
    }

    fn parsed<T: DeserializeOwned>(&self, taken: usize) -> Result<T, PageFlaw> {
        serde_json::from_slice(self.value.bytes())
            .map_err(|_| PageFlaw::NotJson(self.at + taken as u64))
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
