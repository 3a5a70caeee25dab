//! A catalog in memory in which any call can be made to fail or conflict.

use super::state::Table;
use super::views::StoredView;
use crate::faults::{Call, Fault, Script, Verdict};
use mixlake_app::ports::{
    Catalog, CatalogError, Column, Declared, NewTable, Partition, TableState, View, ViewState,
};
use mixlake_domain::DataFormat;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls of a [`MemoryCatalog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Catalog::tables`]; the subject is the prefix.
    Tables,
    /// [`Catalog::table`].
    Table,
    /// [`Catalog::create_table`].
    CreateTable,
    /// [`Catalog::append_columns`].
    AppendColumns,
    /// [`Catalog::repair_table`].
    RepairTable,
    /// [`Catalog::move_table`].
    MoveTable,
    /// [`Catalog::partitions`].
    Partitions,
    /// [`Catalog::declared`].
    Declared,
    /// [`Catalog::put_partitions`].
    PutPartitions,
    /// [`Catalog::repair_partitions`].
    RepairPartitions,
    /// [`Catalog::remove_partitions`].
    RemovePartitions,
    /// [`Catalog::views`]; the subject is the prefix.
    Views,
    /// [`Catalog::view`].
    View,
    /// [`Catalog::create_view`].
    CreateView,
    /// [`Catalog::update_view`].
    UpdateView,
    /// [`Catalog::remove_view`].
    RemoveView,
}

/// A fake catalog of one database. Clones share their tables, like two functions that share a catalog.
///
/// It is stricter than the stand-ins for Glue: column names must be unique and within the length limit.
/// Glue accepts whatever this catalog accepts.
#[derive(Debug, Clone, Default)]
pub struct MemoryCatalog {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<String, Table>,
    views: BTreeMap<String, StoredView>,
    changed_partitions: usize,
    script: Script<Operation>,
}

impl State {
    /// Tables and views share their names.
    fn must_be_free(&self, name: &str) -> Result<(), CatalogError> {
        if self.tables.contains_key(name) || self.views.contains_key(name) {
            return Err(CatalogError::Conflict(format!("table {name}")));
        }
        Ok(())
    }
}

impl MemoryCatalog {
    /// An empty database in which nothing fails.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The hook decides before every call how the call ends.
    pub fn inject(&self, hook: impl FnMut(&Call<Operation>) -> Fault + Send + 'static) {
        self.lock().script.set_hook(hook);
    }

    /// Every n-th creation or change of a table or a view conflicts, as if another writer had been faster.
    pub fn conflict_every(&self, n: usize) {
        let mut changes = 0;
        self.inject(move |call| match call.operation {
            Operation::CreateTable
            | Operation::AppendColumns
            | Operation::RepairTable
            | Operation::MoveTable
            | Operation::CreateView
            | Operation::UpdateView => {
                changes += 1;
                if changes % n == 0 { Fault::Overtaken } else { Fault::None }
            }
            Operation::Tables
            | Operation::Table
            | Operation::Partitions
            | Operation::Declared
            | Operation::PutPartitions
            | Operation::RepairPartitions
            | Operation::RemovePartitions
            | Operation::Views
            | Operation::View
            | Operation::RemoveView => Fault::None,
        });
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.inject(|_| Fault::None);
    }

    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call<Operation>> {
        self.lock().script.calls()
    }

    /// How often a table was created or changed, without a call in the log.
    #[must_use]
    pub fn versions(&self, table: &str) -> u64 {
        self.lock().tables.get(table).map_or(0, |table| table.version + 1)
    }

