//! Publishes a received slice: completely, once, and without overwriting anything.
//!
//! The slice's ledger entry is in `fence.rs`. Nothing is written without it.

use super::fence::Step;
use super::published::Published;
use super::received::Received;
use super::report::TargetChange;
use super::{ExportError, Exporter};
use crate::commit::{self, Body, Change, Commit, Guard, Outcome, Plan, Seen};
use crate::hash;
use crate::ledger::{self, Entry, State};
use crate::manifest::{LiveFile, Manifest};
use crate::people::{self, People};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use mixlake_domain::{Basis, Origin, Slice, SliceLabel, Target};

/// A target that has exactly the slice's files.
struct PublishedTarget {
    target: Target,
    outcome: Outcome,
    objects: Vec<String>,
    /// The live files of the slice.
    live: Vec<LiveFile>,
}

/// The number of targets that are published after one check of the ledger.
const TOGETHER: usize = 256;

/// The number of targets that are written at the same time.
const IN_FLIGHT: usize = 8;

impl Exporter<'_> {
    /// Publishes a slice. Returns `None` if another run took it over, or a person was erased, and the slice
    /// has to start again.
    pub(super) async fn publish(
        &self,
        slice: &Slice,
        received: &Received,
        people: Option<&People>,
    ) -> Result<Option<Published>, ExportError> {
        let published = self.publish_without(slice, received, people).await?;
        let quarantine = received.transformed.quarantine.as_ref();
        if let (None, Some(key), Some(bytes)) =
            (&published, self.entry(slice.label(), received).quarantine, quarantine)
        {
            let written = (&*key, &**bytes);
            people::drop_bad_lines::<ExportError>(self.store, self.layout, written, people).await?;
        }
        Ok(published)
    }

    async fn publish_without(
        &self,
        slice: &Slice,
        received: &Received,
        people: Option<&People>,
    ) -> Result<Option<Published>, ExportError> {
        let entry = self.entry(slice.label(), received);
        if let Some(objects) = self.is_published(&entry, received).await? {
            let quarantine = entry.quarantine;
            let changes = Vec::new();
            return Ok(Some(Published { changed: false, objects, changes, quarantine }));
        }
        let Step::Done(begun) = self.begin(&entry).await? else { return Ok(None) };
        // An erasure finds the slice in the ledger from now on.
        if People::read(self.store, self.layout).await?.as_ref() != people {
            return Ok(None);
        }
        if let (Some(key), Some(bytes)) = (&entry.quarantine, &received.transformed.quarantine)
            && !self.put_once(key, bytes, &hash::content(bytes)).await?
        {
            return Ok(None);
        }
        let (mut objects, mut changes, mut files) = (Vec::new(), Vec::new(), Vec::new());
        let targets: Vec<Target> = begun.targets.iter().cloned().collect();
        for targets in targets.chunks(TOGETHER) {
            match self.publish_targets(slice, targets, &begun, received).await? {
                Step::Done(done) => {
                    for PublishedTarget { target, outcome, objects: keys, live } in done {
                        objects.extend(keys);
                        files.extend(live.into_iter().map(|file| (target.clone(), file)));
                        changes.extend(TargetChange::of(target, outcome));
                    }
                }
                Step::Lost => return Ok(None),
            }
        }
        let quarantine = entry.quarantine.clone();
        let live = files.iter().map(|(target, file)| (target, file));
        let hash = ledger::content_of_bytes(live, entry.counts, quarantine.as_deref());
        let entry = Entry { files: Some(hash), ..entry };
        match self.end(entry, &begun).await? {
            Step::Done(()) => Ok(Some(Published { changed: true, objects, changes, quarantine })),
            Step::Lost => Ok(None),
        }
    }

    /// The keys of the slice's files, if the ledger and every manifest have exactly this content
    /// already.
    async fn is_published(
        &self,
        ours: &Entry,
        received: &Received,
    ) -> Result<Option<Vec<String>>, ExportError> {
        let ledger = self.ledger(ours.slice).await?;
        let same = ledger
            .entry(ours.slice)
            .is_some_and(|e| e.state == State::Published && e.content == ours.content);
        if !same {
            return Ok(None);
        }
        let mut objects = Vec::new();
        let origin = Origin::from(ours.slice);
        let targets: Vec<Target> = ours.targets.iter().cloned().collect();
        for targets in targets.chunks(TOGETHER) {
            for (target, manifest) in self.manifests(targets.to_vec()).await? {
                let files = received.live_files(&target);
                let change = Change::put(&origin, &files, false);
                let manifest = self.commit().with_rows_hashes(manifest, &change).await?;
                match (commit::plan(manifest.as_ref(), &target, &change), manifest) {
                    (Plan::Unchanged, Some(manifest)) => {
                        objects.extend(self.live_keys(&target, Some(&manifest), &origin));
                    }
                    _ => return Ok(None),
                }
            }
        }
        Ok(Some(objects))
    }

    /// Publishes targets together: it reads their manifests, checks the ledger once, and then writes
    /// each target. A slice of thousands of tables has a large ledger, so reading it for each table
    /// would take quadratic time.
    async fn publish_targets(
        &self,
        slice: &Slice,
        targets: &[Target],
        entry: &Entry,
        received: &Received,
    ) -> Result<Step<Vec<PublishedTarget>>, ExportError> {
        let read = |target: Target| async move {
            Ok::<_, ExportError>((self.manifest(&target).await?, target))
        };
        let read = stream::iter(targets.to_vec()).map(read).buffered(IN_FLIGHT);
        let read: Vec<_> = read.try_collect::<Vec<_>>().await?;
        if !self.still_ours(entry).await? {
            return Ok(Step::Lost);
        }
        let publish = |(seen, target): (Seen, Target)| async move {
            self.publish_target(slice, &target, seen, entry, received).await
        };
        // Waits for all of them even if one fails, so that no write continues after the run.
        let done = stream::iter(read).map(publish).buffered(IN_FLIGHT);
        let done: Vec<Result<Step<PublishedTarget>, ExportError>> = done.collect().await;
        let mut published = Vec::new();
        for target in done {
            match target? {
                Step::Done(target) => published.push(target),
                Step::Lost => return Ok(Step::Lost),
            }
        }
        Ok(Step::Done(published))
    }

    /// Makes a target have exactly the slice's files. `seen` is its manifest as it was before the check
    /// of the ledger.
    async fn publish_target(
        &self,
        slice: &Slice,
        target: &Target,
        seen: Seen,
        entry: &Entry,
        received: &Received,
    ) -> Result<Step<PublishedTarget>, ExportError> {
        let live = received.live_files(target);
        let files = received.new_files(target);
        let origin = Origin::from(entry.slice);
        // A staged file is copied, and S3 has no conditional copy, so it must go to a new generation.
        let is_staged = files.iter().any(|file| matches!(file.body, Body::Staged(_)));
        let fence = is_staged || entry.state == State::WritingAnew;
        let change = Change::put(&origin, &live, fence);
        let guard = Ours { exporter: self, slice, target, entry, received };
        let (outcome, manifest) =
            self.commit().change(target, seen, change, &files, &guard).await?;
        if outcome == Outcome::Superseded {
            return Ok(Step::Lost);
        }
        let objects = self.live_keys(target, manifest.as_ref(), &origin);
        let live = manifest.into_iter().flat_map(|manifest| manifest.files);
        let live = live.filter(|file| file.origin == origin).collect();
        Ok(Step::Done(PublishedTarget { target: target.clone(), outcome, objects, live }))
    }

    /// Writes an object unless it exists. Returns whether it exists with this content.
    pub(super) async fn put_once(
        &self,
        key: &str,
        bytes: &Bytes,
        hash: &str,
    ) -> Result<bool, ExportError> {
        Ok(commit::put_once(self.store, key, bytes, hash).await?)
    }

    fn commit(&self) -> Commit<'_> {
        Commit { store: self.store, layout: self.layout }
    }

    pub(super) async fn manifest(&self, target: &Target) -> Result<Seen, ExportError> {
        Ok(self.commit().read(target).await?)
    }

    /// The manifests of targets.
    pub(super) async fn manifests(
        &self,
        targets: Vec<Target>,
    ) -> Result<Vec<(Target, Option<Manifest>)>, ExportError> {
        let read =
            |target: Target| async move { Ok((target.clone(), self.manifest(&target).await?.0)) };
        stream::iter(targets).map(read).buffered(IN_FLIGHT).try_collect().await
    }

    /// The keys of the live files of an origin.
    fn live_keys(&self, target: &Target, live: Option<&Manifest>, origin: &Origin) -> Vec<String> {
        let Some(manifest) = live else { return Vec::new() };
        let folder = self.layout.generation(target, &manifest.generation);
        let files = manifest.files.iter().filter(|file| file.origin == *origin);
        files.map(|file| format!("{folder}{}", file.name)).collect()
    }
}

