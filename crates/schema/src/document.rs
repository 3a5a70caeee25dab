//! The registry as a public document, `schema/events.json`: rule 11.
//!
//! People read it to find a column, and programs use it to map columns to properties. So it is
//! indented, in the order in which names were given, and contains nothing that changes from run to run.

use crate::registry::{EventName, Freeze, Registry};
use crate::table::Column;
use crate::types::ColumnType;
use mixlake_domain::{DataFormat, Date, ProjectId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The only version of the format so far.
const FORMAT: u32 = 1;

/// The document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It is not JSON of this format.
    #[error("the document is not a registry")]
    Malformed(#[from] serde_json::Error),
    /// A later version of Mixlake wrote it.
    #[error(
        "the registry has format {0}; this version of Mixlake reads format {FORMAT}: use a newer version"
    )]
    Newer(u32),
    /// It belongs to another project.
    #[error("the registry belongs to project {0:?}")]
    OtherProject(String),
}

#[derive(Serialize, Deserialize)]
struct RegistryDocument {
    format: u32,
    project_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ingestion_start: Option<Date>,
    events: Vec<EventEntry>,
    tables: BTreeMap<String, TableEntry>,
}

#[derive(Serialize, Deserialize)]
struct EventEntry {
    event: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_seen: Option<Date>,
    /// For a frozen event: how many columns of its table it uses, counted from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frozen_at: Option<usize>,
    /// The name that it had before, which was hidden from query engines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renamed_from: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct TableEntry {
    /// Parquet, if it is missing.
    #[serde(default, skip_serializing_if = "is_parquet")]
    format: DataFormat,
    columns: Vec<ColumnEntry>,
}

#[derive(Serialize, Deserialize)]
struct ColumnEntry {
    column: String,
    property: String,
    r#type: ColumnType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_seen: Option<Date>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    built_in: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_parquet(format: &DataFormat) -> bool {
    *format == DataFormat::Parquet
}

impl Registry {
    /// Reads the document of a project.
    pub fn from_document(bytes: &[u8], project: &ProjectId) -> Result<Self, RegistryError> {
        let document: RegistryDocument = serde_json::from_slice(bytes)?;
        if document.format != FORMAT {
            return Err(RegistryError::Newer(document.format));
        }
        if document.project_id != project.as_str() {
            return Err(RegistryError::OtherProject(document.project_id));
        }
        let mut registry = Self::default();
        if let Some(zone) = document.timezone {
            registry.set_zone(&zone);
        }
        registry.set_ingestion_start(document.ingestion_start);
        for EventEntry { event, name, first_seen, frozen_at, renamed_from } in document.events {
            let freeze = frozen_at.map_or(Freeze::Open, Freeze::At);
            registry.insert_event(EventName { event, name, first_seen, freeze, renamed_from });
        }
        for (name, table) in document.tables {
            let columns = table.columns.into_iter().map(|c| Column {
                property: c.property,
                column_type: c.r#type,
                name: c.column,
                first_seen: c.first_seen,
                built_in: c.built_in,
            });
            registry.insert_table(name, table.format, columns.collect());
        }
        Ok(registry)
    }

    /// Writes the document; equal registries give equal bytes.
    #[must_use]
    pub fn to_document(&self, project: &ProjectId) -> Vec<u8> {
        let events = self.events().iter().map(|e| EventEntry {
            event: e.event.clone(),
            name: e.name.clone(),
            first_seen: e.first_seen,
            frozen_at: match e.freeze {
                Freeze::At(columns) => Some(columns),
                Freeze::Open | Freeze::Thawed => None,
            },
            renamed_from: e.renamed_from.clone(),
        });
        let column = |c: &Column| ColumnEntry {
            column: c.name.clone(),
            property: c.property.clone(),
            r#type: c.column_type,
            first_seen: c.first_seen,
            built_in: c.built_in,
        };
        let tables = self.tables().iter().map(|(name, table)| {
            let columns = table.columns().iter().map(column).collect();
            (name.clone(), TableEntry { format: table.format(), columns })
        });
        let document = RegistryDocument {
            format: FORMAT,
            project_id: project.to_string(),
            timezone: self.zone().map(str::to_owned),
            ingestion_start: self.ingestion_start(),
            events: events.collect(),
            tables: tables.collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&document)
            .expect("strings, numbers and lists can always be written as JSON");
        bytes.push(b'\n');
        bytes
    }
}
