//! A row of the table, whatever type the values of its setting have.

use super::setting::{Accepts, Preset, Scope, Setting};
use std::fmt::{self, Debug};

/// The type of a setting, without what its values become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One of these values.
    Choice(Vec<&'static str>),
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Number {
        /// What is counted.
        unit: Option<&'static str>,
        /// The smallest number.
        least: u32,
        /// The largest number.
        most: u32,
    },
    /// A number from 0 to 1.
    Share,
    /// A date.
    Date,
    /// A text.
    Text {
        /// What is expected, for people.
        shown: &'static str,
        /// The most bytes that it may have.
        most: Option<usize>,
    },
    /// Texts.
    List {
        /// What is expected, for people.
        shown: &'static str,
    },
    /// The one value of this version.
    Only(&'static str),
}

/// A row of the table, whatever its values become.
pub trait Row: Debug + Sync {
    /// The setting's name.
    fn name(&self) -> &'static str;
    /// Its type.
    fn kind(&self) -> Kind;
    /// What counts if it is not given.
    fn default(&self) -> Preset;
    /// Who reads it.
    fn scope(&self) -> Scope;
    /// What it does.
    fn about(&self) -> &'static str;
    /// Whether what was given is accepted.
    fn check(&self, texts: &[String]) -> Result<(), String>;

    /// The environment variable that carries it.
    fn variable(&self) -> String {
        self.name().to_uppercase()
    }
}

impl<T: Clone + Debug + Sync> Row for Setting<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kind(&self) -> Kind {
        match self.accepts {
            Accepts::Choice(choices) => {
                Kind::Choice(choices.iter().map(|(name, _)| *name).collect())
            }
            Accepts::Flag(_) => Kind::Flag,
            Accepts::Number { unit, least, most, .. } => Kind::Number { unit, least, most },
            Accepts::Share(_) => Kind::Share,
            Accepts::Date(_) => Kind::Date,
            Accepts::Text { shown, most, .. } => Kind::Text { shown, most },
            Accepts::List { shown, .. } => Kind::List { shown },
            Accepts::Only(value, _) => Kind::Only(value),
        }
    }

    fn default(&self) -> Preset {
        self.default
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn check(&self, texts: &[String]) -> Result<(), String> {
        self.read(texts).map(|_| ())
    }
}

/// What is accepted, for people.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(choices) => write!(f, "`{}`", choices.join("`, `")),
            Self::Flag => f.write_str("`true`, `false`"),
            Self::Number { least, most, .. } => write!(f, "{least} to {most}"),
            Self::Share => f.write_str("0 to 1"),
            Self::Date => f.write_str("a date, as in `2026-11-10`"),
            Self::Text { shown, most: Some(most) } => write!(f, "{shown}; at most {most} bytes"),
            Self::Text { shown, most: None } => f.write_str(shown),
            Self::List { shown } => write!(f, "{shown}; repeated on the command line"),
            Self::Only(value) => write!(f, "`{value}`"),
        }
    }
}
