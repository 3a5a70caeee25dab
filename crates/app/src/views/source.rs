//! A table that views show: the columns of the registry that the catalog has.

use crate::ports::{Column, TableState};
use mixlake_schema::{self as schema, Table};
use std::collections::HashMap;

/// A table that views show.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The name in the lake.
    pub table: &'a str,
    /// The names and types of its columns.
    pub known: &'a Table,
    /// The table in the catalog.
    pub state: &'a TableState,
}

impl<'a> Source<'a> {
    /// The positions in the registry of the columns that the catalog has, in the order of the catalog. Columns
    /// that others added are none of them, and a column whose type somebody changed is left out.
    pub(super) fn present(&self) -> Vec<usize> {
        let known = self.known.columns().iter().enumerate();
        let known: HashMap<&str, usize> =
            known.map(|(position, column)| (column.name.as_str(), position)).collect();
        let position = |column: &Column| {
            let position = *known.get(column.name.to_lowercase().as_str())?;
            let hive_type = self.known.columns()[position].column_type.hive();
            column.hive_type.eq_ignore_ascii_case(hive_type).then_some(position)
        };
        self.state.columns.iter().filter_map(position).collect()
    }

    /// The column at a position of the registry.
    pub(super) fn column(&self, position: usize) -> &'a schema::Column {
        &self.known.columns()[position]
    }

    /// Whether the catalog has a column of this name as the registry has it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.present().into_iter().any(|position| self.column(position).name == name)
    }
}
