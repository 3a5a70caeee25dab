//! What the tests of the use-cases share: a lake with a source, and what must hold of it.

#![allow(dead_code, reason = "each test file is a crate of its own and uses some of this")]

pub mod clinic;
mod held;
pub mod identity_rules;
pub mod jitter;
pub mod notices;
pub mod people;

use mixlake_app::export::{ExportReport, Exporter, RunTime, Safeguards, SliceReport};
use mixlake_app::ports::{Clock, EventSource, ObjectStore};
use mixlake_columnar::{Bounds, Options};
use mixlake_domain::{DataFormat, Dataset, Layout, ProjectId, Slice, SliceLabel, Timestamp, Zone};
use mixlake_schema::Registry;
use mixlake_testkit::source::MemorySource;
use mixlake_testkit::store::{MemoryStore, Operation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const TABLE: &str = "mp_master_event";

/// How often each row is there: by date and `$insert_id`.
pub type Rows = BTreeMap<(String, String), usize>;

/// A lake in memory, and the project that it is of.
#[derive(Clone)]
pub struct Lake {
    pub store: MemoryStore,
    pub source: MemorySource,
    pub layout: Layout,
    pub options: Options,
    pub clock: Clock,
    pub time: Option<RunTime>,
    pub force: bool,
    pub safeguards: Safeguards,
}

impl Lake {
    pub fn new() -> Self {
        let project: ProjectId = "42".parse().unwrap();
        Self {
            store: MemoryStore::new(),
            source: MemorySource::new(),
            layout: Layout::new("raw", &project).unwrap(),
            options: Options::of(project),
            clock: Arc::new(|| Timestamp::UNIX_EPOCH),
            time: None,
            // Most tests are about slices that are received again.
            force: true,
            safeguards: Safeguards::default(),
        }
    }

    /// Every row is a part of its own; all but the last of a slice are staged.
    pub fn in_many_parts(mut self) -> Self {
        self.options.bounds = Bounds { group_rows: 1, file_bytes: 1, ..Bounds::default() };
        self
    }

    pub fn of_json(mut self) -> Self {
        self.options.format = DataFormat::Json;
        self
    }

    pub fn exporter(&self) -> Exporter<'_> {
        self.exporter_over(&self.source, &self.store)
    }

    pub fn exporter_over<'a>(
        &'a self,
        source: &'a dyn EventSource,
        store: &'a dyn ObjectStore,
    ) -> Exporter<'a> {
        Exporter {
            source,
            store,
            layout: &self.layout,
            zone: &self.options.date_zone,
            options: &self.options,
            ingestion_start: None,
            clock: &self.clock,
            time: self.time,
            force: self.force,
            safeguards: self.safeguards,
        }
    }

    pub async fn export(&self, slices: &[&str]) -> ExportReport {
        let slices: Vec<Slice> = slices.iter().map(|label| slice(label)).collect();
        self.exporter().export(&slices).await
    }

    /// Exports one slice, which must succeed.
    pub async fn publish(&self, label: &str) -> SliceReport {
        match self.exporter().slice(&slice(label)).await {
            Ok(report) => report,
            Err(error) => panic!("{label}: {}", mixlake_app::chain(&error)),
        }
    }

    /// Makes the source hold exactly these events; see [`add`].
    pub fn hold(&self, events: &[&str]) {
        self.source.clear();
        for event in events {
            add(&self.source, event);
        }
    }

    /// The rows that the source has for these slices.
    pub fn rows_of_source(&self, slices: &[&str]) -> Rows {
        rows_of(&self.source, slices)
    }

    pub fn registry(&self) -> Registry {
        let objects = self.store.snapshot();
        objects
            .get(&self.layout.registry(Dataset::Events))
            .map_or_else(Registry::default, |document| {
                Registry::from_document(document, &self.options.project).unwrap()
            })
    }

    /// The keys below the lake's folder that start with this.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let prefix = format!("{}{prefix}", self.layout.root());
        self.store.snapshot().into_keys().filter(|key| key.starts_with(&prefix)).collect()
    }

    /// What was written, copied or deleted since so many calls.
    pub fn changes_since(&self, calls: usize) -> Vec<(Operation, String)> {
        let calls = self.store.calls().split_off(calls);
        let changes = calls.into_iter().filter(|call| match call.operation {
            Operation::Put | Operation::Copy | Operation::Delete => true,
            Operation::Get | Operation::Tail | Operation::List => false,
        });
        changes.map(|call| (call.operation, call.subject)).collect()
    }
}

pub fn slice(label: &str) -> Slice {
    Slice::parse(label, &Zone::UTC).unwrap()
}

pub fn label(label: &str) -> SliceLabel {
    slice(label).label()
}

/// The line of an event `id`, at a time such as `2026-11-10T01:10`, with further properties.
pub fn event(id: &str, time: &str, properties: Value) -> String {
    let time: Timestamp = format!("{time}:00Z").parse().unwrap();
    let mut all = json!({"time": time.as_second(), "distinct_id": "d", "$insert_id": id});
    let Value::Object(properties) = properties else { panic!("properties are an object") };
    all.as_object_mut().unwrap().extend(properties);
    json!({"event": "Event", "properties": all}).to_string()
}

/// Adds an event to a source: `a 2026-11-10T01:10`, served to the slice of its time, or
/// `a 2026-11-10T01:10 > 2026-11-12T05`, served to another one. Each has a property of its own.
pub fn add(source: &MemorySource, event_text: &str) {
    let (what, to) = event_text.split_once(" > ").map_or((event_text, None), |(w, t)| (w, Some(t)));
    let (id, time) = what.split_once(' ').unwrap();
    let mut own = serde_json::Map::new();
    own.insert(format!("Of {id}"), json!(id.len()));
    let line = event(id, time, Value::Object(own));
    match to {
        None => source.add(line),
        Some(to) => source.add_to(label(to), line),
    }
}

pub fn rows_of(source: &MemorySource, slices: &[&str]) -> Rows {
    let mut rows = Rows::new();
    for line in slices.iter().flat_map(|label| source.lines_of(&slice(label))) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let properties = &line["properties"];
        let time = Timestamp::from_second(properties["time"].as_i64().unwrap()).unwrap();
        let date = Zone::UTC.date_of(time).to_string();
        let id = properties["$insert_id"].as_str().unwrap().to_owned();
        *rows.entry((date, id)).or_default() += 1;
    }
    rows
}
