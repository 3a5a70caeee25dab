//! Brings one table up to date: its columns, then the partitions of some days.

use super::diff::{Difference, diff};
use super::fold::TableWork;
use super::{ReconcileError, Reconciler, footer};
use crate::document;
use crate::manifest::Manifest;
use crate::ports::{CatalogError, Column, NewTable, Partition};
use mixlake_domain::{Date, Generation};
use mixlake_schema::{ColumnType, Registry, Table};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What was done to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The name in the catalog.
    pub table: String,
    /// Whether it was created.
    pub created: bool,
    /// The columns that were added to an existing table.
    pub appended_columns: Vec<String>,
    /// The partitions that were added or moved.
    pub partitions_set: Vec<String>,
    /// The partitions that were removed: no file of them is live.
    pub partitions_removed: Vec<String>,
}

impl TableReport {
    /// What was done to the same table a day later.
    pub(super) fn extend(&mut self, other: Self) {
        let Self { table: _, created, appended_columns, partitions_set, partitions_removed } =
            other;
        self.created |= created;
        self.appended_columns.extend(appended_columns);
        self.partitions_set.extend(partitions_set);
        self.partitions_removed.extend(partitions_removed);
    }
}

/// How often two functions may meet at one table before one gives up.
const TRIES: u32 = 16;

type Failed = Vec<(String, Arc<ReconcileError>)>;

