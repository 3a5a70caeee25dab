//! Reads the registry of a dataset, its names and types, and adds the columns that Mixlake itself names.

use crate::document::{self, Edit, Read};
use crate::ports::{Object, ObjectStore, Precondition, StoreError};
use bytes::Bytes;
use mixlake_domain::{Dataset, Layout, ProjectId};
use mixlake_schema::{ColumnType, Contradiction, Registry, RegistryError, Table};

/// A registry cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the registry {location} cannot be used")]
pub struct UnusableRegistry {
    /// Its location.
    pub location: String,
    /// What is wrong.
    #[source]
    pub cause: RegistryError,
}

/// The registry of a dataset, with the precondition for writing it. A missing registry is not an error.
pub(crate) async fn read<E: From<StoreError> + From<UnusableRegistry>>(
    store: &dyn ObjectStore,
    layout: &Layout,
    dataset: Dataset,
    project: &ProjectId,
) -> Result<Read<Registry>, E> {
    let key = layout.registry(dataset);
    let Some(Object { body, etag }) = store.get(&key).await? else {
        return Ok(Read { value: None, precondition: Precondition::Absent });
    };
    let registry = Registry::from_document(&body, project)
        .map_err(|cause| UnusableRegistry { location: store.location(&key), cause })?;
    Ok(Read { value: Some(registry), precondition: Precondition::Matches(etag) })
}

/// The main table of a dataset, all of whose columns Mixlake names: name, comment and type of each. Columns that the
/// registry lacks are added. `None`: other runs were faster each time.
pub(crate) async fn fixed_table<E>(
    (store, layout, project): (&dyn ObjectStore, &Layout, &ProjectId),
    dataset: Dataset,
    columns: &[(&str, &str, ColumnType)],
) -> Result<Option<Table>, E>
where
    E: From<StoreError> + From<UnusableRegistry> + From<Contradiction>,
{
    let decide = |read: Read<Registry>| -> Result<_, E> {
        let (registry, table, is_news) =
            completed(read.value.unwrap_or_default(), dataset, columns)?;
        if !is_news {
            return Ok(Edit::Keep(table));
        }
        Ok(Edit::Write(Bytes::from(registry.to_document(project)), table))
    };
    let key = layout.registry(dataset);
    document::change(store, &key, || read(store, layout, dataset, project), decide).await
}

/// The registry with all of these columns, the table, and whether any column was missing.
pub(crate) fn completed(
    mut registry: Registry,
    dataset: Dataset,
    columns: &[(&str, &str, ColumnType)],
) -> Result<(Registry, Table, bool), Contradiction> {
    let mut is_news = false;
    for column in columns {
        is_news |= registry.fixed_column(dataset.main_table(), *column)?;
    }
    let table = registry.tables()[dataset.main_table()].clone();
    Ok((registry, table, is_news))
}
