//! The names that a file records in its footer.

use mixlake_domain::{ProjectId, SliceLabel};
use mixlake_schema::{ColumnType, Registry};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// The names that a file records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedNames {
    pub slice: SliceLabel,
    /// Name, property and type of each column, in order.
    pub columns: Vec<(String, String, ColumnType)>,
    /// Its events and their names, in order.
    pub events: Vec<(String, String)>,
}

impl RecordedNames {
    /// Reads the names from a file of a table. `None` if they are missing or incomplete: an older
    /// version of Mixlake, or somebody else, wrote the file.
    pub(super) fn of(
        notes: &BTreeMap<String, String>,
        project: &ProjectId,
        table: &str,
    ) -> Option<Self> {
        if notes.get("project")? != project.as_str() || notes.get("table")? != table {
            return None;
        }
        let columns = serde_json::from_str(notes.get("columns")?).ok()?;
        let events = match notes.get("event") {
            Some(event) => vec![(event.clone(), table.to_owned())],
            None => serde_json::from_str::<Members>(notes.get("events")?).ok()?.0,
        };
        let slice = notes.get("slice")?.clone().try_into().ok()?;
        Some(Self { slice, columns, events })
    }

    /// Whether a registry lacks any of these names, or has others.
    pub(super) fn is_news(&self, registry: &Registry, table: &str) -> bool {
        let known = registry.tables().get(table);
        let known: HashSet<(&str, &str, ColumnType)> = known
            .iter()
            .flat_map(|table| table.columns())
            .map(|c| (c.name.as_str(), c.property.as_str(), c.column_type))
            .collect();
        let is_known = |(column, property, of_type): &(String, String, ColumnType)| {
            known.contains(&(column.as_str(), property.as_str(), *of_type))
        };
        !self.columns.iter().all(is_known)
            || self.events.iter().any(|(event, name)| {
                registry.find_event(event).is_none_or(|known| known.name != *name)
            })
    }
}

/// The members of a JSON object in their order.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Visit)
    }
}
