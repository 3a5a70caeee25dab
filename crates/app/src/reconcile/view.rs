//! The content of the catalog, for people and programs.

use super::{ReconcileError, Reconciler};
use crate::manifest::Manifest;
use mixlake_domain::{Dataset, Date, Partitioning, TableName, Target};
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
    /// The partitions by date; empty for a table without partitions.
    pub partitions: Vec<PartitionView>,
    /// The live files of a table without partitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileView>>,
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
    /// Its location.
    pub location: String,
    /// Its slice, or the other origin of its rows.
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
        let mut names = self.catalog.tables(self.table_prefix).await?;
        // Tables of events come first: they are what people look for.
        names.sort_by_cached_key(|name| {
            (Dataset::of_table(&name[self.table_prefix.len()..]), name.clone())
        });
        for name in names {
            let Some(table) = self.catalog.table(&name).await? else { continue };
            // Tables of other projects or people may share the database.
            let Ok(folder) = name[self.table_prefix.len()..].parse::<TableName>() else { continue };
            let its_folder = self.store.location(&self.layout.table(&folder));
            let is_whole = table.partition_keys == Partitioning::Whole.keys();
            let is_ours = if is_whole {
                table.location.starts_with(&its_folder)
            } else {
                table.location == its_folder
            };
            if !is_ours {
                continue;
            }
            let mut partitions = Vec::new();
            let mut files = None;
            if is_whole {
                files = Some(self.live_files(&Target::whole(folder)).await?);
            } else {
                for partition in self.catalog.partitions(&name, &[]).await? {
                    let files = match partition.value.parse::<Date>() {
                        Ok(date) => self.live_files(&Target::day(folder.clone(), date)).await?,
                        Err(_) => Vec::new(),
                    };
                    let (mp_date, location) = (partition.value, partition.location);
                    partitions.push(PartitionView { mp_date, location, files });
                }
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
                files,
            });
        }
        Ok(views)
    }

    async fn live_files(&self, target: &Target) -> Result<Vec<FileView>, ReconcileError> {
        let read = Manifest::read(self.store, self.layout, target).await?;
        let Some(manifest) = read.value else { return Ok(Vec::new()) };
        let folder = self.layout.generation(target, &manifest.generation);
        let view = |file: crate::LiveFile| FileView {
            location: self.store.location(&format!("{folder}{}", file.name)),
            slice: file.origin.to_string(),
            rows: file.rows,
            bytes: file.bytes,
        };
        Ok(manifest.files.into_iter().map(view).collect())
    }
}
