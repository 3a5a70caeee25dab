//! Describes tables of a lake for those who write queries: days that have rows, columns that have values,
//! and columns of JSON text.
//!
//! It reads the registry, some manifests, and footers or first rows of some files, never a whole file.

mod bounds;
mod description;
mod json_text;

pub use description::{Description, JsonColumn, TableDescription};
pub use json_text::JsonText;

use crate::document::DocumentError;
use crate::manifest::Manifest;
use crate::ports::{ObjectStore, StoreError};
use crate::registry::{self, UnusableRegistry};
use mixlake_columnar::{FooterError, TextBounds};
use mixlake_domain::{Dataset, Date, LakeObject, Layout, ProjectId, TableName, Target};
use mixlake_schema::{Column, EventName, MASTER_TABLE, Registry, Table};
use std::collections::BTreeMap;

/// The most days with rows that are searched for JSON text, from the newest on.
const DAYS: usize = 7;

/// The most files of a table that are looked into.
const FILES: usize = 64;

const EVENT_NAME: &str = "mp_event_name";

/// Describes the tables of a project.
#[derive(Clone, Copy)]
pub struct Describer<'a> {
    /// The store of the lake.
    pub store: &'a dyn ObjectStore,
    /// Where in the store.
    pub layout: &'a Layout,
    /// The project.
    pub project: &'a ProjectId,
}

/// A lake cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] UnusableRegistry),
    /// A live file cannot be read.
    #[error("{location} is no data file of this lake; `mixlake doctor` says what to do")]
    Footer {
        /// Its location.
        location: String,
        /// What is wrong.
        #[source]
        cause: FooterError,
    },
}

impl Describer<'_> {
    /// Describes the table of all events and the first table of a single event that has rows.
    pub async fn describe(&self) -> Result<Description, DescribeError> {
        let registry = self.registry().await?;
        let mut tables = Vec::new();
        if let Some(first) = registry.events().first() {
            tables.extend(self.table(MASTER_TABLE, first, &registry).await?);
        }
        for event in registry.events() {
            let found = self.table(&event.name, event, &registry).await?;
            let is_found = found.is_some();
            tables.extend(found);
            if is_found {
                break;
            }
        }
        Ok(Description { zone: registry.zone().map(str::to_owned), tables })
    }

    async fn registry(&self) -> Result<Registry, DescribeError> {
        let read =
            registry::read::<DescribeError>(self.store, self.layout, Dataset::Events, self.project);
        Ok(read.await?.value.unwrap_or_default())
    }

    /// None if the table has no rows.
    async fn table(
        &self,
        name: &str,
        event: &EventName,
        registry: &Registry,
    ) -> Result<Option<TableDescription>, DescribeError> {
        let Some(known) = registry.tables().get(name) else { return Ok(None) };
        let Ok(table) = name.parse::<TableName>() else { return Ok(None) };
        let dates = self.dates(&table).await?;
        let days = self.newest_days(&table, &dates).await?;
        let (Some(first), Some((last, newest))) = (dates.first(), days.first()) else {
            return Ok(None);
        };
        let has_values =
            |column: &&Column| newest.files.iter().any(|file| file.columns.contains(&column.name));
        let columns: Vec<Column> = known.columns().iter().filter(has_values).cloned().collect();
        let mut files_left = FILES;
        let bounds = self.bounds(newest, &mut files_left).await?;
        let event_value = bounds.get(EVENT_NAME).filter(|bounds| bounds.min_is_exact);
        Ok(Some(TableDescription {
            event: event.clone(),
            event_value: event_value.map(|bounds| bounds.min.clone()),
            first: *first,
            last: *last,
            json: self.json(known, &days, bounds, files_left).await?,
            columns,
            table,
        }))
    }

    /// The days of a table that have a manifest, in order.
    async fn dates(&self, table: &TableName) -> Result<Vec<Date>, DescribeError> {
        let objects = self.store.list(&self.layout.table(table)).await?;
        let keys = objects.iter().filter_map(|object| self.layout.read(&object.key));
        let manifests = keys.filter(|key| key.object == LakeObject::Manifest);
        Ok(manifests.filter_map(|key| key.target.date).collect())
    }

    /// The newest days that have rows, the newest first.
    async fn newest_days(
        &self,
        table: &TableName,
        dates: &[Date],
    ) -> Result<Vec<(Date, Manifest)>, DescribeError> {
        let mut days = Vec::new();
        for &date in dates.iter().rev() {
            let target = Target::day(table.clone(), date);
            let read = Manifest::read(self.store, self.layout, &target).await?;
            let rows = |manifest: &Manifest| manifest.files.iter().any(|file| file.rows > 0);
            days.extend(read.value.filter(rows).map(|manifest| (date, manifest)));
            if days.len() == DAYS {
                break;
            }
        }
        Ok(days)
    }

    /// The newest column of objects and the newest one of lists.
    async fn json(
        &self,
        known: &Table,
        days: &[(Date, Manifest)],
        newest: BTreeMap<String, TextBounds>,
        mut files_left: usize,
    ) -> Result<Vec<JsonColumn>, DescribeError> {
        let mut found = Found::default();
        let mut bounds = newest;
        for (index, (date, manifest)) in days.iter().enumerate() {
            if index > 0 {
                bounds = self.bounds(manifest, &mut files_left).await?;
            }
            for column in known.columns() {
                let text = bounds.get(&column.name).and_then(JsonText::of);
                found.take(text, &column.name, *date);
            }
            if found.is_complete() {
                break;
            }
        }
        Ok(found.object.into_iter().chain(found.list).collect())
    }
}

/// The first column of each kind.
#[derive(Default)]
struct Found {
    object: Option<JsonColumn>,
    list: Option<JsonColumn>,
}

impl Found {
    fn take(&mut self, text: Option<JsonText>, column: &str, date: Date) {
        let place = match text {
            Some(JsonText::Object(_)) => &mut self.object,
            Some(JsonText::List) => &mut self.list,
            None => return,
        };
        let column = column.to_owned();
        *place = place.take().or(text.map(|text| JsonColumn { column, date, text }));
    }

    fn is_complete(&self) -> bool {
        self.object.is_some() && self.list.is_some()
    }
}
