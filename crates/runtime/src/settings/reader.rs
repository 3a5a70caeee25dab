//! From text to checked values, noting every problem on the way.

use super::given::Settings;
use super::problems::Problems;
use super::row::Row;
use super::setting::{Preset, Setting};
use std::fmt::Display;

/// Reads settings; what cannot be read becomes a problem and a `None`.
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    problems: Problems,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self { settings, problems: Problems::default() }
    }

    /// The value of a setting, given or default. `None`: a problem, or nothing counts.
    pub(crate) fn get<T: Clone + std::fmt::Debug + Sync>(
        &mut self,
        setting: &Setting<T>,
    ) -> Option<T> {
        match setting.read(self.settings.texts(setting.name)) {
            Ok(value) => value,
            Err(error) => {
                self.problem(setting, error);
                None
            }
        }
    }

    /// The value of a setting that must be given here.
    pub(crate) fn require<T: Clone + std::fmt::Debug + Sync>(
        &mut self,
        setting: &Setting<T>,
    ) -> Option<T> {
        if let Preset::Required { what, .. } = setting.default
            && !self.settings.has(setting)
        {
            self.problem(setting, format!("required: {what}"));
        }
        self.get(setting)
    }

    /// The value of a setting whose problems are told where it is read with `get`.
    pub(crate) fn peek<T: Clone>(&self, setting: &Setting<T>) -> Option<T> {
        self.settings.get(setting)
    }

    /// Whether a setting was given.
    pub(crate) fn has(&self, row: &dyn Row) -> bool {
        self.settings.has(row)
    }

    /// Checks a setting whose value nobody needs.
    pub(crate) fn check(&mut self, row: &dyn Row) {
        if let Err(error) = row.check(self.settings.texts(row.name())) {
            self.problem(row, error);
        }
    }

    /// Refuses settings that mean nothing without another one.
    pub(crate) fn only_with(&mut self, other: &str, rows: &[&dyn Row]) {
        for row in rows {
            if self.has(*row) {
                self.problem(*row, format!("has an effect only with {other}"));
            }
        }
    }

    pub(crate) fn problem(&mut self, row: &dyn Row, what: impl Display) {
        self.problems.add(&self.settings.shown(row), what);
    }

    /// The value that was made of the settings, if there is no problem.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Problems> {
        self.problems.into_result(())?;
        value.ok_or_else(|| Problems::one("settings", "incomplete"))
    }
}
