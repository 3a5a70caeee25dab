//! Completes a registry that is older than the files of its lake, from the metadata of those files.
//!
//! Existing entries of the registry do not change. If a file contradicts an entry, this is reported,
//! and the entry of the file is ignored.

use crate::registry::{EventName, Freeze, Registry};
use crate::table::{Column, Table};
use crate::types::ColumnType;
use mixlake_domain::{DataFormat, Date};

/// A file contradicts the registry about a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The registry gives the name of the event to another event.
    #[error(
        "the files name the event {event:?} {name:?}, but the registry gives that name to {other:?}"
    )]
    EventName {
        /// The event.
        event: String,
        /// Its name in the files.
        name: String,
        /// The event that has the name in the registry.
        other: String,
    },
    /// The registry gives another name to the event.
    #[error("the files name the event {event:?} {name:?}, but the registry names it {has:?}")]
    Event {
        /// The event.
        event: String,
        /// Its name in the files.
        name: String,
        /// Its name in the registry.
        has: String,
    },
    /// The registry has other values in the column.
    #[error(
        "the column {column} holds {is} in the files, but {has} in the registry: one of them belongs to another lake"
    )]
    Column {
        /// The column.
        column: String,
        /// Property and type in the files.
        is: String,
        /// Property and type in the registry.
        has: String,
    },
    /// The registry has the values in another column.
    #[error(
        "the files have {what} in the column {column}, but the registry has it in the column {has}"
    )]
    Property {
        /// Property and type.
        what: String,
        /// The column in the files.
        column: String,
        /// The column in the registry.
        has: String,
    },
    /// The table has files of another format.
    #[error("the files of the table are {is}, but the registry says {has}")]
    Format {
        /// The format of the file.
        is: &'static str,
        /// The format in the registry.
        has: &'static str,
    },
}

impl Registry {
    /// Adds an event with the name that files give it, if it is missing. Returns whether it was added.
    pub fn complete_event(
        &mut self,
        event: &str,
        name: &str,
        seen: Date,
    ) -> Result<bool, Contradiction> {
        let (event, name) = (event.to_owned(), name.to_owned());
        if let Some(has) = self.find_event(&event) {
            let has = has.name.clone();
            let same = has == name;
            return same.then_some(false).ok_or(Contradiction::Event { event, name, has });
        }
        if let Some(other) = self.events().iter().find(|other| other.name == name) {
            let other = other.event.clone();
            return Err(Contradiction::EventName { event, name, other });
        }
        self.insert_event(EventName {
            event,
            name,
            first_seen: Some(seen),
            freeze: Freeze::Open,
            renamed_from: None,
        });
        Ok(true)
    }

    /// Adds a column with the name that files give it after the columns of its table, if it is missing.
    /// Returns whether it was added.
    pub fn complete_column(
        &mut self,
        (table, format): (&str, DataFormat),
        (column, property, column_type): (&str, &str, ColumnType),
        seen: Date,
    ) -> Result<bool, Contradiction> {
        let table = self.table_or_new(table, format, &[]);
        if table.format() != format {
            let (is, has) = (format.name(), table.format().name());
            return Err(Contradiction::Format { is, has });
        }
        if let Some(has) = table.columns().iter().find(|has| has.name == column) {
            let same = has.property == property && has.column_type == column_type;
            return same.then_some(false).ok_or_else(|| Contradiction::Column {
                column: column.to_owned(),
                is: what(property, column_type),
                has: what(&has.property, has.column_type),
            });
        }
        let built_in = Table::is_built_in(column);
        if !built_in && let Some(id) = table.find(property, column_type) {
            return Err(Contradiction::Property {
                what: what(property, column_type),
                column: column.to_owned(),
                has: table.columns()[id].name.clone(),
            });
        }
        table.insert(Column {
            property: property.to_owned(),
            column_type,
            name: column.to_owned(),
            first_seen: Some(seen).filter(|_| !built_in || Table::is_overflow(column)),
            built_in,
        });
        Ok(true)
    }
}

