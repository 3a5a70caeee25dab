//! A lake in memory: slices of one row, with overlapping properties.

use mixlake_app::export::{Exporter, Safeguards};
use mixlake_app::ports::{Clock, ObjectStore, Precondition};
use mixlake_app::reconcile::{OnDrift, Reconciled, Reconciler};
use mixlake_app::{LiveFile, Manifest};
use mixlake_catalog_glue::GlueCatalog;
use mixlake_columnar::Options;
use mixlake_domain::{Dataset, Date, Layout, ProjectId, Slice, Timestamp, Zone};
use mixlake_schema::Registry;
use mixlake_testkit::day;
use mixlake_testkit::source::MemorySource;
use mixlake_testkit::store::{MemoryStore, Operation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const TABLE: &str = "mp_master_event";

pub fn label(hour: usize) -> String {
    format!("2026-11-{:02}T{:02}", 1 + hour / 24, hour % 24)
}

pub struct Lake {
    pub store: MemoryStore,
    pub layout: Layout,
    pub options: Options,
}

impl Lake {
    pub fn new() -> Self {
        let project: ProjectId = "42".parse().unwrap();
        Self {
            store: MemoryStore::new(),
            layout: Layout::new("", &project).unwrap(),
            options: Options::of(project),
        }
    }

    /// Makes a slice hold one row with these properties, or nothing. Returns the written keys that
    /// would cause a notification.
    pub async fn publish(&self, label: &str, properties: Option<Value>) -> Vec<String> {
        let source = MemorySource::new();
        let slice = Slice::parse(label, &Zone::UTC).unwrap();
        if let Some(mut properties) = properties {
            properties["time"] = json!(slice.start().as_second());
            properties["distinct_id"] = json!("d");
            source.add(json!({"event": "Event", "properties": properties}).to_string());
        }
        let calls = self.store.calls().len();
        let (layout, options) = (&self.layout, &self.options);
        let zone = &options.date_zone;
        let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
        let exporter = Exporter {
            source: &source,
            store: &self.store,
            layout,
            zone,
            options,
            ingestion_start: None,
            clock: &clock,
            time: None,
            force: true,
            safeguards: Safeguards::default(),
        };
        exporter.slice(&slice).await.unwrap();
        let written = self.store.calls().split_off(calls).into_iter();
        let written = written.filter(|c| matches!(c.operation, Operation::Put | Operation::Copy));
        written.map(|c| c.subject).filter(|key| self.layout.read(key).is_some()).collect()
    }

    /// One of many hours, with five properties; its neighbour has four of them too.
    pub async fn publish_hour(&self, hour: usize) -> Vec<String> {
        let own = (hour..hour + 5).map(|n| (format!("p{n}"), json!(n)));
        self.publish(&label(hour), Some(own.collect())).await
    }

    /// Hours one after another. Returns all keys.
    pub async fn with_hours(hours: usize) -> (Self, Vec<String>) {
        let lake = Self::new();
        let mut keys = Vec::new();
        for hour in 0..hours {
            keys.extend(lake.publish_hour(hour).await);
        }
        keys.sort();
        keys.dedup();
        (lake, keys)
    }

    /// The expected location of each day that has live files.
    pub fn generations(&self) -> BTreeMap<String, String> {
        let mut generations = BTreeMap::new();
        let objects = self.store.snapshot();
        for body in objects.iter().filter(|(k, _)| k.ends_with("/_manifest.json")).map(|(_, b)| b) {
            let manifest: Manifest = serde_json::from_slice(body).unwrap();
            let folder = self.layout.generation(&manifest.target, &manifest.generation);
            let is_there =
                |file: &LiveFile| objects.contains_key(&format!("{folder}{}", file.name));
            if manifest.files.iter().any(is_there) {
                generations.insert(
                    manifest.target.date.unwrap().to_string(),
                    self.store.location(&folder),
                );
            }
        }
        generations
    }

    /// Whether an object exists.
    pub fn has(&self, key: &str) -> bool {
        self.store.snapshot().contains_key(key)
    }

    /// Somebody removes everything of a day to have it exported again. Returns the keys that would
    /// cause a notification.
    pub async fn wipe(&self, date: Date) -> Vec<String> {
        let manifest = self.layout.manifest(&day(TABLE, date));
        let folder = manifest.trim_end_matches("_manifest.json");
        let keys = self.store.snapshot().into_keys();
        let keys: Vec<String> = keys.filter(|key| key.starts_with(folder)).collect();
        for key in keys.iter().chain([&self.layout.ledger(date)]) {
            self.store.delete(key).await.unwrap();
        }
        keys
    }

    /// The lake as it is now, for a function that reads it late.
    pub async fn as_it_is(&self) -> MemoryStore {
        let copy = MemoryStore::new();
        for (key, body) in self.store.snapshot() {
            copy.put(&key, body, Precondition::Absent).await.unwrap();
        }
        copy
    }

    pub fn registry(&self) -> Registry {
        let objects = self.store.snapshot();
        Registry::from_document(
            &objects[&self.layout.registry(Dataset::Events)],
            &self.options.project,
        )
        .unwrap()
    }

    pub async fn reconcile(
        &self,
        catalog: &GlueCatalog,
        store: &dyn ObjectStore,
        on_drift: OnDrift,
        keys: &[String],
    ) -> Reconciled {
        let reconciler = Reconciler {
            store,
            catalog,
            layout: &self.layout,
            project: &self.options.project,
            table_prefix: "",
            on_drift,
        };
        reconciler.reconcile(keys.iter().map(String::as_str)).await
    }

    /// Delivers keys in one batch, without faults; all of them must be processed.
    pub async fn deliver(&self, catalog: &GlueCatalog, keys: &[String]) -> Reconciled {
        let done = self.reconcile(catalog, &self.store, OnDrift::Fail, keys).await;
        assert!(done.failed.is_empty(), "{:?}", done.failed);
        done
    }
}
