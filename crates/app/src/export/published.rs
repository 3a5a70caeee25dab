//! A slice after it was published, and its report.

use super::received::Received;
use super::report::{NewColumn, SliceReport, SliceStatus, TargetChange};
use super::safeguards::RowsTaken;
use mixlake_domain::Slice;
use mixlake_schema::Registry;

/// The result of publishing a slice.
pub(super) struct Published {
    /// Whether this run changed anything.
    pub changed: bool,
    /// The keys of its files.
    pub objects: Vec<String>,
    /// The targets that were changed.
    pub changes: Vec<TargetChange>,
    /// The key of its bad lines.
    pub quarantine: Option<String>,
}

impl Published {
    /// Returns the report. `before` is the registry before the slice.
    pub(super) fn into_report(
        self,
        slice: &Slice,
        received: &Received,
        before: &Registry,
        rows_taken: Vec<RowsTaken>,
    ) -> SliceReport {
        SliceReport {
            slice: slice.to_string(),
            from: slice.start().to_string(),
            to: slice.end().to_string(),
            status: if self.changed { SliceStatus::Published } else { SliceStatus::Unchanged },
            counts: received.transformed.counts.into(),
            rows_taken,
            changes: self.changes,
            bytes: received.files.iter().map(|file| file.live.bytes).sum(),
            new_columns: new_columns(before, &received.transformed.registry),
            objects: self.objects,
            quarantine: self.quarantine,
        }
    }
}

/// The columns that one registry has and an earlier one does not.
pub(crate) fn new_columns(before: &Registry, after: &Registry) -> Vec<NewColumn> {
    let mut new = Vec::new();
    for (name, table) in after.tables() {
        let known = before.tables().get(name).map_or(0, |table| table.columns().len());
        new.extend(table.columns()[known..].iter().map(|column| NewColumn {
            table: name.clone(),
            column: column.name.clone(),
            property: column.property.clone(),
            r#type: column.column_type.name(),
        }));
    }
    new
}
