//! Brings one table up to date: its columns, then the partitions of some days.

use super::days::Live;
use super::fold::TableWork;
use super::memo::Names;
use super::{ReconcileError, Reconciler, footer};
use crate::ports::Column;
use mixlake_schema::{ColumnType, Registry};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
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
    /// What somebody had changed on it, and was put right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repaired: Vec<String>,
    /// The partitions that were added or moved.
    pub partitions_set: Vec<String>,
    /// The partitions that were removed: no file of them is live.
    pub partitions_removed: Vec<String>,
}

impl TableReport {
    /// What was done to the same table a day later.
    pub(super) fn extend(&mut self, other: Self) {
        let Self {
            table: _,
            created,
            appended_columns,
            repaired,
            partitions_set,
            partitions_removed,
        } = other;
        self.created |= created;
        self.appended_columns.extend(appended_columns);
        self.repaired.extend(repaired);
        self.partitions_set.extend(partitions_set);
        self.partitions_removed.extend(partitions_removed);
    }
}

/// How often two functions may meet at one table before one gives up.
pub(super) const TRIES: u32 = 16;

pub(super) type Failed = Vec<(String, Arc<ReconcileError>)>;

/// What the data files of a batch say.
#[derive(Default)]
struct Files {
    types: HashMap<String, ColumnType>,
    /// The keys of those that are not there (any more).
    gone: BTreeSet<String>,
}

impl Reconciler<'_> {
    /// Brings a table up to date. Files that cannot be read fail alone.
    pub(super) async fn table(
        &self,
        table: &str,
        work: &TableWork,
        registry: &Registry,
        failed: &mut Failed,
    ) -> Result<TableReport, ReconcileError> {
        let days = self.days(table, work).await?;
        let names = Names::new(registry.tables().get(table));
        let mut files = self.files(work, failed).await?;
        let live = self.live(table, &days, &files.gone).await?;
        // A day without live files has no columns: nothing on the table can contradict it.
        let seen = days.iter().filter(|(date, _)| matches!(live[date], Live::In(_)));
        for name in seen.flat_map(|(_, day)| day.columns()) {
            if let Some(column) = names.find(name) {
                files.types.insert(name.to_owned(), column.column_type);
            }
        }
        let mut report = TableReport { table: self.name_of(table), ..TableReport::default() };
        let wanted = in_order(files.types, &names);
        if self.columns(table, &names, &wanted, &mut report).await? {
            self.follow((table, names.format()), work, live, &files.gone, &mut report).await?;
        }
        Ok(report)
    }

    /// The name of a table in the catalog.
    pub(crate) fn name_of(&self, table: &str) -> String {
        format!("{}{table}", self.table_prefix)
    }

    async fn files(&self, work: &TableWork, failed: &mut Failed) -> Result<Files, ReconcileError> {
        let mut files = Files::default();
        for key in &work.files {
            match footer::read(self.store, key).await? {
                // A generation that was replaced and deleted since, or a file that was removed.
                None => {
                    tracing::info!(key, "the file is gone; its manifest says what is live");
                    files.gone.insert(key.clone());
                }
                Some(Ok(footer)) => files.types.extend(footer.columns),
                Some(Err(cause)) => {
                    let location = self.store.location(key);
                    let error = ReconcileError::Footer { location, cause };
                    failed.push((key.clone(), Arc::new(error)));
                }
            }
        }
        Ok(files)
    }
}

/// The columns in the order in which the registry gave their names, each with its property. None,
/// if there is no file to describe.
fn in_order(mut types: HashMap<String, ColumnType>, names: &Names<'_>) -> Vec<Column> {
    if types.is_empty() {
        return Vec::new();
    }
    let mut columns = Vec::with_capacity(types.len());
    for known in names.columns() {
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
