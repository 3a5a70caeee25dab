//! Where slices of ingestion begin in a lake, and that it stays so.
//!
//! Before the start an event is in the slice of its time, from the start on in that of its processing.
//! With another start, or none, some would be in two slices or in no slice. So the lake keeps the
//! start. It is set, moved or taken back only while it lies ahead, for nothing has been processed
//! since then; or in a lake that has no slice yet.

use super::{ExportError, Exporter, StartError};
use mixlake_domain::Date;
use mixlake_schema::Registry;

impl Exporter<'_> {
    /// Makes a registry say the start that was asked for, if it may.
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
