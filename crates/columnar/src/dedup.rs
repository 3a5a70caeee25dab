//! Finds repeated rows: the same event, `distinct_id`, time and `$insert_id`. Of equal ones the
//! newest by `mp_processing_time_ms` counts.

use crate::identities::Identities;
use crate::options::Bounds;
use crate::spill::{Record, Spill};
use hashbrown::HashTable;
use std::cmp::Ordering;
use std::io;
use std::sync::Arc;
use twox_hash::XxHash3_128 as Hash128;

/// The identity of a row, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowIdentity(u128);

/// A row that was seen.
#[derive(Debug)]
struct SeenRow {
    identity: RowIdentity,
    age: Age,
    place: RowPlace,
}

/// Rows in the order of their coming, and where each identity is among them.
#[derive(Debug, Default)]
struct ByIdentity {
    /// In blocks of the same size, so that growing moves nothing.
    rows: Vec<Vec<SeenRow>>,
    count: usize,
    numbers: HashTable<Numbered>,
}

/// A block has so many rows.
const BLOCK: usize = 1 << 12;

/// The number of a row, and a part of its hash: most that is asked of the table needs no look at rows,
/// which lie far apart.
#[derive(Debug)]
struct Numbered {
    hash: u32,
    number: u32,
}

impl Numbered {
    /// The table goes by the lowest and the highest bits.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

impl ByIdentity {
    fn find(&mut self, identity: RowIdentity) -> Option<&mut SeenRow> {
        let hash = identity.least();
        let row = |number: u32| (number as usize / BLOCK, number as usize % BLOCK);
        let is_it = |it: &Numbered| {
            let (block, at) = row(it.number);
            it.hash == hash && self.rows[block][at].identity == identity
        };
        let (block, at) = row(self.numbers.find(Numbered::spread(hash), is_it)?.number);
        Some(&mut self.rows[block][at])
    }

    /// Adds a row that is not there.
    fn add(&mut self, row: SeenRow) {
        let number = u32::try_from(self.count).expect("far fewer rows than 2^32 are held");
        let hash = row.identity.least();
        if self.count == self.rows.len() * BLOCK {
            self.rows.push(Vec::with_capacity(BLOCK));
        }
        self.rows[self.count / BLOCK].push(row);
        self.count += 1;
        let numbered = Numbered { hash, number };
        let hash_of = |it: &Numbered| Numbered::spread(it.hash);
        self.numbers.insert_unique(Numbered::spread(hash), numbered, hash_of);
    }

    /// Takes all rows out; the room of the table stays.
    fn take(&mut self) -> Vec<Record> {
        self.numbers.clear();
        self.count = 0;
        // Each block is given back as soon as it is read: the records take as much room.
        let mut records = Vec::with_capacity(self.rows.iter().map(Vec::len).sum());
        for block in std::mem::take(&mut self.rows) {
            records.extend(block.iter().map(|row| (row.identity, row.age)));
        }
        records
    }
}

impl RowIdentity {
    /// `room` is only for what is hashed.
    pub(crate) fn new(
        event: &str,
        distinct_id: Option<&str>,
        time: i64,
        insert_id: &str,
        room: &mut Vec<u8>,
    ) -> Self {
        room.clear();
        for part in [Some(event), distinct_id, Some(insert_id)] {
            // The length keeps ("ab", "c") and ("a", "bc") apart, and "" and none.
            room.extend(part.map_or(u64::MAX, |p| p.len() as u64).to_le_bytes());
            room.extend_from_slice(part.unwrap_or_default().as_bytes());
        }
        room.extend(time.to_le_bytes());
        Self(Hash128::oneshot(room))
    }

    /// The hash of all that a row says.
    pub(crate) fn of_line(line: &[u8]) -> Self {
        Self(Hash128::oneshot(line))
    }

    /// The whole hash.
    pub(crate) fn number(self) -> u128 {
        self.0
    }

    pub(crate) fn of_number(number: u128) -> Self {
        Self(number)
    }

    /// A quarter of the hash.
    #[expect(clippy::cast_possible_truncation, reason = "a quarter is meant")]
    fn least(self) -> u32 {
        self.0 as u32
    }

