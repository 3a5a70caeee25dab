//! Gives slices their new counts when their rows were removed.

use super::mark::Mark;
use super::{EraseError, Eraser, Removed};
use crate::document::SWAPS;
use crate::hash;
use crate::ledger::{self, Entry, Ledger, State};
use crate::manifest::{LiveFile, Manifest};
use mixlake_domain::{Date, SliceLabel, Target};
use std::collections::{BTreeMap, BTreeSet};

/// The manifests of the targets of a ledger's slices.
pub(super) type Manifests = BTreeMap<Target, Manifest>;

/// A live file with its target.
type File<'a> = (&'a Target, &'a LiveFile);

impl Eraser<'_> {
    /// The slices whose erasure was interrupted.
    pub(super) async fn unfinished(&self) -> Result<BTreeSet<SliceLabel>, EraseError> {
        let mut unfinished = BTreeSet::new();
        for date in self.dates().await? {
            let ledger = Ledger::read(self.store, self.layout, date).await?.value;
            let marked = ledger.into_iter().flat_map(|ledger| ledger.slices);
            let marked =
                marked.filter(|entry| matches!(Mark::of(entry), Some(Mark::Erasing { .. })));
            unfinished.extend(marked.map(|entry| entry.slice));
        }
        Ok(unfinished)
    }

    /// Enters slices as published again, with their new counts. `missing` has those that this run has
    /// marked.
    pub(super) async fn settle(
        &self,
        date: Date,
        missing: &BTreeMap<SliceLabel, i64>,
        removed: &BTreeMap<SliceLabel, Removed>,
    ) -> Result<(), EraseError> {
        self.change_with_manifests(date, |ledger, manifests| {
            *ledger = settled(ledger, missing, removed, manifests);
        })
        .await
    }

    /// Changes a ledger by what the manifests of its targets list. They are read after the ledger. Another run
    /// changes the ledger before it changes a file of a slice, and then they are read again.
    pub(super) async fn change_with_manifests(
        &self,
        date: Date,
        decide: impl Fn(&mut Ledger, &Manifests),
    ) -> Result<(), EraseError> {
        for _ in 0..SWAPS {
            let seen = Ledger::read(self.store, self.layout, date).await?.value.unwrap_or_default();
            let manifests = self.manifests_of(&seen).await?;
            let is_done = self.change_ledger(date, |ledger| {
                let is_same = *ledger == seen;
                let mut wanted = seen.clone();
                decide(&mut wanted, &manifests);
                // A refused write may be our own: the SDK repeats a request whose response was lost.
                let is_done = *ledger == wanted;
                if is_same {
                    *ledger = wanted;
                }
                is_same || is_done
            });
            if is_done.await? {
                return Ok(());
            }
        }
        Err(EraseError::Contended)
    }

    /// The manifests of all targets that a ledger names.
    pub(super) async fn manifests_of(&self, ledger: &Ledger) -> Result<Manifests, EraseError> {
        let targets: BTreeSet<Target> =
            ledger.slices.iter().flat_map(|entry| entry.targets.clone()).collect();
        let mut manifests = Manifests::new();
        for target in targets {
            if let Some(manifest) = self.commit().read(&target).await?.0 {
                manifests.insert(target, manifest);
            }
        }
        Ok(manifests)
    }
}

/// The live files with rows of a slice.
pub(super) fn files_of<'a>(entry: &Entry, manifests: &'a Manifests) -> Vec<File<'a>> {
    let of_targets = manifests.iter().filter(|(target, _)| entry.targets.contains(*target));
    let files = of_targets.flat_map(|(target, it)| it.files.iter().map(move |file| (target, file)));
    files.filter(|(_, file)| file.origin.has(entry.slice)).collect()
}

