//! Compares the rows that the ledgers count with the rows that the manifests list.
//!
//! A file may be deleted only if this comparison proves that the rows that replaced it are live. It is
//! not enough that there is no reason to keep the file, because ledgers and manifests can be lost or
//! restored from a backup.

use crate::ledger::{Entry, State};
use crate::manifest::Manifest;
use mixlake_domain::{Date, SliceLabel, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The slices of the ledgers, and the live rows of each.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    entries: BTreeMap<SliceLabel, Entry>,
    /// The live rows of a target, by the slices of their files; `None` if the manifest cannot be read.
    live: BTreeMap<Target, Option<Rows>>,
    /// Slices whose entries changed while the manifests were read.
    moved: BTreeSet<SliceLabel>,
    /// The accounts of the whole lake from just before, if only a few days are read again.
    lake: Option<Arc<Accounts>>,
}

/// A compacted file has the rows of several slices, without the number for each.
type Rows = BTreeMap<Vec<SliceLabel>, u64>;

/// A published slice with fewer live rows than the ledger counts, or several whose rows are in the same
/// files.
#[derive(Debug, Clone)]
pub(super) struct Missing<'a> {
    /// The first of them.
    pub entry: &'a Entry,
    pub balance: Balance,
}

/// The rows of published slices whose rows are in the same files: mostly of one slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Balance {
    pub slices: BTreeSet<SliceLabel>,
    /// The rows that the ledger counts.
    pub written: u64,
    /// The live rows.
    pub live: u64,
}

impl Balance {
    /// Whether the rows are in files of their own.
    pub(super) fn is_of_one(&self) -> bool {
        self.slices.len() == 1
    }
}

/// What is known about the rows that a slice's files once had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// All rows that the ledger counts are live.
    Live,
    /// The ledger counts another number of rows than are live.
    Differs { written: u64, live: u64 },
    /// No ledger counts them.
    Uncounted,
    /// Unknown now: the slice is being written, or a document cannot be read.
    Unknown,
}

impl Evidence {
    /// The worse of two.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Live, other) | (other, Self::Live) => other,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Differs { .. } | Self::Uncounted, Self::Differs { .. } | Self::Uncounted) => {
                self
            }
        }
    }
}

impl Accounts {
    /// The accounts with which a few days are compared when they are read again.
    pub(super) fn within(lake: &Arc<Self>) -> Self {
        Self { lake: Some(lake.clone()), ..Self::default() }
    }

    pub(super) fn enter(&mut self, entry: Entry) {
        self.entries.insert(entry.slice, entry);
    }

    pub(super) fn entry(&self, slice: SliceLabel) -> Option<&Entry> {
        self.entries.get(&slice)
    }

    /// The dates whose ledgers have slices with files of a target.
    pub(super) fn ledgers_of(&self, target: &Target) -> BTreeSet<Date> {
        let touching = self.entries.values().filter(|entry| entry.targets.contains(target));
        touching.map(|entry| entry.slice.date()).collect()
    }

    /// Counts the rows of a target.
    pub(super) fn count(&mut self, target: Target, manifest: Option<&Manifest>) {
        let mut rows = Rows::new();
        for file in manifest.iter().flat_map(|manifest| &manifest.files) {
            *rows.entry(file.origin.slices().to_vec()).or_default() += file.rows;
        }
        self.live.insert(target, Some(rows));
    }

    /// It is unknown which rows of a target are live.
    pub(super) fn cannot_count(&mut self, target: Target) {
        self.live.insert(target, None);
    }

    /// A slice was begun, or published again, while the manifests were read.
    pub(super) fn moved(&mut self, slice: SliceLabel) {
        self.moved.insert(slice);
    }

