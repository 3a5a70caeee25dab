//! The catalog of a lake, and the notices of what was written that are still to be delivered.

use super::jitter::Dice;
use super::{Lake, TABLE};
use mixlake_app::ports::{Catalog, Partition, TableState};
use mixlake_app::reconcile::{OnDrift, Reconciler};
use mixlake_testkit::catalog::MemoryCatalog;
use mixlake_testkit::store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The name of the table in the catalog.
pub const IN_CATALOG: &str = "pre_mp_master_event";

impl Lake {
    pub fn reconciler<'a>(&'a self, catalog: &'a MemoryCatalog) -> Reconciler<'a> {
        Reconciler {
            store: &self.store,
            catalog,
            layout: &self.layout,
            project: &self.options.project,
            table_prefix: "pre_",
            on_drift: OnDrift::Fail,
        }
    }

    /// Every key that was ever written, in order.
    pub fn written_since(&self, calls: usize) -> Vec<String> {
        let changes = self.changes_since(calls).into_iter();
        changes.filter(|(what, _)| *what != store::Operation::Delete).map(|(_, key)| key).collect()
    }

    /// Delivers keys in one batch; all must be brought in.
    pub async fn deliver(&self, catalog: &MemoryCatalog, keys: &[String]) {
        let keys = keys.iter().map(String::as_str);
        let done = self.reconciler(catalog).reconcile(keys).await;
        assert!(done.failed.is_empty(), "{:?}", done.failed);
    }

    /// Checks that the catalog says what the lake holds, and nothing else. Answers the table.
    pub async fn check_catalog(&self, catalog: &MemoryCatalog, about: &str) -> TableState {
        let table = self.check_all_but_comments(catalog, about).await;
        let registry = self.registry();
        let known = registry.tables()[TABLE].columns();
        for column in &table.columns {
            let given = known.iter().find(|c| c.name == column.name).unwrap();
            assert_eq!(column.comment.as_ref(), Some(&given.property), "{about}");
        }
        table
    }

    /// The same, for a catalog that learned columns from files of which the registry knew nothing: these
    /// have no comment.
    pub async fn check_all_but_comments(&self, catalog: &MemoryCatalog, about: &str) -> TableState {
        let held = self.held();
        let table = catalog.table(IN_CATALOG).await.unwrap().unwrap();
        let registry = self.registry();
        let known = registry.tables()[TABLE].columns();
        let names: BTreeSet<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names.len(), table.columns.len(), "a column is doubled, {about}");
        for column in &table.columns {
            let given = known.iter().find(|c| c.name == column.name).unwrap();
            assert_eq!(column.hive_type, given.column_type.hive(), "{about}");
        }
        let mut partitions = BTreeMap::new();
        for (date, manifest) in &held.manifests {
            let live = manifest.files.iter().flat_map(|file| &file.columns);
            let lost: Vec<_> = live.filter(|name| !names.contains(name.as_str())).collect();
            assert!(lost.is_empty(), "columns of {date} are not in the table, {about}: {lost:?}");
            if !manifest.files.is_empty() {
                let folder = self.layout.generation(&manifest.target, &manifest.generation);
                partitions.insert(date.clone(), format!("memory://lake/{folder}"));
            }
        }
        let set = catalog.partitions(IN_CATALOG, &[]).await.unwrap().into_iter();
        let set: BTreeMap<_, _> =
            set.map(|Partition { value, location }| (value, location)).collect();
        assert_eq!(set, partitions, "the partitions, {about}");
        table
    }
}

/// Keys that are still to be delivered, at least once each.
#[derive(Default)]
pub struct Notices(Mutex<Vec<String>>);

impl Notices {
    pub fn add(&self, keys: impl IntoIterator<Item = String>) {
        self.0.lock().unwrap().extend(keys);
    }

    /// Takes a few in any order; some of them stay to be delivered again.
    pub fn take(&self, dice: &Dice) -> Vec<String> {
        let mut waiting = self.0.lock().unwrap();
        dice.shuffle(&mut waiting);
        let keep = waiting.len() - waiting.len().min(usize::try_from(dice.below(9)).unwrap() + 1);
        let taken = waiting.split_off(keep);
        if let Some(key) = taken.first().filter(|_| dice.below(4) == 0) {
            waiting.push(key.clone());
        }
        taken
    }

    pub fn rest(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
