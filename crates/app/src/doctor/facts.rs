//! Everything that is looked at.

use super::accounts::{Accounts, Missing};
use super::back::Way;
use super::names::{Completion, Said};
use crate::manifest::{LiveFile, Manifest};
use crate::ports::{Declared, Partition, Precondition, TableState};
use mixlake_columnar::Footer;
use mixlake_domain::{Dataset, Date, Generation, Partitioning, SliceLabel, TableName, Target};
use mixlake_schema::Registry;
use std::collections::{BTreeMap, BTreeSet};

/// A lake and its catalog, as they were found.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// None, if it cannot be read.
    pub registry: Option<Registry>,
    /// The registries of other datasets, if the lake has tables of them.
    pub other_registries: BTreeMap<Dataset, Registry>,
    /// What the registry is swapped with; none if there is none.
    pub registry_etag: Option<String>,
    pub tables: BTreeMap<TableName, TableFacts>,
    pub unreadable: Vec<Unreadable>,
    /// Slices that were begun long ago and not ended.
    pub unfinished: BTreeSet<SliceLabel>,
    pub accounts: Accounts,
    /// By target, the slices with files there of which rows are missing, wherever they are missing.
    pub missing: BTreeMap<Target, Vec<SliceLabel>>,
    /// How rows that are missing can be had back.
    pub ways: BTreeMap<SliceLabel, Way>,
    /// What the files add to the registry.
    pub completion: Completion,
}

/// A document that cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub what: Document,
    pub key: String,
    pub error: String,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Registry,
    Ledger,
    Manifest,
    /// A table of a catalog that is kept in files.
    Catalog,
}

/// A table.
#[derive(Debug, Default)]
pub(super) struct TableFacts {
    /// Its name in the catalog.
    pub name: String,
    pub folder: String,
    pub state: Option<TableState>,
    /// Whether the catalog has it, and cannot say what.
    pub is_damaged: bool,
    pub partitions: Vec<Partition>,
    pub declared: BTreeMap<String, Declared>,
    /// The days; or, without a date, the table as a whole.
    pub targets: BTreeMap<Option<Date>, TargetFacts>,
}

/// A day of a table, or a table without partitions.
#[derive(Debug, Default)]
pub(super) struct TargetFacts {
    pub manifest: Option<Manifest>,
    /// What the manifest is swapped with.
    pub precondition: Option<Precondition>,
    /// Whether the manifest was written so long ago that nobody reads what it replaced.
    pub is_old: bool,
    /// The keys of the live generation start with it; empty without a manifest.
    pub folder: String,
    /// The same, as the catalog names it.
    pub location: String,
    /// The data files by key, live or not.
    pub objects: BTreeMap<String, ObjectFacts>,
    /// The keys of everything else below the target.
    pub others: BTreeSet<String>,
    /// The live files by key.
    pub files: BTreeMap<String, FileFacts>,
    /// Files by key that no manifest lists, of slices of which rows are missing.
    pub spare: BTreeMap<String, LiveFile>,
    /// Published slices that have files here, as the ledgers say.
    pub slices: BTreeSet<SliceLabel>,
    /// Whether nobody can say what belongs here: a slice is being written that touches the target, or
    /// a document that says it cannot be read.
    pub busy: bool,
}

/// A data file, as it is listed.
#[derive(Debug, Clone)]
pub(super) struct ObjectFacts {
    /// The folder that it is in.
    pub generation: Generation,
    pub size: u64,
    /// Whether it was written long ago.
    pub is_old: bool,
}

/// A live file.
#[derive(Debug)]
pub(super) struct FileFacts {
    pub is_there: bool,
    /// What it says of itself; only Parquet does.
    pub footer: Option<Result<Footer, String>>,
    /// What it says of its names, if the registry says less or otherwise.
    pub said: Option<Said>,
    /// What reading all of it has found.
    pub content: Content,
}

/// What reading all of a file finds.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// What is wrong with its bytes.
    pub damage: Option<String>,
    /// Columns with text that is longer than an engine takes, in bytes; of the longest one.
    pub long_text: Vec<(String, usize)>,
}

impl Facts {
    pub(super) fn target_mut(&mut self, target: &Target) -> &mut TargetFacts {
        let table = self.tables.entry(target.table.clone()).or_default();
        table.targets.entry(target.date).or_default()
    }

    pub(super) fn target(&self, target: &Target) -> Option<&TargetFacts> {
        self.tables.get(&target.table)?.targets.get(&target.date)
    }

    /// The registry that has the names of a table.
    pub(super) fn registry_for(&self, table: &TableName) -> Option<&Registry> {
        let other = self.other_registries.get(&Dataset::of_table(table.as_str()));
        other.or(self.registry.as_ref())
    }

    /// The slices of which rows are missing, among those that have, or had, files in a target.
    pub(super) fn missing_in(&self, target: &Target) -> &[SliceLabel] {
        self.missing.get(target).map_or(&[], Vec::as_slice)
    }

    /// Notes which slices miss rows, when the ledgers and manifests have been read.
    pub(super) fn note_missing(&mut self) {
        for Missing { entry, .. } in self.accounts.missing() {
            for target in &entry.targets {
                self.missing.entry(target.clone()).or_default().push(entry.slice);
            }
        }
    }

    pub(super) fn targets(&mut self) -> impl Iterator<Item = &mut TargetFacts> {
        self.tables.values_mut().flat_map(|table| table.targets.values_mut())
    }
}

impl TableFacts {
    pub(super) fn partition(&self, date: Date) -> Option<&Partition> {
        let value = date.to_string();
        self.partitions.iter().find(|partition| partition.value == value)
    }

    /// How the table is divided.
    pub(super) fn partitioning(&self) -> Partitioning {
        match self.targets.keys().next() {
            Some(None) if self.targets.len() == 1 => Partitioning::Whole,
            _ => Partitioning::ByDate,
        }
    }

    /// Where the catalog sends the readers of a target; none if it does not know it.
    pub(super) fn readers_of(&self, date: Option<Date>) -> Option<&str> {
        match date {
            Some(date) => self.partition(date).map(|partition| partition.location.as_str()),
            None => self.state.as_ref().map(|state| state.location.as_str()),
        }
    }
}

impl TargetFacts {
    /// Published slices of which no file is live.
    pub(super) fn missing_slices(&self) -> impl Iterator<Item = &SliceLabel> {
        let live = |slice: &SliceLabel| {
            self.manifest.iter().flat_map(|m| &m.files).any(|file| file.origin.has(*slice))
        };
        self.slices.iter().filter(move |slice| !live(slice))
    }

    /// The data files in folders that readers are not sent to.
    pub(super) fn left(&self) -> impl Iterator<Item = (&String, &ObjectFacts)> {
        self.objects.iter().filter(|(key, _)| !self.is_in_live_folder(key))
    }

    /// Whether a reader should find anything here.
    pub(super) fn is_live(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| !manifest.files.is_empty())
    }

    pub(super) fn is_in_live_folder(&self, key: &str) -> bool {
        self.manifest.is_some() && key.starts_with(&self.folder)
    }
}
