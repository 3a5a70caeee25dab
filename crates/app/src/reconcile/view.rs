//! What the catalog has, for people and programs to look at.

use super::{ReconcileError, Reconciler};
use crate::manifest::Manifest;
use mixlake_domain::Date;
use serde::Serialize;

/// A table of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableView {
    /// The name.
    pub table: String,
    /// The folder.
    pub location: String,
    /// The columns in order, without the partition key.
    pub columns: Vec<ColumnView>,
    /// The partitions by date.
    pub partitions: Vec<PartitionView>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnView {
    /// The name.
    pub name: String,
    /// The Hive type.
    pub r#type: String,
    /// The original name of the property.
    pub property: Option<String>,
}

/// A partition and its live files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionView {
    /// The value of `mp_date`.
    pub mp_date: String,
    /// The folder of its live generation.
    pub location: String,
    /// The live files.
    pub files: Vec<FileView>,
}

/// A live file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    /// Where it lies.
    pub location: String,
    /// The slice that it is of.
    pub slice: String,
    /// The number of rows.
    pub rows: u64,
    /// The size.
    pub bytes: u64,
}

impl Reconciler<'_> {
    /// The tables of this project as the catalog has them.
    pub async fn view(&self) -> Result<Vec<TableView>, ReconcileError> {
        let mut views = Vec::new();
        for name in self.catalog.tables(self.table_prefix).await? {
            let Some(table) = self.catalog.table(&name).await? else { continue };
            // Tables of other projects or people may share the database.
            let folder = &name[self.table_prefix.len()..];
            if table.location != self.store.location(&self.layout.table(folder)) {
                continue;
            }
            let mut partitions = Vec::new();
            for partition in self.catalog.partitions(&name, &[]).await? {
                let files = self.live_files(folder, &partition.value).await?;
                let (mp_date, location) = (partition.value, partition.location);
                partitions.push(PartitionView { mp_date, location, files });
            }
            let columns = table.columns.into_iter().map(|column| ColumnView {
                name: column.name,
                r#type: column.hive_type,
                property: column.comment,
            });
            views.push(TableView {
                table: name,
                location: table.location,
                columns: columns.collect(),
                partitions,
            });
        }
        Ok(views)
    }

    async fn live_files(&self, table: &str, date: &str) -> Result<Vec<FileView>, ReconcileError> {
        let Ok(date) = date.parse::<Date>() else { return Ok(Vec::new()) };
        let read = Manifest::read(self.store, self.layout, table, date).await?;
        let Some(manifest) = read.value else { return Ok(Vec::new()) };
        let folder = self.layout.generation(table, date, &manifest.generation);
        let view = |file: crate::LiveFile| FileView {
            location: self.store.location(&format!("{folder}{}", file.name)),
            slice: file.slice.to_string(),
            rows: file.rows,
            bytes: file.bytes,
        };
        Ok(manifest.files.into_iter().map(view).collect())
    }
}
