//! Folds a batch of keys into what has to be looked at.

use mixlake_domain::{DataFormat, Date, LakeObject, Layout};
use std::collections::{BTreeMap, BTreeSet};

/// The tables that a batch of keys belongs to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub tables: BTreeMap<String, TableWork>,
}

/// What there is to look at of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TableWork {
    /// Data files, whose footers name columns.
    pub files: BTreeSet<String>,
    /// Days, whose manifests name the partition's location.
    pub days: BTreeSet<Date>,
    manifests: BTreeSet<String>,
    /// Files that do not say which columns they have; their manifest does.
    silent: BTreeSet<String>,
}

impl Work {
    pub(super) fn fold<'k>(layout: &Layout, keys: impl IntoIterator<Item = &'k str>) -> Self {
        let mut work = Self::default();
        for key in keys {
            let Some(read) = layout.read(key) else { continue };
            let table = work.tables.entry(read.table).or_default();
            table.days.insert(read.date);
            match read.object {
                // Only Parquet says itself which columns it has.
                LakeObject::Data(_, DataFormat::Parquet) => table.files.insert(key.to_owned()),
                LakeObject::Data(_, DataFormat::Json) => table.silent.insert(key.to_owned()),
                LakeObject::Manifest => table.manifests.insert(key.to_owned()),
            };
        }
        work
    }

    pub(super) fn all_keys(&self) -> impl Iterator<Item = String> {
        self.tables.values().flat_map(TableWork::keys).map(str::to_owned)
    }
}

impl TableWork {
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.files.iter().chain(&self.silent).chain(&self.manifests).map(String::as_str)
    }

    /// Whether something happened to a manifest itself, and not only to files beside it.
    pub(super) fn has_manifest(&self, key: &str) -> bool {
        self.manifests.contains(key)
    }

    /// The same, a day at a time.
    pub(super) fn by_day(&self, layout: &Layout) -> Vec<Self> {
        let of = |&day: &Date| {
            let here = |key: &&str| layout.read(key).is_some_and(|read| read.date == day);
            Work::fold(layout, self.keys().filter(here)).tables.into_values()
        };
        self.days.iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_foreign_keys_cost_nothing() {
        let layout = Layout::new("", &"42".parse().unwrap()).unwrap();
        let file = "42/t/2026/11/10/g0000000000000001/2026-11-10-000.parquet";
        let manifest = "42/t/2026/11/10/_manifest.json";
        let keys = [file, manifest, file, "42/schema/events.json", "other/file.parquet"];
        let work = Work::fold(&layout, keys);
        assert_eq!(work.tables.len(), 1);
        assert_eq!(work.tables["t"].files.len(), 1);
        assert_eq!(work.tables["t"].days.len(), 1);
        assert_eq!(work.all_keys().collect::<Vec<_>>(), [file, manifest]);
    }
}