impl Reconciler<'_> {
    /// Brings a table up to date. Files that cannot be read fail alone.
    pub(super) async fn table(
        &self,
        table: &str,
        work: &TableWork,
        registry: &Registry,
        failed: &mut Failed,
    ) -> Result<TableReport, ReconcileError> {
        let manifests = self.manifests(table, work).await?;
        let names = registry.tables().get(table);
        let columns = names.map_or(&[][..], Table::columns);
        let known: HashMap<&str, _> = columns.iter().map(|c| (c.name.as_str(), c)).collect();
        let mut types: HashMap<String, ColumnType> = HashMap::new();
        for key in &work.files {
            match footer::columns(self.store, key).await? {
                // A generation that was replaced and deleted since.
                None => tracing::info!(key, "the file is gone; its manifest says what is live"),
                Some(Ok(columns)) => types.extend(columns),
                Some(Err(cause)) => {
                    let location = self.store.location(key);
                    let error = ReconcileError::Footer { location, cause };
                    failed.push((key.clone(), Arc::new(error)));
                }
            }
        }
        let live = manifests.values().flatten().flat_map(|m| &m.files).flat_map(|f| &f.columns);
        for name in live {
            if let Some(column) = known.get(name.as_str()) {
                types.insert(name.clone(), column.column_type);
            }
        }
        let mut report = TableReport {
            table: format!("{}{table}", self.table_prefix),
            ..TableReport::default()
        };
        if !types.is_empty() {
            let wanted = in_order(types, names);
            self.columns(table, &wanted, &mut report).await?;
        }
        self.follow(table, work, manifests, &mut report).await?;
        Ok(report)
    }

    /// Sets partitions until the manifests have not moved on meanwhile: whoever reads a manifest
    /// last is the last to set its partition.
    async fn follow(
        &self,
        table: &str,
        work: &TableWork,
        mut manifests: BTreeMap<Date, Option<Manifest>>,
        report: &mut TableReport,
    ) -> Result<(), ReconcileError> {
        for _ in 0..TRIES {
            if !self.partitions(table, &manifests, report).await? {
                return Ok(());
            }
            let now = self.manifests(table, work).await?;
            if generations(&now).eq(generations(&manifests)) {
                return Ok(());
            }
            manifests = now;
        }
        Err(CatalogError::Conflict(format!("the partitions of {}", report.table)).into())
    }

    async fn manifests(
        &self,
        table: &str,
        work: &TableWork,
    ) -> Result<BTreeMap<Date, Option<Manifest>>, ReconcileError> {
        let mut manifests = BTreeMap::new();
        for &date in &work.days {
            let key = self.layout.manifest(table, date);
            manifests.insert(date, document::read(self.store, &key).await?.value);
        }
        Ok(manifests)
    }

    /// Reads, compares, updates with the version, and on conflict reads again.
    async fn columns(
        &self,
        table: &str,
        wanted: &[Column],
        report: &mut TableReport,
    ) -> Result<(), ReconcileError> {
        let name = report.table.clone();
        let folder = self.store.location(&self.layout.table(table));
        let mut tries = 0;
        loop {
            let current = self.catalog.table(&name).await?;
            let version = current.as_ref().map_or("", |table| &table.version);
            let result = match diff(current.as_ref(), &folder, wanted) {
                Difference::Unchanged => return Ok(()),
                Difference::Create => {
                    report.created = true;
                    self.catalog.create_table(&self.new_table(table, &name, wanted)).await
                }
                Difference::Append(columns) => {
                    report.appended_columns = columns.iter().map(|c| c.name.clone()).collect();
                    self.catalog.append_columns(&name, version, &columns).await
                }
                Difference::Conflict(conflicts) => {
                    return Err(ReconcileError::Drift { table: name, conflicts });
                }
            };
            tries += 1;
            match result {
                Ok(()) => return Ok(()),
                Err(CatalogError::Conflict(_)) if tries < TRIES => {
                    report.created = false;
                    report.appended_columns.clear();
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn new_table(&self, table: &str, name: &str, columns: &[Column]) -> NewTable {
        NewTable {
            name: name.to_owned(),
            columns: columns.to_vec(),
            location: self.store.location(&self.layout.table(table)),
            description: format!("Events of Mixpanel project {}, kept by Mixlake", self.project),
        }
    }

    /// Points each day's partition to the generation that its manifest names. Answers whether
    /// anything had to be changed.
    async fn partitions(
        &self,
        table: &str,
        manifests: &BTreeMap<Date, Option<Manifest>>,
        report: &mut TableReport,
    ) -> Result<bool, ReconcileError> {
        let mut wanted = Vec::new();
        let mut unwanted = Vec::new();
        // A day without a manifest has no live file yet; its manifest will be notified.
        for (date, manifest) in manifests.iter().filter_map(|(d, m)| Some((d, m.as_ref()?))) {
            let key = self.layout.generation(table, *date, &manifest.generation);
            if manifest.files.is_empty() {
                unwanted.push(date.to_string());
            } else {
                let location = self.store.location(&key);
                wanted.push(Partition { value: date.to_string(), location });
            }
        }
        if wanted.is_empty() && unwanted.is_empty() {
            return Ok(false);
        }
        let values: Vec<String> =
            wanted.iter().map(|p| &p.value).chain(&unwanted).cloned().collect();
        let folder = self.store.location(&self.layout.table(table));
        let Some(current) = self.catalog.table(&report.table).await? else { return Ok(false) };
        if let Difference::Conflict(conflicts) = diff(Some(&current), &folder, &[]) {
            return Err(ReconcileError::Drift { table: report.table.clone(), conflicts });
        }
        let current = self.catalog.partitions(&report.table, &values).await?;
        wanted.retain(|partition| !current.contains(partition));
        unwanted.retain(|value| current.iter().any(|partition| partition.value == *value));
        if !wanted.is_empty() {
            self.catalog.put_partitions(&report.table, &wanted).await?;
        }
        if !unwanted.is_empty() {
            self.catalog.remove_partitions(&report.table, &unwanted).await?;
        }
        let changed = !wanted.is_empty() || !unwanted.is_empty();
        report.partitions_set.extend(wanted.into_iter().map(|partition| partition.value));
        report.partitions_removed.extend(unwanted);
        Ok(changed)
    }
}

/// What decides the location of each day's partition, and whether there is one.
fn generations(
    manifests: &BTreeMap<Date, Option<Manifest>>,
) -> impl Iterator<Item = Option<(&Generation, bool)>> {
    manifests.values().map(|m| m.as_ref().map(|m| (&m.generation, m.files.is_empty())))
}

/// The columns in the order in which the registry gave their names, each with its property.
fn in_order(mut types: HashMap<String, ColumnType>, names: Option<&Table>) -> Vec<Column> {
    let mut columns = Vec::with_capacity(types.len());
    for known in names.map_or(&[][..], Table::columns) {
        // Built-in columns are there from the start, whether a file has values of them or not.
        let built_in = known.built_in.then_some(known.column_type);
        if let Some(column_type) = types.remove(&known.name).or(built_in) {
            columns.push(Column {
                name: known.name.clone(),
                hive_type: column_type.hive().to_owned(),
                comment: Some(known.property.clone()),
            });
        }
    }
    // A file that the registry does not know: its own names, in a fixed order.
    let mut foreign: Vec<_> = types.into_iter().collect();
    foreign.sort_by(|a, b| a.0.cmp(&b.0));
    columns.extend(foreign.into_iter().map(|(name, column_type)| Column {
        name,
        hive_type: column_type.hive().to_owned(),
        comment: None,
    }));
    columns
}
