//! Marks in the ledger: an erasure works on the files of a slice.
//!
//! A marked slice is being written, with a content that no export has. So every run that has the slice in
//! hand loses it, and every later one writes new generations.

use crate::ledger::{Entry, State};

/// Why a slice is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was published. `missing` counts its rows that were not live before: 0 in a sound lake.
    Erasing { missing: i64 },
    /// Its export had begun, and may know nothing of the erasure.
    Fence,
    /// Its export had begun; every day that it touches has a new manifest.
    Fenced,
}

impl Mark {
    /// The mark of an entry.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        if entry.state == State::Published {
            return None;
        }
        let mut words = entry.content.split(' ');
        match (words.next()?, words.next()?) {
            ("erasing", missing) => Some(Self::Erasing { missing: missing.parse().ok()? }),
            ("fence", _) => Some(Self::Fence),
            ("fenced", _) => Some(Self::Fenced),
            _ => None,
        }
    }

    /// The entry with this mark in place of the one that it has.
    pub(super) fn on(&self, entry: &Entry) -> Entry {
        let before = entry.content.rsplit(' ').next().unwrap_or_default();
        let content = match self {
            Self::Erasing { missing } => format!("erasing {missing} {before}"),
            Self::Fence => format!("fence {before}"),
            Self::Fenced => format!("fenced {before}"),
        };
        Entry { state: State::WritingAnew, content, ..entry.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::SliceCounts;
    use std::collections::BTreeSet;

    #[test]
    fn every_mark_is_read_back_and_another_takes_its_place() {
        let published = Entry {
            slice: "2026-11-10".to_owned().try_into().unwrap(),
            state: State::Published,
            content: "00ff".to_owned(),
            files: None,
            targets: BTreeSet::new(),
            counts: SliceCounts::default(),
            quarantine: None,
        };
        assert_eq!(Mark::of(&published), None);
        let mut entry = published;
        for mark in [Mark::Erasing { missing: -2 }, Mark::Fence, Mark::Fenced] {
            entry = mark.on(&entry);
            assert_eq!(Mark::of(&entry), Some(mark));
            assert!(entry.content.ends_with(" 00ff"));
        }
        let writing = Entry { content: "00ff".to_owned(), ..entry };
        assert_eq!(Mark::of(&writing), None);
    }
}
