//! Views in the catalog.

use mixlake_schema::ColumnType;
use serde_json::json;

/// A view to create, or the definition to give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The name.
    pub name: String,
    /// The query. It names tables without a database: they are in the view's own.
    pub sql: String,
    /// The columns that the query gives, in order. Names are in lower case.
    pub columns: Vec<ViewColumn>,
    /// The note by which Mixlake knows its own views and their definition.
    pub mark: String,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewColumn {
    /// The name, in lower case.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
    /// The original name of the property.
    pub comment: Option<String>,
}

/// What has the name of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewState {
    /// The version to compare and swap with.
    pub version: String,
    /// The note that Mixlake wrote. `None`: a table, or a view that somebody else made.
    pub mark: Option<String>,
}

/// The catalog in which Athena finds the tables of Glue.
const ENGINE_CATALOG: &str = "awsdatacatalog";

impl View {
    /// The definition that Athena and Trino read.
    #[must_use]
    pub fn definition(&self, database: &str) -> String {
        let column = |column: &ViewColumn| json!({"name": column.name, "type": presto_type(column.column_type)});
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        json!({
            "originalSql": self.sql,
            "catalog": ENGINE_CATALOG,
            "schema": database,
            "columns": columns,
        })
        .to_string()
    }
}

/// The name of a type in Athena and Trino.
pub(crate) fn presto_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::String => "varchar",
        ColumnType::Number => "double",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp(3)",
        ColumnType::Bigint => "bigint",
    }
}
