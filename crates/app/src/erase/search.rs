//! Searches every object of a lake for a person.

use super::report::{
    ErasedLines, ErasedTarget, ErasureReport, Failure, Mention, OldCopies, Searched,
};
use super::{EraseError, Eraser};
use crate::manifest::Manifest;
use crate::people::{People, columns_of};
use crate::ports::ObjectMeta;
use crate::registry;
use bytes::Bytes;
use mixlake_columnar::{FoundRows, Person, TableColumns, find_rows, without_bad_lines};
use mixlake_domain::{DataFormat, Dataset, LakeObject, Origin, TableName, Target, Zone};
use mixlake_schema::{Registry, Table};
use std::collections::{BTreeMap, BTreeSet};

/// What an erasure knows of the tables.
pub(super) struct Columns {
    pub events: Registry,
    others: BTreeMap<Dataset, Registry>,
}

/// What a lake has of a person.
#[derive(Default)]
pub(super) struct Found {
    pub searched: Searched,
    pub targets: BTreeMap<Target, FoundTarget>,
    /// How many bad lines of the person an object has, by key.
    pub bad_lines: BTreeMap<String, u64>,
    /// The keys of objects that are deleted.
    pub staged: Vec<String>,
    mentions: Vec<Mention>,
    failed: Vec<Failure>,
}

/// What a target has of a person.
#[derive(Default)]
pub(super) struct FoundTarget {
    /// By the hashes of live files.
    pub live: BTreeMap<String, (Origin, FoundRows)>,
    /// The hashes of live files that cannot be read.
    pub unreadable: BTreeSet<String>,
    /// The sizes of files that readers do not see, and that have the person.
    pub old: Vec<u64>,
    /// The sizes of the live files with rows of the person.
    sizes: Vec<u64>,
}

impl FoundTarget {
    pub(super) fn has_live_rows(&self) -> bool {
        self.live.values().any(|(_, found)| !found.rows.is_empty())
    }
}

impl Found {
    /// Whether there is anything to remove.
    pub(super) fn has_any(&self) -> bool {
        !(self.bad_lines.is_empty() && self.staged.is_empty())
            || self.targets.values().any(FoundTarget::has_live_rows)
    }

    fn mention(&mut self, object: &str, found: &FoundRows) {
        self.mentions.extend(found.mentions.iter().map(|(column, cells)| Mention {
            object: object.to_owned(),
            column: Some(column.clone()),
            cells: Some(*cells),
        }));
    }
}

impl Columns {
    pub(super) fn zone(&self) -> Result<Zone, EraseError> {
        Ok(self.events.zone().map_or(Ok(Zone::UTC), Zone::parse)?)
    }

    /// The columns of a table.
    pub(super) fn of(&self, table: &TableName) -> TableColumns {
        let mut columns = columns_of(self.table(table));
        if Dataset::of_table(table.as_str()) == Dataset::Identities {
            let name = "resolved_distinct_id".to_owned();
            columns.identity.insert(name.clone(), name);
        }
        columns
    }

    fn table(&self, table: &TableName) -> Option<&Table> {
        let other = self.others.get(&Dataset::of_table(table.as_str()));
        let of = |registry: &'_ Registry| registry.tables().contains_key(table.as_str());
        let registry = Some(&self.events).filter(|events| of(events)).or(other)?;
        registry.tables().get(table.as_str())
    }

    /// The original name of an event, from the name in its rows or from its table.
    pub(super) fn event(&self, table: &TableName, in_row: Option<&str>) -> Option<&str> {
        let name = in_row.unwrap_or(table.as_str());
        let events = self.events.events();
        let by_name = events.iter().find(|event| event.name == name);
        by_name.or_else(|| self.events.find_event(name)).map(|event| event.event.as_str())
    }
}

