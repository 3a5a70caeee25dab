//! Where tables are described.

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

    /// Appends columns to the end of the table, if it still has that version;
    /// [`CatalogError::Conflict`] if it has moved on.
    async fn append_columns(
        &self,
        table: &str,
        version: &str,
        columns: &[Column],
    ) -> Result<(), CatalogError>;

    /// The partitions with these values; those that do not exist are left out.
    /// With no values given: all partitions. In the order of their values.
    async fn partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>, CatalogError>;

    /// Adds the partitions, or moves those that exist to the location given. Any number of them.
    async fn put_partitions(
        &self,
        table: &str,
        partitions: &[Partition],
    ) -> Result<(), CatalogError>;

    /// Removes partitions by value; they need not exist. Any number of them.
    async fn remove_partitions(&self, table: &str, values: &[String]) -> Result<(), CatalogError>;
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
}

/// A Parquet table to create, partitioned by `mp_date string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// The name.
    pub name: String,
    /// The columns in order, without the partition key.
    pub columns: Vec<Column>,
    /// The folder of the table.
    pub location: String,
    /// What the table holds, for people.
    pub description: String,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// The value of `mp_date`: `2026-11-10`.
    pub value: String,
    /// The folder that holds its files.
    pub location: String,
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
    /// The call failed.
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
