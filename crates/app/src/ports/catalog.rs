//! Where tables are described.

use mixlake_domain::{DataFormat, Partitioning};
use std::collections::BTreeMap;
use std::fmt;

/// A data catalog: one database of it.
///
/// Tables only grow. Everything on a table that is not named here (parameters, comments, owner,
/// columns of other people) survives every call.
#[async_trait::async_trait]
pub trait Catalog: Send + Sync {
    /// The names of the tables that start with the prefix, in order.
    async fn tables(&self, prefix: &str) -> Result<Vec<String>, CatalogError>;

    /// A table as it is now; `None` if there is none.
    async fn table(&self, name: &str) -> Result<Option<TableState>, CatalogError>;

    /// Creates a table; [`CatalogError::Conflict`] if it exists.
    async fn create_table(&self, table: &NewTable) -> Result<(), CatalogError>;

    /// Appends columns to the end of the table and changes its memo, if it still has that version;
    /// [`CatalogError::Conflict`] if it has moved on. Without columns nothing happens.
    async fn append_columns(
        &self,
        table: &str,
        version: &str,
        columns: &[Column],
        memo: &str,
    ) -> Result<(), CatalogError>;

    /// Gives a table the columns, in this order, the folder, the format and the memo of `to`, if it
    /// still has that version; [`CatalogError::Conflict`] if it has moved on. A column that keeps
    /// its name keeps what others put on it.
    async fn repair_table(&self, version: &str, to: &NewTable) -> Result<(), CatalogError>;

    /// Points a table without partitions to another folder, if it still has that version;
    /// [`CatalogError::Conflict`] if it has moved on. All else on it stays.
    async fn move_table(
        &self,
        table: &str,
        version: &str,
        location: &str,
    ) -> Result<(), CatalogError>;

    /// The partitions with these values; those that do not exist are left out.
    /// With no values given: all partitions. In the order of their values.
    async fn partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>, CatalogError>;

    /// What partitions declare for themselves, by value.
    async fn declared(&self, table: &str) -> Result<BTreeMap<String, Declared>, CatalogError>;

    /// Adds the partitions, or moves those that exist to the location given, and has them read in
    /// the format given. Any number of them. Answers the values for which anything had to be done, in
    /// order.
    async fn put_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<Vec<String>, CatalogError>;

    /// Makes partitions that exist as a new one would be: location, format, no columns of its own.
    /// All else on them stays.
    async fn repair_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<(), CatalogError>;

    /// Removes partitions by value; they need not exist. Any number of them. Answers the values of
    /// those that did, in order.
    async fn remove_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<String>, CatalogError>;

    /// Waits before a table that somebody else changed is read again: longer each time, and never
    /// as long as another function that was refused at the same moment.
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
    /// How engines are told to read its files.
    pub format: Format,
    /// What the use-cases noted on it at their last change.
    pub memo: Option<String>,
}

/// How engines are told to read the files of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// As files of the lake.
    Lake(DataFormat),
    /// In another way, in the catalog's words.
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
    /// What it is partitioned by; each key is a string.
    pub partitioning: Partitioning,
    /// The format of its files.
    pub format: DataFormat,
    /// What the table holds, for people.
    pub description: String,
    /// What the use-cases note on it, for themselves.
    pub memo: String,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The value of `mp_date`: `2026-11-10`.
    pub value: String,
    /// The folder that holds its files.
    pub location: String,
}

/// What a partition declares for itself. Engines go by it, and not by the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its columns; ours have none, and so cannot disagree with the table.
    pub columns: Vec<Column>,
    /// How engines are told to read its files.
    pub format: Format,
}

/// Why the catalog did not do it.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Somebody else was faster: read again, and decide again.
    #[error("{0} was changed by somebody else at the same time")]
    Conflict(String),
    /// The database, or the table to change, is not there.
    #[error("{0} does not exist in the catalog")]
    NotFound(String),
    /// What it keeps of the table cannot be read.
    #[error("{subject} is damaged in the catalog")]
    Damaged {
        /// The table.
        subject: String,
        /// What is wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It does not take what it was asked to put: a smaller part of that may be to blame.
    #[error("cannot {action} {subject}{}", hint.as_deref().map(|h| format!(": {h}")).unwrap_or_default())]
    Refused {
        /// `create`, `update` or `delete`.
        action: &'static str,
        /// The table or partitions.
        subject: String,
        /// What a person should look at, where the adapter knows.
        hint: Option<String>,
        /// The error below.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The call failed, and would with anything else.
    #[error("cannot {action} {subject}{}", hint.as_deref().map(|h| format!(": {h}")).unwrap_or_default())]
    Failed {
        /// `read`, `create`, `update` or `delete`.
        action: &'static str,
        /// The database, table or partition.
        subject: String,
        /// What a person should look at, where the adapter knows.
        hint: Option<String>,
        /// The error below.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}