    /// How often anything changed: versions of tables and views, and partitions.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let state = self.lock();
        let versions = state.tables.values().map(|table| table.version + 1).sum::<u64>();
        let of_views = state.views.values().map(|view| view.version + 1).sum::<u64>();
        versions + of_views + state.changed_partitions as u64
    }

    /// A view as it was last put, without a call in the log.
    #[must_use]
    pub fn put_view(&self, name: &str) -> Option<View> {
        self.lock().views.get(name).map(|stored| stored.view.clone())
    }

    /// Removes the mark of a view, as a person does who replaces it in Athena.
    pub fn take_over_view(&self, name: &str) {
        if let Some(stored) = self.lock().views.get_mut(name) {
            stored.take_over();
        }
    }

    /// Removes a table, as a person with permissions could.
    pub fn drop_table(&self, table: &str) {
        self.lock().tables.remove(table);
    }

    /// Adds a column that this catalog would refuse but others may have.
    pub fn add_column_unchecked(&self, table: &str, column: &Column) {
        if let Some(table) = self.lock().tables.get_mut(table) {
            table.add_unchecked(column);
        }
    }

    /// Gives a partition columns or a format of its own, as a crawler does.
    pub fn declare(&self, table: &str, value: &str, declared: &Declared) {
        if let Some(table) = self.lock().tables.get_mut(table) {
            table.declare(value, declared);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets other tasks run first, then logs the call.
    async fn begin(&self, operation: Operation, subject: &str) -> Verdict {
        tokio::task::yield_now().await;
        self.lock().script.next(operation, subject)
    }

    /// Applies an effect, unless the fault prevents it.
    fn change<T>(
        &self,
        verdict: Verdict,
        (action, name): (&'static str, &str),
        effect: impl FnOnce(&mut State) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let conflict = || CatalogError::Conflict(format!("table {name}"));
        match verdict.fault {
            Fault::None => effect(&mut self.lock()),
            Fault::Before => Err(failed(action, name, verdict)),
            Fault::Overtaken => Err(conflict()),
            Fault::After => {
                effect(&mut self.lock())?;
                Err(failed(action, name, verdict))
            }
            Fault::Echo => {
                effect(&mut self.lock())?;
                Err(conflict())
            }
        }
    }

    /// The same for partitions, whose changes are counted.
    fn change_partitions(
        &self,
        verdict: Verdict,
        (action, name): (&'static str, &str),
        effect: impl FnOnce(&mut Table) -> Vec<String>,
    ) -> Result<Vec<String>, CatalogError> {
        let mut count = 0;
        let changed = self.change(verdict, (action, name), |State { tables, .. }| {
            let table = existing(tables, name)?;
            table.takes_partitions(name)?;
            let changed = effect(table);
            count = changed.len();
            Ok(changed)
        });
        self.lock().changed_partitions += count;
        changed
    }
}

#[async_trait::async_trait]
impl Catalog for MemoryCatalog {
    async fn tables(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        let verdict = self.begin(Operation::Tables, prefix).await;
        verdict.read().map_err(|_| failed("read", prefix, verdict))?;
        let state = self.lock();
        Ok(state.tables.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    async fn table(&self, name: &str) -> Result<Option<TableState>, CatalogError> {
        let verdict = self.begin(Operation::Table, name).await;
        verdict.read().map_err(|_| failed("read", name, verdict))?;
        let state = self.lock();
        let view = state.views.get(name).map(StoredView::as_table);
        Ok(state.tables.get(name).map(Table::state).or(view))
    }

    async fn create_table(&self, table: &NewTable) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::CreateTable, &table.name).await;
        self.change(verdict, ("create", &table.name), |state| {
            state.must_be_free(&table.name)?;
            state.tables.insert(table.name.clone(), Table::create(table)?);
            Ok(())
        })
    }

    async fn append_columns(
        &self,
        table: &str,
        version: &str,
        columns: &[Column],
        memo: &str,
    ) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::AppendColumns, table).await;
        self.change(verdict, ("update", table), |State { tables, .. }| {
            existing(tables, table)?.append(table, version, columns, memo)
        })
    }

    async fn repair_table(&self, version: &str, to: &NewTable) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::RepairTable, &to.name).await;
        self.change(verdict, ("update", &to.name), |State { tables, .. }| {
            existing(tables, &to.name)?.repair(version, to)
        })
    }

    async fn move_table(
        &self,
        table: &str,
        version: &str,
        location: &str,
    ) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::MoveTable, table).await;
        self.change(verdict, ("update", table), |State { tables, .. }| {
            existing(tables, table)?.relocate(table, version, location)
        })
    }

    async fn partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>, CatalogError> {
        let verdict = self.begin(Operation::Partitions, table).await;
        verdict.read().map_err(|_| failed("read", table, verdict))?;
        Ok(existing(&mut self.lock().tables, table)?.partitions(values))
    }

    async fn declared(&self, table: &str) -> Result<BTreeMap<String, Declared>, CatalogError> {
        let verdict = self.begin(Operation::Declared, table).await;
        verdict.read().map_err(|_| failed("read", table, verdict))?;
        Ok(existing(&mut self.lock().tables, table)?.declared())
    }

    async fn put_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<Vec<String>, CatalogError> {
        let verdict = self.begin(Operation::PutPartitions, table).await;
        self.change_partitions(verdict, ("update", table), |table| table.put(format, partitions))
    }

    async fn repair_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::RepairPartitions, table).await;
        let mut there = true;
        let repaired = |table: &mut Table| {
            there = table.repair_partitions(format, partitions);
            let values = partitions.iter().filter(|_| there);
            values.map(|partition| partition.value.clone()).collect()
        };
        self.change_partitions(verdict, ("update", table), repaired)?;
        let conflict = || CatalogError::Conflict(format!("partitions of {table}"));
        there.then_some(()).ok_or_else(conflict)
    }

    async fn remove_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<String>, CatalogError> {
        let verdict = self.begin(Operation::RemovePartitions, table).await;
        self.change_partitions(verdict, ("delete", table), |table| table.remove(values))
    }

    async fn views(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        let verdict = self.begin(Operation::Views, prefix).await;
        verdict.read().map_err(|_| failed("read", prefix, verdict))?;
        let state = self.lock();
        Ok(state.views.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    async fn view(&self, name: &str) -> Result<Option<ViewState>, CatalogError> {
        let verdict = self.begin(Operation::View, name).await;
        verdict.read().map_err(|_| failed("read", name, verdict))?;
        let state = self.lock();
        let table = state
            .tables
            .get(name)
            .map(|table| ViewState { version: table.version.to_string(), mark: None });
        Ok(state.views.get(name).map(StoredView::state).or(table))
    }

    async fn create_view(&self, view: &View) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::CreateView, &view.name).await;
        self.change(verdict, ("create", &view.name), |state| {
            state.must_be_free(&view.name)?;
            state.views.insert(view.name.clone(), StoredView::create(view)?);
            Ok(())
        })
    }

    async fn update_view(&self, version: &str, view: &View) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::UpdateView, &view.name).await;
        self.change(verdict, ("update", &view.name), |State { views, .. }| {
            let stored = views.get_mut(&view.name);
            let missing = || CatalogError::NotFound(format!("table {}", view.name));
            stored.ok_or_else(missing)?.update(version, view)
        })
    }

    async fn remove_view(&self, name: &str, mark: &str) -> Result<(), CatalogError> {
        let verdict = self.begin(Operation::RemoveView, name).await;
        self.change(verdict, ("delete", name), |State { tables, views, .. }| {
            let other = views.get(name).is_some_and(|view| !view.has_mark(mark));
            if other || tables.contains_key(name) {
                return Err(CatalogError::Conflict(format!("table {name}")));
            }
            views.remove(name);
            Ok(())
        })
    }

    async fn pause(&self, _attempt: u32) {
        tokio::task::yield_now().await;
    }
}

