//! Reads the registry of a dataset: its names and types.

use crate::document::Read;
use crate::ports::{Object, ObjectStore, Precondition, StoreError};
use mixlake_domain::{Dataset, Layout, ProjectId};
use mixlake_schema::{Registry, RegistryError};

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
