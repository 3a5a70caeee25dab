//! Gathers the facts.
//!
//! The order matters where others are at work: objects are listed first, then the ledgers are read,
//! then the catalog, then the manifests, and the registry last. So an object that no manifest lists,
//! of a day of which no ledger says that it is being written, is nobody's; a partition was there
//! before its manifest was looked for; and the registry knows every name that a manifest has.

use super::Doctor;
use super::accounts::Accounts;
use super::facts::{Document, Facts, ObjectFacts, Unreadable};
use super::{back, names};
use crate::document::{DocumentError, Read};
use crate::ledger::{Day, Ledger, State};
use crate::manifest::Manifest;
use crate::ports::{CatalogError, ObjectMeta};
use crate::reconcile::{ReconcileError, same_folder};
use mixlake_domain::{Date, LakeObject};
use mixlake_schema::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    Lake,
    /// Some days, with their partitions, and the rows of the whole lake as they were a moment ago.
    Days(&'a BTreeSet<Day>, &'a Arc<Accounts>),
}

impl Scope<'_> {
    fn holds(self, day: &Day) -> bool {
        match self {
            Self::Lake => true,
            Self::Days(days, _) => days.contains(day),
        }
    }
}

impl Doctor<'_> {
    /// Gathers everything.
    pub(super) async fn facts(&self, scope: Scope<'_>) -> Result<Facts, ReconcileError> {
        let mut facts = Facts::default();
        if let Scope::Days(days, lake) = scope {
            facts.accounts = Accounts::within(lake);
            for day in days {
                facts.day(&day.table, day.date);
            }
        }
        let objects = self.listed(scope).await?;
        self.objects(&objects, &mut facts);
        self.ledgers(&objects, scope, &mut facts).await?;
        self.catalog(scope, &mut facts).await?;
        self.manifests(&mut facts).await?;
        self.confirm(&mut facts).await?;
        facts.note_missing();
        self.registry(&mut facts).await?;
        self.files(&mut facts).await?;
        self.spare(&mut facts).await?;
        facts.ways = back::ways(&facts);
        facts.completion = names::completion(&facts);
        Ok(facts)
    }

    /// Only what the ledgers count and the manifests list.
    pub(super) async fn accounts(&self) -> Result<Arc<Accounts>, ReconcileError> {
        let mut facts = Facts::default();
        let objects = self.listed(Scope::Lake).await?;
        self.objects(&objects, &mut facts);
        self.ledgers(&objects, Scope::Lake, &mut facts).await?;
        self.manifests(&mut facts).await?;
        self.confirm(&mut facts).await?;
        Ok(Arc::new(facts.accounts))
    }

    async fn listed(&self, scope: Scope<'_>) -> Result<Vec<ObjectMeta>, ReconcileError> {
        let lake = &self.lake;
        let Scope::Days(days, _) = scope else {
            return Ok(lake.store.list(lake.layout.root()).await?);
        };
        let mut listed = Vec::new();
        for day in days {
            let manifest = lake.layout.manifest(&day.table, day.date);
            let folder = manifest.trim_end_matches("_manifest.json");
            listed.extend(lake.store.list(folder).await?);
        }
        let ledgers = format!("{}_slices/", lake.layout.root());
        listed.extend(lake.store.list(&ledgers).await?);
        Ok(listed)
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
                        LakeObject::Data(generation, _) => {
                            let about = ObjectFacts { generation, size: object.size, is_old };
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
        for object in objects {
            let Some(date) = self.lake.layout.date_of_ledger(&object.key) else { continue };
            let read = Ledger::read(self.lake.store, self.lake.layout, date).await;
            let read = readable(Document::Ledger, &object.key, read, facts)?;
            let ledger = read.and_then(|read| read.value);
            for entry in ledger.into_iter().flat_map(|ledger| ledger.slices) {
                let is_open = entry.state != State::Published;
                if is_open && self.is_old(object) {
                    facts.unfinished.insert(entry.slice);
                }
                for touched in entry.days.iter().filter(|day| scope.holds(day)) {
                    let day = facts.day(&touched.table, touched.date);
                    if is_open {
                        day.busy = true;
                    } else {
                        day.slices.insert(entry.slice);
                    }
                }
                facts.accounts.enter(entry);
            }
        }
        Ok(())
    }

    /// Looks again at the slices of which rows are missing: an export may have begun since its ledger
    /// was read, and have replaced the rows that it counts.
    async fn confirm(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let missing: Vec<_> = facts.accounts.missing().map(|it| it.entry.clone()).collect();
        for entry in missing {
            let (store, layout) = (self.lake.store, self.lake.layout);
            let key = layout.ledger(entry.slice.date());
            let read = Ledger::read(store, layout, entry.slice.date()).await;
            let read = readable(Document::Ledger, &key, read, facts)?;
            let ledger = read.and_then(|read| read.value).unwrap_or_default();
            if ledger.entry(entry.slice) != Some(&entry) {
                facts.accounts.moved(entry.slice);
                for day in facts.days() {
                    day.slices.remove(&entry.slice);
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
            Scope::Days(days, _) => {
                let mut tables: BTreeMap<&str, Vec<Date>> = BTreeMap::new();
                for day in days {
                    tables.entry(&day.table).or_default().push(day.date);
                }
                for (table, dates) in tables {
                    self.table(&self.lake.name_of(table), Some(&dates), facts).await?;
                }
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
        dates: Option<&[Date]>,
        facts: &mut Facts,
    ) -> Result<(), ReconcileError> {
        let (lake, table) = (&self.lake, &name[self.lake.table_prefix.len()..]);
        let state = match lake.catalog.table(name).await {
            Ok(state) => state,
            Err(error @ CatalogError::Damaged { .. }) => {
                let (what, key, error) = (Document::Catalog, name.to_owned(), crate::chain(&error));
                facts.unreadable.push(Unreadable { what, key, error });
                facts.tables.entry(table.to_owned()).or_default().is_damaged = true;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Some(state) = state else { return Ok(()) };
        let folder = lake.store.location(&lake.layout.table(table));
        // Tables of other projects or people may share the database.
        if !facts.tables.contains_key(table) && !same_folder(&state.location, &folder) {
            return Ok(());
        }
        let values: Vec<String> = dates.unwrap_or_default().iter().map(Date::to_string).collect();
        let partitions = lake.catalog.partitions(name, &values).await?;
        let declared = match dates {
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
            let read = Manifest::read(lake.store, lake.layout, &table, date).await;
            let read = readable(Document::Manifest, &key, read, facts)?;
            let of = Day { table: table.clone(), date };
            let Some(Read { value, precondition }) = read else {
                facts.day(&table, date).busy = true;
                facts.accounts.cannot_count(of);
                continue;
            };
            facts.accounts.count(of, value.as_ref());
            let day = facts.day(&table, date);
            day.precondition = Some(precondition);
            if let Some(manifest) = value {
                day.folder = lake.layout.generation(&table, date, &manifest.generation);
                day.location = lake.store.location(&day.folder);
                day.manifest = Some(manifest);
            }
        }
        // A ledger that cannot be read may say of any day that it is being written.
        if facts.unreadable.iter().any(|document| document.what == Document::Ledger) {
            for day in facts.days() {
                day.busy = true;
            }
        }
        Ok(())
    }

    async fn registry(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let (lake, key) = (&self.lake, self.lake.layout.registry());
        let Some(object) = lake.store.get(&key).await? else {
            facts.registry = Some(Registry::default());
            return Ok(());
        };
        match Registry::from_document(&object.body, lake.project) {
            Ok(registry) => {
                facts.registry = Some(registry);
                facts.registry_etag = Some(object.etag);
            }
            Err(cause) => {
                let location = lake.store.location(&key);
                let error = crate::chain(&ReconcileError::Registry { location, cause });
                facts.unreadable.push(Unreadable { what: Document::Registry, key, error });
            }
        }
        Ok(())
    }
}

/// A document that cannot be read, or is of another place, is a finding, and not the end.
fn readable<T>(
    what: Document,
    key: &str,
    read: Result<Read<T>, DocumentError>,
    facts: &mut Facts,
) -> Result<Option<Read<T>>, ReconcileError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.is_of_the_document() => {
            let (key, error) = (key.to_owned(), crate::chain(&error));
            facts.unreadable.push(Unreadable { what, key, error });
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