    /// Half of the hash, to set rows in order by.
    #[expect(clippy::cast_possible_truncation, reason = "half is meant")]
    pub(crate) fn low(self) -> u64 {
        self.0 as u64
    }
}

/// Where a row was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowPlace {
    /// Which buffer; a number that is never used again.
    pub buffer: u32,
    pub row: u32,
}

/// What to do with a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Keep it and put it here.
    First,
    /// Leave it out: one that is as new or newer was there before.
    Repeat,
    /// Keep it; the one at this place goes.
    Replaces(RowPlace),
}

/// The rows that a pass found too late to be the older of two: their newest processing time.
///
/// The older was already encoded when the newer came. A further pass over the same slice that
/// knows them leaves the older out. Each is there once, in the order of their identities.
#[derive(Debug, Clone, Default)]
pub struct Superseded(Arc<Vec<Record>>);

impl Superseded {
    /// Adds the rows that another slice has too: all of them are left out, however new.
    pub fn leave_out(&mut self, ours: &Identities, of_another: &Identities) {
        let common = ours.common(of_another);
        self.extend(common.map(|row| (RowIdentity::of_number(row), Age::NEWEST)));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was known, and what is new.
    #[must_use]
    pub fn merged(mut self, newer: &Self) -> Self {
        self.extend(newer.0.iter().copied());
        self
    }

    fn extend(&mut self, records: impl Iterator<Item = Record>) {
        let all = Arc::make_mut(&mut self.0);
        all.extend(records);
        all.sort_unstable_by(|(a, age_of_a), (b, age_of_b)| {
            a.number().cmp(&b.number()).then(age_of_b.compare(age_of_a))
        });
        all.dedup_by_key(|(row, _)| *row);
    }

    /// The place of a row, and the newest age that is known of it.
    fn find(&self, row: RowIdentity) -> Option<(usize, Age)> {
        let place = self.0.binary_search_by_key(&row.number(), |(known, _)| known.number()).ok()?;
        Some((place, self.0[place].1))
    }
}

/// Rows that are repeated far apart cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FarApart {
    /// There are too many.
    #[error(
        "more than {0} rows come again so much later that the older row was written by then, and \
         memory has no room for more of them; export shorter slices, or set deduplicate=false and \
         remove repeats in a view"
    )]
    TooMany(usize),
    /// The disk of temporary files is nearly full.
    #[error(
        "the temporary folder {folder} has {free_mb} MB free, which is not enough: the identities of the \
         {rows} rows so far need {needed_mb} MB there, and some is left to others; give the function more \
         ephemeral storage (parameter ExportStorage of the template), set TMPDIR to a larger disk, or \
         export shorter slices"
    )]
    DiskFull {
        /// Where temporary files are.
        folder: String,
        /// What its disk has left.
        free_mb: u64,
        /// The rows whose identities were to be kept there.
        rows: u64,
        /// What they need.
        needed_mb: u64,
    },
    /// The file of identities failed.
    #[error("cannot keep the identities of rows in a temporary file")]
    File(#[from] io::Error),
}

/// The rows seen so far: the last ones in memory, those before in runs on file.
#[derive(Debug)]
pub(crate) struct Seen {
    rows: ByIdentity,
    /// What the passes before found out.
    superseded: Superseded,
    /// Of which of those the newest row was seen.
    newest: Vec<bool>,
    /// Rows that came again after their older twin was encoded, and are not on file yet.
    late: Vec<Record>,
    spill: Spill,
    /// How many rows memory has room for.
    most: usize,
    /// How many may be superseded, in all passes.
    most_superseded: usize,
    room: Vec<u8>,
}

impl Seen {
    pub(crate) fn new(superseded: Superseded, bounds: &Bounds) -> Self {
        Self {
            rows: ByIdentity::default(),
            newest: vec![false; superseded.len()],
            superseded,
            late: Vec::new(),
            spill: Spill::default(),
            most: bounds.identities,
            most_superseded: bounds.superseded,
            room: Vec::new(),
        }
    }

