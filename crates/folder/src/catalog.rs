//! A data catalog as JSON files, one per table.

use crate::blocking::blocking;
use crate::lake_folder::{LakeFolder, is_absence};
use crate::table_document::{TableDocument, TableDocumentError};
use mixlake_app::ports::{
    Catalog, CatalogError, Column, Declared, NewTable, Partition, TableState, View, ViewState,
};
use mixlake_domain::DataFormat;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The tables of one database of a local lake. Clones and other processes can use it at the same time.
#[derive(Debug, Clone)]
pub struct FolderCatalog {
    pub(crate) lake: LakeFolder,
    pub(crate) database: String,
}

impl FolderCatalog {
    /// Folder and database are created with the first table.
    pub fn new(
        folder: impl AsRef<Path>,
        database: impl Into<String>,
    ) -> Result<Self, CatalogError> {
        let database = database.into();
        let failed = |cause| CatalogError::Failed {
            action: "read",
            subject: format!("database {database}"),
            hint: None,
            cause,
        };
        if !is_name(&database) {
            return Err(failed(format!("{database:?} is not a valid database name").into()));
        }
        let lake = LakeFolder::new(folder.as_ref()).map_err(|error| failed(error.into()))?;
        Ok(Self { lake, database })
    }

    /// Runs work on the files on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let catalog = self.clone();
        blocking(move || work(&catalog)).await
    }

    fn folder(&self) -> PathBuf {
        self.lake.hidden().join("catalog").join(&self.database)
    }

    fn path(&self, table: &str) -> Result<PathBuf, CatalogError> {
        if is_name(table) {
            return Ok(self.folder().join(format!("{table}.json")));
        }
        Err(self.failed("read", table, format!("{table:?} is not a valid table name")))
    }

    pub(crate) fn read(&self, table: &str) -> Result<Option<TableDocument>, CatalogError> {
        let json = match fs::read(self.path(table)?) {
            Ok(json) => json,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(self.failed("read", table, error)),
        };
        TableDocument::parse(&json).map(Some).map_err(|error| CatalogError::Damaged {
            subject: self.subject(table),
            cause: error.into(),
        })
    }

    fn existing(&self, table: &str) -> Result<TableDocument, CatalogError> {
        self.read(table)?.ok_or_else(|| CatalogError::NotFound(self.subject(table)))
    }

    fn create(&self, table: &NewTable) -> Result<(), CatalogError> {
        let failed =
            |error: Box<dyn Error + Send + Sync>| self.failed("create", &table.name, error);
        let path = self.path(&table.name)?;
        let json = TableDocument::create(table).and_then(|document| document.to_json());
        let json = json.map_err(|e| self.refused("create", &table.name, e))?;
        let staged = self.lake.stage(&json);
        let staged = staged.map_err(|e| failed(e.into()))?;
        let lock = self.lake.lock().map_err(|e| failed(e.into()))?;
        if self.read_view(&table.name)?.is_some() {
            return Err(CatalogError::Conflict(self.subject(&table.name)));
        }
        match self.lake.publish_new(staged, &path, &lock) {
            Ok(true) => Ok(()),
            Ok(false) => Err(CatalogError::Conflict(self.subject(&table.name))),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Reads, edits and writes a table under the lock; if the edit changes nothing, nothing is written.
    fn edit<T>(
        &self,
        table: &str,
        edit: impl FnOnce(&mut TableDocument) -> Result<(bool, T), CatalogError>,
    ) -> Result<T, CatalogError> {
        let failed = |error: Box<dyn Error + Send + Sync>| self.failed("update", table, error);
        let path = self.path(table)?;
        let lock = self.lake.lock().map_err(|e| failed(e.into()))?;
        let mut document = self.existing(table)?;
        let (changed, result) = edit(&mut document)?;
        if !changed {
            return Ok(result);
        }
        let json = document.to_json().map_err(|e| failed(e.into()))?;
        let staged = self.lake.stage(&json).map_err(|e| failed(e.into()))?;
        self.lake.publish(staged, &path, &lock).map_err(|e| failed(e.into()))?;
        Ok(result)
    }

    /// Changes the columns of a table if it still has the version.
    fn swap(
        &self,
        table: &str,
        version: &str,
        change: impl FnOnce(&mut TableDocument) -> Result<bool, TableDocumentError>,
    ) -> Result<(), CatalogError> {
        self.edit(table, |document| {
            if document.version() != version {
                return Err(CatalogError::Conflict(self.subject(table)));
            }
            let changed = change(document).map_err(|e| self.refused("update", table, e))?;
            Ok((changed, ()))
        })
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        listed(&self.folder(), prefix).map_err(|error| self.failed_database("read", error))
    }

    pub(crate) fn subject(&self, table: &str) -> String {
        format!("table {}.{table}", self.database)
    }

    fn refused(
        &self,
        action: &'static str,
        table: &str,
        cause: TableDocumentError,
    ) -> CatalogError {
        let (subject, cause) = (self.subject(table), cause.into());
        CatalogError::Refused { action, subject, hint: None, cause }
    }

    pub(crate) fn failed_database(
        &self,
        action: &'static str,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> CatalogError {
        let subject = format!("database {}", self.database);
        CatalogError::Failed { action, subject, hint: None, cause: cause.into() }
    }

    pub(crate) fn failed(
        &self,
        action: &'static str,
        table: &str,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> CatalogError {
        CatalogError::Failed {
            action,
            subject: self.subject(table),
            hint: None,
            cause: cause.into(),
        }
    }
}

/// The names of the documents in a folder that start with the prefix, in order.
pub(crate) fn listed(folder: &Path, prefix: &str) -> std::io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name().into_string().unwrap_or_default();
        let name = file.strip_suffix(".json").filter(|name| name.starts_with(prefix));
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Whether the name can be that of a file or folder.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

#[async_trait::async_trait]
impl Catalog for FolderCatalog {
    async fn tables(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        let prefix = prefix.to_owned();
        self.run(move |catalog| catalog.names(&prefix)).await
    }

    async fn table(&self, name: &str) -> Result<Option<TableState>, CatalogError> {
        let name = name.to_owned();
        self.run(move |catalog| {
            let Some(document) = catalog.read(&name)? else {
                return Ok(catalog.read_view(&name)?.map(|view| view.as_table()));
            };
            let state = document.state();
            Ok(Some(TableState { location: catalog.lake.shown(&state.location), ..state }))
        })
        .await
    }

    async fn create_table(&self, table: &NewTable) -> Result<(), CatalogError> {
        let location = self.lake.kept(&table.location);
        let table = NewTable { location, ..table.clone() };
        self.run(move |catalog| catalog.create(&table)).await
    }

    async fn append_columns(
        &self,
        table: &str,
        version: &str,
        columns: &[Column],
        memo: &str,
    ) -> Result<(), CatalogError> {
        let (table, version, columns) = (table.to_owned(), version.to_owned(), columns.to_vec());
        let memo = memo.to_owned();
        self.run(move |catalog| {
            catalog.swap(&table, &version, |document| document.append(&columns, &memo))
        })
        .await
    }

    async fn repair_table(&self, version: &str, to: &NewTable) -> Result<(), CatalogError> {
        let (version, location) = (version.to_owned(), self.lake.kept(&to.location));
        let to = NewTable { location, ..to.clone() };
        self.run(move |catalog| catalog.swap(&to.name, &version, |document| document.repair(&to)))
            .await
    }

    async fn move_table(
        &self,
        table: &str,
        version: &str,
        location: &str,
    ) -> Result<(), CatalogError> {
        let (table, version) = (table.to_owned(), version.to_owned());
        let location = self.lake.kept(location);
        self.run(move |catalog| {
            catalog.swap(&table, &version, |document| {
                document.relocate(location);
                Ok(true)
            })
        })
        .await
    }

    async fn partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>, CatalogError> {
        let (table, values) = (table.to_owned(), values.to_vec());
        self.run(move |catalog| {
            let mut partitions = catalog.existing(&table)?.partitions(&values);
            for partition in &mut partitions {
                partition.location = catalog.lake.shown(&partition.location);
            }
            Ok(partitions)
        })
        .await
    }

    /// A partition here cannot declare anything of its own.
    async fn declared(&self, table: &str) -> Result<BTreeMap<String, Declared>, CatalogError> {
        let table = table.to_owned();
        self.run(move |catalog| {
            let document = catalog.existing(&table)?;
            let format = document.state().format;
            let declared = || Declared { columns: Vec::new(), format: format.clone() };
            let partitions = document.partitions(&[]).into_iter();
            Ok(partitions.map(|partition| (partition.value, declared())).collect())
        })
        .await
    }

    /// They are read in the format of their table.
    async fn put_partitions(
        &self,
        table: &str,
        _format: DataFormat,
        partitions: &[Partition],
    ) -> Result<Vec<String>, CatalogError> {
        let kept = |partition: &Partition| Partition {
            location: self.lake.kept(&partition.location),
            ..partition.clone()
        };
        let (table, partitions) =
            (table.to_owned(), partitions.iter().map(kept).collect::<Vec<_>>());
        self.run(move |catalog| {
            catalog.edit(&table, |document| {
                if !document.is_partitioned() {
                    return Err(catalog.refused(
                        "update",
                        &table,
                        TableDocumentError::NoPartitions,
                    ));
                }
                let changed = document.put(&partitions);
                Ok((!changed.is_empty(), changed))
            })
        })
        .await
    }

    async fn repair_partitions(
        &self,
        table: &str,
        format: DataFormat,
        partitions: &[Partition],
    ) -> Result<(), CatalogError> {
        let values: Vec<String> = partitions.iter().map(|p| p.value.clone()).collect();
        if self.partitions(table, &values).await?.len() < values.len() {
            return Err(CatalogError::Conflict(format!("partitions of {}", self.subject(table))));
        }
        self.put_partitions(table, format, partitions).await.map(|_| ())
    }

    async fn remove_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<String>, CatalogError> {
        let (table, values) = (table.to_owned(), values.to_vec());
        self.run(move |catalog| {
            catalog.edit(&table, |document| {
                let removed = document.remove(&values);
                Ok((!removed.is_empty(), removed))
            })
        })
        .await
    }

    async fn views(&self, prefix: &str) -> Result<Vec<String>, CatalogError> {
        let prefix = prefix.to_owned();
        self.run(move |catalog| catalog.view_names(&prefix)).await
    }

    async fn view(&self, name: &str) -> Result<Option<ViewState>, CatalogError> {
        let name = name.to_owned();
        self.run(move |catalog| catalog.named(&name)).await
    }

    async fn create_view(&self, view: &View) -> Result<(), CatalogError> {
        let view = view.clone();
        self.run(move |catalog| catalog.write_view(None, &view)).await
    }

    async fn update_view(&self, version: &str, view: &View) -> Result<(), CatalogError> {
        let (version, view) = (version.to_owned(), view.clone());
        self.run(move |catalog| catalog.write_view(Some(&version), &view)).await
    }

    async fn remove_view(&self, name: &str, mark: &str) -> Result<(), CatalogError> {
        let (name, mark) = (name.to_owned(), mark.to_owned());
        self.run(move |catalog| catalog.delete_view(&name, &mark)).await
    }

    /// The lock of the folder orders all writers, so no random pause is needed.
    async fn pause(&self, _attempt: u32) {
        tokio::task::yield_now().await;
    }
}
