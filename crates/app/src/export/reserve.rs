//! Reserves names: new names enter the registry before a file that uses them is written.

use super::{ExportError, Exporter};
use crate::document::{self, Edit, Read, SWAPS};
use crate::ports::Precondition;
use crate::registry;
use bytes::Bytes;
use mixlake_domain::Dataset;
use mixlake_schema::Registry;

impl Exporter<'_> {
    /// The registry of a lake that has our zone and start of ingestion.
    pub(super) async fn registry(&self) -> Result<Registry, ExportError> {
        let Read { value, precondition } = self.read_registry().await?;
        self.agreed(value.unwrap_or_default(), &precondition)
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

    /// Reserves all names of `ours`. Returns whether it could: it cannot if a name was given to
    /// something else in the meantime.
    pub(super) async fn reserve(&self, ours: &Registry) -> Result<bool, ExportError> {
        let decide = |read: Read<Registry>| {
            let theirs = read.value.unwrap_or_default();
            let agreed = self.agreed(theirs.clone(), &read.precondition)?;
            let Ok(both) = ours.rebase(agreed, self.options.profile) else {
                return Ok(Edit::Keep(false));
            };
            if both == theirs {
                return Ok(Edit::Keep(true));
            }
            Ok(Edit::Write(Bytes::from(both.to_document(&self.options.project)), true))
        };
        let read = || self.read_registry();
        let key = self.layout.registry(Dataset::Events);
        document::change(self.store, &key, read, decide).await?.ok_or(ExportError::Contended(SWAPS))
    }

    async fn read_registry(&self) -> Result<Read<Registry>, ExportError> {
        registry::read(self.store, self.layout, Dataset::Events, &self.options.project).await
    }
}
