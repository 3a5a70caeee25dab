//! Removes the rows of a person from the live files of targets.

use super::fence::Fences;
use super::mark::Mark;
use super::settle::{files_of, is_compacted, rows};
use super::{EraseError, Eraser, Removed, Run};
use crate::commit::{Body, Change, Guard, NewFile, Outcome, put_once};
use crate::hash;
use crate::ledger::{Ledger, State};
use crate::manifest::{LiveFile, Manifest};
use mixlake_columnar::{FoundRow, FoundRows, Identities, NoIdentities, RowKey, without_rows};
use mixlake_domain::{DataFormat, Date, Slice, SliceLabel, Target};
use std::collections::{BTreeMap, BTreeSet};

/// The number of times that a target is begun. Each further time, another run has changed its files.
const ROUNDS: u32 = 8;

/// A live file with rows of the person, and the file that takes its place.
struct Renewed {
    before: LiveFile,
    found: FoundRows,
    /// `None` if no row is left.
    after: Option<(LiveFile, Body)>,
}

impl Eraser<'_> {
    /// Removes the rows of the person from all targets. What fails is in the report.
    pub(super) async fn targets(&self, run: &mut Run<'_>, fences: &mut Fences) {
        let mut to_fence: BTreeSet<Target> = fences.values().flatten().cloned().collect();
        let mut missing = BTreeMap::new();
        let work = run.worklist();
        for (at, target) in work.iter().enumerate() {
            match self.renew(run, target, &mut missing).await {
                Ok(true) => {
                    to_fence.remove(target);
                }
                Ok(false) => {}
                Err(error) => run.fail(target.to_string(), &error),
            }
            let later: BTreeSet<Date> = work[at + 1..]
                .iter()
                .filter_map(|target| run.found.targets.get(target))
                .flat_map(|found| found.live.values())
                .filter(|(_, found)| !found.rows.is_empty())
                .flat_map(|(origin, _)| origin.slices().iter().map(SliceLabel::date))
                .collect();
            let ready: BTreeSet<Date> = missing.keys().map(SliceLabel::date).collect();
            for date in ready.difference(&later) {
                self.settle_date(run, *date, &mut missing).await;
            }
        }
        match self.unfinished().await {
            Ok(unfinished) => {
                let dates: BTreeSet<Date> = unfinished.iter().map(SliceLabel::date).collect();
                for date in dates {
                    self.settle_date(run, date, &mut missing).await;
                }
            }
            Err(error) => run.fail(self.layout.ledgers(), &error),
        }
        for target in to_fence {
            if let Err(error) = self.fence_target(&target).await {
                run.fail(target.to_string(), &error);
                fences.retain(|_, targets| !targets.contains(&target));
            }
        }
    }

    async fn settle_date(
        &self,
        run: &mut Run<'_>,
        date: Date,
        missing: &mut BTreeMap<SliceLabel, i64>,
    ) {
        match self.settle(date, missing, &run.removed).await {
            Ok(()) => missing.retain(|slice, _| slice.date() != date),
            Err(error) => run.fail(self.layout.ledger(date), &error),
        }
    }

    /// Removes the rows of the person from a target. Returns whether it has a new manifest.
    pub(super) async fn renew(
        &self,
        run: &mut Run<'_>,
        target: &Target,
        missing: &mut BTreeMap<SliceLabel, i64>,
    ) -> Result<bool, EraseError> {
        for _ in 0..ROUNDS {
            let seen = self.commit().read(target).await?;
            let Some(manifest) = &seen.0 else { return Ok(false) };
            let affected = self.affected(run, target, manifest).await?;
            if affected.is_empty() {
                return Ok(false);
            }
            let slices = affected.iter().flat_map(|(file, _)| file.origin.slices());
            for slice in slices.copied().collect::<BTreeSet<_>>() {
                self.mark(slice, missing).await?;
            }
            let renewed = match self.all_renewed(run, manifest, affected).await {
                Ok(renewed) => renewed,
                // Another erasure may have replaced the files, and deleted what belonged to them.
                Err(_) if self.commit().read(target).await?.0.as_ref() != Some(manifest) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let names: BTreeSet<String> =
                renewed.iter().map(|file| file.before.name.clone()).collect();
            let after = || renewed.iter().filter_map(|file| file.after.as_ref());
            let live: Vec<LiveFile> = after().map(|(live, _)| live.clone()).collect();
            let files: Vec<NewFile<'_>> =
                after().map(|(live, body)| NewFile { live, body }).collect();
            let change = Change { files: &live, ..Change::remove(&names) };
            let guard = StillThere(&renewed);
            let (outcome, manifest) =
                self.commit().change::<EraseError>(target, seen, change, &files, &guard).await?;
            match outcome {
                Outcome::Superseded => {}
                Outcome::Unchanged | Outcome::Appended | Outcome::Replaced { .. } => {
                    Self::removed(run, &renewed);
                    self.drop_identities(target, &renewed, manifest.as_ref()).await?;
                    return Ok(true);
                }
            }
        }
        Err(EraseError::Contended)
    }

    async fn all_renewed(
        &self,
        run: &Run<'_>,
        manifest: &Manifest,
        affected: Vec<(LiveFile, FoundRows)>,
    ) -> Result<Vec<Renewed>, EraseError> {
        let mut renewed = Vec::new();
        for (file, found) in affected {
            renewed.push(self.renewed(run, manifest, file, found).await?);
        }
        Ok(renewed)
    }

    /// The live files with rows of the person. Files that came after the search are searched now.
    async fn affected(
        &self,
        run: &Run<'_>,
        target: &Target,
        manifest: &Manifest,
    ) -> Result<Vec<(LiveFile, FoundRows)>, EraseError> {
        let columns = run.columns.of(&target.table);
        let known = run.found.targets.get(target);
        let mut affected = Vec::new();
        for file in &manifest.files {
            if known.is_some_and(|known| known.unreadable.contains(&file.hash)) {
                continue;
            }
            let found = if let Some((_, found)) = known.and_then(|known| known.live.get(&file.hash))
            {
                found.clone()
            } else {
                let (key, object) = self.object(manifest, file).await?;
                self.rows(&key, &object, &columns, run.person)?
            };
            if !found.rows.is_empty() {
                affected.push((file.clone(), found));
            }
        }
        Ok(affected)
    }

    pub(super) async fn object(
        &self,
        manifest: &Manifest,
        file: &LiveFile,
    ) -> Result<(String, bytes::Bytes), EraseError> {
        let folder = self.layout.generation(&manifest.target, &manifest.generation);
        let key = format!("{folder}{}", file.name);
        let object = self.store.get(&key).await?;
        let missing = || EraseError::Missing { location: self.store.location(&key) };
        let body = object.ok_or_else(missing)?.body;
        Ok((key, body))
    }

    /// Marks a published slice. A slice that is being written now was received without the person.
    async fn mark(
        &self,
        slice: SliceLabel,
        missing: &mut BTreeMap<SliceLabel, i64>,
    ) -> Result<(), EraseError> {
        if missing.contains_key(&slice) {
            return Ok(());
        }
        for _ in 0..ROUNDS {
            // The manifests are read after the ledger, which must then be the same.
            let ledger = Ledger::read(self.store, self.layout, slice.date()).await?.value;
            let ledger = ledger.unwrap_or_default();
            let Some(entry) = ledger.entry(slice).cloned() else { return Ok(()) };
            let manifests = self.manifests_of(&ledger).await?;
            let was_missing = match Mark::of(&entry) {
                Some(Mark::Erasing { missing }) => missing,
                Some(Mark::Fence | Mark::Fenced) => return Ok(()),
                None if entry.state != State::Published => return Ok(()),
                None => {
                    let files = files_of(&entry, &manifests);
                    let counted = entry.counts.written.cast_signed();
                    if is_compacted(&files) { 0 } else { counted - rows(&files).cast_signed() }
                }
            };
            let mark = Mark::Erasing { missing: was_missing };
            let mark = if Mark::of(&entry).is_some() { None } else { Some(mark.on(&entry)) };
            let is_marked = self.change_ledger(slice.date(), |ledger| {
                let is_same = ledger.entry(slice) == Some(&entry);
                if let (true, Some(marked)) = (is_same, &mark) {
                    ledger.insert(marked.clone());
                }
                is_same || ledger.entry(slice) == mark.as_ref()
            });
            if is_marked.await? {
                missing.insert(slice, was_missing);
                return Ok(());
            }
        }
        Err(EraseError::Contended)
    }

    /// Makes a file without the rows of the person, and stores the identities of the rows that stay.
    async fn renewed(
        &self,
        run: &Run<'_>,
        manifest: &Manifest,
        before: LiveFile,
        found: FoundRows,
    ) -> Result<Renewed, EraseError> {
        let target = &manifest.target;
        let (key, body) = self.object(manifest, &before).await?;
        let location = || self.store.location(&key);
        let identities = self.identities_without(run, target, &before, &found).await?;
        let format = DataFormat::of_file(&before.name).unwrap_or(DataFormat::Parquet);
        let columns = run.columns.of(&target.table);
        let (rest, hash_before) =
            without_rows(&body, format, &columns, &found.rows, identities.as_deref())
                .map_err(|cause| EraseError::File { location: location(), cause })?;
        if before.rows_hash.is_some_and(|listed| listed != hash_before) {
            return Err(EraseError::Differs { location: location() });
        }
        let after = rest.map(|rest| {
            let live = LiveFile {
                rows: rest.rows,
                bytes: rest.bytes.len() as u64,
                hash: hash::content(&rest.bytes),
                rows_hash: Some(rest.rows_hash),
                identities,
                ..before.clone()
            };
            (live, Body::Memory(rest.bytes))
        });
        Ok(Renewed { before, found, after })
    }

    /// The hash of the identities of the rows that stay. The object is stored.
    async fn identities_without(
        &self,
        run: &Run<'_>,
        target: &Target,
        file: &LiveFile,
        found: &FoundRows,
    ) -> Result<Option<String>, EraseError> {
        let Some(hash) = &file.identities else { return Ok(None) };
        let key = self.layout.identities(target, hash);
        let damaged = |cause| EraseError::Identities { location: self.store.location(&key), cause };
        let object = self.store.get(&key).await?.ok_or_else(|| damaged(NoIdentities))?;
        let all = Identities::read(object.body).map_err(damaged)?;
        let gone = found.keys.iter().filter_map(|row| {
            let FoundRow { event, time, distinct_id, insert_id } = row;
            Some(RowKey {
                event: run.columns.event(&target.table, event.as_deref())?,
                distinct_id: distinct_id.as_deref(),
                time: (*time)?,
                insert_id: insert_id.as_deref()?,
            })
        });
        let Some(rest) = all.without(gone) else { return Ok(None) };
        let hash = rest.hash();
        put_once(self.store, &self.layout.identities(target, &hash), rest.bytes(), &hash).await?;
        Ok(Some(hash))
    }

    /// Deletes the identities of files that are not live any more.
    async fn drop_identities(
        &self,
        target: &Target,
        renewed: &[Renewed],
        manifest: Option<&Manifest>,
    ) -> Result<(), EraseError> {
        let live = manifest.iter().flat_map(|manifest| &manifest.files);
        let live: BTreeSet<&String> = live.filter_map(|file| file.identities.as_ref()).collect();
        let before = renewed.iter().filter_map(|file| file.before.identities.as_ref());
        for hash in before.filter(|hash| !live.contains(hash)) {
            self.store.delete(&self.layout.identities(target, hash)).await?;
        }
        Ok(())
    }

    /// Counts the removed rows by their slices.
    fn removed(run: &mut Run<'_>, renewed: &[Renewed]) {
        for file in renewed {
            let labels = file.before.origin.slices();
            let slices: Vec<Slice> =
                labels.iter().filter_map(|label| Slice::of_label(*label, &run.zone)).collect();
            for row in &file.found.keys {
                let time = row
                    .time
                    .and_then(|time| mixlake_domain::Timestamp::from_millisecond(time).ok());
                let within =
                    slices.iter().find(|slice| time.is_some_and(|time| slice.contains(time)));
                let Some(label) = within.map(Slice::label).or(labels.first().copied()) else {
                    continue;
                };
                let removed: &mut Removed = run.removed.entry(label).or_default();
                removed.rows += 1;
                removed.outside += u64::from(within.is_none());
            }
        }
    }
}

/// The files that a change replaces must still be live, byte by byte: a later file can have the same name.
struct StillThere<'a>(&'a [Renewed]);

#[async_trait::async_trait]
impl Guard<EraseError> for StillThere<'_> {
    async fn may_go_on(&self, current: Option<&Manifest>, _: bool) -> Result<bool, EraseError> {
        let live = current.map_or(&[][..], |manifest| &manifest.files);
        Ok(self.0.iter().all(|file| live.contains(&file.before)))
    }
}
