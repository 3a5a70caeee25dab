//! The catalog that describes tables.

use super::{View, ViewState};
use mixlake_domain::{DataFormat, Partitioning};
use std::collections::BTreeMap;
use std::fmt;

/// One database of a data catalog.
///
/// Tables only grow. Everything on a table that is not named here (parameters, comments, owner, columns
/// that others added) survives every call.
#[async_trait::async_trait]
pub trait Catalog: Send + Sync {
    /// The names of the tables that start with the prefix, in order. Views are none.
    async fn tables(&self, prefix: &str) -> Result<Vec<String>, CatalogError>;

    /// A table as it is now; `None` if there is none.
    async fn table(&self, name: &str) -> Result<Option<TableState>, CatalogError>;

    /// Creates a table. Returns [`CatalogError::Conflict`] if it exists.
    async fn create_table(&self, table: &NewTable) -> Result<(), CatalogError>;

    /// Appends columns to the end of the table and changes its memo, if it still has that version;
    /// otherwise [`CatalogError::Conflict`]. Without columns nothing happens.
    async fn append_columns(
        &self,
        table: &str,
        version: &str,
        columns: &[Column],
        memo: &str,
    ) -> Result<(), CatalogError>;

    /// Gives a table the columns, in this order, the folder, the format and the memo of `to`, if it
    /// still has that version; otherwise [`CatalogError::Conflict`]. A column that keeps its name keeps
    /// what others added to it.
    async fn repair_table(&self, version: &str, to: &NewTable) -> Result<(), CatalogError>;

    /// Points a table without partitions to another folder, if it still has that version; otherwise
    /// [`CatalogError::Conflict`]. Everything else on it stays.
    async fn move_table(
        &self,
        table: &str,
        version: &str,
        location: &str,
    ) -> Result<(), CatalogError>;

    /// The partitions with these values, sorted by value. Missing partitions are left out. Without
    /// values: all partitions.
    async fn partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>, CatalogError>;

    /// The columns and formats of the partitions, by value.
    async fn declared(&self, table: &str) -> Result<BTreeMap<String, Declared>, CatalogError>;

    /// Adds partitions, or sets the location and format of existing ones. Any number of them. Returns
    /// the values of the partitions that had to change, sorted.
    async fn put_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<Vec<String>, CatalogError>;

    /// Gives existing partitions the location and format of new ones, and removes their own columns.
    /// Everything else on them stays.
    async fn repair_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<(), CatalogError>;

    /// Removes partitions by value. They need not exist. Any number of them. Returns the values of those
    /// that existed, sorted.
    async fn remove_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<String>, CatalogError>;

    /// The names of the views that start with the prefix, in order. Others may have made some of them.
    async fn views(&self, prefix: &str) -> Result<Vec<String>, CatalogError>;

    /// What has the name of a view; `None` if nothing has it.
    async fn view(&self, name: &str) -> Result<Option<ViewState>, CatalogError>;

    /// Creates a view. Returns [`CatalogError::Conflict`] if a view or a table has its name.
    async fn create_view(&self, view: &View) -> Result<(), CatalogError>;

    /// Gives a view this query, these columns and this mark, if it still has that version; otherwise
    /// [`CatalogError::Conflict`]. Everything else on it stays.
    async fn update_view(&self, version: &str, view: &View) -> Result<(), CatalogError>;

    /// Removes a view, if it still has this mark; otherwise [`CatalogError::Conflict`]. It need not exist.
    async fn remove_view(&self, name: &str, mark: &str) -> Result<(), CatalogError>;

    /// Waits before a table that somebody else changed is read again. The wait grows with each attempt
    /// and is random, so that functions that conflicted do not retry together.
    async fn pause(&self, attempt: u32);
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The Hive type: `string`, `double`, `boolean`, `timestamp`, `bigint`.
    pub hive_type: String,
    /// The comment: the property's original name.
    pub comment: Option<String>,
}

/// A table as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableState {
    /// The version to compare and swap with.
    pub version: String,
    /// The columns in order, without the partition keys.
    pub columns: Vec<Column>,
    /// The names of the partition keys.
    pub partition_keys: Vec<String>,
    /// The folder of the table.
    pub location: String,
    /// The format of its files.
    pub format: Format,
    /// The note that the use cases wrote at their last change.
    pub memo: Option<String>,
}

/// The format of the files of a table, as the catalog declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// A format of the lake.
    Lake(DataFormat),
    /// Another format, as the catalog names it.
    Other(String),
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lake(format) => format.fmt(f),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// A table to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// The name.
    pub name: String,
    /// The columns in order, without the partition key.
    pub columns: Vec<Column>,
    /// The folder of the table, or the live generation of a table without partitions.
    pub location: String,
    /// How it is partitioned. Each key is a string.
    pub partitioning: Partitioning,
    /// The format of its files.
    pub format: DataFormat,
    /// A description for people.
    pub description: String,
    /// A note of the use cases for themselves.
    pub memo: String,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The value of `mp_date`: `2026-11-10`.
    pub value: String,
    /// The folder with its files.
    pub location: String,
}

/// The declarations of a partition. Engines use these and not the table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its columns. Mixlake's partitions have none, so they cannot contradict the table.
    pub columns: Vec<Column>,
    /// The format of its files.
    pub format: Format,
}

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Somebody else was faster. Read and decide again.
    #[error("somebody else changed {0} at the same time")]
    Conflict(String),
    /// The database, or the table to change, does not exist.
    #[error("{0} does not exist in the catalog")]
    NotFound(String),
    /// The stored table cannot be read.
    #[error("{subject} is damaged in the catalog")]
    Damaged {
        /// The table.
        subject: String,
        /// What is wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It refuses the content. A smaller part of the content may be accepted.
    #[error("cannot {action} {subject}{}", hint.as_deref().map(|h| format!(": {h}")).unwrap_or_default())]
    Refused {
        /// `create`, `update` or `delete`.
        action: &'static str,
        /// The table or partitions.
        subject: String,
        /// A hint for the user, if the adapter has one.
        hint: Option<String>,
        /// The cause.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The call failed, and would fail with any content.
    #[error("cannot {action} {subject}{}", hint.as_deref().map(|h| format!(": {h}")).unwrap_or_default())]
    Failed {
        /// `read`, `create`, `update` or `delete`.
        action: &'static str,
        /// The database, table or partition.
        subject: String,
        /// A hint for the user, if the adapter has one.
        hint: Option<String>,
        /// The cause.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}
