//! Decides how a change affects a target. No I/O.

use crate::hash;
use crate::manifest::{Format, LiveFile, Manifest};
use mixlake_columnar::RowsHash;
use mixlake_domain::{Generation, Origin, Target};
use serde::Serialize;
use std::collections::BTreeSet;

/// A change to the live files of a target.
#[derive(Debug, Clone)]
pub(crate) struct Change<'a> {
    /// The live files that are removed.
    pub removal: Removal<'a>,
    /// The files that are added.
    pub files: &'a [LiveFile],
    /// The location of the added files, if they exist already. `None`: they are written.
    pub source: Option<(&'a Target, &'a Generation)>,
    /// Whether a new generation is written in any case. Another run may have written files into the live
    /// generation, or may be about to, and then write the manifest based on the one that it read. A new
    /// generation does not have those files. A new manifest makes that write fail, so it is written even
    /// if its content is equal.
    pub fence: bool,
    /// Generations that must not be used, because they have other files.
    pub avoid: BTreeSet<Generation>,
}

/// The live files that are removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Removal<'a> {
    /// None.
    Nothing,
    /// The files of the same origin, or of an overlapping one.
    Overlapping(&'a Origin),
    /// The files with these names.
    Named(&'a BTreeSet<String>),
}

impl Removal<'_> {
    pub(super) fn takes(self, file: &LiveFile) -> bool {
        match self {
            Self::Nothing => false,
            Self::Overlapping(origin) => file.origin.overlaps(origin),
            Self::Named(names) => names.contains(&file.name),
        }
    }
}

impl<'a> Change<'a> {
    /// Replaces the files of an origin and of everything that overlaps it.
    pub(crate) fn put(origin: &'a Origin, files: &'a [LiveFile], fence: bool) -> Self {
        let removal = Removal::Overlapping(origin);
        Self { removal, files, source: None, fence, avoid: BTreeSet::new() }
    }

    /// Puts new files in the place of live ones with the same rows. It is done even though the rows are
    /// the same.
    pub(crate) fn merge(names: &'a BTreeSet<String>, files: &'a [LiveFile]) -> Self {
        let removal = Removal::Named(names);
        Self { removal, files, source: None, fence: true, avoid: BTreeSet::new() }
    }

    /// Removes some live files.
    pub(crate) fn remove(names: &'a BTreeSet<String>) -> Self {
        let removal = Removal::Named(names);
        Self { removal, files: &[], source: None, fence: true, avoid: BTreeSet::new() }
    }

    /// Adds copies of files from another generation.
    pub(crate) fn copies(
        removal: Removal<'a>,
        files: &'a [LiveFile],
        source: (&'a Target, &'a Generation),
        avoid: BTreeSet<Generation>,
    ) -> Self {
        Self { removal, files, source: Some(source), fence: true, avoid }
    }
}

/// What a change has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: the target has exactly these files.
    Unchanged,
    /// Add the files to the live generation.
    Append(Manifest),
    /// Write a new generation: the files, and copies of the others.
    Replace { manifest: Manifest, copies: Vec<Copied> },
}

/// A file that is copied into the new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    pub target: Target,
    pub generation: Generation,
    pub name: String,
}

/// The outcome for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Outcome {
    /// It had exactly these rows, so nothing was written.
    Unchanged,
    /// Files were added to its generation.
    Appended,
    /// It has a new generation.
    Replaced {
        /// The previous generation, if there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Generation>,
        /// The new generation.
        to: Generation,
    },
    /// Another run changed it in the meantime, and this change no longer applies.
    Superseded,
}

/// Decides how a change affects a target with the manifest `current`.
pub(crate) fn plan(current: Option<&Manifest>, target: &Target, change: &Change<'_>) -> Plan {
    let live = current.map_or(&[][..], |manifest| &manifest.files);
    let (replaced, kept): (Vec<LiveFile>, Vec<LiveFile>) =
        live.iter().cloned().partition(|file| change.removal.takes(file));
    if same_rows(&replaced, change.files) && !change.fence {
        return Plan::Unchanged;
    }
    let kept_names: Vec<String> = kept.iter().map(|file| file.name.clone()).collect();
    let mut files = [kept, change.files.to_vec()].concat();
    files.sort_by(|a, b| (&a.origin, &a.name).cmp(&(&b.origin, &b.name)));
    let mut manifest = Manifest {
        format: Format,
        target: target.clone(),
        generation: next(current, &files),
        files,
        swept: None,
    };
    if let Some(current) = current
        && replaced.is_empty()
        && !change.fence
    {
        let Manifest { generation, swept, .. } = current.clone();
        return Plan::Append(Manifest { generation, swept, ..manifest });
    }
    while change.avoid.contains(&manifest.generation) {
        manifest.generation = next(Some(&manifest), &manifest.files);
    }
    let copy = |(target, generation): (&Target, &Generation), name: &String| Copied {
        target: target.clone(),
        generation: generation.clone(),
        name: name.clone(),
    };
    let kept = current.iter().flat_map(|manifest| {
        kept_names.iter().map(|name| copy((target, &manifest.generation), name))
    });
    let coming = change
        .source
        .iter()
        .flat_map(|source| change.files.iter().map(|file| copy(*source, &file.name)));
    let copies = kept.chain(coming).collect();
    Plan::Replace { manifest, copies }
}

/// Whether files have the same rows of the same origins. Their bytes can differ: another version, or
/// other settings of the encoder, write other bytes. If a file has no hash of its rows, its bytes are
/// compared.
fn same_rows(live: &[LiveFile], ours: &[LiveFile]) -> bool {
    fn origins(files: &[LiveFile]) -> BTreeSet<&Origin> {
        files.iter().map(|file| &file.origin).collect()
    }
    fn identities(files: &[LiveFile]) -> BTreeSet<&String> {
        files.iter().filter_map(|file| file.identities.as_ref()).collect()
    }
    let (has, wanted) = (rows_of(live), rows_of(ours));
    live == ours
        || has.is_some()
            && has == wanted
            && origins(live) == origins(ours)
            && identities(live) == identities(ours)
}

/// Which rows files have, whatever their bytes and origins are; none if a file has no hash of its rows.
pub(crate) fn rows_of(files: &[LiveFile]) -> Option<(u64, RowsHash)> {
    let hashes: Option<Vec<RowsHash>> = files.iter().map(|file| file.rows_hash).collect();
    Some((files.iter().map(|file| file.rows).sum(), hashes?.into_iter().sum()))
}

/// The generation for these files, based on the current one. Its name depends on its predecessor, so
/// names of generations are never reused.
fn next(current: Option<&Manifest>, files: &[LiveFile]) -> Generation {
    let before = current.map_or("", |manifest| manifest.generation.as_str());
    let swept = current.and_then(|manifest| manifest.swept.as_deref());
    let content = files.iter().flat_map(|file| [file.name.as_str(), &file.hash]);
    hash::generation([before].into_iter().chain(swept).chain(content))
}

#[cfg(test)]
mod tests;