/// Checks whether this run may still publish the slice.
struct Ours<'a> {
    exporter: &'a Exporter<'a>,
    slice: &'a Slice,
    target: &'a Target,
    entry: &'a Entry,
    received: &'a Received,
}

#[async_trait::async_trait]
impl Guard<ExportError> for Ours<'_> {
    /// The ledger is checked after the manifest was read and before anything is written into its
    /// generation: a run that takes over the slice later writes a new generation. The caller has made
    /// this check for the first manifest.
    async fn may_go_on(
        &self,
        current: Option<&Manifest>,
        is_first: bool,
    ) -> Result<bool, ExportError> {
        let Self { exporter, slice, target, entry, received } = self;
        if !keeps_other_slices(target, current, entry.slice)? {
            tracing::info!(%slice, %target, "the day was compacted; the export starts again with the whole day");
            return Ok(false);
        }
        Ok((is_first || exporter.still_ours(entry).await?)
            && !exporter.has_shared_rows(target, current, slice, received).await?)
    }
}

/// Whether a slice replaces no rows of other slices, which a compacted file has together with its own. A slice
/// of ingestion that would is refused: its day cannot be exported as one slice.
fn keeps_other_slices(
    target: &Target,
    current: Option<&Manifest>,
    slice: SliceLabel,
) -> Result<bool, ExportError> {
    let lost = current.map(|manifest| lost_to(manifest, slice)).unwrap_or_default();
    if lost.is_empty() {
        return Ok(true);
    }
    match slice.basis() {
        Basis::EventTime => Ok(false),
        Basis::Ingestion => {
            Err(ExportError::Compacted { target: target.clone(), others: Origin::Slices(lost) })
        }
    }
}

/// The other slices whose rows would be lost if the files with rows of a slice were replaced.
pub(super) fn lost_to(manifest: &Manifest, slice: SliceLabel) -> Vec<SliceLabel> {
    let origin = Origin::from(slice);
    let replaced = manifest.files.iter().filter(|file| file.origin.overlaps(&origin));
    replaced.flat_map(|file| file.origin.lost_to(&origin)).collect()
}