    /// The published slices with missing rows.
    pub(super) fn missing(&self) -> impl Iterator<Item = Missing<'_>> {
        self.entries.values().filter_map(|entry| {
            let balance = self.balance(entry)?;
            let is_first = balance.slices.first() == Some(&entry.slice);
            (is_first && balance.live < balance.written).then_some(Missing { entry, balance })
        })
    }

    /// Whether all targets of a slice were read, and not only some.
    pub(super) fn holds_all_of(&self, entry: &Entry) -> bool {
        entry.targets.iter().all(|target| self.live.contains_key(target))
    }

    /// What is known about the rows of a slice, or of the longer one that was exported instead of it.
    pub(super) fn evidence(&self, slice: SliceLabel) -> Evidence {
        let in_place = |entry: &&Entry| entry.slice.covers(&slice);
        let entry = self.entry(slice).or_else(|| self.entries.values().find(in_place));
        let Some(entry) = entry else { return Evidence::Uncounted };
        match self.balance(entry) {
            None => Evidence::Unknown,
            Some(Balance { written, live, .. }) if live == written => Evidence::Live,
            Some(Balance { written, live, .. }) => Evidence::Differs { written, live },
        }
    }

    /// What is known about the rows of all of these slices.
    pub(super) fn evidence_of_all(&self, slices: &[SliceLabel]) -> Evidence {
        let all = slices.iter().map(|slice| self.evidence(*slice));
        all.reduce(Evidence::and).unwrap_or(Evidence::Uncounted)
    }

    /// The live rows of a published slice, and of all slices that share files with it; `None` if they are
    /// not known.
    fn balance(&self, entry: &Entry) -> Option<Balance> {
        let (mut slices, mut written) = (BTreeSet::from([entry.slice]), 0);
        let mut files: BTreeMap<(&Target, &[SliceLabel]), u64> = BTreeMap::new();
        let mut open = vec![entry];
        while let Some(entry) = open.pop() {
            match entry.state {
                State::Published if !self.moved.contains(&entry.slice) => {}
                State::Published | State::Writing | State::WritingAnew => return None,
            }
            written += entry.counts.written;
            for target in &entry.targets {
                let rows =
                    self.live.get(target).or_else(|| self.of_lake(entry)?.live.get(target))?;
                for (of, rows) in rows.as_ref()?.iter().filter(|(of, _)| of.contains(&entry.slice))
                {
                    files.insert((target, of.as_slice()), *rows);
                    for slice in of.iter().filter(|slice| slices.insert(**slice)) {
                        open.push(self.entry(*slice)?);
                    }
                }
            }
        }
        Some(Balance { slices, written, live: files.values().sum() })
    }

    /// The accounts of the whole lake, if the slice has not changed since they were read.
    fn of_lake(&self, entry: &Entry) -> Option<&Self> {
        let lake = self.lake.as_deref()?;
        let same = lake.entry(entry.slice) == Some(entry) && !lake.moved.contains(&entry.slice);
        same.then_some(lake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::SliceCounts;
    use crate::manifest::{Format, LiveFile};

    fn label(text: &str) -> SliceLabel {
        text.to_owned().try_into().unwrap()
    }

    fn day(date: &str) -> Target {
        Target::day("t".parse().unwrap(), date.parse().unwrap())
    }

    fn entry(slice: &str, days: &[&str], written: u64) -> Entry {
        Entry {
            slice: label(slice),
            state: State::Published,
            content: String::new(),
            files: None,
            targets: days.iter().map(|date| day(date)).collect(),
            counts: SliceCounts { written, ..SliceCounts::default() },
            quarantine: None,
        }
    }

    fn manifest(date: &str, files: &[(&str, u64)]) -> Manifest {
        let file = |&(slice, rows): &(&str, u64)| LiveFile {
            name: format!("{slice}-000.parquet"),
            origin: label(slice).into(),
            rows,
            bytes: 1,
            hash: String::new(),
            rows_hash: None,
            columns: Vec::new(),
            identities: None,
            compacted: false,
        };
        Manifest {
            format: Format,
            target: day(date),
            generation: mixlake_domain::Generation::from_hash(1),
            files: files.iter().map(file).collect(),
            swept: None,
        }
    }

    fn accounts(entries: &[Entry], days: &[(&str, &[(&str, u64)])]) -> Accounts {
        let mut accounts = Accounts::default();
        entries.iter().cloned().for_each(|entry| accounts.enter(entry));
        for (date, files) in days {
            accounts.count(day(date), Some(&manifest(date, files)));
        }
        accounts
    }

    const TWO: [&str; 2] = ["2026-11-10", "2026-11-11"];

    #[test]
    fn rows_are_counted_over_all_days_of_a_slice() {
        let entries = [entry("2026-11-10", &TWO, 10)];
        let first: (&str, &[(&str, u64)]) = (TWO[0], &[("2026-11-10", 7)]);
        let whole = accounts(&entries, &[first, (TWO[1], &[("2026-11-10", 3)])]);
        assert_eq!(whole.evidence(label("2026-11-10")), Evidence::Live);
        assert_eq!(whole.missing().count(), 0);
        let fewer = accounts(&entries, &[first, (TWO[1], &[("2026-11-11", 3)])]);
        let differs = Evidence::Differs { written: 10, live: 7 };
        assert_eq!(fewer.evidence(label("2026-11-10")), differs);
        assert_eq!(fewer.missing().next().unwrap().balance.live, 7);
    }

    #[test]
    fn a_day_stands_for_its_hours_and_minutes_and_no_hour_for_its_day() {
        let of_day = accounts(&[entry(TWO[0], &TWO[..1], 1)], &[(TWO[0], &[(TWO[0], 1)])]);
        assert_eq!(of_day.evidence(label("2026-11-10T05")), Evidence::Live);
        assert_eq!(of_day.evidence(label("2026-11-10T05_15to30")), Evidence::Live);
        let hour = "2026-11-10T05";
        let of_hour = accounts(&[entry(hour, &TWO[..1], 1)], &[(TWO[0], &[(hour, 1)])]);
        assert_eq!(of_hour.evidence(label(TWO[0])), Evidence::Uncounted);
        assert_eq!(of_hour.evidence(label("2026-11-10T05_15to30")), Evidence::Live);
        assert_eq!(of_hour.evidence(label("2026-11-10T06_15to30")), Evidence::Uncounted);
    }

    #[test]
    fn slices_whose_rows_are_in_one_file_are_compared_together() {
        let hours = ["2026-11-10T01", "2026-11-10T02", "2026-11-10T03"];
        let entries: Vec<Entry> = hours.iter().map(|hour| entry(hour, &TWO[..1], 5)).collect();
        let merged = |live: u64| {
            let mut manifest = manifest(TWO[0], &[(hours[0], live), (hours[2], 5)]);
            let two = hours[..2].iter().map(|hour| label(hour));
            manifest.files[0].origin = mixlake_domain::Origin::Slices(two.collect());
            let mut accounts = accounts(&entries, &[]);
            accounts.count(day(TWO[0]), Some(&manifest));
            accounts
        };
        let all = hours.map(label);
        assert_eq!(merged(10).evidence_of_all(&all), Evidence::Live);
        assert_eq!(merged(10).missing().count(), 0);
        let fewer = merged(9);
        let differs = Evidence::Differs { written: 10, live: 9 };
        assert_eq!([fewer.evidence(all[0]), fewer.evidence(all[1])], [differs, differs]);
        assert_eq!(fewer.evidence(all[2]), Evidence::Live);
        assert_eq!(fewer.evidence_of_all(&all), differs);
        let missing: Vec<Missing<'_>> = fewer.missing().collect();
        assert_eq!(missing.len(), 1, "it is said once");
        assert!(missing[0].entry.slice == all[0] && !missing[0].balance.is_of_one());
        let mut moved = merged(9);
        moved.moved(all[1]);
        assert_eq!(moved.evidence(all[0]), Evidence::Unknown);
    }

    #[test]
    fn nothing_is_said_of_a_slice_that_is_written_or_of_a_day_that_cannot_be_read() {
        let slice = label(TWO[0]);
        let mut writing = entry(TWO[0], &TWO[..1], 1);
        writing.state = State::Writing;
        assert_eq!(accounts(&[writing], &[(TWO[0], &[])]).evidence(slice), Evidence::Unknown);
        let mut damaged = accounts(&[entry(TWO[0], &TWO[..1], 1)], &[]);
        damaged.cannot_count(day(TWO[0]));
        assert_eq!(damaged.evidence(slice), Evidence::Unknown);
        assert_eq!(damaged.missing().count(), 0);
        let mut moved = accounts(&[entry(TWO[0], &TWO[..1], 1)], &[(TWO[0], &[])]);
        assert_eq!(moved.missing().count(), 1);
        moved.moved(slice);
        assert_eq!(moved.missing().count(), 0);
    }

    #[test]
    fn other_days_are_taken_from_the_lake_as_it_was_if_the_slice_is_the_same() {
        let both: [(&str, &[(&str, u64)]); 2] =
            [(TWO[0], &[(TWO[0], 7)]), (TWO[1], &[(TWO[0], 3)])];
        let lake = Arc::new(accounts(&[entry(TWO[0], &TWO, 10)], &both));
        let again = |written| {
            let again = accounts(&[entry(TWO[0], &TWO, written)], &both[..1]);
            Accounts { lake: Some(lake.clone()), ..again }.evidence(label(TWO[0]))
        };
        assert_eq!(again(10), Evidence::Live);
        assert_eq!(again(11), Evidence::Unknown);
    }
}
