//! The facts that the doctor gathers.

use super::accounts::{Accounts, Evidence, Missing};
use super::encryption::OldEncryption;
use super::recorded_names::RecordedNames;
use crate::manifest::{LiveFile, Manifest};
use crate::ports::{Declared, Partition, Precondition, TableState};
use mixlake_columnar::Footer;
use mixlake_domain::{
    Dataset, Date, Generation, Layout, Partitioning, RunId, SliceLabel, TableName, Target,
};
use mixlake_schema::{Contradiction, Registry};
use std::collections::{BTreeMap, BTreeSet};

/// A lake and its catalog, as they were read.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// `None` if it cannot be read.
    pub registry: Option<Registry>,
    /// The registries of other datasets, if the lake has tables of them.
    pub other_registries: BTreeMap<Dataset, Registry>,
    /// The `ETag` for writing the registry; `None` if it does not exist.
    pub registry_etag: Option<String>,
    pub tables: BTreeMap<TableName, TableFacts>,
    pub unreadable: Vec<Unreadable>,
    /// Slices whose export started long ago and did not end.
    pub unfinished: BTreeSet<SliceLabel>,
    pub accounts: Accounts,
    /// By target, the slices that have files there and miss rows on any target.
    pub missing: BTreeMap<Target, Vec<SliceLabel>>,
    /// How missing rows can be recovered.
    pub recoveries: BTreeMap<SliceLabel, Recovery>,
    /// The names that the files add to the registry.
    pub completion: Completion,
    /// Objects that a write would encrypt differently.
    pub old_encryption: OldEncryption,
}

/// The files to list again, by target. Targets that already have the right files are left out.
pub(super) type Recovery = BTreeMap<Target, LostFiles>;

/// Files of a slice in a generation of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LostFiles {
    pub generation: Generation,
    /// The prefix of their keys.
    pub folder: String,
    pub files: Vec<LiveFile>,
}

/// The completed registry, and what contradicts other names.
#[derive(Debug, Default)]
pub(super) struct Completion {
    /// `None` if nothing can be added.
    pub registry: Option<Registry>,
    /// By table and column.
    pub columns: BTreeMap<(String, String), Contradiction>,
    /// By table and event.
    pub events: BTreeMap<(String, String), Contradiction>,
}

/// A document that cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub what: DocumentKind,
    pub key: String,
    pub error: String,
}

/// The kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    Registry,
    Ledger,
    Manifest,
    /// A table in a catalog of files.
    Catalog,
}

/// A table.
#[derive(Debug, Default)]
pub(super) struct TableFacts {
    /// Its name in the catalog.
    pub name: String,
    pub folder: String,
    pub state: Option<TableState>,
    /// Whether the catalog has it and cannot read it.
    pub is_damaged: bool,
    pub partitions: Vec<Partition>,
    pub declared: BTreeMap<String, Declared>,
    /// The days; without a date: the table as a whole.
    pub targets: BTreeMap<Option<Date>, TargetFacts>,
}

/// A day of a table, or a table without partitions.
#[derive(Debug, Default)]
pub(super) struct TargetFacts {
    pub manifest: Option<Manifest>,
    /// The precondition for writing the manifest.
    pub precondition: Option<Precondition>,
    /// Whether the manifest is so old that nobody reads the files that it replaced.
    pub is_old: bool,
    /// The prefix of the keys of the live generation; empty without a manifest.
    pub folder: String,
    /// The same as a location in the catalog.
    pub location: String,
    /// The data files by key, live or not.
    pub objects: BTreeMap<String, ObjectFacts>,
    /// The keys of all other objects of the target.
    pub others: BTreeSet<String>,
    /// The live files by key.
    pub files: BTreeMap<String, FileFacts>,
    /// Files that no manifest lists, by key, of slices with missing rows.
    pub spare: BTreeMap<String, LiveFile>,
    /// The slices of merged files that are not live, by key.
    pub merged: BTreeMap<String, Vec<SliceLabel>>,
    /// Published slices that have files here according to the ledgers.
    pub slices: BTreeSet<SliceLabel>,
    /// Whether the right content is unknown: a slice that touches the target is being written, or a
    /// document that decides it cannot be read.
    pub busy: bool,
}

