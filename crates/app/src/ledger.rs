//! The ledger of a date: which slices are published, and which are being written.
//!
//! A slice can touch several days and tables, so its state is stored in one place. Before a run writes a
//! file, it enters the slice as `writing`, with the days that it touches. If another run exports the
//! same slice or an overlapping one and finds such an entry, the live generations of these days may have
//! files of the slice that no manifest lists. So that run writes new generations. A run whose entry was
//! taken over gives up. Slices that do not overlap do not affect each other: the file of a crashed hour
//! may be visible until that hour or its day is exported again, and it is never visible twice.

use crate::document::{self, DocumentError, Read};
use crate::hash;
use crate::manifest::{Format, LiveFile};
use crate::ports::ObjectStore;
use mixlake_columnar::{Counts, RowsHash};
use mixlake_domain::{Date, Layout, SliceLabel, Target};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// All slices of a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The version of the document's format.
    pub format: Format,
    /// The slices, in order.
    pub slices: Vec<Entry>,
}

/// A slice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its label.
    pub slice: SliceLabel,
    /// Its state.
    pub state: State,
    /// The hash of its content.
    pub content: String,
    /// The hash of the bytes of its live files, once it is published. Version 0.1 had it in `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
    /// The targets that have, or may have, files of it.
    #[serde(rename = "days")]
    pub targets: BTreeSet<Target>,
    /// The counts of its lines.
    pub counts: SliceCounts,
    /// The object with its bad lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

/// The state of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There may be files that no manifest lists.
    Writing,
    /// Like `Writing`, and an earlier run wrote too: the run must write new generations.
    WritingAnew,
    /// All manifests list its files.
    Published,
}

/// The counts of a slice's lines: `received = written + duplicates + quarantined + suppressed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceCounts {
    /// Lines that are not blank.
    pub received: u64,
    /// Rows in files.
    pub written: u64,
    /// Duplicate rows that were dropped.
    pub duplicates: u64,
    /// Lines that are not events.
    pub quarantined: u64,
    /// Lines of erased people. Older ledgers do not have this count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed: u64,
    /// Written rows whose time is outside the slice.
    pub outside: u64,
    /// Events in which half of a surrogate pair became U+FFFD. Older ledgers do not have this count.
    #[serde(default)]
    pub mended: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over as it is")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<Counts> for SliceCounts {
    fn from(counts: Counts) -> Self {
        let Counts { received, written, duplicates, quarantined, suppressed, outside, mended } =
            counts;
        Self { received, written, duplicates, quarantined, suppressed, outside, mended }
    }
}

impl SliceCounts {
    /// The text of the counts in the hash of a slice. It is the same as in earlier versions, so that
    /// their slices are recognized as unchanged.
    ///
    /// The lines of erased people count as duplicates here. An erasure does not know which duplicates of
    /// a slice were theirs, and an export after it does not look for duplicates among their lines.
    fn for_hash(self) -> String {
        let Self { received, written, duplicates, quarantined, suppressed, outside, mended } = self;
        let duplicates = duplicates + suppressed;
        let later = if mended > 0 { format!(", mended: {mended}") } else { String::new() };
        format!(
            "SliceCounts {{ received: {received}, written: {written}, duplicates: {duplicates}, \
             quarantined: {quarantined}, outside: {outside}{later} }}"
        )
    }
}

/// The hash of a slice's content: its rows by target, its counts and the object with its bad lines.
/// Everything in an entry is part of it; otherwise a change of that part would be lost. If a file has no
/// hash of its rows, this is the hash that version 0.1 wrote.
pub(crate) fn content<'a>(
    files: impl Iterator<Item = (&'a Target, &'a LiveFile)> + Clone,
    counts: SliceCounts,
    quarantine: Option<&str>,
) -> String {
    let mut targets: BTreeMap<&Target, (u64, RowsHash)> = BTreeMap::new();
    for (target, file) in files.clone() {
        let Some(hash) = file.rows_hash else { return content_of_bytes(files, counts, quarantine) };
        let sums = targets.entry(target).or_default();
        *sums = (sums.0 + file.rows, sums.1 + hash);
    }
    let mut parts: Vec<String> = targets
        .into_iter()
        .flat_map(|(target, (rows, hash))| {
            [target.table.to_string(), date(target), rows.to_string(), hash.to_string()]
        })
        .collect();
    finish(&mut parts, files, counts, quarantine)
}

