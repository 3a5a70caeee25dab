//! Makes a received slice visible: whole, once, and never by overwriting.
//!
//! `fence.rs` has the slice's line in the ledger, without which nothing is written.

use super::fence::Step;
use super::published::Published;
use super::received::Received;
use super::report::TargetChange;
use super::{ExportError, Exporter};
use crate::commit::{self, Body, Change, Commit, Guard, Outcome, Plan, Seen};
use crate::hash;
use crate::ledger::{Entry, State};
use crate::manifest::Manifest;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use mixlake_domain::{Origin, Slice, SliceLabel, Target};

/// A target that is as the slice wants it.
struct PublishedTarget {
    target: Target,
    outcome: Outcome,
    objects: Vec<String>,
}

/// How many targets are published between two looks at the ledger.
const TOGETHER: usize = 256;

/// How many of them are written at the same time.
const IN_FLIGHT: usize = 8;

impl Exporter<'_> {
    /// Publishes a slice; none if another run took it over, and it has to start again.
    pub(super) async fn publish(
        &self,
        slice: &Slice,
        received: &Received,
    ) -> Result<Option<Published>, ExportError> {
        let entry = self.entry(slice.label(), received);
        if let Some(objects) = self.is_published(&entry, received).await? {
            let quarantine = entry.quarantine;
            let changes = Vec::new();
            return Ok(Some(Published { changed: false, objects, changes, quarantine }));
        }
        if let (Some(key), Some(bytes)) = (&entry.quarantine, &received.transformed.quarantine)
            && !self.put_once(key, bytes, &hash::content(bytes)).await?
        {
            return Ok(None);
        }
        let Step::Done(begun) = self.begin(&entry).await? else { return Ok(None) };
        let (mut objects, mut changes) = (Vec::new(), Vec::new());
        let targets: Vec<Target> = begun.targets.iter().cloned().collect();
        for targets in targets.chunks(TOGETHER) {
            match self.publish_targets(slice, targets, &begun, received).await? {
                Step::Done(done) => {
                    for PublishedTarget { target, outcome, objects: keys } in done {
                        objects.extend(keys);
                        changes.extend(TargetChange::of(target, outcome));
                    }
                }
                Step::Lost => return Ok(None),
            }
        }
        let quarantine = entry.quarantine.clone();
        match self.end(entry, &begun).await? {
            Step::Done(()) => Ok(Some(Published { changed: true, objects, changes, quarantine })),
            Step::Lost => Ok(None),
        }
    }

    /// The keys of the slice's files, if the ledger and every manifest have exactly this content.
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

    /// Publishes targets together: their manifests are read, then the ledger is looked at once for all of
    /// them, then each is written. The ledger of a slice of thousands of tables is large; to read it for
    /// each of them would cost their square.
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
        // All of them end, also where one fails: none is left at work behind the run.
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

    /// Makes a target hold exactly the slice's files of it. `seen` is its manifest, as it was before the
    /// ledger was looked at.
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
        // A staged file is copied, and a copy cannot be refused: only into a generation of its own.
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
        Ok(Step::Done(PublishedTarget { target: target.clone(), outcome, objects }))
    }

    /// Puts an object that may be there already. Answers whether it is there with our content.
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

/// Whether a slice is still this run's to publish.
struct Ours<'a> {
    exporter: &'a Exporter<'a>,
    slice: &'a Slice,
    target: &'a Target,
    entry: &'a Entry,
    received: &'a Received,
}

#[async_trait::async_trait]
impl Guard<ExportError> for Ours<'_> {
    /// The ledger is looked at after the manifest was read, and before anything is put into its generation:
    /// whoever takes the slice over later leaves that generation behind. Before the first manifest was used,
    /// somebody has looked.
    async fn may_go_on(
        &self,
        current: Option<&Manifest>,
        is_first: bool,
    ) -> Result<bool, ExportError> {
        let Self { exporter, slice, target, entry, received } = self;
        keeps_other_slices(target, current, &Origin::from(entry.slice))?;
        Ok((is_first || exporter.still_ours(entry).await?)
            && !exporter.is_elsewhere(target, current, slice, received).await?)
    }
}

/// Refuses a slice that would take the rows of other slices away, which a compacted file holds with its own.
fn keeps_other_slices(
    target: &Target,
    current: Option<&Manifest>,
    origin: &Origin,
) -> Result<(), ExportError> {
    let replaced = current.iter().flat_map(|manifest| &manifest.files);
    let replaced = replaced.filter(|file| file.origin.overlaps(origin));
    let lost: Vec<SliceLabel> = replaced.flat_map(|file| file.origin.lost_to(origin)).collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(ExportError::Compacted { target: target.clone(), others: Origin::Slices(lost) })
}
