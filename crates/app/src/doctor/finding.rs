//! What is wrong, as data.

use crate::ports::Partition;
use mixlake_domain::Date;
use serde::Serialize;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// The table's folder name.
    pub table: String,
    /// The day, column or object that it is about; empty for the table as a whole.
    pub subject: String,
    /// What a person would say.
    pub text: String,
    /// What is to be done.
    pub remedy: Remedy,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Readers see something wrong, or will.
    Problem,
    /// Nobody reads anything wrong.
    Note,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A manifest, ledger or registry cannot be read.
    UnreadableDocument,
    /// Live files, and no table.
    TableMissing,
    /// A live file has a column that the table lacks.
    ColumnMissing,
    /// The table does not fit its files: type, order, location, serde, partition keys.
    Drift,
    /// A day with live files has no partition.
    PartitionMissing,
    /// A partition points to another folder than the day's manifest.
    PartitionStale,
    /// A partition of a day without live files.
    PartitionWithoutFiles,
    /// A partition declares a column of another type than the table: Athena refuses it, Trino does not.
    PartitionColumn,
    /// A manifest lists a file that is not there.
    ObjectMissing,
    /// A file is not what its manifest says: size, rows or columns.
    ObjectDiffers,
    /// A file is in a live folder, where readers see it, and no manifest lists it.
    Orphan,
    /// Files of folders that were replaced.
    LeftBehind,
    /// A published slice has no live file where the ledger says that it has.
    SliceMissing,
    /// A file cannot be read, or has a column of a type that the lake does not write.
    UnreadableFile,
    /// A column of a file has another type than the registry gave it.
    FileType,
    /// A column has more than one type over the files of a table.
    SeveralTypes,
    /// A file has a column that the registry does not know.
    UnknownColumn,
    /// A name, number or length that an engine cannot read.
    Engine,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Remedy {
    /// Bring the table up to date with its manifests, and put right what was changed on it.
    Reconcile,
    /// Remove partitions.
    RemovePartitions {
        /// Their values.
        values: Vec<String>,
    },
    /// Make a partition as a new one would be, without columns of its own.
    RepairPartition {
        /// Its value.
        value: String,
        /// The folder of its files.
        location: String,
    },
    /// Delete objects.
    Delete {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Take files out of the list of live ones, so that their slices can be exported again.
    Strike {
        /// The day.
        date: Date,
        /// The names of the files.
        names: Vec<String>,
    },
    /// Something that only a person can do.
    ByHand {
        /// What.
        advice: String,
    },
}

impl Remedy {
    /// What a person would say.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Reconcile => "bring the table up to date with the manifests".to_owned(),
            Self::RemovePartitions { values } => {
                format!("remove the partition {}", values.join(", "))
            }
            Self::RepairPartition { value, .. } => {
                format!("take the columns off the partition {value}, so that the table's count")
            }
            Self::Delete { keys } => match keys.as_slice() {
                [key] => format!("delete {key}"),
                keys => format!("delete {} objects", keys.len()),
            },
            Self::Strike { names, .. } => format!(
                "take {} out of the manifest; then export the slice again",
                names.join(", ")
            ),
            Self::ByHand { advice } => advice.clone(),
        }
    }
}

impl Finding {
    pub(super) fn problem(
        kind: Kind,
        table: &str,
        subject: impl Into<String>,
        text: impl Into<String>,
        remedy: Remedy,
    ) -> Self {
        let (table, subject, text) = (table.to_owned(), subject.into(), text.into());
        Self { kind, severity: Severity::Problem, table, subject, text, remedy }
    }

    pub(super) fn note(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }
}

pub(super) fn by_hand(advice: &str) -> Remedy {
    Remedy::ByHand { advice: advice.to_owned() }
}

/// What a partition of a finding would be set to.
pub(super) fn partition(value: &str, location: &str) -> Partition {
    Partition { value: value.to_owned(), location: location.to_owned() }
}
