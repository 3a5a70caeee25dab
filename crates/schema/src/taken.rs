//! Names that are taken, and the next that is free (rule 6).

use crate::names::with_suffix;
use std::collections::{HashMap, HashSet};

/// The names that are taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    names: HashSet<String>,
    /// The number from which on a suffix of a stem may be free: thousands of names can clean to the
    /// same one. It follows from the names, and only saves looking.
    next: HashMap<String, usize>,
}

impl PartialEq for Taken {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for Taken {}

impl Taken {
    pub(crate) fn insert(&mut self, name: String) {
        self.names.insert(name);
    }

    pub(crate) fn extend(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names);
    }

    /// The name with its suffix, or the first with `_1`, `_2`, ... behind that which is free. Where
    /// they do not fit, the stem is cut.
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
