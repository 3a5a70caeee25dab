//! The database and its client, which the calls for tables and for partitions share.

use crate::failure::{GET_TABLE, failure};
use aws_sdk_glue::Client;
use aws_sdk_glue::types::Table;
use mixlake_app::ports::CatalogError;

/// A database of the Glue Data Catalog.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Database {
    /// What an error calls a table.
    pub(crate) fn subject(&self, table: &str) -> String {
        format!("table {}.{table}", self.name)
    }

    /// What an error calls the database.
    pub(crate) fn own_subject(&self) -> String {
        format!("database {}", self.name)
    }

    /// `None` also if the database does not exist: creating the table will report that.
    pub(crate) async fn read(&self, table: &str) -> Result<Option<Table>, CatalogError> {
        let request = self.client.get_table().database_name(&self.name).name(table);
        match request.send().await.map_err(|e| failure(GET_TABLE, &self.subject(table), e)) {
            Ok(answer) => Ok(answer.table),
            Err(CatalogError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