/// Whether these files are those of an entry, byte by byte.
pub(crate) fn are_files_of<'a>(
    entry: &Entry,
    files: impl Iterator<Item = (&'a Target, &'a LiveFile)> + Clone,
) -> bool {
    let hash = entry.files.as_ref().unwrap_or(&entry.content);
    content_of_bytes(files, entry.counts, entry.quarantine.as_deref()) == *hash
}

/// The hash of what a slice holds, from the bytes of its files.
pub(crate) fn content_of_bytes<'a>(
    files: impl Iterator<Item = (&'a Target, &'a LiveFile)> + Clone,
    counts: SliceCounts,
    quarantine: Option<&str>,
) -> String {
    let mut parts: Vec<String> = files
        .clone()
        .flat_map(|(target, file)| {
            [target.table.to_string(), date(target), file.name.clone(), file.hash.clone()]
        })
        .collect();
    finish(&mut parts, files, counts, quarantine)
}

fn date(target: &Target) -> String {
    target.date.map(|date| date.to_string()).unwrap_or_default()
}

fn finish<'a>(
    parts: &mut Vec<String>,
    files: impl Iterator<Item = (&'a Target, &'a LiveFile)>,
    counts: SliceCounts,
    quarantine: Option<&str>,
) -> String {
    parts.extend(files.filter_map(|(_, file)| file.identities.clone()));
    parts.push(counts.for_hash());
    parts.extend(quarantine.map(str::to_owned));
    hash::of_parts(parts.iter().map(String::as_str))
}

impl Ledger {
    /// Reads the ledger of a date. A ledger with slices of another date is refused.
    pub(crate) async fn read(
        store: &dyn ObjectStore,
        layout: &Layout,
        date: Date,
    ) -> Result<Read<Self>, DocumentError> {
        let key = layout.ledger(date);
        let read = document::read::<Self>(store, &key).await?;
        read.of_its_place(
            || store.location(&key),
            |is| {
                let other = is.slices.iter().find(|entry| entry.slice.date() != date)?;
                Some(format!("it is a ledger with the slice {}", other.slice))
            },
        )
    }

    /// The slice to export instead of this one: the day or hour that covers it, if that was exported as
    /// one slice, or the slice itself.
    pub(crate) fn covering(&self, slice: SliceLabel) -> SliceLabel {
        let wider = |other: SliceLabel| other != slice && other.covers(&slice);
        self.slices.iter().map(|e| e.slice).find(|&other| wider(other)).unwrap_or(slice)
    }

    /// A slice of the other kind of time: ingestion or event time.
    pub(crate) fn of_other_time(&self, slice: SliceLabel) -> Option<SliceLabel> {
        self.slices.iter().map(|e| e.slice).find(|other| other.basis() != slice.basis())
    }

    /// The entry of a slice.
    pub(crate) fn entry(&self, slice: SliceLabel) -> Option<&Entry> {
        self.slices.iter().find(|entry| entry.slice == slice)
    }

    /// Enters a slice as being written, and removes the entries that it overlaps.
    pub(crate) fn begin(&mut self, mut ours: Entry) {
        let (overlapping, others): (Vec<Entry>, Vec<Entry>) =
            self.slices.drain(..).partition(|entry| entry.slice.overlaps(&ours.slice));
        let anew = overlapping.iter().any(|entry| match entry.state {
            State::Published => false,
            State::Writing => entry.slice != ours.slice || entry.content != ours.content,
            State::WritingAnew => true,
        });
        ours.state = if anew { State::WritingAnew } else { State::Writing };
        ours.targets.extend(overlapping.into_iter().flat_map(|entry| entry.targets));
        self.slices = others;
        self.insert(ours);
    }

