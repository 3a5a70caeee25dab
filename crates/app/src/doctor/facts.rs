//! Everything that is looked at, gathered once.
//!
//! The order matters where exports are running: objects are listed first, then the ledgers are
//! read, then the manifests. So an object that no manifest lists, of a day of which no ledger says that
//! it is being written, is nobody's.

use super::Doctor;
use super::strings;
use crate::document::{self, DocumentError};
use crate::ledger::{Ledger, State};
use crate::manifest::Manifest;
use crate::ports::{Column, ObjectMeta, Partition, TableState};
use crate::reconcile::footer::{self, Footer};
use crate::reconcile::{ReconcileError, given_columns, same_folder};
use mixlake_domain::{DataFormat, Date, LakeObject, SliceLabel};
use mixlake_schema::Registry;
use std::collections::{BTreeMap, BTreeSet};

/// A lake and its catalog, as they were found.
#[derive(Debug, Default)]
pub struct Facts {
    pub(super) registry: Registry,
    pub(super) tables: BTreeMap<String, TableFacts>,
    /// Documents that cannot be read, with the reason.
    pub(super) unreadable: Vec<(String, String)>,
}

/// A table.
#[derive(Debug, Default)]
pub struct TableFacts {
    pub(super) folder: String,
    pub(super) state: Option<TableState>,
    /// What the memo on the table says of its columns.
    pub(super) given: Vec<Column>,
    pub(super) partitions: Vec<Partition>,
    pub(super) declared: BTreeMap<String, Vec<Column>>,
    pub(super) days: BTreeMap<Date, DayFacts>,
}

/// A day of a table.
#[derive(Debug, Default)]
pub struct DayFacts {
    pub(super) manifest: Option<Manifest>,
    /// The folder of the live generation, as the catalog names it.
    pub(super) location: String,
    /// Keys and sizes of the data files, live or not.
    pub(super) objects: BTreeMap<String, u64>,
    /// The live files by key.
    pub(super) files: BTreeMap<String, FileFacts>,
    /// Published slices that have files here, as the ledgers say.
    pub(super) slices: BTreeSet<SliceLabel>,
    /// Whether nobody can say what belongs here: a slice is being written that touches the day, or
    /// a document that says it cannot be read.
    pub(super) busy: bool,
}

/// A live file.
#[derive(Debug)]
pub struct FileFacts {
    pub(super) is_there: bool,
    /// What it says of itself; only Parquet does.
    pub(super) footer: Option<Result<Footer, String>>,
    /// Columns with text that is longer than an engine takes, in bytes; of the longest one.
    pub(super) long_text: Vec<(String, usize)>,
}

