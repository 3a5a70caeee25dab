//! The start of ingestion of a lake does not change.
//!
//! Before the start, an event is in the slice of its own time; after it, in the slice of its processing
//! time. With another start, or none, some events would be in two slices or in none. So the registry
//! stores the start. It can be set, moved or removed while it is in the future, because nothing has been
//! processed since, or if the lake has no slice yet.

use super::{ExportError, Exporter, StartError};
use mixlake_domain::Date;
use mixlake_schema::Registry;

impl Exporter<'_> {
    /// Sets the requested start in the registry, if allowed.
    pub(super) fn agree_on_start(
        &self,
        registry: &mut Registry,
        is_new: bool,
    ) -> Result<(), ExportError> {
        let (has, wanted) = (registry.ingestion_start(), self.ingestion_start);
        match (has, wanted) {
            (has, wanted) if has == wanted => {}
            (Some(has), wanted) if !self.lies_ahead(has) => {
                return Err(StartError::Other { has, wanted }.into());
            }
            (_, Some(wanted)) if !is_new && !self.lies_ahead(wanted) => {
                return Err(StartError::Begun(wanted).into());
            }
            (_, wanted) => registry.set_ingestion_start(wanted),
        }
        Ok(())
    }

    fn lies_ahead(&self, start: Date) -> bool {
        self.zone.start_of(start) > (self.clock)()
    }
}
