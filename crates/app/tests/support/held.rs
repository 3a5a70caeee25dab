//! What a lake holds, read the way a reader does, and what must hold of it at any rest.

use super::{Lake, Rows, TABLE};
use mixlake_app::{LiveFile, Manifest};
use mixlake_testkit::rows;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The state of a lake.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    pub manifests: BTreeMap<String, Manifest>,
    /// By slice: the state, as the ledgers say it.
    pub ledger: BTreeMap<String, String>,
    /// Keys in live generations that the manifest does not list.
    pub unlisted: Vec<String>,
    pub rows: Rows,
}

impl Lake {
    /// Reads the lake, and checks that every manifest says the truth about its files.
    pub fn held(&self) -> Held {
        let objects = self.store.snapshot();
        let registry = self.registry();
        let names: BTreeSet<&str> =
            registry.tables().get(TABLE).map_or_else(BTreeSet::new, |table| {
                table.columns().iter().map(|column| column.name.as_str()).collect()
            });
        let mut held = Held {
            manifests: BTreeMap::new(),
            ledger: BTreeMap::new(),
            unlisted: Vec::new(),
            rows: Rows::new(),
        };
        for (key, body) in &objects {
            if key.starts_with(&format!("{}_slices/", self.layout.root())) {
                let ledger: Value = serde_json::from_slice(body).unwrap();
                for entry in ledger["slices"].as_array().unwrap() {
                    let text = |field: &str| entry[field].as_str().unwrap().to_owned();
                    held.ledger.insert(text("slice"), text("state"));
                    if let Some(quarantine) = entry["quarantine"].as_str() {
                        assert!(objects.contains_key(quarantine), "{quarantine} is missing");
                    }
                }
            }
            if !key.ends_with("/_manifest.json") {
                continue;
            }
            let manifest: Manifest = serde_json::from_slice(body).unwrap();
            let folder = self.layout.generation(&manifest.target, &manifest.generation);
            let mut listed = BTreeSet::new();
            for file in &manifest.files {
                let key = format!("{folder}{}", file.name);
                let Some(body) = objects.get(&key) else { panic!("{key} is listed and missing") };
                assert_eq!(file.bytes, body.len() as u64, "{key}");
                assert!(file.columns.iter().all(|c| names.contains(&**c)), "{key}: unknown names");
                assert_eq!(file.columns, rows::columns(body), "{key}");
                held.read(file, &manifest.target.date.unwrap().to_string(), &rows::of(body));
                assert!(listed.insert(key), "listed twice");
            }
            let visible = objects.keys().filter(|key| key.starts_with(&folder));
            held.unlisted.extend(visible.filter(|key| !listed.contains(*key)).cloned());
            held.manifests.insert(manifest.target.date.unwrap().to_string(), manifest);
        }
        held
    }

    /// Checks that the lake is at rest and holds exactly what the source has for these slices,
    /// and these are what the ledger has published.
    #[track_caller]
    pub fn check(&self, slices: &[&str], about: &str) {
        self.held().check(&self.rows_of_source(slices), slices, about);
    }
}

impl Held {
    fn read(&mut self, file: &LiveFile, date: &str, rows: &[rows::Row]) {
        assert_eq!(file.rows, rows.len() as u64, "{}", file.name);
        for row in rows {
            let id = row["mp_insert_id"].as_str().unwrap().to_owned();
            *self.rows.entry((date.to_owned(), id)).or_default() += 1;
        }
    }

    #[track_caller]
    pub fn check(&self, rows: &Rows, slices: &[&str], about: &str) {
        assert_eq!(&self.rows, rows, "the rows, {about}");
        assert!(self.unlisted.is_empty(), "visible and unlisted, {about}: {:?}", self.unlisted);
        let published: BTreeMap<String, String> =
            slices.iter().map(|&slice| (slice.to_owned(), "published".to_owned())).collect();
        assert_eq!(self.ledger, published, "the ledger, {about}");
    }
}
