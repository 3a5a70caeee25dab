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
use futures::stream::{self, StreamExt, TryStreamExt};
use mixlake_domain::{Date, Generation, Slice};
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

/// How many days are published between two looks at the ledger.
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
            return Ok(Some(Published { changed: false, objects, quarantine }));
        }
        if let (Some(key), Some(bytes)) = (&entry.quarantine, &received.transformed.quarantine)
            && !self.put_once(key, bytes, &hash::content(bytes)).await?
        {
            return Ok(None);
        }
        let Step::Done(begun) = self.begin(&entry).await? else { return Ok(None) };
        let mut objects = Vec::new();
        let days: Vec<Day> = begun.days.iter().cloned().collect();
        for days in days.chunks(TOGETHER) {
            match self.publish_days(slice, days, &begun, received).await? {
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
        let days: Vec<Day> = ours.days.iter().cloned().collect();
        for days in days.chunks(TOGETHER) {
            for (day, manifest) in self.manifests(days.to_vec()).await? {
                let files = received.live_files(&day);
                let plan =
                    manifest::plan(manifest.as_ref(), day.parts(), ours.slice, &files, false);
                match (plan, manifest) {
                    (DayPlan::Unchanged, Some(manifest)) => {
                        objects.extend(self.live_keys(&day, Some(&manifest), &files));
                    }
                    _ => return Ok(None),
                }
            }
        }
        Ok(Some(objects))
    }

    /// Publishes days together: their manifests are read, then the ledger is looked at once for all of
    /// them, then each is written. The ledger of a slice of thousands of tables is large; to read it for
    /// each of them would cost their square.
    async fn publish_days(
        &self,
        slice: &Slice,
        days: &[Day],
        entry: &Entry,
        received: &Received,
    ) -> Result<Step<Vec<String>>, ExportError> {
        let read =
            |day: Day| async move { Ok::<_, ExportError>((self.manifest(&day).await?, day)) };
        let read = stream::iter(days.to_vec()).map(read).buffered(IN_FLIGHT);
        let read: Vec<_> = read.try_collect::<Vec<_>>().await?;
        if !self.still_ours(entry).await? {
            return Ok(Step::Lost);
        }
        let publish = |(read, day): (_, Day)| async move {
            self.publish_day(slice, &day, read, entry, received).await
        };
        // All of them end, also where one fails: none is left at work behind the run.
        let done = stream::iter(read).map(publish).buffered(IN_FLIGHT);
        let done: Vec<Result<Step<Vec<String>>, ExportError>> = done.collect().await;
        let mut objects = Vec::new();
        for day in done {
            match day? {
                Step::Done(keys) => objects.extend(keys),
                Step::Lost => return Ok(Step::Lost),
            }
        }
        Ok(Step::Done(objects))
    }

    /// Makes a day hold exactly the slice's files of it. Answers their keys. `read` is its manifest, as it
    /// was before the ledger was looked at.
    async fn publish_day(
        &self,
        slice: &Slice,
        day: &Day,
        read: (Option<Manifest>, Precondition),
        entry: &Entry,
        received: &Received,
    ) -> Result<Step<Vec<String>>, ExportError> {
        let files = received.of_day(day);
        let ours = received.live_files(day);
        // A staged file is copied, and a copy cannot be refused: only into a folder of its own.
        let staged = files.iter().any(|file| matches!(file.body, Body::Staged(_)));
        let mut dirty = staged || entry.state == State::WritingAnew;
        let mut written = None;
        let mut read = Some(read);
        let mut occupied = BTreeSet::new();
        for _ in 0..SWAPS {
            let looked_at = read.is_some();
            let (current, precondition) = match read.take() {
                Some(read) => read,
                None => self.manifest(day).await?,
            };
            if written.is_some() && current == written {
                // The write that was refused was our own, repeated after its answer was lost.
                return Ok(Step::Done(self.live_keys(day, current.as_ref(), &ours)));
            }
            // After the manifest was read, and before anything is put into its generation: whoever
            // takes the slice over later leaves that generation behind.
            if !looked_at && !self.still_ours(entry).await? {
                return Ok(Step::Lost);
            }
            if self.is_elsewhere(day, current.as_ref(), slice, received).await? {
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
                    let manifest = manifest.outside(&occupied);
                    self.copy_files(day, from.as_ref(), &manifest.generation, &copies).await?;
                    match self.put_files(day, &manifest.generation, &files).await? {
                        Placed::There => manifest,
                        // The folder is named by its content, so a file there has been damaged.
                        Placed::Occupied => {
                            occupied.insert(manifest.generation);
                            continue;
                        }
                        Placed::Gone => return Ok(Step::Lost),
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
        let read = Manifest::read(self.store, self.layout, &day.table, day.date).await?;
        Ok((read.value, read.precondition))
    }

    /// The manifests of days.
    pub(super) async fn manifests(
        &self,
        days: Vec<Day>,
    ) -> Result<Vec<(Day, Option<Manifest>)>, ExportError> {
        let read = |day: Day| async move { Ok((day.clone(), self.manifest(&day).await?.0)) };
        stream::iter(days).map(read).buffered(IN_FLIGHT).try_collect().await
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
        self.by_day.keys().cloned().collect()
    }

    fn of_day(&self, day: &Day) -> Vec<&SliceFile> {
        let places = self.by_day.get(day).into_iter().flatten();
        places.map(|&place| &self.files[place]).collect()
    }

    /// The rows of a day of a table.
    pub(super) fn rows_of(&self, table: &str, date: Date) -> u64 {
        let day = Day { table: table.to_owned(), date };
        self.of_day(&day).iter().map(|file| file.live.rows).sum()
    }

    /// Whether other slices may have rows of a day too.
    pub(super) fn may_be_elsewhere(&self, day: &Day) -> bool {
        self.of_day(day).iter().any(|file| file.live.identities.is_some())
    }

    pub(super) fn live_files(&self, day: &Day) -> Vec<LiveFile> {
        self.of_day(day).into_iter().map(|file| file.live.clone()).collect()
    }
}

impl Day {
    fn parts(&self) -> (&str, Date) {
        (&self.table, self.date)
    }
}
