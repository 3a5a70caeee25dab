//! Decides what a change does to a target. Pure.

use crate::hash;
use crate::manifest::{Format, LiveFile, Manifest};
use mixlake_columnar::RowsHash;
use mixlake_domain::{Generation, Origin, Target};
use serde::Serialize;
use std::collections::BTreeSet;

/// A change to the live files of a target.
#[derive(Debug, Clone)]
pub(crate) struct Change<'a> {
    /// The live files that go.
    pub removal: Removal<'a>,
    /// The files that come.
    pub files: &'a [LiveFile],
    /// Where the files that come lie already; none: they are written.
    pub source: Option<(&'a Target, &'a Generation)>,
    /// Whether a new generation is written in any case. Another run may have put, or be about to put, files
    /// into the live generation, and swap the manifest that it has read. A new generation leaves those
    /// files behind, and a new manifest makes that swap fail, so even an equal one is written.
    pub fence: bool,
    /// Generations that must not be used: other files are in them.
    pub avoid: BTreeSet<Generation>,
}

/// The live files that go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Removal<'a> {
    /// None.
    Nothing,
    /// Those of the same origin, or of one that overlaps it.
    Overlapping(&'a Origin),
    /// Those with these names.
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
    /// Files of an origin take the place of all that overlaps it.
    pub(crate) fn put(origin: &'a Origin, files: &'a [LiveFile], fence: bool) -> Self {
        let removal = Removal::Overlapping(origin);
        Self { removal, files, source: None, fence, avoid: BTreeSet::new() }
    }

    /// Some live files go.
    pub(crate) fn remove(names: &'a BTreeSet<String>) -> Self {
        let removal = Removal::Named(names);
        Self { removal, files: &[], source: None, fence: true, avoid: BTreeSet::new() }
    }

    /// Copies of files that lie in another generation come.
    pub(crate) fn copies(
        removal: Removal<'a>,
        files: &'a [LiveFile],
        source: (&'a Target, &'a Generation),
        avoid: BTreeSet<Generation>,
    ) -> Self {
        Self { removal, files, source: Some(source), fence: true, avoid }
    }
}

/// What has to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: the target holds exactly these files.
    Unchanged,
    /// The files are put beside the live ones.
    Append(Manifest),
    /// A whole new generation is written: the files, and copies.
    Replace { manifest: Manifest, copies: Vec<Copied> },
}

/// A file that is copied into the new generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    pub target: Target,
    pub generation: Generation,
    pub name: String,
}

/// What became of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Outcome {
    /// It held exactly these rows: nothing was written.
    Unchanged,
    /// Files were added to its generation.
    Appended,
    /// It has a new generation.
    Replaced {
        /// The generation before; none if there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Generation>,
        /// The generation now.
        to: Generation,
    },
    /// Another run changed it meanwhile, and this change no longer holds.
    Superseded,
}

/// Decides what a change does to a target, whose manifest is `current`.
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

/// Whether files hold the same rows of the same origins, whatever their bytes are: another version, or other
/// settings of the encoder, give other bytes. Where a file does not say which rows it has, its bytes decide.
fn same_rows(live: &[LiveFile], ours: &[LiveFile]) -> bool {
    fn rows(files: &[LiveFile]) -> Option<(u64, RowsHash)> {
        let hashes: Option<Vec<RowsHash>> = files.iter().map(|file| file.rows_hash).collect();
        Some((files.iter().map(|file| file.rows).sum(), hashes?.into_iter().sum()))
    }
    fn origins(files: &[LiveFile]) -> BTreeSet<&Origin> {
        files.iter().map(|file| &file.origin).collect()
    }
    fn identities(files: &[LiveFile]) -> BTreeSet<&String> {
        files.iter().filter_map(|file| file.identities.as_ref()).collect()
    }
    let (has, wanted) = (rows(live), rows(ours));
    live == ours
        || has.is_some()
            && has == wanted
            && origins(live) == origins(ours)
            && identities(live) == identities(ours)
}

/// The generation for these files, after what a target has. Its name holds what it follows, so that names
/// of generations are never reused.
fn next(current: Option<&Manifest>, files: &[LiveFile]) -> Generation {
    let before = current.map_or("", |manifest| manifest.generation.as_str());
    let swept = current.and_then(|manifest| manifest.swept.as_deref());
    let content = files.iter().flat_map(|file| [file.name.as_str(), &file.hash]);
    hash::generation([before].into_iter().chain(swept).chain(content))
}

#[cfg(test)]
mod tests;
