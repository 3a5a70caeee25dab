//! The lengths of slices, and which lies in which.

use std::cmp::{Ordering, Reverse};

/// The part of a local day that a slice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SliceKind {
    /// All of it.
    Day,
    /// A local hour; `again` marks the second pass over an hour when clocks are set back.
    Hour {
        /// The local hour, 0 to 23.
        hour: i8,
        /// Whether that hour already occurred on the same day.
        again: bool,
    },
    /// Some minutes of a local hour.
    Minutes {
        /// The local hour, 0 to 23.
        hour: i8,
        /// Whether that hour already occurred on the same day.
        again: bool,
        /// The first minute, a multiple of the length.
        from: i8,
        /// The length.
        length: Minutes,
    },
}

/// A number of minutes that divides an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Minutes {
    /// A quarter of an hour.
    Fifteen,
    /// Five minutes.
    Five,
}

impl Minutes {
    /// Both lengths, the longer first: each is a multiple of the next.
    pub const ALL: [Self; 2] = [Self::Fifteen, Self::Five];

    /// The number.
    #[must_use]
    pub const fn count(self) -> i8 {
        match self {
            Self::Fifteen => 15,
            Self::Five => 5,
        }
    }
}

impl SliceKind {
    /// Whether it is the second pass over its hour.
    #[must_use]
    pub(super) fn is_second_pass(self) -> bool {
        match self {
            Self::Day => false,
            Self::Hour { again, .. } | Self::Minutes { again, .. } => again,
        }
    }

    /// Whether all of the other part lies in this one.
    pub(super) fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Day, Self::Day | Self::Hour { .. } | Self::Minutes { .. }) => true,
            (Self::Hour { hour, again }, Self::Minutes { hour: h, again: a, .. }) => {
                (hour, again) == (h, a)
            }
            (
                Self::Minutes { hour, again, from, length },
                Self::Minutes { hour: h, again: a, from: f, length: l },
            ) => (hour, again) == (h, a) && from <= f && f + l.count() <= from + length.count(),
            (Self::Hour { .. }, Self::Hour { .. }) => self == other,
            (Self::Hour { .. }, Self::Day)
            | (Self::Minutes { .. }, Self::Day | Self::Hour { .. }) => false,
        }
    }

    /// By the first local time, then the longest first.
    fn order(self) -> (i8, bool, i8, Reverse<i8>) {
        match self {
            Self::Day => (-1, false, -1, Reverse(0)),
            Self::Hour { hour, again } => (hour, again, -1, Reverse(0)),
            Self::Minutes { hour, again, from, length } => {
                (hour, again, from, Reverse(length.count()))
            }
        }
    }
}

impl Ord for SliceKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for SliceKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
