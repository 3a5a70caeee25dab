//! Everything that is looked at.

use crate::manifest::Manifest;
use crate::ports::{Declared, Partition, Precondition, TableState};
use crate::reconcile::footer::Footer;
use mixlake_domain::{Date, SliceLabel};
use mixlake_schema::Registry;
use std::collections::{BTreeMap, BTreeSet};

/// A lake and its catalog, as they were found.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// None, if it cannot be read.
    pub registry: Option<Registry>,
    pub tables: BTreeMap<String, TableFacts>,
    pub unreadable: Vec<Unreadable>,
    /// Slices that were begun long ago and not ended.
    pub unfinished: BTreeSet<SliceLabel>,
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
}

/// A table.
#[derive(Debug, Default)]
pub(super) struct TableFacts {
    /// Its name in the catalog.
    pub name: String,
    pub folder: String,
    pub state: Option<TableState>,
    pub partitions: Vec<Partition>,
    pub declared: BTreeMap<String, Declared>,
    pub days: BTreeMap<Date, DayFacts>,
}

/// A day of a table.
#[derive(Debug, Default)]
pub(super) struct DayFacts {
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
    /// The keys of everything else below the day.
    pub others: BTreeSet<String>,
    /// The live files by key.
    pub files: BTreeMap<String, FileFacts>,
    /// Published slices that have files here, as the ledgers say.
    pub slices: BTreeSet<SliceLabel>,
    /// Whether nobody can say what belongs here: a slice is being written that touches the day, or
    /// a document that says it cannot be read.
    pub busy: bool,
}

/// A data file, as it is listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectFacts {
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
    /// Columns with text that is longer than an engine takes, in bytes; of the longest one.
    pub long_text: Vec<(String, usize)>,
}

impl Facts {
    pub(super) fn day(&mut self, table: &str, date: Date) -> &mut DayFacts {
        self.tables.entry(table.to_owned()).or_default().days.entry(date).or_default()
    }

    pub(super) fn days(&mut self) -> impl Iterator<Item = &mut DayFacts> {
        self.tables.values_mut().flat_map(|table| table.days.values_mut())
    }
}

impl TableFacts {
    pub(super) fn partition(&self, date: Date) -> Option<&Partition> {
        let value = date.to_string();
        self.partitions.iter().find(|partition| partition.value == value)
    }
}

impl DayFacts {
    /// Published slices of which no file is live.
    pub(super) fn missing_slices(&self) -> impl Iterator<Item = &SliceLabel> {
        let live = |slice: &SliceLabel| {
            self.manifest.iter().flat_map(|m| &m.files).any(|file| file.slice == *slice)
        };
        self.slices.iter().filter(move |slice| !live(slice))
    }

    /// Whether a reader should find anything here.
    pub(super) fn is_live(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| !manifest.files.is_empty())
    }

    pub(super) fn is_in_live_folder(&self, key: &str) -> bool {
        self.manifest.is_some() && key.starts_with(&self.folder)
    }
}
