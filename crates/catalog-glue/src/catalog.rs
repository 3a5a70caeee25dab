//! The port, call by call.

use crate::database::Database;
use crate::describe;
use crate::failure::{
    CREATE_TABLE, DELETE_TABLE, GET_TABLE, GET_TABLES, UPDATE_TABLE, failure, refused,
};
use crate::partition::in_order;
use crate::partitions::{Partitions, Schema};
use crate::{pause, table, view};
use aws_sdk_glue::Client;
use aws_sdk_glue::config::AsyncSleep;
use aws_sdk_glue::types::{Table, TableAttributes, TableInput};
use mixlake_app::ports::{
    Catalog, CatalogError, Column, Declared, NewTable, Partition, TableState, View, ViewState,
};
use mixlake_domain::DataFormat;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A database of the Glue Data Catalog.
#[derive(Debug, Clone)]
pub struct GlueCatalog {
    database: Database,
    /// The table that was read last, so that a caller that changes it next need not read it again. The
    /// version says whether it is still valid. Only one is kept, because a wide table takes hundreds of
    /// kilobytes.
    last_read: Arc<Mutex<Option<Table>>>,
}

impl GlueCatalog {
    /// A catalog over a database, which must exist.
    pub fn new(client: Client, database: impl Into<String>) -> Self {
        Self { database: Database { client, name: database.into() }, last_read: Arc::default() }
    }

    fn partitions_of<'a>(&'a self, table: &'a str) -> Partitions<'a> {
        Partitions { database: &self.database, table }
    }

    fn last_read(&self) -> MutexGuard<'_, Option<Table>> {
        self.last_read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table, if it has that version. It is read again only if the last read had another version.
    async fn read_as(&self, name: &str, version: &str) -> Result<Table, CatalogError> {
        let last = self.last_read().take();
        let same = |t: &Table| t.name == name && t.version_id.as_deref() == Some(version);
        let read = match last.filter(same) {
            Some(table) => Some(table),
            None => self.database.read(name).await?,
        };
        let subject = self.database.subject(name);
        let read = read.ok_or_else(|| CatalogError::NotFound(subject.clone()))?;
        if read.version_id.as_deref() == Some(version) {
            Ok(read)
        } else {
            Err(CatalogError::Conflict(subject))
        }
    }

    /// The names of the tables and views that start with the prefix and have such a type.
    async fn names(
        &self,
        prefix: &str,
        wanted: impl Fn(Option<&str>) -> bool,
    ) -> Result<Vec<String>, CatalogError> {
        let request = self.database.client.get_tables().database_name(&self.database.name);
        // Filtered here, because Glue and its stand-ins interpret patterns differently.
        let request = request.attributes_to_get(TableAttributes::Name);
        let request = request.attributes_to_get(TableAttributes::TableType);
        let mut pages = request.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failure(GET_TABLES, &self.database.own_subject(), e))?;
            let found = page.table_list.unwrap_or_default().into_iter();
            names.extend(found.filter(|it| wanted(it.table_type())).map(|table| table.name));
        }
        names.retain(|name| name.starts_with(prefix));
        names.sort();
        Ok(names)
    }

    async fn create(&self, input: TableInput) -> Result<(), CatalogError> {
        let subject = self.database.subject(&input.name);
        let request = self
            .database
            .client
            .create_table()
            .database_name(&self.database.name)
            .table_input(input);
        match request.send().await.map_err(|e| failure(CREATE_TABLE, &subject, e)) {
            Ok(_) => Ok(()),
            // When a table is created, only the database can be missing.
            Err(CatalogError::NotFound(_)) => {
                Err(CatalogError::NotFound(self.database.own_subject()))
            }
            Err(error) => Err(error),
        }
    }

    async fn update(&self, input: TableInput, version: &str) -> Result<(), CatalogError> {
        let subject = self.database.subject(&input.name);
        let request = self
            .database
            .client
            .update_table()
            .database_name(&self.database.name)
            .table_input(input);
        let request = request.version_id(version).skip_archive(true);
        request.send().await.map(|_| ()).map_err(|e| failure(UPDATE_TABLE, &subject, e))
    }
}

#[async_trait::async_trait]
impl Catalog for GlueCatalog {
    async fn tables(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        self.names(prefix, |table_type| !view::is_view(table_type)).await
    }

    async fn table(&self, name: &str) -> Result<Option<TableState>, CatalogError> {
        let Some(read) = self.database.read(name).await? else { return Ok(None) };
        let state = table::state(read.clone());
        *self.last_read() = Some(read);
        let unversioned =
            || refused(GET_TABLE, &self.database.subject(name), "the table has no VersionId");
        state.ok_or_else(unversioned).map(Some)
    }

