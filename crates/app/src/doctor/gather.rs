//! Gathers the facts.
//!
//! The order matters, because others may work at the same time: first the listing of objects, then the
//! ledgers, the catalog, the manifests, and the registry last. So an object is an orphan if no manifest
//! lists it and no ledger says that its day is being written. A partition existed before its manifest
//! was read. The registry has every name of the manifests.

use super::Doctor;
use super::accounts::Accounts;
use super::facts::{DocumentKind, Facts, ObjectFacts, Unreadable};
use super::{completion, recovery};
use crate::document::{DocumentError, Read};
use crate::ledger::{Ledger, State};
use crate::manifest::Manifest;
use crate::ports::{CatalogError, ObjectMeta, Precondition};
use crate::reconcile::{ReconcileError, same_folder};
use mixlake_domain::{Dataset, Date, LakeObject, TableName, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The part of the lake that is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    Lake,
    /// Some targets with their partitions, and the accounts of the whole lake from just before.
    Targets(&'a BTreeSet<Target>, &'a Arc<Accounts>),
}

impl Scope<'_> {
    fn holds(self, target: &Target) -> bool {
        match self {
            Self::Lake => true,
            Self::Targets(targets, _) => targets.contains(target),
        }
    }
}

impl Doctor<'_> {
    /// Gathers all facts.
    pub(super) async fn facts(&self, scope: Scope<'_>) -> Result<Facts, ReconcileError> {
        let mut facts = Facts::default();
        if let Scope::Targets(targets, lake) = scope {
            facts.accounts = Accounts::within(lake);
            for target in targets {
                facts.target_mut(target);
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
        self.other_registries(&mut facts).await?;
        self.files(&mut facts).await?;
        self.merged(&mut facts).await?;
        self.spare(&mut facts).await?;
        facts.recoveries = recovery::recoveries(&facts);
        facts.completion = completion::completion(&facts);
        if let Scope::Lake = scope {
            facts.old_encryption = self.old_encryption(&objects).await?;
        }
        Ok(facts)
    }

    /// Reads only what the ledgers count and the manifests list.
    pub(super) async fn accounts(&self) -> Result<Arc<Accounts>, ReconcileError> {
        let mut facts = Facts::default();
        let objects = self.listed(Scope::Lake).await?;
        self.objects(&objects, &mut facts);
        self.ledgers(&objects, Scope::Lake, &mut facts).await?;
        self.manifests(&mut facts).await?;
        self.confirm(&mut facts).await?;
        Ok(Arc::new(facts.accounts))
    }

    /// The facts about all targets, without reading their files.
    pub(super) async fn facts_without_files(&self) -> Result<Facts, ReconcileError> {
        let mut facts = Facts::default();
        let objects = self.listed(Scope::Lake).await?;
        self.objects(&objects, &mut facts);
        self.ledgers(&objects, Scope::Lake, &mut facts).await?;
        self.catalog(Scope::Lake, &mut facts).await?;
        self.manifests(&mut facts).await?;
        self.confirm(&mut facts).await?;
        facts.note_missing();
        Ok(facts)
    }

    async fn listed(&self, scope: Scope<'_>) -> Result<Vec<ObjectMeta>, ReconcileError> {
        let lake = &self.lake;
        let Scope::Targets(targets, _) = scope else {
            return Ok(lake.store.list(lake.layout.root()).await?);
        };
        let mut listed = Vec::new();
        for target in targets {
            listed.extend(lake.store.list(&lake.layout.target(target)).await?);
        }
        listed.extend(lake.store.list(&lake.layout.ledgers()).await?);
        Ok(listed)
    }

    /// Whether an object is so old that nobody uses what it replaced.
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
                    let found = facts.target_mut(&key.target);
                    match key.object {
                        LakeObject::Manifest => found.is_old = is_old,
                        LakeObject::Data(generation, _) => {
                            let about = ObjectFacts { generation, size: object.size, is_old };
                            found.objects.insert(object.key.clone(), about);
                        }
                    }
                }
                None => {
                    others.extend(self.above(&object.key).map(|targets| (targets, &object.key)));
                }
            }
        }
        // Only in targets that exist, because other folders have dates too.
        for (targets, key) in others {
            for target in targets {
                let table = facts.tables.get_mut(&target.table);
                if let Some(found) = table.and_then(|table| table.targets.get_mut(&target.date)) {
                    found.others.insert(key.clone());
                    break;
                }
            }
        }
    }

    /// The targets that may contain a key which is not an object of the lake: a day, or the table.
    fn above(&self, key: &str) -> Option<Vec<Target>> {
        let root = self.lake.layout.root();
        let below: Vec<&str> = key.strip_prefix(root)?.splitn(5, '/').collect();
        let (table, _) = below.split_first()?;
        let mut targets = Vec::new();
        if let [_, year, month, day, _] = below.as_slice() {
            let manifest = format!("{root}{table}/{year}/{month}/{day}/_manifest.json");
            targets.extend(self.lake.layout.read(&manifest).map(|key| key.target));
        }
        targets.extend(table.parse().ok().map(Target::whole));
        Some(targets)
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
            let read = readable(DocumentKind::Ledger, &object.key, read, facts)?;
            let ledger = read.and_then(|read| read.value);
            for entry in ledger.into_iter().flat_map(|ledger| ledger.slices) {
                let is_open = entry.state != State::Published;
                if is_open && self.is_old(object) {
                    facts.unfinished.insert(entry.slice);
                }
                for touched in entry.targets.iter().filter(|target| scope.holds(target)) {
                    let found = facts.target_mut(touched);
                    if is_open {
                        found.busy = true;
                    } else {
                        found.slices.insert(entry.slice);
                    }
                }
                facts.accounts.enter(entry);
            }
        }
        Ok(())
    }

    /// Reads the ledgers of slices with missing rows again: an export may have started since the first
    /// read and replaced the rows that it counted.
    async fn confirm(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let accounts = &facts.accounts;
        let slices = accounts.missing().flat_map(|missing| missing.balance.slices);
        let missing: Vec<_> = slices.filter_map(|slice| accounts.entry(slice).cloned()).collect();
        for entry in missing {
            let (store, layout) = (self.lake.store, self.lake.layout);
            let key = layout.ledger(entry.slice.date());
            let read = Ledger::read(store, layout, entry.slice.date()).await;
            let read = readable(DocumentKind::Ledger, &key, read, facts)?;
            let ledger = read.and_then(|read| read.value).unwrap_or_default();
            if ledger.entry(entry.slice) != Some(&entry) {
                facts.accounts.moved(entry.slice);
                for found in facts.targets() {
                    found.slices.remove(&entry.slice);
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
            Scope::Targets(targets, _) => {
                let mut tables: BTreeMap<&TableName, Vec<Date>> = BTreeMap::new();
                for target in targets {
                    tables.entry(&target.table).or_default().extend(target.date);
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
        let lake = &self.lake;
        let Ok(table) = name[lake.table_prefix.len()..].parse::<TableName>() else { return Ok(()) };
        let state = match lake.catalog.table(name).await {
            Ok(state) => state,
            Err(error @ CatalogError::Damaged { .. }) => {
                let (what, key, error) =
                    (DocumentKind::Catalog, name.to_owned(), crate::chain(&error));
                facts.unreadable.push(Unreadable { what, key, error });
                facts.tables.entry(table).or_default().is_damaged = true;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Some(state) = state else { return Ok(()) };
        let folder = lake.store.location(&lake.layout.table(&table));
        // Tables of other projects or people may share the database.
        let is_whole = state.partition_keys.is_empty();
        let is_of_folder = same_folder(&state.location, &folder)
            || is_whole && state.location.starts_with(&folder);
        if !facts.tables.contains_key(&table) && !is_of_folder {
            return Ok(());
        }
        if is_whole {
            // It has no partitions.
            facts.tables.entry(table).or_default().state = Some(state);
            return Ok(());
        }
        let values: Vec<String> = dates.unwrap_or_default().iter().map(Date::to_string).collect();
        let partitions = lake.catalog.partitions(name, &values).await?;
        let declared = match dates {
            None => lake.catalog.declared(name).await?,
            Some(_) => BTreeMap::new(),
        };
        for date in partitions.iter().filter_map(|partition| partition.value.parse().ok()) {
            facts.target_mut(&Target::day(table.clone(), date));
        }
        let of_table = facts.tables.entry(table).or_default();
        of_table.state = Some(state);
        (of_table.partitions, of_table.declared) = (partitions, declared);
        Ok(())
    }

    async fn manifests(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let lake = &self.lake;
        let targets = facts.tables.iter().flat_map(|(table, found)| {
            found.targets.keys().map(|date| Target { table: table.clone(), date: *date })
        });
        for target in targets.collect::<Vec<_>>() {
            let key = lake.layout.manifest(&target);
            let read = Manifest::read(lake.store, lake.layout, &target).await;
            let read = readable(DocumentKind::Manifest, &key, read, facts)?;
            let Some(Read { value, precondition }) = read else {
                facts.target_mut(&target).busy = true;
                facts.accounts.cannot_count(target);
                continue;
            };
            facts.accounts.count(target.clone(), value.as_ref());
            let found = facts.target_mut(&target);
            found.precondition = Some(precondition);
            if let Some(manifest) = value {
                found.folder = lake.layout.generation(&target, &manifest.generation);
                found.location = lake.store.location(&found.folder);
                found.manifest = Some(manifest);
            }
        }
        // If a ledger cannot be read, any target may be one that is being written.
        if facts.unreadable.iter().any(|document| document.what == DocumentKind::Ledger) {
            for found in facts.targets() {
                found.busy = true;
            }
        }
        Ok(())
    }

    async fn registry(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        match self.lake.read_registry(Dataset::Events).await {
            Ok(Read { value, precondition }) => {
                facts.registry = Some(value.unwrap_or_default());
                facts.registry_etag = match precondition {
                    Precondition::Matches(etag) => Some(etag),
                    Precondition::Absent => None,
                };
            }
            Err(ReconcileError::Registry(error)) => {
                let (what, key) =
                    (DocumentKind::Registry, self.lake.layout.registry(Dataset::Events));
                facts.unreadable.push(Unreadable { what, key, error: crate::chain(&error) });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Doctor<'_> {
    /// The registries of tables that are not tables of events.
    async fn other_registries(&self, facts: &mut Facts) -> Result<(), ReconcileError> {
        let of_events = |table: &TableName| {
            facts.registry.as_ref().is_some_and(|it| it.tables().contains_key(table.as_str()))
        };
        let others = facts.tables.keys().filter(|table| !of_events(table));
        let datasets: BTreeSet<Dataset> =
            others.map(|table| Dataset::of_table(table.as_str())).collect();
        for dataset in datasets.into_iter().filter(|dataset| *dataset != Dataset::Events) {
            match self.lake.read_registry(dataset).await {
                Ok(read) => {
                    facts.other_registries.insert(dataset, read.value.unwrap_or_default());
                }
                Err(error @ ReconcileError::Registry { .. }) => {
                    let (what, key) = (DocumentKind::Registry, self.lake.layout.registry(dataset));
                    let error = crate::chain(&error);
                    facts.unreadable.push(Unreadable { what, key, error });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A document that cannot be read, or belongs to another place, becomes a finding.
fn readable<T>(
    what: DocumentKind,
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
