//! The slices of ingestion.

use crate::settings::table::{
    EVENT_SOURCE, INGESTION_MARGIN_MINUTES, INGESTION_START, INGESTION_WINDOW_DAYS, LATE_DATA,
};
use crate::settings::{EventOrigin, LateData, Reader, Row};
use mixlake_domain::Date;
use std::time::Duration;

/// The slices of ingestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The first date of them.
    pub start: Date,
    /// How long before they were processed events may have happened, in days.
    pub window_days: u32,
    /// How long after its end a slice is exported.
    pub margin: Duration,
}

pub(super) fn cursor(reader: &mut Reader<'_>) -> Option<Cursor> {
    let wanted = reader.get(&LATE_DATA) == Some(LateData::IngestionCursor);
    let window_days = reader.get(&INGESTION_WINDOW_DAYS);
    let margin = reader.get(&INGESTION_MARGIN_MINUTES);
    if !wanted {
        let own: [&dyn Row; 3] =
            [&INGESTION_START, &INGESTION_WINDOW_DAYS, &INGESTION_MARGIN_MINUTES];
        reader.check(&INGESTION_START);
        reader.only_with("late_data=ingestion_cursor", &own);
        return None;
    }
    if reader.peek(&EVENT_SOURCE) == Some(EventOrigin::RawPipeline) {
        let what = "only Mixpanel can select events by processing time; leave it out with event_source=raw_pipeline";
        reader.problem(&LATE_DATA, what);
    }
    let start = reader.require(&INGESTION_START);
    Some(Cursor { start: start?, window_days: window_days?, margin: margin? })
}
