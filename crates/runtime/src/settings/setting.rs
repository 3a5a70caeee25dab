//! What a setting accepts, and how a given text is read.

use mixlake_domain::Date;
use std::fmt;

/// A setting whose accepted values become a `T`.
#[derive(Debug)]
pub struct Setting<T: 'static> {
    /// Its name.
    pub name: &'static str,
    /// The values that it accepts.
    pub accepts: Accepts<T>,
    /// What counts if it is not given.
    pub default: Preset,
    /// Who reads it.
    pub scope: Scope,
    /// What it does.
    pub about: &'static str,
}

/// The values that a setting accepts, and what becomes of them.
#[derive(Debug)]
pub enum Accepts<T: 'static> {
    /// One of some values.
    Choice(&'static [(&'static str, T)]),
    /// `true` or `false`.
    Flag(fn(bool) -> T),
    /// A whole number.
    Number {
        /// What is counted.
        unit: Option<&'static str>,
        /// The smallest number.
        least: u32,
        /// The largest number.
        most: u32,
        /// What the number becomes.
        value: fn(u32) -> T,
    },
    /// A number from 0 to 1.
    Share(fn(f64) -> T),
    /// A date, as in `2026-11-10`.
    Date(fn(Date) -> T),
    /// A text.
    Text {
        /// What is expected, for people.
        shown: &'static str,
        /// The most bytes that it may have.
        most: Option<usize>,
        /// Reads it.
        read: fn(&str) -> Result<T, String>,
    },
    /// Texts: the setting may be given more than once.
    List {
        /// What is expected, for people.
        shown: &'static str,
        /// Reads all of them.
        read: fn(&[String]) -> Result<T, String>,
    },
    /// Mixpanel has other values; this version has one.
    Only(&'static str, T),
}

/// What counts if a setting is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// This value.
    Value(&'static str),
    /// No value; the text says what happens then.
    Nothing(&'static str),
    /// It has to be given.
    Required {
        /// When that is so, for the reference page.
        when: &'static str,
        /// What is missing, for the problem.
        what: &'static str,
    },
}

/// Which functions read a setting in a deployment. The command line takes all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All functions.
    All,
    /// The functions that write files: export, profiles and maintenance.
    Writers,
    /// The functions that ask Mixpanel: export and profiles.
    Askers,
    /// The functions that look at Glue: catalog and maintenance.
    Tables,
    /// The export function.
    Export,
    /// The function that exports profiles.
    Profiles,
    /// The catalog function.
    Catalog,
    /// The maintenance function.
    Maintenance,
    /// The template of a deployment has no parameter for it.
    CommandLine {
        /// The reason.
        why: &'static str,
    },
}

impl<T: Clone> Setting<T> {
    /// The value of what was given, or the default. `None`: nothing was given, and nothing counts then.
    pub(super) fn read(&self, texts: &[String]) -> Result<Option<T>, String> {
        if let (Accepts::List { read, .. }, [_, ..]) = (&self.accepts, texts) {
            return read(texts).map(Some);
        }
        let text = texts.first().map(String::as_str).or(self.default.value());
        text.map(|text| self.parse(text)).transpose()
    }

    fn parse(&self, text: &str) -> Result<T, String> {
        match &self.accepts {
            Accepts::Choice(choices) => {
                let chosen = choices.iter().find(|(choice, _)| *choice == text);
                let accepted = choices.iter().map(|(choice, _)| *choice);
                chosen.map(|(_, value)| value.clone()).ok_or_else(|| unsupported(text, accepted))
            }
            Accepts::Flag(value) => match text {
                "true" => Ok(value(true)),
                "false" => Ok(value(false)),
                _ => Err(unsupported(text, ["true", "false"])),
            },
            Accepts::Number { unit, least, most, value } => {
                let number =
                    text.parse::<u32>().ok().filter(|number| (least..=most).contains(&number));
                let of = unit.map(|unit| format!(" of {unit}")).unwrap_or_default();
                let wrong = || format!("must be a number{of} from {least} to {most}, got {text:?}");
                number.map(value).ok_or_else(wrong)
            }
            Accepts::Share(value) => {
                let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
                let wrong = || format!("must be a share from 0 to 1, such as 0.5, got {text:?}");
                share.map(value).ok_or_else(wrong)
            }
            Accepts::Date(value) => {
                let date = if text.len() == 10 { text.parse::<Date>().ok() } else { None };
                let wrong = || format!("must be a date such as 2026-11-10, got {text:?}");
                date.map(value).ok_or_else(wrong)
            }
            Accepts::Text { most: Some(most), .. } if text.len() > *most => {
                Err(format!("must have at most {most} bytes, and has {}", text.len()))
            }
            Accepts::Text { read, .. } => read(text),
            Accepts::List { read, .. } => read(&[text.to_owned()]),
            Accepts::Only(only, value) if *only == text => Ok(value.clone()),
            Accepts::Only(only, _) => Err(unsupported(text, [*only])),
        }
    }
}

fn unsupported(text: &str, accepted: impl IntoIterator<Item = &'static str>) -> String {
    let accepted: Vec<&str> = accepted.into_iter().collect();
    format!("{text:?} is not supported; it accepts {}", accepted.join(", "))
}

/// The default, for people.
impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "`{value}`"),
            Self::Nothing(text) => f.write_str(text),
            Self::Required { when, .. } => f.write_str(when),
        }
    }
}

impl Preset {
    /// The value, if there is one.
    #[must_use]
    pub fn value(self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing(_) | Self::Required { .. } => None,
        }
    }
}

impl Scope {
    /// The functions.
    #[must_use]
    pub fn functions(self) -> &'static [&'static str] {
        match self {
            Self::All => &["export", "profiles", "catalog", "maintenance"],
            Self::Writers => &["export", "profiles", "maintenance"],
            Self::Askers => &["export", "profiles"],
            Self::Tables => &["catalog", "maintenance"],
            Self::Export => &["export"],
            Self::Profiles => &["profiles"],
            Self::Catalog => &["catalog"],
            Self::Maintenance => &["maintenance"],
            Self::CommandLine { .. } => &[],
        }
    }

    /// Its name in the reference.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::All => "all functions".to_owned(),
            Self::CommandLine { .. } => "command line".to_owned(),
            Self::Writers
            | Self::Askers
            | Self::Tables
            | Self::Export
            | Self::Profiles
            | Self::Catalog
            | Self::Maintenance => self.functions().join(", "),
        }
    }
}
