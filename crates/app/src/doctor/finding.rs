//! The problems that the doctor reports.

use mixlake_domain::{Date, SliceLabel};
use serde::Serialize;

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind.
    pub kind: Kind,
    /// The severity.
    pub severity: Severity,
    /// The table's folder name.
    pub table: String,
    /// The day, column or object; empty for the whole table.
    pub subject: String,
    /// A sentence for people.
    pub text: String,
    /// The remedy.
    pub remedy: Remedy,
}

/// The severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Readers see wrong data, or will.
    Problem,
    /// Readers see correct data.
    Note,
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A manifest, ledger, registry or table of a folder's catalog cannot be read, or belongs to another
    /// place.
    UnreadableDocument,
    /// There are live files and no table.
    TableMissing,
    /// A live file has a column that the table lacks.
    ColumnMissing,
    /// The table contradicts its files: type, order, location, serde or partition keys.
    Drift,
    /// A day with live files has no partition.
    PartitionMissing,
    /// A partition points to another folder than the day's manifest.
    PartitionStale,
    /// A day without live files has a partition.
    PartitionWithoutFiles,
    /// A partition declares a column with another type than the table. Athena refuses this, Trino does
    /// not.
    PartitionColumn,
    /// A partition declares another format than the lake's.
    PartitionFormat,
    /// A manifest lists a file that does not exist.
    ObjectMissing,
    /// A file differs from its manifest: size, rows or columns.
    ObjectDiffers,
    /// The bytes of a file differ from the ones that were written.
    ContentDiffers,
    /// An object that no manifest lists is in a live folder, where readers see it.
    Orphan,
    /// Files in folders that were replaced.
    LeftBehind,
    /// A published slice has no live file where the ledger counts some.
    SliceMissing,
    /// Fewer rows of a published slice are live than its ledger counts.
    RowsMissing,
    /// An export of a slice started long ago and did not end.
    SliceUnfinished,
    /// A file cannot be read, or has a column of a type that the lake does not write.
    UnreadableFile,
    /// A column of a file has another type than the registry gave it.
    FileType,
    /// A column has several types in the files of a table.
    SeveralTypes,
    /// A file has a column that the registry does not know.
    UnknownColumn,
    /// A file has an event that the registry does not know.
    UnknownEvent,
    /// Engines ignore the table because of its name, and it can get another name.
    HiddenTable,
    /// An engine cannot read a name, number or length.
    Engine,
    /// Objects are encrypted differently from what the settings say.
    OldEncryption,
}

/// The remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Remedy {
    /// Update the table from its manifests, and repair what was changed on it.
    Reconcile,
    /// Remove partitions.
    RemovePartitions {
        /// Their values.
        values: Vec<String>,
    },
    /// Describe a partition like a new one, without columns of its own.
    RepairPartition {
        /// Its value.
        value: String,
    },
    /// Delete objects in folders that were replaced.
    Delete {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Remove files from the manifest, and copy the others to a new folder, so that the slices can be
    /// exported again.
    Strike {
        /// The day; `None` for a table without partitions.
        #[serde(skip_serializing_if = "Option::is_none")]
        date: Option<Date>,
        /// The names of the files.
        names: Vec<String>,
    },
    /// Copy the live files to a new folder, and leave these objects where they are.
    LeaveBehind {
        /// The day; `None` for a table without partitions.
        #[serde(skip_serializing_if = "Option::is_none")]
        date: Option<Date>,
        /// The keys of the objects.
        keys: Vec<String>,
    },
    /// Copy the files of a slice to a new folder, together with the other live files.
    GoBack {
        /// The slice.
        slice: SliceLabel,
        /// The folders with its files.
        folders: Vec<String>,
    },
    /// Add the names that the files record to the registry.
    CompleteRegistry,
    /// Give an event a name that engines see, and move its rows to the table of that name.
    Rename {
        /// The event.
        event: String,
    },
    /// Write objects again, so that they are encrypted as the settings say.
    Encrypt {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Wait.
    Wait {
        /// What will be done, and when.
        reason: String,
    },
    /// A step that only a person can do.
    ByHand {
        /// The step.
        advice: String,
    },
}

impl Remedy {
    /// A sentence for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Reconcile => "bring the table up to date with the manifests".to_owned(),
            Self::RemovePartitions { values } => {
                format!("remove the partition {}", values.join(", "))
            }
            Self::RepairPartition { value } => {
                format!("describe the partition {value} like its table, without columns of its own")
            }
            Self::Delete { keys } => match keys.as_slice() {
                [key] => format!("delete {key}"),
                keys => format!("delete {} objects", keys.len()),
            },
            Self::Strike { names, .. } => format!(
                "send readers to a new folder with the day's other files, without {}, whose slice you can \
                 then export again",
                names.join(", ")
            ),
            Self::LeaveBehind { .. } => {
                "send readers to a new folder with the day's live files, without this object"
                    .to_owned()
            }
            Self::GoBack { slice, folders } => format!(
                "restore the files of {slice} from {}, which match the ledger exactly: copy them to \
                 a new folder, beside the other live files",
                folders.join(" and ")
            ),
            Self::CompleteRegistry => "add it to the registry, as the files describe it".to_owned(),
            Self::Rename { event } => format!(
                "give the event {event:?} a name that engines see, and move its rows to a table with that name"
            ),
            Self::Encrypt { keys } => match keys.as_slice() {
                [key] => format!("write {key} again, with the encryption of the settings"),
                keys => {
                    format!(
                        "write {} objects again, with the encryption of the settings",
                        keys.len()
                    )
                }
            },
            Self::Wait { reason } => reason.clone(),
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

    /// The names of the files that it removes from the manifest.
    pub(super) fn struck(&self) -> &[String] {
        if let Remedy::Strike { names, .. } = &self.remedy { names } else { &[] }
    }

    pub(super) fn note(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }
}

/// The subject of a finding about a target: its day, or nothing for a table without partitions.
pub(super) fn subject(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

pub(super) fn by_hand(advice: &str) -> Remedy {
    Remedy::ByHand { advice: advice.to_owned() }
}

/// A problem of a target, without the table and the day.
pub(super) type Verdict = (Kind, String, Remedy);

pub(super) fn list_slices(slices: &[SliceLabel]) -> String {
    slices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
