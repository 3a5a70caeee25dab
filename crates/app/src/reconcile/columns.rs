//! Updates the columns of a table: reads it, compares it, and updates it with its version. After a
//! conflict it reads the table again.

use super::diff::{Conflict, Difference, Wanted, diff, repaired};
use super::memo::{Memo, Names};
use super::report::TableReport;
use super::{OnDrift, ReconcileError, Reconciler, TRIES};
use crate::ports::{CatalogError, Column, NewTable, TableState};
use mixlake_domain::Partitioning;

/// What a table should be: its locations, and the names of its columns.
pub(super) struct TableSpec<'a> {
    /// The folder of the table.
    pub folder: String,
    /// The location of a new table: the folder, or the live generation of a table without partitions.
    pub location: String,
    pub partitioning: Partitioning,
    pub names: &'a Names<'a>,
}

impl Reconciler<'_> {
    /// Returns whether the table exists afterwards. A table without columns is not created.
    pub(super) async fn columns(
        &self,
        spec: &TableSpec<'_>,
        wanted: &[Column],
        report: &mut TableReport,
    ) -> Result<bool, ReconcileError> {
        let name = report.table.clone();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.catalog.pause(attempt).await;
            }
            let current = self.catalog.table(&name).await?;
            let there = current.is_some() || !wanted.is_empty();
            match self.change(spec, current, wanted, report).await {
                Ok(()) => return Ok(there),
                Err(ReconcileError::Catalog(CatalogError::Conflict(_))) => report.forget(),
                Err(error) => return Err(error),
            }
        }
        Err(CatalogError::Conflict(format!("table {name}")).into())
    }

    async fn change(
        &self,
        spec: &TableSpec<'_>,
        current: Option<TableState>,
        columns: &[Column],
        report: &mut TableReport,
    ) -> Result<(), ReconcileError> {
        let given = given(current.as_ref(), spec.names);
        let format = spec.names.format();
        let wanted = Wanted {
            folder: &spec.folder,
            partitioning: spec.partitioning,
            format,
            columns,
            given: &given,
        };
        let difference = diff(current.as_ref(), &wanted);
        let version = current.as_ref().map_or("", |table| &table.version);
        match difference {
            Difference::Unchanged => {}
            Difference::Create if columns.is_empty() => {}
            Difference::Create => {
                report.created = true;
                let new = self.new_table(report, spec, None, columns.to_vec());
                self.catalog.create_table(&new).await?;
            }
            Difference::Append(added) => {
                report.appended_columns = added.iter().map(|c| c.name.clone()).collect();
                let all = given.iter().chain(&added).map(|c| c.name.as_str());
                let before = current.as_ref().and_then(memo);
                let memo = Memo::of(self.project, spec.names, before.as_ref(), all).to_string();
                self.catalog.append_columns(&report.table, version, &added, &memo).await?;
            }
            Difference::Conflict(conflicts) => {
                let current = current.as_ref().filter(|table| self.may_repair(table, &wanted));
                let hopeless =
                    conflicts.iter().any(|c| matches!(c, Conflict::PartitionKeys { .. }));
                let Some(current) = current.filter(|_| !hopeless) else {
                    let table = report.table.clone();
                    return Err(ReconcileError::Drift { table, conflicts });
                };
                report.repaired = conflicts.iter().map(ToString::to_string).collect();
                let columns = repaired(&current.columns, &wanted);
                let right = self.new_table(report, spec, memo(current).as_ref(), columns);
                self.catalog.repair_table(version, &right).await?;
            }
        }
        Ok(())
    }

    /// Whether repair is allowed and the table is ours. Another project, or somebody else, may have a
    /// table with the same name.
    fn may_repair(&self, table: &TableState, wanted: &Wanted<'_>) -> bool {
        let ours = match memo(table) {
            Some(memo) => memo.project == self.project.as_str(),
            None => wanted.is_of_its_folder(&table.location),
        };
        self.on_drift == OnDrift::Repair && ours
    }

    fn new_table(
        &self,
        report: &TableReport,
        spec: &TableSpec<'_>,
        before: Option<&Memo>,
        columns: Vec<Column>,
    ) -> NewTable {
        let names = columns.iter().map(|c| c.name.as_str());
        NewTable {
            name: report.table.clone(),
            memo: Memo::of(self.project, spec.names, before, names).to_string(),
            columns,
            location: spec.location.clone(),
            partitioning: spec.partitioning,
            format: spec.names.format(),
            description: format!("Events of Mixpanel project {}, kept by Mixlake", self.project),
        }
    }
}

/// The columns that Mixlake added to a table, in their order.
pub(crate) fn given_columns(
    table: &TableState,
    known: Option<&mixlake_schema::Table>,
) -> Vec<Column> {
    given(Some(table), &Names::new(known))
}

fn memo(table: &TableState) -> Option<Memo> {
    table.memo.as_deref()?.parse().ok()
}

/// The columns that Mixlake added to a table, in their order. If the table has no memo: those of its
/// columns that the registry knows, in the table's order.
fn given(table: Option<&TableState>, names: &Names<'_>) -> Vec<Column> {
    let Some(table) = table else { return Vec::new() };
    let known = |column: &mixlake_schema::Column| Column {
        name: column.name.clone(),
        hive_type: column.column_type.hive().to_owned(),
        comment: Some(column.property.clone()),
    };
    match memo(table) {
        Some(memo) => memo
            .columns
            .iter()
            .filter_map(|&position| names.columns().get(position))
            .map(known)
            .collect(),
        None => table
            .columns
            .iter()
            .filter_map(|c| names.find(&c.name.to_lowercase()))
            .map(known)
            .collect(),
    }
}