fn existing<'a>(
    tables: &'a mut BTreeMap<String, Table>,
    name: &str,
) -> Result<&'a mut Table, CatalogError> {
    tables.get_mut(name).ok_or_else(|| CatalogError::NotFound(format!("table {name}")))
}

fn failed(action: &'static str, name: &str, verdict: Verdict) -> CatalogError {
    CatalogError::Failed {
        action,
        subject: format!("table {name}"),
        hint: None,
        cause: Box::new(verdict.error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{conformance, conformance_under_races};
    use mixlake_domain::Partitioning;

    fn signup() -> NewTable {
        NewTable {
            name: "signup".to_owned(),
            columns: vec![],
            location: "s3://lake/42/signup/".to_owned(),
            partitioning: Partitioning::ByDate,
            format: DataFormat::Parquet,
            description: String::new(),
            memo: String::new(),
        }
    }

    fn text(name: &str) -> [Column; 1] {
        [Column { name: name.to_owned(), hive_type: "string".to_owned(), comment: None }]
    }

    #[tokio::test]
    async fn the_fake_behaves_as_every_catalog_must() {
        conformance(async || MemoryCatalog::new()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_fake_decides_races_and_counts_real_changes() {
        conformance_under_races(async || MemoryCatalog::new()).await;
    }

    #[tokio::test]
    async fn every_nth_change_conflicts_and_changes_nothing() {
        let catalog = MemoryCatalog::new();
        catalog.conflict_every(2);
        catalog.create_table(&signup()).await.unwrap();
        let error = catalog.append_columns("signup", "0", &text("a"), "memo").await.unwrap_err();
        assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
        catalog.append_columns("signup", "0", &text("a"), "memo").await.unwrap();
        assert_eq!(catalog.versions("signup"), 2, "created, and grown once");
        assert_eq!(catalog.calls().len(), 3);
    }

    #[tokio::test]
    async fn an_echo_conflicts_although_the_change_was_made() {
        let catalog = MemoryCatalog::new();
        catalog.inject(|_| Fault::Echo);
        let error = catalog.create_table(&signup()).await.unwrap_err();
        assert!(matches!(error, CatalogError::Conflict(_)), "{error}");
        catalog.heal();
        assert!(catalog.table("signup").await.unwrap().is_some());
    }
}