impl Registry {
    /// Adds a column to a Parquet table whose columns Mixlake itself names, if it is missing. Returns
    /// whether it was added. The comment of a column that exists stays as it is.
    pub fn fixed_column(
        &mut self,
        table: &str,
        (name, comment, column_type): (&str, &str, ColumnType),
    ) -> Result<bool, Contradiction> {
        let table = self.table_or_new(table, DataFormat::Parquet, &[]);
        if let Some(has) = table.columns().iter().find(|has| has.name == name) {
            let same = has.column_type == column_type;
            return same.then_some(false).ok_or_else(|| Contradiction::Column {
                column: name.to_owned(),
                is: what(comment, column_type),
                has: what(&has.property, has.column_type),
            });
        }
        table.insert(Column {
            property: comment.to_owned(),
            column_type,
            name: name.to_owned(),
            first_seen: None,
            built_in: true,
        });
        Ok(true)
    }
}

fn what(property: &str, column_type: ColumnType) -> String {
    format!("{property:?} as {}", column_type.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MASTER_TABLE, Profile, Resolved, ValueType};

    #[test]
    fn a_column_that_mixlake_names_is_added_once_and_never_changes_its_type() {
        let mut registry = Registry::default();
        let wanted = ("bytes", "bytes of its files", ColumnType::Bigint);
        assert_eq!(registry.fixed_column("t", wanted), Ok(true));
        let reworded = ("bytes", "how large its files are", ColumnType::Bigint);
        assert_eq!(registry.fixed_column("t", reworded), Ok(false));
        let column = &registry.tables()["t"].columns()[0];
        assert_eq!((&*column.property, column.built_in), ("bytes of its files", true));
        let other = ("bytes", "bytes of its files", ColumnType::Number);
        assert!(matches!(registry.fixed_column("t", other), Err(Contradiction::Column { .. })));
    }

    const BUILT_IN: [(&str, &str, ColumnType); 3] = [
        ("event", "mp_event_name", ColumnType::String),
        ("time", "time", ColumnType::Timestamp),
        ("distinct_id", "distinct_id", ColumnType::String),
    ];
    const PARQUET: (&str, DataFormat) = (MASTER_TABLE, DataFormat::Parquet);

    fn day() -> Date {
        "2026-11-10".parse().unwrap()
    }

    /// A registry with an event and these properties.
    fn registry(properties: &[(&str, ValueType)]) -> Registry {
        let mut registry = Registry::default();
        registry.event("Sign Up", Profile::Portable, day());
        let table = registry.table_or_new(MASTER_TABLE, DataFormat::Parquet, &BUILT_IN);
        for &(property, value_type) in properties {
            let resolved = table.resolve(property, value_type, Profile::Portable, day());
            assert!(matches!(resolved, Resolved::Column(_)));
        }
        registry
    }

    /// Passes every name of another registry to a registry.
    fn tell(old: &mut Registry, of: &Registry) {
        for event in of.events() {
            old.complete_event(&event.event, &event.name, day()).unwrap();
        }
        for column in of.tables()[MASTER_TABLE].columns() {
            let said = (column.name.as_str(), column.property.as_str(), column.column_type);
            old.complete_column(PARQUET, said, day()).unwrap();
        }
    }

    #[test]
    fn a_registry_that_lost_its_last_names_is_the_same_again() {
        let all = [("A", ValueType::String), ("a", ValueType::String), ("A", ValueType::Number)];
        let mut whole = registry(&all);
        let mut old = registry(&all[..1]);
        whole.event("sign up", Profile::Portable, day());
        let table = whole.table_mut(MASTER_TABLE).unwrap();
        table.overflow_column(day());
        tell(&mut old, &whole);
        assert_eq!(old, whole);
        tell(&mut old, &whole);
        assert_eq!(old, whole, "told twice");
    }

    #[test]
    fn a_table_that_is_not_there_comes_with_its_built_in_columns() {
        let whole = registry(&[("A", ValueType::String)]);
        let mut none = Registry::default();
        tell(&mut none, &whole);
        assert_eq!(none, whole);
    }

    #[test]
    fn what_the_registry_has_is_neither_renamed_nor_retyped() {
        let before = registry(&[("A", ValueType::String)]);
        let mut registry = before.clone();
        let text = ColumnType::String;
        for said in [("a", "B", text), ("a", "A", ColumnType::Number), ("b", "A", text)] {
            assert!(registry.complete_column(PARQUET, said, day()).is_err(), "{said:?}");
        }
        let json = (MASTER_TABLE, DataFormat::Json);
        assert!(registry.complete_column(json, ("b", "B", text), day()).is_err());
        for (event, name) in [("Sign Up", "other"), ("other", "sign_up")] {
            assert!(registry.complete_event(event, name, day()).is_err(), "{event}");
        }
        assert_eq!(registry, before);
    }
}
