//! Finds repeated rows: the same event, `distinct_id`, time and `$insert_id`. Of equal ones the
//! newest by `mp_processing_time_ms` counts.

use crate::deduplication::far_apart::FarApart;
use crate::deduplication::identity::{Age, Record, RowIdentity};
use crate::deduplication::spill::Spill;
use crate::deduplication::superseded::Superseded;
use crate::options::Bounds;
use hashbrown::HashTable;

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

/// The rows seen so far: the latest in memory, earlier ones spilled to a file.
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
        Ok(Superseded::of(found))
    }
}

/// A row that was seen.
#[derive(Debug)]
struct SeenRow {
    identity: RowIdentity,
    age: Age,
    place: RowPlace,
}

/// Rows in the order in which they came, with an index by identity.
#[derive(Debug, Default)]
struct ByIdentity {
    /// In blocks of the same size, so that growing moves nothing.
    rows: Vec<Vec<SeenRow>>,
    count: usize,
    numbers: HashTable<Numbered>,
}

/// A block has so many rows.
const BLOCK: usize = 1 << 12;

/// The number of a row, and a part of its hash. Most lookups compare only this part and need no look at the
/// rows.
#[derive(Debug)]
struct Numbered {
    hash: u32,
    number: u32,
}

impl Numbered {
    /// The hash table uses the lowest and the highest bits.
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

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: RowPlace = RowPlace { buffer: 0, row: 0 };
    const THERE: RowPlace = RowPlace { buffer: 0, row: 1 };

    fn age(processed: Option<f64>) -> Age {
        Age::new(processed, RowIdentity::of_line(b"line"))
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
        let known = Superseded::of(vec![(row(), age(Some(6.0)))]);
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
        let superseded = seen.superseded().unwrap();
        let found = superseded.find(rows[0]).map(|(_, age)| age);
        assert_eq!((superseded.len(), found), (1, Some(age(Some(2.0)))));
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
