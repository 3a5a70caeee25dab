//! Reads the table of runs.

use super::{RunsError, TABLE};
use crate::manifest::Manifest;
use crate::ports::ObjectStore;
use mixlake_columnar::{Cell, TransformError, read_records};
use mixlake_domain::{Date, Layout, Target};
use std::collections::BTreeMap;

/// A row that was read: its values by the names of their columns.
pub type ReadRow = BTreeMap<String, Cell>;

/// The rows of the runs that ended on a date (in UTC), in no particular order.
pub async fn read_runs(
    store: &dyn ObjectStore,
    layout: &Layout,
    date: Date,
) -> Result<Vec<ReadRow>, RunsError> {
    let target = Target::day(TABLE.parse().expect("it names a folder"), date);
    let Some(manifest) = Manifest::read(store, layout, &target).await?.value else {
        return Ok(Vec::new());
    };
    let folder = layout.generation(&target, &manifest.generation);
    let mut rows = Vec::new();
    for file in &manifest.files {
        let Some(object) = store.get(&format!("{folder}{}", file.name)).await? else {
            continue;
        };
        rows.extend(read_records(object.body).map_err(TransformError::from)?);
    }
    Ok(rows)
}
