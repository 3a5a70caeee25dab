//! Settings as text: which there are, where they come from, and what is wrong with them.
//!
//! Names are those of Mixpanel's create-pipeline call, and ours beside them in the same form. In
//! the functions they are environment variables of the same names in capitals, on the command line
//! `--set name=value`. Everything is checked before any work, and all problems are told at once.

mod known;
mod problems;
mod reader;

pub use known::{KNOWN, Known, reference};
pub use problems::Problems;
pub(crate) use reader::Reader;

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
        let given = |known: &Known| {
            let value = lookup(&known.variable()).filter(|value| !value.trim().is_empty())?;
            Some((known.name, vec![value]))
        };
        Self { values: KNOWN.iter().filter_map(given).collect(), in_environment: true }
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
            let Some(known) = known::find(name) else {
                problems.add(name, known::unknown(name));
                continue;
            };
            let values = settings.values.entry(known.name).or_default();
            if !values.is_empty() && !known.is_list {
                problems.add(name, "given twice");
            }
            values.push(value.to_owned());
        }
        (settings, problems)
    }

    /// Gives a setting a value if it has none.
    pub fn set_default(&mut self, name: &'static str, value: &str) {
        self.values.entry(name).or_insert_with(|| vec![value.to_owned()]);
    }

    /// Gives a setting a value in the place of what it had.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.values.insert(name, vec![value.to_owned()]);
    }

    /// Whether a setting was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The text of a setting, if it was given.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).first().map(String::as_str)
    }

    fn get(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The name as the person who set it knows it.
    fn shown(&self, name: &str) -> String {
        if self.in_environment { name.to_uppercase() } else { name.to_owned() }
    }
}
