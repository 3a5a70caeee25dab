//! Updates one table: its columns, then the partitions of some days, or its location.

use super::columns::TableSpec;
use super::fold::TableWork;
use super::footer::{self, FooterError};
use super::memo::Names;
use super::report::TableReport;
use super::targets::Found;
use super::{Failed, ReconcileError, Reconciler};
use crate::ports::Column;
use mixlake_columnar::Footer;
use mixlake_domain::{Partitioning, TableName, Target};
use mixlake_schema::{ColumnType, Registry};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The content of the data files of a batch.
#[derive(Default)]
struct Files {
    types: HashMap<String, ColumnType>,
    /// The keys of the files that exist.
    seen: BTreeSet<String>,
}

impl Files {
    /// Adds the columns of a file, unless they contradict known types.
    fn add(&mut self, footer: Footer, names: &Names<'_>) -> Result<(), FooterError> {
        for (name, file) in &footer.columns {
            let registered = names.find(name).map(|column| column.column_type);
            let known = registered.or_else(|| self.types.get(name).copied());
            if let Some(known) = known.filter(|known| known != file) {
                let (file, known) = (file.hive(), known.hive());
                return Err(FooterError::OtherType { column: name.clone(), file, known });
            }
        }
        self.types.extend(footer.columns);
        Ok(())
    }
}

impl Reconciler<'_> {
    /// Updates a table. Files and targets that cannot be read fail alone.
    pub(super) async fn table(
        &self,
        table: &TableName,
        work: &TableWork,
        registry: &Registry,
        failed: &mut Failed,
    ) -> Result<TableReport, ReconcileError> {
        let mut work = work.clone();
        let names = Names::new(registry.tables().get(table.as_str()));
        let mut files = self.files(&mut work, &names, failed).await;
        let targets = self.targets(table, &mut work, &files.seen, failed).await;
        for name in targets.values().flat_map(Found::columns) {
            if let Some(column) = names.find(name) {
                files.types.insert(name.to_owned(), column.column_type);
            }
        }
        let mut report = TableReport { table: self.name_of(table), ..TableReport::default() };
        let wanted = in_order(files.types, &names);
        let folder = self.store.location(&self.layout.table(table));
        let whole = targets.get(&None).and_then(Found::generation);
        let spec = TableSpec {
            partitioning: work.partitioning(),
            location: match (work.partitioning(), whole) {
                (Partitioning::Whole, Some(generation)) => {
                    self.location_of(&Target::whole(table.clone()), generation)
                }
                (Partitioning::Whole | Partitioning::ByDate, _) => folder.clone(),
            },
            folder,
            names: &names,
        };
        if !targets.is_empty() && self.columns(&spec, &wanted, &mut report).await? {
            let table = (table, names.format());
            self.follow(table, &mut work, targets, failed, &mut report).await?;
        }
        Ok(report)
    }

    /// The name of a table in the catalog.
    pub(crate) fn name_of(&self, table: &TableName) -> String {
        format!("{}{table}", self.table_prefix)
    }

    async fn files(&self, work: &mut TableWork, names: &Names<'_>, failed: &mut Failed) -> Files {
        let mut files = Files::default();
        for key in work.files.clone() {
            if let Err(error) = self.file(&key, names, &mut files).await {
                work.files.remove(&key);
                failed.push((key, Arc::new(error)));
            }
        }
        files
    }

    async fn file(
        &self,
        key: &str,
        names: &Names<'_>,
        files: &mut Files,
    ) -> Result<(), ReconcileError> {
        let Some(footer) = footer::read(self.store, key).await? else {
            // The generation was replaced and deleted, or the file was removed.
            tracing::info!(key, "the file is gone; the catalog follows the manifest");
            return Ok(());
        };
        files.seen.insert(key.to_owned());
        let added = footer.map_err(FooterError::from).and_then(|footer| files.add(footer, names));
        added.map_err(|cause| ReconcileError::Footer { location: self.store.location(key), cause })
    }
}

/// The columns in the order of the registry, each with its property. Empty if there are no files.
fn in_order(mut types: HashMap<String, ColumnType>, names: &Names<'_>) -> Vec<Column> {
    if types.is_empty() {
        return Vec::new();
    }
    let mut columns = Vec::with_capacity(types.len());
    for known in names.columns() {
        // Built-in columns exist from the start, even if no file has values in them.
        let built_in = known.built_in.then_some(known.column_type);
        if let Some(column_type) = types.remove(&known.name).or(built_in) {
            columns.push(Column {
                name: known.name.clone(),
                hive_type: column_type.hive().to_owned(),
                comment: Some(known.property.clone()),
            });
        }
    }
    // Columns that the registry does not know, sorted by name.
    let mut foreign: Vec<_> = types.into_iter().collect();
    foreign.sort_by(|a, b| a.0.cmp(&b.0));
    columns.extend(foreign.into_iter().map(|(name, column_type)| Column {
        name,
        hive_type: column_type.hive().to_owned(),
        comment: None,
    }));
    columns
}
