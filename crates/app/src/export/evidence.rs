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
        if lines > 0 && bad == lines {
            return Err(TransformError::NoEvent { lines, reasons: reasons() }.into());
        }
        if let Some(text) = transformed.error_at_end.clone().filter(|_| self.source.is_one_stream())
        {
            return Err(TransformError::EndsWithError(text).into());
        }
        let share = self.safeguards.quarantine_share;
        if lines >= TELLING && is_more(bad, lines, share) {
            return Err(ExportError::MostlyBad { bad, lines, share, reasons: reasons() });
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
fn is_more(bad: u64, lines: u64, share: f64) -> bool {
    bad as f64 > lines as f64 * share
}
