//! Whether an answer proves to be an export. One that does not must not replace anything: a status of 200
//! says nothing of what follows it.

use super::{ExportError, Exporter};
use mixlake_columnar::{TransformError, Transformed};

/// From so many lines on, the share of bad ones tells something.
const TELLING: u64 = 10;

impl Exporter<'_> {
    /// Judges what was received of a slice, before anything of it is published.
    pub(super) fn judge(&self, transformed: &Transformed) -> Result<(), ExportError> {
        let (counts, reasons) = (transformed.counts, || transformed.reasons.clone());
        let (lines, bad) = (counts.received, counts.quarantined);
        if self.source.is_one_stream() {
            holds_an_event(transformed)?;
            if let Some(text) = transformed.error_at_end.clone() {
                return Err(TransformError::EndsWithError(text).into());
            }
        }
        let share = self.safeguards.quarantine_share;
        if lines >= TELLING && is_more(bad, lines, share) {
            return Err(ExportError::MostlyBad { bad, lines, share, reasons: reasons() });
        }
        Ok(())
    }
}

/// An error if lines came, and none of them is an event.
pub(super) fn holds_an_event(transformed: &Transformed) -> Result<(), ExportError> {
    let (lines, bad) = (transformed.counts.received, transformed.counts.quarantined);
    if lines == 0 || bad < lines {
        return Ok(());
    }
    Err(TransformError::NoEvent { lines, reasons: transformed.reasons.clone() }.into())
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
fn is_more(bad: u64, lines: u64, share: f64) -> bool {
    bad as f64 > lines as f64 * share
}
