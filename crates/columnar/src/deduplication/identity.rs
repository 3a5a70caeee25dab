//! The identity of a row, and which of equal rows counts.

use std::cmp::Ordering;
use twox_hash::XxHash3_128 as Hash128;

/// The identity of a row, hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowIdentity(u128);

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
    pub(crate) fn least(self) -> u32 {
        self.0 as u32
    }

    /// Half of the hash, to set rows in order by.
    #[expect(clippy::cast_possible_truncation, reason = "half is meant")]
    pub(crate) fn low(self) -> u64 {
        self.0 as u64
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
    pub(crate) const NEWEST: Self = Self { processed: f64::INFINITY, content: u64::MAX };

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

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.processed.total_cmp(&other.processed).then(self.content.cmp(&other.content))
    }
}

/// A row that was seen: which, and how new.
pub(crate) type Record = (RowIdentity, Age);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rows_that_were_processed_at_once_the_content_decides() {
        let [one, other] = [b"1", b"2"].map(|line| Age::new(Some(1.0), RowIdentity::of_line(line)));
        assert_ne!(one.is_newer_than(other), other.is_newer_than(one));
        assert!(!one.is_newer_than(one));
    }

    #[test]
    fn every_part_of_the_identity_counts() {
        let identity = |event, person, time, insert_id| {
            RowIdentity::new(event, person, time, insert_id, &mut Vec::new())
        };
        let row = identity("e", Some("d"), 1, "\"i\"");
        let others = [
            identity("f", Some("d"), 1, "\"i\""),
            identity("e", Some("x"), 1, "\"i\""),
            identity("e", None, 1, "\"i\""),
            identity("e", Some("d"), 2, "\"i\""),
            identity("e", Some("d"), 1, "\"j\""),
            identity("ed", Some(""), 1, "\"i\""),
        ];
        assert!(others.iter().all(|&other| other != row));
    }
}
