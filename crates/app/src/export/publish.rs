//! Makes a received slice visible: whole, once, and never by overwriting.

use super::receive::Received;
use super::staging::{Body, SliceFile};
use super::{ExportError, Exporter};
use crate::ledger::{Day, Entry, Ledger, State};
use crate::manifest::{self, DayPlan, LiveFile, Manifest};
use crate::ports::{Precondition, Put};
use crate::{document, hash};
use mixlake_domain::{Generation, Slice, SliceLabel};

/// A slice that is visible.
pub(super) struct Published {
    /// Whether this run changed anything.
    pub changed: bool,
    /// The keys of its files.
    pub objects: Vec<String>,
    /// The key of its bad lines.
    pub quarantine: Option<String>,
}

/// How a step that others can interfere with ended.
enum Step<T> {
    Done(T),
    /// Another run has taken the slice over.
    Lost,
}

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
        if let (Some(key), Some(bytes)) = (&entry.quarantine, &received.transformed.quarantine) {
            // Named by its content: an object that is there already is the same.
            self.store.put(key, bytes.clone(), Precondition::Absent).await?;
        }
        let Step::Done(begun) = self.begin(&entry).await? else { return Ok(None) };
        let mut objects = Vec::new();
        for day in &begun.days {
            let dirty = begun.state == State::WritingAnew;
            match self.publish_day(day, &begun, received, dirty).await? {
                Step::Done(keys) => objects.extend(keys),
                Step::Lost => return Ok(None),
            }
        }
        let quarantine = entry.quarantine.clone();
        match self.end(entry).await? {
            Step::Done(()) => Ok(Some(Published { changed: true, objects, quarantine })),
            Step::Lost => Ok(None),
        }
    }

    /// The ledger's line for what was received.
    fn entry(&self, slice: SliceLabel, received: &Received) -> Entry {
        let quarantine = received.transformed.quarantine.as_ref();
        let quarantine =
            quarantine.map(|bytes| self.layout.quarantine(&slice, &hash::content(bytes)[..16]));
        let counts = received.transformed.counts.into();
        let mut content: Vec<String> = received
            .files
            .iter()
            .flat_map(|f| {
                [f.table.clone(), f.date.to_string(), f.live.name.clone(), f.live.hash.clone()]
            })
            .collect();
        // Everything that the entry says is part of the content, or a change of it would be lost.
        content.push(format!("{counts:?}"));
        content.extend(quarantine.clone());
        Entry {
            slice,
            state: State::Writing,
            content: hash::of_parts(content.iter().map(String::as_str)),
            days: received.files.iter().map(SliceFile::day).collect(),
            counts,
            quarantine,
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
                    objects.extend(self.keys(day, &manifest.generation, &files));
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(objects))
    }

    /// Enters the slice as being written.
    async fn begin(&self, ours: &Entry) -> Result<Step<Entry>, ExportError> {
        let key = self.layout.ledger(ours.slice.date());
        loop {
            let read = document::read::<Ledger>(self.store, &key).await?;
            let mut ledger = read.value.unwrap_or_default();
            if ledger.covering(ours.slice) != ours.slice {
                return Ok(Step::Lost);
            }
            let before = ledger.clone();
            ledger.begin(ours.clone());
            let begun = ledger.entry(ours.slice).cloned().unwrap_or_else(|| ours.clone());
            if ledger == before {
                return Ok(Step::Done(begun));
            }
            match document::write(self.store, &key, &ledger, read.precondition).await? {
                Put::Done => return Ok(Step::Done(begun)),
                Put::Refused => {}
            }
        }
    }

    /// Enters the slice as published.
    async fn end(&self, mut ours: Entry) -> Result<Step<()>, ExportError> {
        ours.state = State::Published;
        let key = self.layout.ledger(ours.slice.date());
        loop {
            let read = document::read::<Ledger>(self.store, &key).await?;
            let mut ledger = read.value.unwrap_or_default();
            match ledger.entry(ours.slice) {
                Some(entry) if *entry == ours => return Ok(Step::Done(())),
                Some(entry) if entry.content == ours.content => ledger.insert(ours.clone()),
                _ => return Ok(Step::Lost),
            }
            match document::write(self.store, &key, &ledger, read.precondition).await? {
                Put::Done => return Ok(Step::Done(())),
                Put::Refused => {}
            }
        }
    }

    /// Whether the slice is still ours to write.
    async fn still_ours(&self, ours: &Entry) -> Result<bool, ExportError> {
        let ledger = self.ledger(ours.slice).await?;
        Ok(ledger.entry(ours.slice).is_some_and(|entry| entry.content == ours.content))
    }

    /// Makes a day hold exactly the slice's files of it. Answers their keys.
    async fn publish_day(
        &self,
        day: &Day,
        entry: &Entry,
        received: &Received,
        mut dirty: bool,
    ) -> Result<Step<Vec<String>>, ExportError> {
        let files = received.of_day(day);
        let ours = received.live_files(day);
        // A staged file is copied, and a copy cannot be refused: only into a folder of its own.
        dirty |= files.iter().any(|file| matches!(file.body, Body::Staged(_)));
        loop {
            let (current, precondition) = self.manifest(day).await?;
            let plan = manifest::plan(current.as_ref(), day.parts(), entry.slice, &ours, dirty);
            let wanted = match plan {
                DayPlan::Unchanged => {
                    let keys = current.map(|m| self.keys(day, &m.generation, &ours));
                    return Ok(Step::Done(keys.unwrap_or_default()));
                }
                DayPlan::Append(manifest) => {
                    if !self.put_files(day, &manifest.generation, &files).await? {
                        // Somebody put other content there that no manifest lists.
                        dirty = true;
                        continue;
                    }
                    manifest
                }
                DayPlan::Replace { manifest, from, copies } => {
                    self.copy_files(day, from.as_ref(), &manifest.generation, &copies).await?;
                    // The folder is named by its content: what is there already is the same.
                    self.put_files(day, &manifest.generation, &files).await?;
                    manifest
                }
            };
            if !self.still_ours(entry).await? {
                return Ok(Step::Lost);
            }
            let key = self.layout.manifest(&day.table, day.date);
            match document::write(self.store, &key, &wanted, precondition).await? {
                Put::Done => return Ok(Step::Done(self.keys(day, &wanted.generation, &ours))),
                Put::Refused => {}
            }
        }
    }

    /// Puts files into a generation. Answers whether each is there with our content.
    async fn put_files(
        &self,
        day: &Day,
        generation: &Generation,
        files: &[&SliceFile],
    ) -> Result<bool, ExportError> {
        for file in files {
            let key = self.key(day, generation, &file.live.name);
            match &file.body {
                Body::Staged(staged) => self.store.copy(staged, &key).await?,
                Body::Memory(bytes) => {
                    let put = self.store.put(&key, bytes.clone(), Precondition::Absent).await?;
                    if put == Put::Refused {
                        let there = self.store.get(&key).await?;
                        if there.is_none_or(|object| hash::content(&object.body) != file.live.hash)
                        {
                            return Ok(false);
                        }
                    }
                }
            }
        }
        Ok(true)
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

    async fn manifest(&self, day: &Day) -> Result<(Option<Manifest>, Precondition), ExportError> {
        let key = self.layout.manifest(&day.table, day.date);
        let read = document::read(self.store, &key).await?;
        Ok((read.value, read.precondition))
    }

    fn key(&self, day: &Day, generation: &Generation, name: &str) -> String {
        format!("{}{name}", self.layout.generation(&day.table, day.date, generation))
    }

    fn keys(&self, day: &Day, generation: &Generation, files: &[LiveFile]) -> Vec<String> {
        files.iter().map(|file| self.key(day, generation, &file.name)).collect()
    }
}

impl SliceFile {
    fn day(&self) -> Day {
        Day { table: self.table.clone(), date: self.date }
    }
}

impl Received {
    fn of_day(&self, day: &Day) -> Vec<&SliceFile> {
        let here = |file: &&SliceFile| file.table == day.table && file.date == day.date;
        self.files.iter().filter(here).collect()
    }

    fn live_files(&self, day: &Day) -> Vec<LiveFile> {
        self.of_day(day).into_iter().map(|file| file.live.clone()).collect()
    }
}

impl Day {
    fn parts(&self) -> (&str, mixlake_domain::Date) {
        (&self.table, self.date)
    }
}
