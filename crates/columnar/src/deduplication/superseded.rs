//! Rows that a newer row with the same identity replaces.

use crate::deduplication::identities::Identities;
use crate::deduplication::identity::{Age, Record, RowIdentity};
use std::sync::Arc;

/// The rows that a pass found too late to be the older of two: their newest processing time.
///
/// The older was already encoded when the newer came. A further pass over the same slice that
/// knows them leaves the older out. Each is there once, in the order of their identities.
#[derive(Debug, Clone, Default)]
pub struct Superseded(Arc<Vec<Record>>);

impl Superseded {
    /// These rows, each once and in the order of their identities.
    pub(crate) fn of(records: Vec<Record>) -> Self {
        Self(Arc::new(records))
    }

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
    pub(crate) fn find(&self, row: RowIdentity) -> Option<(usize, Age)> {
        let place = self.0.binary_search_by_key(&row.number(), |(known, _)| known.number()).ok()?;
        Some((place, self.0[place].1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_passes_found_is_there_once_with_its_newest_age() {
        let age = |processed| Age::new(Some(processed), RowIdentity::of_line(b"line"));
        let rows = [1, 2, 3].map(RowIdentity::of_number);
        let of = |known: &[Record]| {
            let mut superseded = Superseded::default();
            superseded.extend(known.iter().copied());
            superseded
        };
        let [older, newer] = [1.0, 2.0].map(age);
        let one = of(&[(rows[0], older), (rows[1], newer)]);
        let both = one.merged(&of(&[(rows[1], older), (rows[2], older), (rows[0], newer)]));
        let found = rows.map(|row| both.find(row).unwrap().1);
        assert_eq!((found, both.len()), ([newer, newer, older], 3));
    }
}