    /// Replaces the entry with the same label.
    pub(crate) fn insert(&mut self, ours: Entry) {
        self.slices.retain(|entry| entry.slice != ours.slice);
        self.slices.push(ours);
        self.slices.sort_by_key(|entry| entry.slice);
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { format: Format, slices: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> SliceLabel {
        text.to_owned().try_into().unwrap()
    }

    fn entry(slice: &str, content: &str, state: State) -> Entry {
        Entry {
            slice: label(slice),
            state,
            content: content.to_owned(),
            files: None,
            targets: BTreeSet::from([Target::day(content.parse().unwrap(), label(slice).date())]),
            counts: SliceCounts::default(),
            quarantine: None,
        }
    }

    fn after(before: Vec<Entry>, ours: Entry) -> Entry {
        let slice = ours.slice;
        let mut ledger = Ledger { slices: before, ..Ledger::default() };
        ledger.begin(ours);
        ledger.entry(slice).unwrap().clone()
    }

    #[test]
    fn counts_are_hashed_as_earlier_versions_did() {
        let counts = SliceCounts {
            received: 9,
            written: 7,
            duplicates: 1,
            quarantined: 1,
            ..Default::default()
        };
        let earlier =
            "SliceCounts { received: 9, written: 7, duplicates: 1, quarantined: 1, outside: 0 }";
        assert_eq!(content([].into_iter(), counts, None), hash::of_parts([earlier].into_iter()));
        let mended = SliceCounts { mended: 1, ..counts };
        assert_ne!(content([].into_iter(), mended, None), content([].into_iter(), counts, None));
    }

    #[test]
    fn a_crashed_run_is_taken_up_by_one_with_the_same_content() {
        let crashed = entry("2026-11-10T01", "a", State::Writing);
        let ours = after(vec![crashed.clone()], crashed);
        assert_eq!(ours.state, State::Writing);
    }

    #[test]
    fn a_crashed_run_with_other_content_makes_the_generation_dirty() {
        let crashed = entry("2026-11-10T01", "a", State::Writing);
        let ours = after(vec![crashed], entry("2026-11-10T01", "b", State::Writing));
        assert_eq!(ours.state, State::WritingAnew);
        assert_eq!(ours.targets.len(), 2, "the days of both are looked at");
    }

    #[test]
    fn dirt_is_remembered_until_the_slice_is_published() {
        let crashed = entry("2026-11-10", "a", State::WritingAnew);
        let again = after(vec![crashed.clone()], crashed);
        assert_eq!(again.state, State::WritingAnew);
    }

    #[test]
    fn an_hour_of_a_day_that_is_one_slice_means_that_day() {
        let day = entry("2026-11-10", "a", State::Published);
        let ledger = Ledger { slices: vec![day], ..Ledger::default() };
        assert_eq!(ledger.covering(label("2026-11-10T05")), label("2026-11-10"));
        assert_eq!(ledger.covering(label("2026-11-10T05_15to30")), label("2026-11-10"));
        assert_eq!(ledger.covering(label("2026-11-11T05")), label("2026-11-11T05"));
    }

    #[test]
    fn minutes_of_an_hour_that_is_one_slice_mean_that_hour() {
        let hour = entry("2026-11-10T05", "a", State::Published);
        let ledger = Ledger { slices: vec![hour], ..Ledger::default() };
        assert_eq!(ledger.covering(label("2026-11-10T05_15to30")), label("2026-11-10T05"));
        assert_eq!(ledger.covering(label("2026-11-10T05_15to20")), label("2026-11-10T05"));
        assert_eq!(ledger.covering(label("2026-11-10T06_15to30")), label("2026-11-10T06_15to30"));
        assert_eq!(ledger.covering(label("2026-11-10")), label("2026-11-10"));
    }

    #[test]
    fn an_hour_takes_the_place_of_its_minutes_and_of_no_others() {
        let before = [
            ("2026-11-10T01_45to60", "a"),
            ("2026-11-10T02_00to15", "b"),
            ("2026-11-10T02_15to20", "c"),
            ("2026-11-10T03", "d"),
        ];
        let slices = before.map(|(slice, content)| entry(slice, content, State::Published)).into();
        let mut ledger = Ledger { slices, ..Ledger::default() };
        ledger.begin(entry("2026-11-10T02", "e", State::Writing));
        let left: Vec<String> = ledger.slices.iter().map(|e| e.slice.to_string()).collect();
        assert_eq!(left, ["2026-11-10T01_45to60", "2026-11-10T02", "2026-11-10T03"]);
        assert_eq!(ledger.slices[1].targets.len(), 3);
    }

    #[test]
    fn a_day_takes_the_place_of_its_hours_and_knows_their_days() {
        let hours = vec![
            entry("2026-11-10T01", "a", State::Published),
            entry("2026-11-10T02", "b", State::Published),
        ];
        let mut ledger = Ledger { slices: hours, ..Ledger::default() };
        ledger.begin(entry("2026-11-10", "c", State::Writing));
        assert_eq!(ledger.slices.len(), 1);
        assert_eq!(ledger.slices[0].state, State::Writing);
        assert_eq!(ledger.slices[0].targets.len(), 3);
    }
}
