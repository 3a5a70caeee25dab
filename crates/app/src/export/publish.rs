//! Makes a received slice visible: whole, once, and never by overwriting.
//!
//! `claim.rs` has the slice's line in the ledger, without which nothing is written.

use super::claim::{SWAPS, Step};
use super::receive::Received;
use super::staging::{Body, SliceFile};
use super::{ExportError, Exporter};
use crate::ledger::{Day, Entry, State};
use crate::manifest::{self, DayPlan, LiveFile, Manifest};
use crate::ports::{Precondition, Put};
use crate::{document, hash};
use bytes::Bytes;
use mixlake_domain::{Generation, Slice};
use std::collections::BTreeSet;

/// A slice that is visible.
pub(super) struct Published {
    /// Whether this run changed anything.
    pub changed: bool,
    /// The keys of its files.
    pub objects: Vec<String>,
    /// The key of its bad lines.
    pub quarantine: Option<String>,
}

/// How putting files ended.
enum Placed {
    /// They are there.
    There,
    /// One has the key of another file.
    Occupied,
    /// A staged one was deleted meanwhile.
    Gone,
}

/// How often an object is put that is refused and yet not there, or copied that is there and yet
/// cannot be.
const PUTS: u32 = 8;

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
            return Ok(Some(Published { changed: false, objects, quarantine }));
        }
        if let (Some(key), Some(bytes)) = (&entry.quarantine, &received.transformed.quarantine)
            && !self.put_once(key, bytes, &hash::content(bytes)).await?
        {
            return Ok(None);
        }
        let Step::Done(begun) = self.begin(&entry).await? else { return Ok(None) };
        let mut objects = Vec::new();
        for day in &begun.days {
            match self.publish_day(day, &begun, received).await? {
                Step::Done(keys) => objects.extend(keys),
                Step::Lost => return Ok(None),
            }
        }
        let quarantine = entry.quarantine.clone();
        match self.end(entry, &begun).await? {
            Step::Done(()) => Ok(Some(Published { changed: true, objects, quarantine })),
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
        for day in &ours.days {
            let (manifest, _) = self.manifest(day).await?;
            let files = received.live_files(day);
            match (
                manifest::plan(manifest.as_ref(), day.parts(), ours.slice, &files, false),
                manifest,
            ) {
                (DayPlan::Unchanged, Some(manifest)) => {
                    objects.extend(self.live_keys(day, Some(&manifest), &files));
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(objects))
    }

    /// Makes a day hold exactly the slice's files of it. Answers their keys.
    async fn publish_day(
        &self,
        day: &Day,
        entry: &Entry,
        received: &Received,
    ) -> Result<Step<Vec<String>>, ExportError> {
        let files = received.of_day(day);
        let ours = received.live_files(day);
        // A staged file is copied, and a copy cannot be refused: only into a folder of its own.
        let staged = files.iter().any(|file| matches!(file.body, Body::Staged(_)));
        let mut dirty = staged || entry.state == State::WritingAnew;
        let mut written = None;
        for _ in 0..SWAPS {
            let (current, precondition) = self.manifest(day).await?;
            if written.is_some() && current == written {
                // The write that was refused was our own, repeated after its answer was lost.
                return Ok(Step::Done(self.live_keys(day, current.as_ref(), &ours)));
            }
            // After the manifest was read, and before anything is put into its generation: whoever
            // takes the slice over later leaves that generation behind.
            if !self.still_ours(entry).await? {
                return Ok(Step::Lost);
            }
            if self.is_elsewhere(day, current.as_ref(), entry.slice, received).await? {
                return Ok(Step::Lost);
            }
            let plan = manifest::plan(current.as_ref(), day.parts(), entry.slice, &ours, dirty);
            let wanted = match plan {
                DayPlan::Unchanged => {
                    return Ok(Step::Done(self.live_keys(day, current.as_ref(), &ours)));
                }
                DayPlan::Append(manifest) => {
                    match self.put_files(day, &manifest.generation, &files).await? {
                        Placed::There => manifest,
                        // Somebody put other content there that no manifest lists.
                        Placed::Occupied => {
                            dirty = true;
                            continue;
                        }
                        Placed::Gone => return Ok(Step::Lost),
                    }
                }
                DayPlan::Replace { manifest, from, copies } => {
                    self.copy_files(day, from.as_ref(), &manifest.generation, &copies).await?;
                    // The folder is named by its content: what is there can only be the same.
                    match self.put_files(day, &manifest.generation, &files).await? {
                        Placed::There => manifest,
                        Placed::Occupied | Placed::Gone => return Ok(Step::Lost),
                    }
                }
            };
            let key = self.layout.manifest(&day.table, day.date);
            match document::write(self.store, &key, &wanted, precondition).await? {
                Put::Done => return Ok(Step::Done(self.live_keys(day, Some(&wanted), &ours))),
                Put::Refused => written = Some(wanted),
            }
        }
        Err(ExportError::Contended(SWAPS))
    }

    /// Puts files into a generation.
    async fn put_files(
        &self,
        day: &Day,
        generation: &Generation,
        files: &[&SliceFile],
    ) -> Result<Placed, ExportError> {
        for file in files {
            let key = self.key(day, generation, &file.live.name);
            match &file.body {
                Body::Staged(staged) => {
                    if !self.copy_staged(staged, &key).await? {
                        return Ok(Placed::Gone);
                    }
                }
                Body::Memory(bytes) => {
                    if !self.put_once(&key, bytes, &file.live.hash).await? {
                        return Ok(Placed::Occupied);
                    }
                }
            }
        }
        Ok(Placed::There)
    }

    /// Copies a staged file. Answers whether it could: a run with the same content deletes what it
    /// has staged when it is done, and may stage it again.
    async fn copy_staged(&self, staged: &str, key: &str) -> Result<bool, ExportError> {
        let mut tries = 1;
        while let Err(error) = self.store.copy(staged, key).await {
            if self.store.tail(staged, 1).await?.is_none() {
                return Ok(false);
            }
            if tries == PUTS {
                return Err(error.into());
            }
            tries += 1;
        }
        Ok(true)
    }

    /// Puts an object that may be there already. Answers whether it is there with our content.
    pub(super) async fn put_once(
        &self,
        key: &str,
        bytes: &Bytes,
        hash: &str,
    ) -> Result<bool, ExportError> {
        for _ in 0..PUTS {
            match self.store.put(key, bytes.clone(), Precondition::Absent).await? {
                Put::Done => return Ok(true),
                // Refused, yet perhaps not there: the write that was faster may still fail.
                Put::Refused => {
                    if let Some(there) = self.store.get(key).await? {
                        return Ok(hash::content(&there.body) == hash);
                    }
                }
            }
        }
        Err(ExportError::Contended(PUTS))
    }

    async fn copy_files(
        &self,
        day: &Day,
        from: Option<&Generation>,
        to: &Generation,
        names: &[String],
    ) -> Result<(), ExportError> {
        let Some(from) = from else { return Ok(()) };
        for name in names {
            self.store.copy(&self.key(day, from, name), &self.key(day, to, name)).await?;
        }
        Ok(())
    }

    pub(super) async fn manifest(
        &self,
        day: &Day,
    ) -> Result<(Option<Manifest>, Precondition), ExportError> {
        let key = self.layout.manifest(&day.table, day.date);
        let read = document::read(self.store, &key).await?;
        Ok((read.value, read.precondition))
    }

    fn key(&self, day: &Day, generation: &Generation, name: &str) -> String {
        format!("{}{name}", self.layout.generation(&day.table, day.date, generation))
    }

    /// The keys that a day's manifest gives to a slice's files.
    fn live_keys(&self, day: &Day, live: Option<&Manifest>, files: &[LiveFile]) -> Vec<String> {
        let of = |manifest: &Manifest| {
            files.iter().map(|file| self.key(day, &manifest.generation, &file.name)).collect()
        };
        live.map(of).unwrap_or_default()
    }
}

impl Received {
    /// The days that it has rows of.
    pub(super) fn days(&self) -> BTreeSet<Day> {
        self.files.iter().map(SliceFile::day).collect()
    }

    fn of_day(&self, day: &Day) -> Vec<&SliceFile> {
        let here = |file: &&SliceFile| file.table == day.table && file.date == day.date;
        self.files.iter().filter(here).collect()
    }

    pub(super) fn live_files(&self, day: &Day) -> Vec<LiveFile> {
        self.of_day(day).into_iter().map(|file| file.live.clone()).collect()
    }
}

impl Day {
    fn parts(&self) -> (&str, mixlake_domain::Date) {
        (&self.table, self.date)
    }
}
