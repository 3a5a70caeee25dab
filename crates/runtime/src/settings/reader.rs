//! From text to checked values, noting every problem on the way.

use super::{Problems, Settings};
use std::fmt::Display;

/// Reads settings; what cannot be read becomes a problem and a `None`.
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    pub problems: Problems,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self { settings, problems: Problems::default() }
    }

    /// The text of a setting, if it was given.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.settings.value(name)
    }

    /// All texts of a list.
    pub(crate) fn texts(&self, name: &str) -> &'a [String] {
        self.settings.get(name)
    }

    /// The text of a setting that must be given.
    pub(crate) fn required(&mut self, name: &str, accepts: &str) -> Option<&'a str> {
        let text = self.text(name);
        if text.is_none() {
            self.problem(name, format!("required: {accepts}"));
        }
        text
    }

    /// A setting that a type can read. `None`: not given, or a problem.
    pub(crate) fn parse<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(name, error);
                None
            }
        }
    }

    /// One of some values; the first is the default.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> T {
        let default = choices[0].1;
        let Some(text) = self.text(name) else { return default };
        if let Some((_, value)) = choices.iter().find(|(choice, _)| *choice == text) {
            return *value;
        }
        let accepted: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        self.problem(
            name,
            format!("{text:?} is not supported; it accepts {}", accepted.join(", ")),
        );
        default
    }

    /// A setting that this version knows only by name.
    pub(crate) fn not_yet(&mut self, name: &str) {
        if self.text(name).is_some() {
            self.problem(name, "not supported by this version; leave it out");
        }
    }

    pub(crate) fn problem(&mut self, name: &str, what: impl Display) {
        self.problems.add(&self.settings.shown(name), what);
    }
}