impl Eraser<'_> {
    /// The columns of all tables.
    pub(super) async fn columns(&self) -> Result<Columns, EraseError> {
        let mut registries = BTreeMap::new();
        for dataset in Dataset::ALL {
            let read = registry::read::<EraseError>(self.store, self.layout, dataset, self.project);
            registries.extend(read.await?.value.map(|registry| (dataset, registry)));
        }
        let events = registries.remove(&Dataset::Events).unwrap_or_default();
        Ok(Columns { events, others: registries })
    }

    /// Searches every object of the lake.
    pub(super) async fn search(
        &self,
        person: &Person,
        columns: &Columns,
    ) -> Result<Found, EraseError> {
        let mut found = Found::default();
        let objects = self.store.list(self.layout.root()).await?;
        let mut targets: BTreeMap<Target, Vec<&ObjectMeta>> = BTreeMap::new();
        let mut others = Vec::new();
        for object in &objects {
            found.searched.objects += 1;
            found.searched.bytes += object.size;
            match self.layout.read(&object.key) {
                Some(key) => targets.entry(key.target).or_default().push(object),
                None => others.push(object),
            }
        }
        found.searched.targets = targets.len() as u64;
        for (target, objects) in targets {
            let what = target.to_string();
            if let Err(error) =
                self.search_target(target, &objects, person, columns, &mut found).await
            {
                found.failed.push(Failure { what, error: crate::chain(&error) });
            }
        }
        for object in others {
            if let Err(error) = self.search_object(&object.key, person, &mut found).await {
                let what = object.key.clone();
                found.failed.push(Failure { what, error: crate::chain(&error) });
            }
        }
        Ok(found)
    }

    async fn search_target(
        &self,
        target: Target,
        objects: &[&ObjectMeta],
        person: &Person,
        columns: &Columns,
        found: &mut Found,
    ) -> Result<(), EraseError> {
        let columns = columns.of(&target.table);
        let manifest = Manifest::read(self.store, self.layout, &target).await?.value;
        let mut live = BTreeMap::new();
        if let Some(manifest) = &manifest {
            let folder = self.layout.generation(&target, &manifest.generation);
            for file in &manifest.files {
                live.insert(format!("{folder}{}", file.name), file);
            }
        }
        let listed = objects.iter().filter_map(|object| {
            let is_data = matches!(self.layout.read(&object.key)?.object, LakeObject::Data(..));
            (is_data && !live.contains_key(&object.key)).then_some(object.key.as_str())
        });
        let keys: Vec<String> = live.keys().cloned().chain(listed.map(str::to_owned)).collect();
        let mut of_target = FoundTarget::default();
        for key in keys {
            let Some(object) = self.store.get(&key).await? else {
                // Another run replaced and deleted it, or the doctor reports it as missing.
                continue;
            };
            let rows = match self.rows(&key, &object.body, &columns, person) {
                Ok(rows) => rows,
                Err(error) => {
                    found.failed.push(Failure { what: key.clone(), error: crate::chain(&error) });
                    if let Some(file) = live.get(&key) {
                        of_target.unreadable.insert(file.hash.clone());
                    }
                    continue;
                }
            };
            let size = object.body.len() as u64;
            match live.get(&key) {
                Some(file) => {
                    found.mention(&key, &rows);
                    if !rows.rows.is_empty() {
                        of_target.sizes.push(size);
                    }
                    let found = (file.origin.clone(), rows);
                    of_target.live.insert(file.hash.clone(), found);
                }
                None if !rows.rows.is_empty() => of_target.old.push(size),
                None => {}
            }
        }
        found.targets.insert(target, of_target);
        Ok(())
    }

    /// The rows of the person in a data file.
    pub(super) fn rows(
        &self,
        key: &str,
        body: &Bytes,
        columns: &TableColumns,
        person: &Person,
    ) -> Result<FoundRows, EraseError> {
        let format = DataFormat::of_file(key).unwrap_or(DataFormat::Parquet);
        let found = find_rows(body, format, columns, person);
        found.map_err(|cause| EraseError::File { location: self.store.location(key), cause })
    }

    /// Searches an object that is not of a table.
    async fn search_object(
        &self,
        key: &str,
        person: &Person,
        found: &mut Found,
    ) -> Result<(), EraseError> {
        let hashes_only = [self.layout.suppression(), self.layout.erasures()];
        // Ledgers have counts and names of tables.
        if hashes_only.iter().any(|prefix| key.starts_with(prefix))
            || self.layout.date_of_ledger(key).is_some()
            || [self.layout.budget(), self.layout.profile_budget()].iter().any(|it| it == key)
        {
            return Ok(());
        }
        let Some(object) = self.store.get(key).await? else { return Ok(()) };
        if key.starts_with(&self.layout.quarantines()) {
            let is_of = |line: &[u8]| person.is_in_bad_line(line);
            let (lines, _) = without_bad_lines(&object.body, is_of).map_err(|cause| {
                EraseError::BadLines { location: self.store.location(key), cause }
            })?;
            if lines > 0 {
                found.bad_lines.insert(key.to_owned(), lines);
            }
            return Ok(());
        }
        if !mixlake_columnar::is_mentioned_in_object(person, &object.body) {
            return Ok(());
        }
        if self.may_be_deleted(key) {
            found.staged.push(key.to_owned());
        } else {
            found.mentions.push(Mention { object: key.to_owned(), column: None, cells: None });
        }
        Ok(())
    }

    /// Whether an object is not needed: a staged one, the report of a run, or what is read again from the rows of
    /// a day.
    fn may_be_deleted(&self, key: &str) -> bool {
        let reports = format!("{}_reports/", self.layout.root());
        let folders = [self.layout.staged(), reports, self.layout.all_identity_facts()];
        folders.iter().any(|folder| key.starts_with(folder))
    }

    /// The report of what was found.
    pub(super) fn reported(
        people: &People,
        identifiers: &[String],
        found: &Found,
    ) -> ErasureReport {
        let hashes: BTreeSet<String> =
            identifiers.iter().map(|id| people.salt.hash(id).to_string()).collect();
        let live = found.targets.iter().filter(|(_, found)| found.has_live_rows());
        let targets = live.map(|(target, found)| ErasedTarget {
            table: target.table.clone(),
            mp_date: target.date,
            rows: found.live.values().map(|(_, found)| found.rows.len() as u64).sum(),
            files: found.live.values().filter(|(_, found)| !found.rows.is_empty()).count() as u64,
        });
        let old = found.targets.iter().map(|(target, found)| OldCopies {
            table: target.table.clone(),
            mp_date: target.date,
            files: (found.old.len() + found.sizes.len()) as u64,
            bytes: found.old.iter().chain(&found.sizes).sum(),
        });
        let lines = found.bad_lines.iter();
        ErasureReport {
            people: hashes.into_iter().collect(),
            searched: found.searched,
            targets: targets.collect(),
            bad_lines: lines
                .map(|(object, lines)| ErasedLines { object: object.clone(), lines: *lines })
                .collect(),
            staged: found.staged.clone(),
            old_copies: old.filter(|old| old.files > 0).collect(),
            mentions: found.mentions.clone(),
            failed: found.failed.clone(),
            ..ErasureReport::default()
        }
    }
}
