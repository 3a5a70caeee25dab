//! The report of a table.

use serde::Serialize;

/// The changes of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The name in the catalog.
    pub table: String,
    /// Whether it was created.
    pub created: bool,
    /// The columns that were added to an existing table.
    pub appended_columns: Vec<String>,
    /// The contradictions that were repaired.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repaired: Vec<String>,
    /// Whether a table without partitions was pointed to another generation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
    /// The partitions that were added or moved.
    pub partitions_set: Vec<String>,
    /// The partitions that were removed because they have no live file.
    pub partitions_removed: Vec<String>,
}

impl TableReport {
    /// Adds the changes of the same table on another day.
    pub(super) fn extend(&mut self, other: Self) {
        let Self {
            table: _,
            created,
            appended_columns,
            repaired,
            moved,
            partitions_set,
            partitions_removed,
        } = other;
        self.moved |= moved;
        self.created |= created;
        self.appended_columns.extend(appended_columns);
        self.repaired.extend(repaired);
        self.partitions_set.extend(partitions_set);
        self.partitions_removed.extend(partitions_removed);
    }

    /// Removes changes that were tried and did not happen.
    pub(super) fn forget(&mut self) {
        self.created = false;
        self.appended_columns.clear();
        self.repaired.clear();
    }
}
