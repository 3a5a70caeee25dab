//! Gathers the facts.
//!
//! The order matters where others are at work: objects are listed first, then the ledgers are read,
//! then the catalog, then the manifests, and the registry last. So an object that no manifest lists,
//! of a day of which no ledger says that it is being written, is nobody's; a partition was there
//! before its manifest was looked for; and the registry knows every name that a manifest has.

use super::Doctor;
use super::facts::{Document, Facts, FileFacts, ObjectFacts, Unreadable};
use super::strings;
use crate::document::{self, DocumentError, Read};
use crate::ledger::{Ledger, State};
use crate::manifest::Manifest;
use crate::ports::ObjectMeta;
use crate::reconcile::{ReconcileError, footer, same_folder};
use mixlake_domain::{DataFormat, Date, LakeObject};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    Lake,
    /// A day of a table; of the catalog only its partition.
    Day(&'a str, Date),
}

impl Scope<'_> {
    fn holds(self, table: &str, date: Date) -> bool {
        match self {
            Self::Lake => true,
            Self::Day(only, day) => only == table && day == date,
        }
    }
}

impl Doctor<'_> {
    /// Gathers everything.
    pub(super) async fn facts(&self, scope: Scope<'_>) -> Result<Facts, ReconcileError> {
        let mut facts = Facts::default();
        let objects = self.listed(scope).await?;
        self.objects(&objects, &mut facts);
        self.ledgers(&objects, scope, &mut facts).await?;
        self.catalog(scope, &mut facts).await?;
        self.manifests(&mut facts).await?;
        self.registry(&mut facts).await?;
        self.files(&mut facts).await?;
        Ok(facts)
    }

    async fn listed(&self, scope: Scope<'_>) -> Result<Vec<ObjectMeta>, ReconcileError> {
        let lake = &self.lake;
        let Scope::Day(table, date) = scope else {
            return Ok(lake.store.list(lake.layout.root()).await?);
        };
        let manifest = lake.layout.manifest(table, date);
        let folder = manifest.trim_end_matches("_manifest.json");
        let mut listed = lake.store.list(folder).await?;
        listed.extend(lake.store.list(&self.ledger_folder()).await?);
        Ok(listed)
    }

    fn ledger_folder(&self) -> String {
        format!("{}_slices/", self.lake.layout.root())
    }

    /// Whether something was written so long ago that nobody works with what was before it.
    pub(super) fn is_old(&self, object: &ObjectMeta) -> bool {
        let age = object.modified.and_then(|time| self.now.duration_since(time).ok());
        age.is_some_and(|age| age >= self.grace)
    }

    fn objects(&self, objects: &[ObjectMeta], facts: &mut Facts) {
        let mut others = Vec::new();
        for object in objects {
            let is_old = self.is_old(object);
            match self.lake.layout.read(&object.key) {
                Some(key) => {
                    let day = facts.day(&key.table, key.date);
                    match key.object {
                        LakeObject::Manifest => day.is_old = is_old,
                        LakeObject::Data(..) => {
                            let about = ObjectFacts { size: object.size, is_old };
                            day.objects.insert(object.key.clone(), about);
                        }
                    }
                }
                None => others.extend(self.day_of(&object.key).map(|day| (day, &object.key))),
            }
        }
        // Only below days that there are: other folders have dates too.
        for ((table, date), key) in others {
            let table = facts.tables.get_mut(&table);
            if let Some(day) = table.and_then(|table| table.days.get_mut(&date)) {
                day.others.insert(key.clone());
            }
        }
    }

    /// The day below which a key lies that is none of a lake's.
    fn day_of(&self, key: &str) -> Option<(String, Date)> {
        let root = self.lake.layout.root();
        let below: Vec<&str> = key.strip_prefix(root)?.splitn(5, '/').collect();
        let [table, year, month, day, _] = below.as_slice() else { return None };
        let manifest = format!("{root}{table}/{year}/{month}/{day}/_manifest.json");
        self.lake.layout.read(&manifest).map(|key| (key.table, key.date))
    }

    async fn ledgers(
        &self,
        objects: &[ObjectMeta],
        scope: Scope<'_>,
        facts: &mut Facts,
    ) -> Result<(), ReconcileError> {
        let folder = self.ledger_folder();
        for object in objects.iter().filter(|object| object.key.starts_with(&folder)) {
            let read = self.document::<Ledger>(Document::Ledger, &object.key, facts).await?;
            let ledger = read.and_then(|read| read.value);
            for entry in ledger.into_iter().flat_map(|ledger| ledger.slices) {
                let is_open = entry.state != State::Published;
                if is_open && self.is_old(object) {
                    facts.unfinished.insert(entry.slice);
                }
                for touched in entry.days.iter().filter(|d| scope.holds(&d.table, d.date)) {
                    let day = facts.day(&touched.table, touched.date);
                    if is_open {
                        day.busy = true;
                    } else {
                        day.slices.insert(entry.slice);
                    }
                }
            }
        }
        Ok(())
    }

    async fn catalog(&self, scope: Scope<'_>, facts: &mut Facts) -> Result<(), ReconcileError> {
        match scope {
            Scope::Lake => {
                for name in self.lake.catalog.tables(self.lake.table_prefix).await? {
                    self.table(&name, None, facts).await?;
                }
            }
            Scope::Day(table, date) => {
                self.table(&self.lake.name_of(table), Some(date), facts).await?;
            }
        }
        for (table, of_table) in &mut facts.tables {
            of_table.name = self.lake.name_of(table);
            of_table.folder = self.lake.store.location(&self.lake.layout.table(table));
        }
        Ok(())
    }

    async fn table(
        &self,
        name: &str,
        day: Option<Date>,
        facts: &mut Facts,
    ) -> Result<(), ReconcileError> {
        let (lake, table) = (&self.lake, &name[self.lake.table_prefix.len()..]);
        let Some(state) = lake.catalog.table(name).await? else { return Ok(()) };
        let folder = lake.store.location(&lake.layout.table(table));
        // Tables of other projects or people may share the database.
        if !facts.tables.contains_key(table) && !same_folder(&state.location, &folder) {
            return Ok(());
        }
        let values: Vec<String> = day.iter().map(Date::to_string).collect();
        let partitions = lake.catalog.partitions(name, &values).await?;
        let declared = match day {
            None => lake.catalog.declared(name).await?,
            Some(_) => BTreeMap::new(),
        };
        for date in partitions.iter().filter_map(|partition| partition.value.parse().ok()) {
            facts.day(table, date);
        }
        let of_table = facts.tables.entry(table.to_owned()).or_default();
        of_table.state = Some(state);
        (of_table.partitions, of_table.declared) = (partitions, declared);
        Ok(())
    }

    async fn manifests(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let lake = &self.lake;
        let days = facts.tables.iter().flat_map(|(t, f)| f.days.keys().map(|d| (t.clone(), *d)));
        for (table, date) in days.collect::<Vec<_>>() {
            let key = lake.layout.manifest(&table, date);
            let read = self.document::<Manifest>(Document::Manifest, &key, facts).await?;
            let day = facts.day(&table, date);
            day.busy |= read.is_none();
            let Some(Read { value: Some(manifest), precondition }) = read else { continue };
            day.folder = lake.layout.generation(&table, date, &manifest.generation);
            day.location = lake.store.location(&day.folder);
            (day.manifest, day.precondition) = (Some(manifest), Some(precondition));
        }
        // A ledger that cannot be read may say of any day that it is being written.
        if facts.unreadable.iter().any(|document| document.what == Document::Ledger) {
            for day in facts.days() {
                day.busy = true;
            }
        }
        Ok(())
    }

    /// A document that cannot be read is a finding, and not the end.
    async fn document<T: DeserializeOwned>(
        &self,
        what: Document,
        key: &str,
        facts: &mut Facts,
    ) -> Result<Option<Read<T>>, ReconcileError> {
        match document::read(self.lake.store, key).await {
            Ok(read) => Ok(Some(read)),
            Err(error @ DocumentError::Malformed { .. }) => {
                let (key, error) = (key.to_owned(), crate::chain(&error));
                facts.unreadable.push(Unreadable { what, key, error });
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn registry(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        match self.lake.registry().await {
            Ok(registry) => facts.registry = Some(registry),
            Err(error @ ReconcileError::Registry { .. }) => {
                let (what, key) = (Document::Registry, self.lake.layout.registry());
                facts.unreadable.push(Unreadable { what, key, error: crate::chain(&error) });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn files(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        for day in facts.days() {
            for file in day.manifest.iter().flat_map(|manifest| &manifest.files) {
                let key = format!("{}{}", day.folder, file.name);
                let read = match DataFormat::of_file(&file.name) {
                    Some(DataFormat::Json) => self.silent(&key).await?,
                    Some(DataFormat::Parquet) | None => self.file(&key).await?,
                };
                day.files.insert(key, read);
            }
        }
        Ok(())
    }

    async fn file(&self, key: &str) -> Result<FileFacts, ReconcileError> {
        let store = self.lake.store;
        let footer = footer::read(store, key).await?;
        let footer = footer.map(|read| read.map_err(|error| crate::chain(&error)));
        let limit = self.engines.iter().filter_map(|engine| engine.longest_text()).min();
        let long_text = match (limit, &footer) {
            (Some(limit), Some(Ok(_))) if self.deep => strings::too_long(store, key, limit).await?,
            _ => Vec::new(),
        };
        Ok(FileFacts { is_there: footer.is_some(), footer, long_text })
    }

    /// A file of which only the manifest knows what it has.
    async fn silent(&self, key: &str) -> Result<FileFacts, ReconcileError> {
        let is_there = self.lake.store.tail(key, 1).await?.is_some();
        Ok(FileFacts { is_there, footer: None, long_text: Vec::new() })
    }
}
