//! Groups a batch of keys by table.

use mixlake_domain::{DataFormat, Date, LakeObject, Layout, Partitioning, TableName};
use std::collections::{BTreeMap, BTreeSet};

/// The tables that a batch of keys belongs to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub tables: BTreeMap<TableName, TableWork>,
}

/// The work for one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableWork {
    /// Data files, whose footers name columns.
    pub files: BTreeSet<String>,
    /// Days, whose manifests have the location of their partition. `None` for a table without
    /// partitions.
    pub targets: BTreeSet<Option<Date>>,
    manifests: BTreeSet<String>,
    /// Files that do not contain the names of their columns. Their manifest does.
    silent: BTreeSet<String>,
}

impl Work {
    pub(super) fn fold<'k>(layout: &Layout, keys: impl IntoIterator<Item = &'k str>) -> Self {
        let mut work = Self::default();
        for key in keys {
            let Some(read) = layout.read(key) else { continue };
            let table = work.tables.entry(read.target.table).or_default();
            table.targets.insert(read.target.date);
            match read.object {
                // Only Parquet files contain the names of their columns.
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

    /// Whether a manifest itself changed, and not only files next to it.
    pub(super) fn has_manifest(&self, key: &str) -> bool {
        self.manifests.contains(key)
    }

    /// The partitioning of the table, which follows from its keys.
    pub(super) fn partitioning(&self) -> Partitioning {
        let by_date = self.targets.iter().any(Option::is_some);
        if by_date { Partitioning::ByDate } else { Partitioning::Whole }
    }

    /// Removes a target. Returns its keys.
    pub(super) fn take(&mut self, layout: &Layout, date: Option<Date>) -> Vec<String> {
        let here = |key: &String| layout.read(key).is_some_and(|read| read.target.date == date);
        let all = [&mut self.files, &mut self.silent, &mut self.manifests];
        self.targets.remove(&date);
        all.into_iter().flat_map(|keys| keys.extract_if(.., &here)).collect()
    }

    /// Splits the work in two. The keys of a day stay together while there are several days. `None` if
    /// there is only one key.
    pub(super) fn halves(&self, layout: &Layout) -> Option<[Self; 2]> {
        let mut keys: Vec<&str> = self.keys().collect();
        keys.sort_unstable();
        let (first, second) = keys.split_at(keys.len() / 2);
        let half = |keys: &[&str]| {
            Work::fold(layout, keys.iter().copied()).tables.into_values().next().unwrap_or_default()
        };
        (!first.is_empty()).then(|| [half(first), half(second)])
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
        assert_eq!(work.tables["t"].targets.len(), 1);
        assert_eq!(work.all_keys().collect::<Vec<_>>(), [file, manifest]);
    }

    #[test]
    fn halves_hold_everything_once_down_to_a_single_key() {
        let layout = Layout::new("", &"42".parse().unwrap()).unwrap();
        let key = |day: u8, name: &str| format!("42/t/2026/11/{day:02}/{name}");
        let names =
            ["_manifest.json", "g0000000000000001/a.parquet", "g0000000000000001/a.json.gz"];
        let keys: Vec<String> = (1..=3).flat_map(|day| names.map(|name| key(day, name))).collect();
        let work = Work::fold(&layout, keys.iter().map(String::as_str));
        let (mut parts, mut single) = (vec![work.tables["t"].clone()], Vec::new());
        while let Some(part) = parts.pop() {
            match part.halves(&layout) {
                Some(halves) => parts.extend(halves),
                None => single.extend(part.keys().map(str::to_owned)),
            }
        }
        single.sort();
        let mut keys = keys;
        keys.sort();
        assert_eq!(single, keys);
    }

    #[test]
    fn a_day_that_is_taken_out_leaves_the_others() {
        let layout = Layout::new("", &"42".parse().unwrap()).unwrap();
        let [file, manifest, other] = [
            "42/t/2026/11/10/g0000000000000001/2026-11-10-000.parquet",
            "42/t/2026/11/10/_manifest.json",
            "42/t/2026/11/11/_manifest.json",
        ];
        let mut work = Work::fold(&layout, [file, manifest, other]).tables.remove("t").unwrap();
        assert_eq!(work.take(&layout, "2026-11-10".parse().ok()), [file, manifest]);
        assert_eq!(work, Work::fold(&layout, [other]).tables["t"]);
    }
}