    /// The identity of a row.
    pub(crate) fn identity(
        &mut self,
        event: &str,
        distinct_id: Option<&str>,
        time: i64,
        insert_id: &str,
    ) -> RowIdentity {
        RowIdentity::new(event, distinct_id, time, insert_id, &mut self.room)
    }

    /// Judges a row that would be put at `place`.
    pub(crate) fn judge(
        &mut self,
        row: RowIdentity,
        age: Age,
        place: RowPlace,
    ) -> Result<Verdict, FarApart> {
        if let Some((known, newest)) = self.superseded.find(row) {
            if newest.is_newer_than(age) {
                return Ok(Verdict::Repeat);
            }
            if newest == age {
                let seen = std::mem::replace(&mut self.newest[known], true);
                return Ok(if seen { Verdict::Repeat } else { Verdict::First });
            }
            // The source says more than it did to the pass before: one more has to leave out what
            // was the newest then.
            self.came_late(row, age)?;
        }
        if let Some(known) = self.rows.find(row) {
            if !age.is_newer_than(known.age) {
                return Ok(Verdict::Repeat);
            }
            known.age = age;
            return Ok(Verdict::Replaces(std::mem::replace(&mut known.place, place)));
        }
        if self.rows.count >= self.most {
            self.spill.add(self.rows.take())?;
        }
        self.rows.add(SeenRow { identity: row, age, place });
        Ok(Verdict::First)
    }

    /// Notes a row whose older twin is encoded already. The row itself is among those seen, so the
    /// runs have it twice.
    pub(crate) fn came_late(&mut self, row: RowIdentity, age: Age) -> Result<(), FarApart> {
        self.late.push((row, age));
        if self.late.len() < self.most.div_ceil(4) {
            return Ok(());
        }
        self.spill.add(std::mem::take(&mut self.late))
    }

    /// The rows that came again too late for the older to be taken back; an error if memory has no
    /// room for them.
    pub(crate) fn superseded(mut self) -> Result<Superseded, FarApart> {
        if self.spill.is_empty() && self.late.is_empty() {
            return Ok(Superseded::default());
        }
        self.spill.add(self.late)?;
        self.spill.add(self.rows.take())?;
        drop(self.rows);
        let room = self.most_superseded.saturating_sub(self.superseded.len());
        let mut found = Vec::new();
        self.spill.repeated(|record| {
            if found.len() == room {
                return Err(FarApart::TooMany(self.most_superseded));
            }
            found.push(record);
            Ok(())
        })?;
        Ok(Superseded(Arc::new(found)))
    }
}

/// Which of equal rows counts: the one that was processed last. Where that leaves it open, the
/// content decides, so that the order of arrival never does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Age {
    processed: f64,
    content: u64,
}

impl Age {
    /// No row is as new.
    const NEWEST: Self = Self { processed: f64::INFINITY, content: u64::MAX };

    /// A row without a processing time is older than any with one.
    pub(crate) fn new(processed: Option<f64>, content: RowIdentity) -> Self {
        Self { processed: processed.unwrap_or(f64::NEG_INFINITY), content: content.low() }
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let bits = u128::from(self.processed.to_bits()) << 64 | u128::from(self.content);
        bits.to_le_bytes()
    }