/// Whether the rows of a slice are in files with rows of other slices.
pub(super) fn is_compacted(files: &[File<'_>]) -> bool {
    files.iter().any(|(_, file)| file.origin.slices().len() > 1)
}

pub(super) fn rows(files: &[File<'_>]) -> u64 {
    files.iter().map(|(_, file)| file.rows).sum()
}

/// The entry with the hashes of its files. The content of a slice in a compacted file cannot be told from
/// that of the other slices, so it gets a hash that no export has.
pub(super) fn rehashed(entry: Entry, files: &[File<'_>]) -> Entry {
    let targets = files.iter().map(|(target, _)| (*target).clone()).collect();
    let (counts, quarantine) = (entry.counts, entry.quarantine.as_deref());
    let all = || files.iter().copied();
    let of_bytes = ledger::content_of_bytes(all(), counts, quarantine);
    let content = if is_compacted(files) {
        hash::of_parts(["compacted", &of_bytes])
    } else {
        ledger::content(all(), counts, quarantine)
    };
    Entry { content, files: Some(of_bytes), targets, ..entry }
}

/// The ledger with the slices as published whose rows were removed.
fn settled(
    ledger: &Ledger,
    missing: &BTreeMap<SliceLabel, i64>,
    removed: &BTreeMap<SliceLabel, Removed>,
    manifests: &Manifests,
) -> Ledger {
    let mut gone = gone_of_compacted(ledger, manifests);
    let mut settled = ledger.clone();
    let (mut exact, mut compacted) = (Vec::new(), Vec::new());
    for (at, entry) in ledger.slices.iter().enumerate() {
        let missing = match Mark::of(entry) {
            Some(Mark::Erasing { missing }) => missing,
            Some(Mark::Fence | Mark::Fenced) => continue,
            // Another erasure was faster, and did not see all rows go.
            None => match missing.get(&entry.slice) {
                Some(missing) if entry.state == State::Published => *missing,
                _ => continue,
            },
        };
        if is_compacted(&files_of(entry, manifests)) {
            compacted.push(at);
        } else {
            exact.push((at, missing));
        }
    }
    for (at, missing) in exact {
        let entry = &ledger.slices[at];
        let live = rows(&files_of(entry, manifests));
        let written = live.saturating_add_signed(missing).min(entry.counts.written);
        settled.slices[at] = with_rows(entry, written, removed, manifests);
    }
    // First what is known of each slice; the rest, if an interrupted run knew it, from the first slices.
    let mut written: BTreeMap<usize, u64> = BTreeMap::new();
    for by_slice in [true, false] {
        for &at in &compacted {
            let entry = &ledger.slices[at];
            let has = *written.get(&at).unwrap_or(&entry.counts.written);
            let known = removed.get(&entry.slice).map_or(0, |removed| removed.rows);
            let takes = gone.min(has).min(if by_slice { known } else { u64::MAX });
            gone -= takes;
            written.insert(at, has - takes);
        }
    }
    for (at, written) in written {
        settled.slices[at] = with_rows(&ledger.slices[at], written, removed, manifests);
    }
    settled
}

/// The rows of slices in compacted files that the ledger counts and that are not live.
fn gone_of_compacted(ledger: &Ledger, manifests: &Manifests) -> u64 {
    let of = |entry: &&Entry| is_compacted(&files_of(entry, manifests));
    let entries: Vec<&Entry> = ledger.slices.iter().filter(of).collect();
    let counted: u64 = entries.iter().map(|entry| entry.counts.written).sum();
    let files = entries.iter().flat_map(|entry| files_of(entry, manifests));
    let live: BTreeMap<(&Target, &str), u64> =
        files.map(|(target, file)| ((target, file.name.as_str()), file.rows)).collect();
    counted.saturating_sub(live.values().sum())
}

fn with_rows(
    entry: &Entry,
    written: u64,
    removed: &BTreeMap<SliceLabel, Removed>,
    manifests: &Manifests,
) -> Entry {
    let mut counts = entry.counts;
    let gone = counts.written.saturating_sub(written);
    counts.written -= gone;
    counts.suppressed += gone;
    let outside = removed.get(&entry.slice).map_or(0, |removed| removed.outside);
    counts.outside = counts.outside.saturating_sub(outside.min(gone));
    let entry = Entry { state: State::Published, counts, ..entry.clone() };
    let files = files_of(&entry, manifests);
    rehashed(entry, &files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::SliceCounts;
    use crate::manifest::Format;
    use mixlake_domain::{Generation, Origin};

    fn label(hour: &str) -> SliceLabel {
        format!("2026-11-10T{hour}").try_into().unwrap()
    }

    fn target() -> Target {
        Target::day("t".parse().unwrap(), "2026-11-10".parse().unwrap())
    }

    fn entry(hour: &str, written: u64) -> Entry {
        let published = Entry {
            slice: label(hour),
            state: State::Published,
            content: "00".to_owned(),
            files: None,
            targets: [target()].into(),
            counts: SliceCounts { received: written, written, outside: 1, ..Default::default() },
            quarantine: None,
        };
        Mark::Erasing { missing: 0 }.on(&published)
    }

    fn file(hours: &[&str], rows: u64) -> LiveFile {
        LiveFile {
            name: format!("{}.parquet", hours.join("-")),
            origin: Origin::Slices(hours.iter().map(|hour| label(hour)).collect()),
            rows,
            bytes: 1,
            hash: String::new(),
            rows_hash: None,
            columns: Vec::new(),
            identities: None,
            compacted: false,
        }
    }

    fn written(
        slices: Vec<Entry>,
        files: Vec<LiveFile>,
        removed: &[(&str, u64)],
    ) -> Vec<(u64, u64)> {
        let ledger = Ledger { slices, ..Ledger::default() };
        let (format, generation) = (Format, Generation::from_hash(1));
        let manifest = Manifest { format, target: target(), generation, files, swept: None };
        let removed =
            removed.iter().map(|(hour, rows)| (label(hour), Removed { rows: *rows, outside: 1 }));
        let manifests = [(target(), manifest)].into();
        let done = settled(&ledger, &BTreeMap::new(), &removed.collect(), &manifests);
        assert!(done.slices.iter().all(|entry| Mark::of(entry).is_none()));
        let counts = done.slices.iter().map(|entry| entry.counts);
        counts
            .map(|counts| {
                assert_eq!(counts.received, counts.written + counts.suppressed);
                (counts.written, counts.suppressed)
            })
            .collect()
    }

    #[test]
    fn rows_that_are_not_live_any_more_are_counted_as_suppressed() {
        let files = || vec![file(&["01"], 7), file(&["02"], 5)];
        let slices = || vec![entry("01", 10), entry("02", 5)];
        assert_eq!(written(slices(), files(), &[("01", 3)]), [(7, 3), (5, 0)]);
        assert_eq!(written(slices(), files(), &[]), [(7, 3), (5, 0)], "after a crash too");
        assert_eq!(written(slices(), vec![file(&["02"], 5)], &[]), [(0, 10), (5, 0)]);
    }

    #[test]
    fn rows_of_a_compacted_file_are_taken_from_their_slices_or_else_from_the_first() {
        let slices = || vec![entry("01", 10), entry("02", 5)];
        let files = || vec![file(&["01", "02"], 12)];
        assert_eq!(written(slices(), files(), &[("02", 3)]), [(10, 0), (2, 3)]);
        assert_eq!(written(slices(), files(), &[]), [(7, 3), (5, 0)]);
    }
}
