//! A slice after it was received, and what is known about the files of other slices.

use super::staging::SliceFile;
use crate::commit::NewFile;
use crate::manifest::LiveFile;
use mixlake_columnar::Transformed;
use mixlake_domain::Target;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// A slice that was received completely.
pub(super) struct Received {
    pub transformed: Transformed,
    pub files: Vec<SliceFile>,
    /// The indexes of the files of each target.
    pub by_target: BTreeMap<Target, Vec<usize>>,
    /// The files of other slices that were compared.
    pub compared: Compared,
}

impl Received {
    /// The targets that have rows of it.
    pub(super) fn targets(&self) -> BTreeSet<Target> {
        self.by_target.keys().cloned().collect()
    }

    fn of_target(&self, target: &Target) -> impl Iterator<Item = &SliceFile> {
        let places = self.by_target.get(target).into_iter().flatten();
        places.map(|&place| &self.files[place])
    }

    /// The rows of a target.
    pub(super) fn rows_of(&self, target: &Target) -> u64 {
        self.of_target(target).map(|file| file.live.rows).sum()
    }

    /// Whether other slices may have rows of a target too.
    pub(super) fn may_be_shared(&self, target: &Target) -> bool {
        self.of_target(target).any(|file| file.live.identities.is_some())
    }

    pub(super) fn live_files(&self, target: &Target) -> Vec<LiveFile> {
        self.of_target(target).map(|file| file.live.clone()).collect()
    }

    pub(super) fn new_files(&self, target: &Target) -> Vec<NewFile<'_>> {
        let files = self.of_target(target);
        files.map(|file| NewFile { live: &file.live, body: &file.body }).collect()
    }
}

/// The live files of other slices that have no row of this one, by their hashes. They need not be read
/// again.
#[derive(Debug, Default)]
pub(super) struct Compared(Mutex<BTreeSet<(Target, String)>>);

impl Compared {
    pub(super) fn has(&self, target: &Target, file: &LiveFile) -> bool {
        let compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        compared.contains(&(target.clone(), file.hash.clone()))
    }

    pub(super) fn add(&self, target: &Target, file: &LiveFile) {
        let mut compared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        compared.insert((target.clone(), file.hash.clone()));
    }
}