    async fn create_table(&self, table: &NewTable) -> Result<(), CatalogError> {
        let subject = self.database.subject(&table.name);
        let input = describe::table(table).map_err(|e| refused(CREATE_TABLE, &subject, e))?;
        self.create(input).await
    }

    async fn append_columns(
        &self,
        table: &str,
        version: &str,
        columns: &[Column],
        memo: &str,
    ) -> Result<(), CatalogError> {
        let subject = self.database.subject(table);
        let read = self.read_as(table, version).await?;
        if let Some(name) = table::duplicate(&read, columns) {
            let cause = format!("the table already has a column {name:?}");
            return Err(refused(UPDATE_TABLE, &subject, cause));
        }
        if columns.is_empty() {
            return Ok(());
        }
        let added: Result<Vec<_>, _> = columns.iter().map(describe::column).collect();
        let input = added.and_then(|added| table::with_columns(read, added, memo));
        self.update(input.map_err(|e| refused(UPDATE_TABLE, &subject, e))?, version).await
    }

    async fn repair_table(&self, version: &str, to: &NewTable) -> Result<(), CatalogError> {
        let read = self.read_as(&to.name, version).await?;
        let input = table::repaired(read, to);
        let odd = |e| refused(UPDATE_TABLE, &self.database.subject(&to.name), e);
        self.update(input.map_err(odd)?, version).await
    }

    async fn move_table(
        &self,
        table: &str,
        version: &str,
        location: &str,
    ) -> Result<(), CatalogError> {
        let read = self.read_as(table, version).await?;
        let input = table::moved(read, location);
        let input = input.map_err(|e| refused(UPDATE_TABLE, &self.database.subject(table), e))?;
        self.update(input, version).await
    }

    async fn partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>, CatalogError> {
        let partitions = self.partitions_of(table);
        let found = if values.is_empty() {
            partitions.all(Schema::Excluded).await
        } else {
            partitions.some(&values.iter().map(String::as_str).collect::<Vec<_>>()).await
        };
        found.map(in_order)
    }

    async fn declared(&self, table: &str) -> Result<BTreeMap<String, Declared>, CatalogError> {
        let partitions = self.partitions_of(table).all(Schema::Included).await?;
        Ok(partitions.into_iter().map(table::declared).collect())
    }

    async fn put_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<Vec<String>, CatalogError> {
        self.partitions_of(table).put(format, partitions).await
    }

    async fn repair_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<(), CatalogError> {
        self.partitions_of(table).repair(format, partitions).await
    }

    async fn remove_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<String>, CatalogError> {
        self.partitions_of(table).remove(values).await
    }

    async fn views(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        self.names(prefix, view::is_view).await
    }

    async fn view(&self, name: &str) -> Result<Option<ViewState>, CatalogError> {
        let Some(read) = self.database.read(name).await? else { return Ok(None) };
        let unversioned =
            || refused(GET_TABLE, &self.database.subject(name), "the view has no VersionId");
        view::state(&read).ok_or_else(unversioned).map(Some)
    }

    async fn create_view(&self, view: &View) -> Result<(), CatalogError> {
        let input = view::new(view, &self.database.name);
        let subject = self.database.subject(&view.name);
        self.create(input.map_err(|e| refused(CREATE_TABLE, &subject, e))?).await
    }

    async fn update_view(&self, version: &str, view: &View) -> Result<(), CatalogError> {
        let read = self.read_as(&view.name, version).await?;
        let subject = self.database.subject(&view.name);
        if view::mark(&read).is_none() {
            return Err(CatalogError::Conflict(subject));
        }
        let input = view::changed(read, view, &self.database.name);
        self.update(input.map_err(|e| refused(UPDATE_TABLE, &subject, e))?, version).await
    }

    /// Glue has no conditional deletion, so the mark is read just before.
    async fn remove_view(&self, name: &str, mark: &str) -> Result<(), CatalogError> {
        let subject = self.database.subject(name);
        let Some(read) = self.database.read(name).await? else { return Ok(()) };
        if view::mark(&read) != Some(mark) {
            return Err(CatalogError::Conflict(subject));
        }
        let request = self.database.client.delete_table().database_name(&self.database.name);
        match request.name(name).send().await.map_err(|e| failure(DELETE_TABLE, &subject, e)) {
            Ok(_) | Err(CatalogError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Uses the client's own clock, which its retries use too.
    async fn pause(&self, attempt: u32) {
        if let Some(clock) = self.database.client.config().sleep_impl() {
            clock.sleep(pause::length(attempt, rand::random())).await;
        }
    }
}
