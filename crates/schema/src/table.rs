//! A table: each property of each type has a column, in the order in which they were first seen.

use crate::names::clean;
use crate::types::{ColumnType, ValueType};
use crate::used_names::UsedNames;
use crate::{PARTITION_KEY, Profile};
use mixlake_domain::{DataFormat, Date};
use std::collections::HashMap;

/// The position of a column in its table.
pub type ColumnId = usize;

/// The columns of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    format: DataFormat,
    columns: Vec<Column>,
    /// The approximate size of the columns in a catalog's definition of the table, in bytes.
    definition: usize,
    used: UsedNames,
    by_property: HashMap<String, Vec<ColumnId>>,
    overflow: Option<ColumnId>,
}

/// A column and where its values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The original name of the property; for a built-in column, the part of the event.
    pub property: String,
    /// The type. It never changes.
    pub column_type: ColumnType,
    /// The name. It never changes.
    pub name: String,
    /// The date of the first slice that had it.
    pub first_seen: Option<Date>,
    /// Whether every table has the column from the start.
    pub built_in: bool,
}

/// Where the values of a property and type are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// Into their own column.
    Column(ColumnId),
    /// The table is full: under the original name, in the JSON text of this column.
    Overflow(ColumnId),
}

/// The name of the column that holds the properties without a column of their own.
pub(crate) const OVERFLOW: &str = "mp_properties";

/// The size of a column in a definition, without its name, type and comment: keys and punctuation.
const COLUMN_BYTES: usize = 40;

/// The longest comment, in UTF-16 units, because catalogs count in them.
const COMMENT_UNITS: usize = 255;

/// The size of the overflow column in a definition.
const OVERFLOW_BYTES: usize = COLUMN_BYTES + 2 * OVERFLOW.len() + "string".len();

/// Names that no property gets, because built-in columns have them, whether the table has those or not.
const TAKEN: [&str; 5] = ["mp_event_name", "time", "distinct_id", OVERFLOW, PARTITION_KEY];

impl Column {
    /// The approximate size in a catalog's definition of the table, in bytes.
    fn definition(&self) -> usize {
        let comment = comment_bytes(&self.property);
        COLUMN_BYTES + self.name.len() + self.column_type.hive().len() + comment
    }

    /// The largest size that a column can have there.
    fn most_definition(profile: Profile) -> usize {
        // A unit takes at most three bytes.
        COLUMN_BYTES + profile.name_bytes() + "timestamp".len() + 3 * COMMENT_UNITS
    }
}

/// The bytes of a comment.
fn comment_bytes(text: &str) -> usize {
    let mut units = 0;
    let fitting = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= COMMENT_UNITS
    });
    fitting.map(char::len_utf8).sum()
}

impl Table {
    /// A table with its built-in columns, given as (property, name, type).
    pub(crate) fn new(format: DataFormat, built_in: &[(&str, &str, ColumnType)]) -> Self {
        let mut table = Self { format, ..Self::default() };
        for name in TAKEN {
            table.used.insert(name.to_owned());
        }
        for &(property, name, column_type) in built_in {
            table.insert(Column {
                property: property.to_owned(),
                column_type,
                name: name.to_owned(),
                first_seen: None,
                built_in: true,
            });
        }
        table
    }

    /// Whether a column with this name is built in.
    pub(crate) fn is_built_in(name: &str) -> bool {
        TAKEN.contains(&name) && name != PARTITION_KEY
    }

    /// Whether a column is the overflow column.
    pub(crate) fn is_overflow(name: &str) -> bool {
        name == OVERFLOW
    }

    /// The format of its files. It never changes.
    #[must_use]
    pub fn format(&self) -> DataFormat {
        self.format
    }

    /// The columns in the order in which they were added.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of a property and type.
    #[must_use]
    pub fn find(&self, property: &str, column_type: ColumnType) -> Option<ColumnId> {
        let of_property = self.by_property.get(property)?;
        of_property.iter().copied().find(|&id| self.columns[id].column_type == column_type)
    }

