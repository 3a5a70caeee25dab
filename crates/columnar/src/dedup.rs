//! Finds repeated rows: the same event, `distinct_id`, time and `$insert_id`. Of equal ones the
//! newest by `mp_processing_time_ms` counts.

use crate::identities::Identities;
use crate::runs::Runs;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::io;
use twox_hash::XxHash3_128 as Hash128;

/// The identity of a row, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowIdentity(u128);

impl Hash for RowIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low());
    }
}

/// A row's identity is a hash already: half of it serves as it is.
#[derive(Debug, Clone, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("an identity writes one u64");
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type ByIdentity<T> = HashMap<RowIdentity, T, BuildHasherDefault<AsItIs>>;

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

    /// Half of the hash, to set rows in order by.
    #[expect(clippy::cast_possible_truncation, reason = "half is meant")]
    pub(crate) fn low(self) -> u64 {
        self.0 as u64
    }
}

/// Where a row was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
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
    Replaces(Place),
}

/// The rows that a pass found too late to be the older of two: their newest processing time.
///
/// The older was already encoded when the newer came. A further pass over the same slice that
/// knows them leaves the older out.
#[derive(Debug, Clone, Default)]
pub struct Superseded(ByIdentity<Age>);

impl Superseded {
    /// Adds the rows that another slice has too: all of them are left out, however new.
    pub fn leave_out(&mut self, ours: &Identities, of_another: &Identities) {
        let common = ours.common(of_another);
        self.0.extend(common.map(|row| (RowIdentity::of_number(row), Age::NEWEST)));
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

    pub(crate) fn insert(&mut self, row: RowIdentity, age: Age) {
        self.0.insert(row, age);
    }

    /// What was known, and what is new.
    #[must_use]
    pub fn merged(mut self, newer: Self) -> Self {
        for (row, processed) in newer.0 {
            let known = self.0.entry(row).or_insert(processed);
            if processed.is_newer_than(*known) {
                *known = processed;
            }
        }
        self
    }
}

/// Rows that are repeated far apart cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FarApart {
    /// There are too many.
    #[error(
        "more than {0} rows are repeated so far apart that memory holds only one of each pair; \
         export shorter slices, or set deduplicate=false and remove repeats in a view"
    )]
    TooMany(usize),
    /// The file of identities failed.
    #[error("cannot keep the identities of rows in a temporary file")]
    File(#[from] io::Error),
}

/// The rows seen so far: the last ones in memory, those before in runs on file.
#[derive(Debug)]
pub(crate) struct Seen {
    rows: ByIdentity<(Age, Place)>,
    /// Rows that a pass before found repeated far apart; they stay in memory.
    far: ByIdentity<(Age, Place)>,
    superseded: Superseded,
    runs: Runs,
    /// How many rows memory has room for.
    most: usize,
    room: Vec<u8>,
}

impl Seen {
    pub(crate) fn new(superseded: Superseded, most: usize) -> Self {
        Self {
            rows: ByIdentity::default(),
            far: ByIdentity::default(),
            superseded,
            runs: Runs::default(),
            most,
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
        place: Place,
    ) -> io::Result<Verdict> {
        let newest = self.superseded.0.get(&row);
        if newest.is_some_and(|newest| newest.is_newer_than(age)) {
            return Ok(Verdict::Repeat);
        }
        if newest.is_none() && self.rows.len() >= self.most && !self.rows.contains_key(&row) {
            let rows = self.rows.drain().map(|(row, (age, _))| (row, age)).collect();
            self.runs.add(rows)?;
        }
        let rows = if newest.is_some() { &mut self.far } else { &mut self.rows };
        Ok(match rows.entry(row) {
            Entry::Vacant(entry) => {
                entry.insert((age, place));
                Verdict::First
            }
            Entry::Occupied(entry) if !age.is_newer_than(entry.get().0) => Verdict::Repeat,
            Entry::Occupied(mut entry) => Verdict::Replaces(entry.insert((age, place)).1),
        })
    }

    /// Adds the rows that were repeated too far apart to be found at once; an error if memory has
    /// no room for them.
    pub(crate) fn far_apart(mut self, superseded: &mut Superseded) -> Result<(), FarApart> {
        if self.runs.is_empty() {
            return Ok(());
        }
        self.runs.add(self.rows.drain().map(|(row, (age, _))| (row, age)).collect())?;
        let most = self.most;
        let add = |(row, age)| {
            superseded.insert(row, age);
            let full = superseded.0.len() > most;
            if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        self.runs.repeated(add).map_err(|error| {
            // Ours has no error below; a full disk has one.
            let ours = error.kind() == io::ErrorKind::StorageFull && error.raw_os_error().is_none();
            if ours { FarApart::TooMany(most) } else { error.into() }
        })
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
        self.processed.total_cmp(&other.processed).then(self.content.cmp(&other.content)).is_gt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { buffer: 0, row: 0 };
    const THERE: Place = Place { buffer: 0, row: 1 };

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
        Seen::new(known, 2)
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
        let mut known = Superseded::default();
        known.insert(row(), age(Some(6.0)));
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
        let mut superseded = Superseded::default();
        seen.far_apart(&mut superseded).unwrap();
        assert_eq!(superseded.0.len(), 1);
        assert_eq!(superseded.0[&rows[0]], age(Some(2.0)));
    }

    #[test]
    fn more_repeats_far_apart_than_there_is_room_for_are_an_error() {
        let mut seen = seen(Superseded::default());
        for _ in 0..2 {
            for event in ["a", "b", "c"] {
                seen.judge(identity(event, None, 1, "i"), age(None), HERE).unwrap();
            }
        }
        let result = seen.far_apart(&mut Superseded::default());
        assert!(matches!(result, Err(FarApart::TooMany(2))), "{result:?}");
    }
}
