//! What is told of tables.

use super::JsonText;
use mixlake_domain::{Date, TableName};
use mixlake_schema::{Column, EventName};

/// Tables of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The zone of the project's days.
    pub zone: Option<String>,
    /// The table of all events, and one table of a single event: those of them that have rows.
    pub tables: Vec<TableDescription>,
}

/// A table with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDescription {
    /// The name, without a catalog's prefix.
    pub table: TableName,
    /// The event of a table of one event; an event of the table of all events.
    pub event: EventName,
    /// A value of `mp_event_name` in the newest day, if one is known.
    pub event_value: Option<String>,
    /// The first day that has a manifest.
    pub first: Date,
    /// The newest day that has rows.
    pub last: Date,
    /// The columns that have values in the newest day, in the order of the table.
    pub columns: Vec<Column>,
    /// A column of objects and a column of lists, if there are any.
    pub json: Vec<JsonColumn>,
}

/// A column all of whose values are JSON text on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonColumn {
    /// The name.
    pub column: String,
    /// The day.
    pub date: Date,
    /// What the values are.
    pub text: JsonText,
}
