//! The names in use, and the next free name (rule 6).

use crate::names::with_suffix;
use std::collections::{HashMap, HashSet};

/// The names in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct UsedNames {
    names: HashSet<String>,
    /// For each stem, the first number whose suffix may be free, because thousands of names can have
    /// the same clean form. It can be derived from the names, and only makes the search faster.
    next: HashMap<String, usize>,
}

impl PartialEq for UsedNames {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for UsedNames {}

impl UsedNames {
    pub(crate) fn insert(&mut self, name: String) {
        self.names.insert(name);
    }

    pub(crate) fn extend(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names);
    }

    /// The name with its suffix, or the first free name with `_1`, `_2`, ... appended. The stem is
    /// shortened if the result is too long.
    pub(crate) fn free(&mut self, stem: &str, suffix: &str, limit: usize) -> String {
        let name = with_suffix(stem, suffix, limit);
        if !self.names.contains(&name) {
            return name;
        }
        let next = self.next.entry(name).or_insert(1);
        loop {
            let candidate = with_suffix(stem, &format!("{suffix}_{next}"), limit);
            if !self.names.contains(&candidate) {
                return candidate;
            }
            *next += 1;
        }
    }
}
