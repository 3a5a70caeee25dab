//! Where the rows of a live file come from.

use crate::slice::SliceLabel;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where the rows of a file come from. It decides which files a change replaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub enum Origin {
    /// One slice of events, or several in a compacted file; in order.
    Slices(Vec<SliceLabel>),
    /// A whole source at one time, such as all profiles; the text names it.
    Snapshot(String),
    /// Other files of the lake; the text is a hash of these.
    Derived(String),
}

impl Origin {
    /// Whether files of the two cannot be live side by side. Only slices divide the rows of a target.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Slices(ours), Self::Slices(theirs)) => {
                ours.iter().any(|ours| theirs.iter().any(|theirs| ours.overlaps(theirs)))
            }
            (Self::Slices(_) | Self::Snapshot(_) | Self::Derived(_), _) => true,
        }
    }

    /// The slices; none of a snapshot or a derivation.
    #[must_use]
    pub fn slices(&self) -> &[SliceLabel] {
        match self {
            Self::Slices(slices) => slices,
            Self::Snapshot(_) | Self::Derived(_) => &[],
        }
    }

    /// Whether rows of the slice are in it.
    #[must_use]
    pub fn has(&self, slice: SliceLabel) -> bool {
        self.slices().contains(&slice)
    }

    /// Whether all slices of the other one lie in slices of this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let is_covered = |slice: &SliceLabel| self.slices().iter().any(|ours| ours.covers(slice));
        other.slices().iter().all(is_covered)
    }

    /// The slices of it that have nothing to do with `other`, and would lose their rows if a file of it were
    /// replaced by one of `other`.
    #[must_use]
    pub fn lost_to(&self, other: &Self) -> Vec<SliceLabel> {
        let apart = |slice: &&SliceLabel| !other.slices().iter().any(|other| other.overlaps(slice));
        match other {
            Self::Slices(_) => self.slices().iter().filter(apart).copied().collect(),
            Self::Snapshot(_) | Self::Derived(_) => Vec::new(),
        }
    }
}

impl From<SliceLabel> for Origin {
    fn from(slice: SliceLabel) -> Self {
        Self::Slices(vec![slice])
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slices(slices) => {
                let slices: Vec<String> = slices.iter().map(ToString::to_string).collect();
                f.write_str(&slices.join(", "))
            }
            Self::Snapshot(name) => write!(f, "snapshot {name}"),
            Self::Derived(inputs) => write!(f, "derived from {inputs}"),
        }
    }
}

/// The origin as documents have it. A single slice is written as it always was.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Slice { slice: SliceLabel },
    Slices { slices: Vec<SliceLabel> },
    Snapshot { snapshot: String },
    Derived { derived_from: String },
}

impl From<Form> for Origin {
    fn from(form: Form) -> Self {
        match form {
            Form::Slice { slice } => slice.into(),
            Form::Slices { mut slices } => {
                slices.sort_unstable();
                slices.dedup();
                Self::Slices(slices)
            }
            Form::Snapshot { snapshot } => Self::Snapshot(snapshot),
            Form::Derived { derived_from } => Self::Derived(derived_from),
        }
    }
}

impl From<Origin> for Form {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Slices(slices) => match slices[..] {
                [slice] => Self::Slice { slice },
                _ => Self::Slices { slices },
            },
            Origin::Snapshot(snapshot) => Self::Snapshot { snapshot },
            Origin::Derived(derived_from) => Self::Derived { derived_from },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn slices(labels: &[&str]) -> Origin {
        let label = |text: &&str| SliceLabel::try_from((*text).to_owned()).unwrap();
        Origin::Slices(labels.iter().map(label).collect())
    }

    #[rstest]
    #[case::other_hour(&["2026-11-10T01"], &["2026-11-10T02"], false)]
    #[case::same_hour(&["2026-11-10T01"], &["2026-11-10T01"], true)]
    #[case::one_of_many(&["2026-11-10T01", "2026-11-10T02"], &["2026-11-10T02"], true)]
    #[case::day(&["2026-11-10T01"], &["2026-11-10"], true)]
    fn slices_overlap_where_their_time_does(
        #[case] ours: &[&str],
        #[case] theirs: &[&str],
        #[case] overlap: bool,
    ) {
        assert_eq!(slices(ours).overlaps(&slices(theirs)), overlap);
    }

    #[test]
    fn a_snapshot_and_a_derivation_replace_everything() {
        let (snapshot, derived) = (Origin::Snapshot("1".into()), Origin::Derived("a".into()));
        assert!(snapshot.overlaps(&Origin::Snapshot("2".into())));
        assert!(derived.overlaps(&slices(&["2026-11-10"])));
        assert!(slices(&["2026-11-10"]).lost_to(&derived).is_empty());
    }

    #[test]
    fn the_other_hours_of_a_compacted_file_are_lost_to_one_hour_and_not_to_the_day() {
        let compacted = slices(&["2026-11-10T01", "2026-11-10T02"]);
        assert_eq!(
            compacted.lost_to(&slices(&["2026-11-10T02"])),
            slices(&["2026-11-10T01"]).slices()
        );
        assert!(compacted.lost_to(&slices(&["2026-11-10"])).is_empty());
        assert!(slices(&["2026-11-10"]).covers(&compacted));
        assert!(!slices(&["2026-11-10T01"]).covers(&compacted));
        assert!(slices(&["2026-11-10"]).lost_to(&slices(&["2026-11-10T02"])).is_empty());
    }
}
