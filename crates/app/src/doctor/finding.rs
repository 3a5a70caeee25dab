//! What is wrong, as data.

use mixlake_domain::{Date, SliceLabel};
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
    /// A manifest, ledger, registry or table of a folder's catalog cannot be read, or is of another
    /// place.
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
    /// A partition says that its files are read in another way than the lake's.
    PartitionFormat,
    /// A manifest lists a file that is not there.
    ObjectMissing,
    /// A file is not what its manifest says: size, rows or columns.
    ObjectDiffers,
    /// The bytes of a file are not those that were written.
    ContentDiffers,
    /// Something is in a live folder, where readers see it, and no manifest lists it.
    Orphan,
    /// Files of folders that were replaced.
    LeftBehind,
    /// A published slice has no live file where the ledger says that it has.
    SliceMissing,
    /// Fewer rows of a published slice are live than its ledger counts.
    RowsMissing,
    /// An export of a slice was begun long ago, and not ended.
    SliceUnfinished,
    /// A file cannot be read, or has a column of a type that the lake does not write.
    UnreadableFile,
    /// A column of a file has another type than the registry gave it.
    FileType,
    /// A column has more than one type over the files of a table.
    SeveralTypes,
    /// A file has a column that the registry does not know.
    UnknownColumn,
    /// A file has an event that the registry does not know.
    UnknownEvent,
    /// A table whose name engines take for hidden, and which can get another one.
    HiddenTable,
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
    /// Make a partition describe its files as a new one would, without columns of its own.
    RepairPartition {
        /// Its value.
        value: String,
    },
    /// Delete objects of folders that were replaced.
    Delete {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Take files out of the list of live ones, and copy the others to a new folder, so that the
    /// slices can be exported again.
    Strike {
        /// The day; none of a table without partitions.
        #[serde(skip_serializing_if = "Option::is_none")]
        date: Option<Date>,
        /// The names of the files.
        names: Vec<String>,
    },
    /// Copy the live files to a new folder, and leave these objects where they are.
    LeaveBehind {
        /// The day; none of a table without partitions.
        #[serde(skip_serializing_if = "Option::is_none")]
        date: Option<Date>,
        /// The keys of the objects.
        keys: Vec<String>,
    },
    /// Copy the files of a slice from where they lie to a new folder, beside the other live files.
    GoBack {
        /// The slice.
        slice: SliceLabel,
        /// The folders that have its files.
        folders: Vec<String>,
    },
    /// Add to the registry what the files say of their names.
    CompleteRegistry,
    /// Give an event a name that engines see, and move its rows to the table of that name.
    Rename {
        /// The event.
        event: String,
    },
    /// Nothing yet.
    Wait {
        /// What will be done, and when.
        reason: String,
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
            Self::RepairPartition { value } => {
                format!(
                    "describe the partition {value} as the table is, without columns of its own"
                )
            }
            Self::Delete { keys } => match keys.as_slice() {
                [key] => format!("delete {key}"),
                keys => format!("delete {} objects", keys.len()),
            },
            Self::Strike { names, .. } => format!(
                "send readers to a new folder with the day's other files, without {}, whose \
                 slice can then be exported again",
                names.join(", ")
            ),
            Self::LeaveBehind { .. } => {
                "send readers to a new folder with the day's live files, without it".to_owned()
            }
            Self::GoBack { slice, folders } => format!(
                "go back to the files of {slice} in {}, which are exactly what the ledger has: copy \
                 them to a new folder, beside the other live files",
                folders.join(" and ")
            ),
            Self::CompleteRegistry => {
                "add it to the registry, as the files say what it is".to_owned()
            }
            Self::Rename { event } => format!(
                "give the event {event:?} a name that engines see, and move its rows to a table of that name"
            ),
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

    /// The names of the files that it takes out of the manifest.
    pub(super) fn struck(&self) -> &[String] {
        if let Remedy::Strike { names, .. } = &self.remedy { names } else { &[] }
    }

    pub(super) fn note(self) -> Self {
        Self { severity: Severity::Note, ..self }
    }
}

/// A target as the subject of a finding: its day, or nothing for a table without partitions.
pub(super) fn subject(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

pub(super) fn by_hand(advice: &str) -> Remedy {
    Remedy::ByHand { advice: advice.to_owned() }
}

/// What is wrong with a target, before the table and the day are added.
pub(super) type Verdict = (Kind, String, Remedy);

pub(super) fn list_slices(slices: &[SliceLabel]) -> String {
    slices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