/// A data file in the listing.
#[derive(Debug, Clone)]
pub(super) struct ObjectFacts {
    /// Its generation.
    pub generation: Generation,
    pub size: u64,
    /// Whether it was written long ago.
    pub is_old: bool,
}

/// A live file.
#[derive(Debug)]
pub(super) struct FileFacts {
    pub is_there: bool,
    /// Its footer; only Parquet files have one.
    pub footer: Option<Result<Footer, String>>,
    /// The names that it records, if the registry lacks them or has others.
    pub recorded: Option<RecordedNames>,
    /// The problems that reading the whole file has found.
    pub content: Content,
}

/// The problems that reading a whole file finds.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The damage of its bytes.
    pub damage: Option<String>,
    /// Columns with text that is longer than an engine accepts, with the length of the longest text in
    /// bytes.
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

    /// The slices with missing rows that have, or had, files in a target.
    pub(super) fn missing_in(&self, target: &Target) -> &[SliceLabel] {
        self.missing.get(target).map_or(&[], Vec::as_slice)
    }

    /// Records which slices miss rows, after the ledgers and manifests were read.
    pub(super) fn note_missing(&mut self) {
        for Missing { balance, .. } in self.accounts.missing() {
            let entries = balance.slices.iter().filter_map(|slice| self.accounts.entry(*slice));
            for (target, slice) in
                entries.flat_map(|entry| entry.targets.iter().map(|target| (target, entry.slice)))
            {
                self.missing.entry(target.clone()).or_default().push(slice);
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

    /// The partitioning of the table.
    pub(super) fn partitioning(&self) -> Partitioning {
        match self.targets.keys().next() {
            Some(None) if self.targets.len() == 1 => Partitioning::Whole,
            _ => Partitioning::ByDate,
        }
    }

    /// The location that the catalog has for a target; `None` if it has none.
    pub(super) fn readers_of(&self, date: Option<Date>) -> Option<&str> {
        match date {
            Some(date) => self.partition(date).map(|partition| partition.location.as_str()),
            None => self.state.as_ref().map(|state| state.location.as_str()),
        }
    }
}

impl TargetFacts {
    /// Published slices without a live file.
    pub(super) fn missing_slices(&self) -> impl Iterator<Item = &SliceLabel> {
        let live = |slice: &SliceLabel| {
            self.manifest.iter().flat_map(|m| &m.files).any(|file| file.origin.has(*slice))
        };
        self.slices.iter().filter(move |slice| !live(slice))
    }

    /// The slice of a data file, from its name, and what is known about its rows; `None` for a name that no
    /// export writes.
    pub(super) fn evidence(
        &self,
        key: &str,
        accounts: &Accounts,
    ) -> Option<(SliceLabel, Evidence)> {
        let slice = Layout::slice_of(key.rsplit('/').next().unwrap_or(key))?;
        let evidence = match self.merged.get(key) {
            Some(slices) => accounts.evidence_of_all(slices),
            None => accounts.evidence(slice),
        };
        Some((slice, evidence))
    }

    /// The data files outside of the live folder.
    pub(super) fn left(&self) -> impl Iterator<Item = (&String, &ObjectFacts)> {
        self.objects.iter().filter(|(key, _)| !self.is_in_live_folder(key))
    }

    /// Whether a live file has what a run recorded.
    pub(super) fn has_run(&self, run: &RunId) -> bool {
        let mut files = self.manifest.iter().flat_map(|manifest| &manifest.files);
        files.any(|file| file.origin.runs().contains(run))
    }

    /// Whether it has live files.
    pub(super) fn is_live(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| !manifest.files.is_empty())
    }

    pub(super) fn is_in_live_folder(&self, key: &str) -> bool {
        self.manifest.is_some() && key.starts_with(&self.folder)
    }
}
