//! What a reconciliation did to a table.

use serde::Serialize;

/// What was done to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The name in the catalog.
    pub table: String,
    /// Whether it was created.
    pub created: bool,
    /// The columns that were added to an existing table.
    pub appended_columns: Vec<String>,
    /// What somebody had changed on it, and was put right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repaired: Vec<String>,
    /// Whether it was moved to another generation, as tables without partitions are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
    /// The partitions that were added or moved.
    pub partitions_set: Vec<String>,
    /// The partitions that were removed: no file of them is live.
    pub partitions_removed: Vec<String>,
}

impl TableReport {
    /// What was done to the same table a day later.
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

    /// What was tried did not happen.
    pub(super) fn forget(&mut self) {
        self.created = false;
        self.appended_columns.clear();
        self.repaired.clear();
    }
}