    #[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        Self { processed: f64::from_bits((bits >> 64) as u64), content: bits as u64 }
    }

    pub(crate) fn is_newer_than(self, other: Self) -> bool {
        self.compare(&other).is_gt()
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.processed.total_cmp(&other.processed).then(self.content.cmp(&other.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: RowPlace = RowPlace { buffer: 0, row: 0 };
    const THERE: RowPlace = RowPlace { buffer: 0, row: 1 };

    fn age(processed: Option<f64>) -> Age {
        Age::new(processed, RowIdentity::of_line(b"line"))
    }

    #[test]
    fn of_rows_that_were_processed_at_once_the_content_decides() {
        let [one, other] = [b"1", b"2"].map(|line| Age::new(Some(1.0), RowIdentity::of_line(line)));
        assert_ne!(one.is_newer_than(other), other.is_newer_than(one));
        assert!(!one.is_newer_than(one));
    }

    fn seen(known: Superseded) -> Seen {
        Seen::new(known, &Bounds { identities: 2, superseded: 2, ..Bounds::default() })
    }

    fn identity(event: &str, person: Option<&str>, time: i64, insert_id: &str) -> RowIdentity {
        seen(Superseded::default()).identity(event, person, time, insert_id)
    }

    fn row() -> RowIdentity {
        identity("e", Some("d"), 1, "\"i\"")
    }

    #[test]
    fn every_part_of_the_identity_counts() {
        let others = [
            identity("f", Some("d"), 1, "\"i\""),
            identity("e", Some("x"), 1, "\"i\""),
            identity("e", None, 1, "\"i\""),
            identity("e", Some("d"), 2, "\"i\""),
            identity("e", Some("d"), 1, "\"j\""),
            identity("ed", Some(""), 1, "\"i\""),
        ];
        assert!(others.iter().all(|&other| other != row()));
    }

    #[test]
    fn the_newest_stays_whatever_the_order() {
        let mut seen = seen(Superseded::default());
        assert_eq!(seen.judge(row(), age(Some(5.0)), HERE).unwrap(), Verdict::First);
        assert_eq!(seen.judge(row(), age(Some(4.0)), THERE).unwrap(), Verdict::Repeat);
        assert_eq!(seen.judge(row(), age(Some(5.0)), THERE).unwrap(), Verdict::Repeat);
        assert_eq!(seen.judge(row(), age(Some(6.0)), THERE).unwrap(), Verdict::Replaces(HERE));
        assert_eq!(seen.judge(row(), age(None), HERE).unwrap(), Verdict::Repeat);
    }

    #[test]
    fn a_further_pass_leaves_out_what_was_superseded() {
        let known = Superseded(Arc::new(vec![(row(), age(Some(6.0)))]));
        let mut seen = seen(known);
        assert_eq!(seen.judge(row(), age(Some(5.0)), HERE).unwrap(), Verdict::Repeat);
        assert_eq!(seen.judge(row(), age(Some(6.0)), HERE).unwrap(), Verdict::First);
        assert_eq!(seen.judge(row(), age(Some(6.0)), THERE).unwrap(), Verdict::Repeat);
    }

    #[test]
    fn what_memory_has_no_room_for_is_found_at_the_end() {
        let rows = ["a", "b", "c", "d"].map(|event| identity(event, None, 1, "i"));
        let mut seen = seen(Superseded::default());
        for row in rows {
            assert_eq!(seen.judge(row, age(Some(1.0)), HERE).unwrap(), Verdict::First);
        }
        assert_eq!(seen.judge(rows[0], age(Some(2.0)), HERE).unwrap(), Verdict::First);
        assert_eq!(*seen.superseded().unwrap().0, [(rows[0], age(Some(2.0)))]);
    }

    #[test]
    fn what_two_passes_found_is_there_once_with_its_newest_age() {
        let rows = ["a", "b", "c"].map(|event| identity(event, None, 1, "i"));
        let of = |known: &[(RowIdentity, Age)]| {
            let mut superseded = Superseded::default();
            superseded.extend(known.iter().copied());
            superseded
        };
        let [older, newer] = [1.0, 2.0].map(|at| age(Some(at)));
        let one = of(&[(rows[0], older), (rows[1], newer)]);
        let both = one.merged(&of(&[(rows[1], older), (rows[2], older), (rows[0], newer)]));
        let found = rows.map(|row| both.find(row).unwrap().1);
        assert_eq!((found, both.len()), ([newer, newer, older], 3));
    }

    #[test]
    fn more_repeats_far_apart_than_there_is_room_for_are_an_error() {
        let mut seen = seen(Superseded::default());
        for _ in 0..2 {
            for event in ["a", "b", "c"] {
                seen.judge(identity(event, None, 1, "i"), age(None), HERE).unwrap();
            }
        }
        let result = seen.superseded();
        assert!(matches!(result, Err(FarApart::TooMany(2))), "{result:?}");
    }
}
