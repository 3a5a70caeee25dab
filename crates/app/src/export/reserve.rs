//! Names before bytes: new names enter the registry before a file that uses them is written.

use super::claim::SWAPS;
use super::{ExportError, Exporter};
use crate::ports::{Object, Precondition, Put};
use bytes::Bytes;
use mixlake_schema::Registry;

impl Exporter<'_> {
    /// The names given so far, in a lake of our zone and start of ingestion.
    pub(super) async fn registry(&self) -> Result<Registry, ExportError> {
        let (registry, precondition) = self.read_registry().await?;
        self.agreed(registry, &precondition)
    }

    fn agreed(
        &self,
        mut registry: Registry,
        precondition: &Precondition,
    ) -> Result<Registry, ExportError> {
        let wanted = self.zone.name();
        match registry.zone() {
            Some(has) if has != wanted => {
                let (has, wanted) = (has.to_owned(), wanted.to_owned());
                return Err(ExportError::Zone { has, wanted });
            }
            _ => registry.set_zone(wanted),
        }
        self.agree_on_start(&mut registry, *precondition == Precondition::Absent)?;
        Ok(registry)
    }

    /// Reserves all names of `ours`. Answers whether it could: not if one was given to something
    /// else meanwhile.
    pub(super) async fn reserve(&self, ours: &Registry) -> Result<bool, ExportError> {
        for _ in 0..SWAPS {
            let (theirs, precondition) = self.read_registry().await?;
            let agreed = self.agreed(theirs.clone(), &precondition)?;
            let Ok(both) = ours.rebase(agreed, self.options.profile) else {
                return Ok(false);
            };
            if both == theirs {
                return Ok(true);
            }
            let document = Bytes::from(both.to_document(&self.options.project));
            match self.store.put(&self.layout.registry(), document, precondition).await? {
                Put::Done => return Ok(true),
                Put::Refused => {}
            }
        }
        Err(ExportError::Contended(SWAPS))
    }

    async fn read_registry(&self) -> Result<(Registry, Precondition), ExportError> {
        let key = self.layout.registry();
        let Some(Object { body, etag }) = self.store.get(&key).await? else {
            return Ok((Registry::default(), Precondition::Absent));
        };
        let registry = Registry::from_document(&body, &self.options.project).map_err(|cause| {
            ExportError::Registry { location: self.store.location(&key), cause }
        })?;
        Ok((registry, Precondition::Matches(etag)))
    }
}