    /// Adds a column unchanged; used to read a registry and for built-in columns.
    pub(crate) fn insert(&mut self, column: Column) -> ColumnId {
        let id = self.columns.len();
        self.definition += column.definition();
        self.used.insert(column.name.clone());
        if column.built_in {
            if column.name == OVERFLOW {
                self.overflow = Some(id);
            }
        } else {
            self.by_property.entry(column.property.clone()).or_default().push(id);
        }
        self.columns.push(column);
        id
    }

    /// The column of a property and type; a new one is added now.
    pub fn resolve(
        &mut self,
        property: &str,
        value_type: ValueType,
        profile: Profile,
        seen: Date,
    ) -> Resolved {
        if let Some(id) = self.find(property, value_type.into()) {
            return Resolved::Column(id);
        }
        if self.is_full(profile) {
            return Resolved::Overflow(self.overflow_column(seen));
        }
        let name = self.new_name(property, value_type, profile.name_bytes());
        Resolved::Column(self.insert(Column {
            property: property.to_owned(),
            column_type: value_type.into(),
            name,
            first_seen: Some(seen),
            built_in: false,
        }))
    }

    /// Whether no more columns are added: the largest possible column would not fit, including the
    /// overflow column if it does not exist yet. So a full table stays full, however short the next
    /// name is.
    fn is_full(&self, profile: Profile) -> bool {
        let kept = usize::from(self.overflow.is_none());
        let bytes = self.definition + Column::most_definition(profile) + kept * OVERFLOW_BYTES;
        self.columns.len() + kept >= profile.columns()
            || profile.definition_bytes().is_some_and(|most| bytes > most)
    }

    /// The overflow column, added if it does not exist.
    pub fn overflow_column(&mut self, seen: Date) -> ColumnId {
        if let Some(id) = self.overflow {
            return id;
        }
        self.insert(Column {
            property: OVERFLOW.to_owned(),
            column_type: ColumnType::String,
            name: OVERFLOW.to_owned(),
            first_seen: Some(seen),
            built_in: true,
        })
    }

    /// The first type of a property gets the plain name, a later type the plain name with a suffix.
    fn new_name(&mut self, property: &str, value_type: ValueType, limit: usize) -> String {
        let first = self.by_property.get(property).and_then(|ids| ids.first());
        match first {
            Some(&id) => self.used.free(&self.columns[id].name, value_type.suffix(), limit),
            None => self.used.free(&clean(property, limit), "", limit),
        }
    }

    /// Adds another registry's column to this table; none if the table is full.
    pub(crate) fn adopt(&mut self, column: &Column, profile: Profile) -> Option<ColumnId> {
        let seen = column.first_seen.unwrap_or_default();
        let value_type = match column.column_type {
            ColumnType::String => ValueType::String,
            ColumnType::Number => ValueType::Number,
            ColumnType::Boolean => ValueType::Boolean,
            ColumnType::Timestamp | ColumnType::Bigint => return self.built_in(column),
        };
        if column.built_in {
            return match column.name.as_str() {
                OVERFLOW => Some(self.overflow_column(seen)),
                _ => self.built_in(column),
            };
        }
        match self.resolve(&column.property, value_type, profile, seen) {
            Resolved::Column(id) => Some(id),
            Resolved::Overflow(_) => None,
        }
    }

    fn built_in(&self, wanted: &Column) -> Option<ColumnId> {
        self.columns.iter().position(|c| {
            c.built_in && c.name == wanted.name && c.column_type == wanted.column_type
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_counts_with_the_bytes_that_a_catalog_gets() {
        assert_eq!(comment_bytes("plan"), 4);
        assert_eq!(comment_bytes(&"名".repeat(300)), 765);
        assert_eq!(comment_bytes(&"x".repeat(300)), 255);
        assert_eq!(comment_bytes(&"\u{1f600}".repeat(300)), 127 * 4, "two units each");
    }
}