impl Doctor<'_> {
    /// Gathers everything.
    pub async fn facts(&self) -> Result<Facts, ReconcileError> {
        let lake = &self.lake;
        let objects = lake.store.list(lake.layout.root()).await?;
        let mut facts = Facts { registry: lake.registry().await?, ..Facts::default() };
        self.objects(&objects, &mut facts);
        self.ledgers(&objects, &mut facts).await?;
        self.manifests(&mut facts).await?;
        self.catalog(&mut facts).await?;
        self.files(&mut facts).await?;
        Ok(facts)
    }

    fn objects(&self, objects: &[ObjectMeta], facts: &mut Facts) {
        for object in objects {
            let Some(key) = self.lake.layout.read(&object.key) else { continue };
            let day = facts.day(&key.table, key.date);
            match key.object {
                LakeObject::Manifest => {}
                LakeObject::Data(..) => {
                    day.objects.insert(object.key.clone(), object.size);
                }
            }
        }
    }

    async fn ledgers(
        &self,
        objects: &[ObjectMeta],
        facts: &mut Facts,
    ) -> Result<(), ReconcileError> {
        let folder = format!("{}_slices/", self.lake.layout.root());
        for object in objects.iter().filter(|object| object.key.starts_with(&folder)) {
            let unreadable = facts.unreadable.len();
            let ledger: Option<Ledger> = self.document(&object.key, facts).await?;
            if facts.unreadable.len() > unreadable {
                // It may be any day that is being written.
                facts
                    .tables
                    .values_mut()
                    .flat_map(|t| t.days.values_mut())
                    .for_each(|d| d.busy = true);
            }
            for entry in ledger.into_iter().flat_map(|ledger| ledger.slices) {
                for touched in entry.days {
                    let day = facts.day(&touched.table, touched.date);
                    match entry.state {
                        State::Published => {
                            day.slices.insert(entry.slice);
                        }
                        State::Writing | State::WritingAnew => day.busy = true,
                    }
                }
            }
        }
        Ok(())
    }

    async fn manifests(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let lake = &self.lake;
        let days = facts.tables.iter().flat_map(|(t, f)| f.days.keys().map(|d| (t.clone(), *d)));
        for (table, date) in days.collect::<Vec<_>>() {
            let key = lake.layout.manifest(&table, date);
            let unreadable = facts.unreadable.len();
            let manifest: Option<Manifest> = self.document(&key, facts).await?;
            let broken = facts.unreadable.len() > unreadable;
            let day = facts.day(&table, date);
            day.busy |= broken;
            if let Some(manifest) = &manifest {
                let folder = lake.layout.generation(&table, date, &manifest.generation);
                day.location = lake.store.location(&folder);
            }
            day.manifest = manifest;
        }
        Ok(())
    }

    /// A document that cannot be read is a finding, and not the end.
    async fn document<T: serde::de::DeserializeOwned>(
        &self,
        key: &str,
        facts: &mut Facts,
    ) -> Result<Option<T>, ReconcileError> {
        match document::read(self.lake.store, key).await {
            Ok(read) => Ok(read.value),
            Err(error @ DocumentError::Malformed { .. }) => {
                facts.unreadable.push((key.to_owned(), crate::chain(&error)));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn catalog(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let lake = &self.lake;
        for name in lake.catalog.tables(lake.table_prefix).await? {
            let table = &name[lake.table_prefix.len()..];
            let Some(state) = lake.catalog.table(&name).await? else { continue };
            let folder = lake.store.location(&lake.layout.table(table));
            // Tables of other projects or people may share the database.
            let ours = facts.tables.contains_key(table) || same_folder(&state.location, &folder);
            if !ours {
                continue;
            }
            let given = given_columns(&state, facts.registry.tables().get(table));
            let partitions = lake.catalog.partitions(&name, &[]).await?;
            let declared = lake.catalog.partition_columns(&name).await?;
            let of_table = facts.tables.entry(table.to_owned()).or_default();
            (of_table.state, of_table.given) = (Some(state), given);
            (of_table.partitions, of_table.declared) = (partitions, declared);
        }
        for (table, of_table) in &mut facts.tables {
            of_table.folder = lake.store.location(&lake.layout.table(table));
        }
        Ok(())
    }

    async fn files(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        for (table, of_table) in &mut facts.tables {
            for (date, day) in &mut of_table.days {
                let Some(manifest) = &day.manifest else { continue };
                let folder = self.lake.layout.generation(table, *date, &manifest.generation);
                for file in &manifest.files {
                    let key = format!("{folder}{}", file.name);
                    let read = match DataFormat::of_file(&file.name) {
                        Some(DataFormat::Json) => self.silent(&key).await?,
                        Some(DataFormat::Parquet) | None => self.file(&key).await?,
                    };
                    day.files.insert(key, read);
                }
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

impl Facts {
    fn day(&mut self, table: &str, date: Date) -> &mut DayFacts {
        self.tables.entry(table.to_owned()).or_default().days.entry(date).or_default()
    }
}

impl DayFacts {
    /// Published slices of which no file is live.
    pub(super) fn missing_slices(&self) -> impl Iterator<Item = &SliceLabel> {
        let live = |slice: &SliceLabel| {
            self.manifest.iter().flat_map(|m| &m.files).any(|file| file.slice == *slice)
        };
        self.slices.iter().filter(move |slice| !live(slice))
    }

    /// Whether a reader should find anything here.
    pub(super) fn is_live(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| !manifest.files.is_empty())
    }
}
