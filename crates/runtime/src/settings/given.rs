//! The settings that were given, as text.

use super::problems::Problems;
use super::row::{Kind, Row};
use super::setting::Setting;
use super::table;
use std::collections::BTreeMap;

/// The settings that were given, by name.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, Vec<String>>,
    in_environment: bool,
}

impl Settings {
    /// Takes them from environment variables. An empty variable counts as not set.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let given = |row: &'static dyn Row| {
            let value = lookup(&row.variable()).filter(|value| !value.trim().is_empty())?;
            Some((row.name(), vec![value]))
        };
        Self { values: table::rows().filter_map(given).collect(), in_environment: true }
    }

    /// Takes them from `name=value` pairs. Only a list may be given more than once.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, Problems> {
        let (settings, problems) = Self::read_pairs(pairs);
        problems.into_result(settings)
    }

    /// The same, for those who look for more problems before they tell any.
    pub fn read_pairs<'a>(pairs: impl IntoIterator<Item = &'a str>) -> (Self, Problems) {
        let mut settings = Self::default();
        let mut problems = Problems::default();
        for pair in pairs {
            let Some((name, value)) = pair.split_once('=') else {
                problems.add(pair, "a setting is given as name=value");
                continue;
            };
            let Some(row) = table::find(name) else {
                problems.add(name, table::unknown(name));
                continue;
            };
            let values = settings.values.entry(row.name()).or_default();
            if !values.is_empty() && !matches!(row.kind(), Kind::List { .. }) {
                problems.add(name, "given twice");
            }
            values.push(value.to_owned());
        }
        (settings, problems)
    }

    /// Gives a setting a value if it has none.
    pub fn set_if_absent(&mut self, row: &dyn Row, value: &str) {
        self.values.entry(row.name()).or_insert_with(|| vec![value.to_owned()]);
    }

    /// Gives a setting a value in the place of what it had.
    pub fn set(&mut self, row: &dyn Row, value: &str) {
        self.values.insert(row.name(), vec![value.to_owned()]);
    }

    /// All that was given, in the order of the reference page.
    pub fn given(&self) -> impl Iterator<Item = (&'static dyn Row, &[String])> {
        table::rows().filter(|row| self.has(*row)).map(|row| (row, self.texts(row.name())))
    }

    /// Whether a setting was given.
    #[must_use]
    pub fn has(&self, row: &dyn Row) -> bool {
        self.values.contains_key(row.name())
    }

    /// The value of a setting, given or default. `None` also where it is wrong: the check of the
    /// settings tells that.
    #[must_use]
    pub fn get<T: Clone>(&self, setting: &Setting<T>) -> Option<T> {
        setting.read(self.texts(setting.name)).ok().flatten()
    }

    /// What was given of a setting.
    pub(super) fn texts(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The name as the person who set it knows it.
    pub(super) fn shown(&self, row: &dyn Row) -> String {
        if self.in_environment { row.variable() } else { row.name().to_owned() }
    }
}
