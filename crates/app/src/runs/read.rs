//! Reads the table of runs.

use super::{RunLog, RunsError, TABLE};
use crate::manifest::Manifest;
use mixlake_columnar::{Cell, read_records};
use mixlake_domain::{Date, Target};
use std::collections::BTreeMap;

/// A row that was read: its values by the names of their columns.
pub type ReadRow = BTreeMap<String, Cell>;

/// The rows of the runs that ended on a date (in UTC), in no particular order.
pub async fn read_runs(log: &RunLog<'_>, date: Date) -> Result<Vec<ReadRow>, RunsError> {
    let target = Target::day(TABLE.parse().expect("it names a folder"), date);
    let Some(manifest) = Manifest::read(log.store, log.layout, &target).await?.value else {
        return Ok(Vec::new());
    };
    let folder = log.layout.generation(&target, &manifest.generation);
    let mut rows = Vec::new();
    for file in &manifest.files {
        let Some(object) = log.store.get(&format!("{folder}{}", file.name)).await? else {
            continue;
        };
        rows.extend(read_records(object.body).map_err(mixlake_columnar::TransformError::from)?);
    }
    Ok(rows)
}
