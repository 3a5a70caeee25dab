//! Checks whether a response proves that it is an export. A response without proof replaces nothing: a
//! status of 200 says nothing about the body.

use super::{ExportError, Exporter};
use mixlake_columnar::{TransformError, Transformed};

/// The share of bad lines is checked if there are at least this many lines.
pub(crate) const TELLING: u64 = 10;

impl Exporter<'_> {
    /// Checks a received slice before anything of it is published.
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

/// An error if there are lines and none of them is an event.
pub(super) fn holds_an_event(transformed: &Transformed) -> Result<(), ExportError> {
    let (lines, bad) = (transformed.counts.received, transformed.counts.quarantined);
    if lines == 0 || bad < lines {
        return Ok(());
    }
    Err(TransformError::NoEvent { lines, reasons: transformed.reasons.clone() }.into())
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
/// Whether more lines are bad than a share of all.
pub(crate) fn is_more(bad: u64, lines: u64, share: f64) -> bool {
    bad as f64 > lines as f64 * share
}
