//! Where the rows of a live file come from.

use crate::run::RunId;
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
    /// What a run recorded about itself, or several runs in a compacted file; in order.
    Runs(Vec<RunId>),
}

impl Origin {
    /// Whether files of the two cannot be live side by side. Only slices and runs divide the rows of a target.
    /// A run overlaps only itself.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Slices(ours), Self::Slices(theirs)) => {
                ours.iter().any(|ours| theirs.iter().any(|theirs| ours.overlaps(theirs)))
            }
            (Self::Runs(ours), Self::Runs(theirs)) => ours.iter().any(|run| theirs.contains(run)),
            (Self::Slices(_) | Self::Snapshot(_) | Self::Derived(_) | Self::Runs(_), _) => true,
        }
    }

    /// The slices; none of another origin.
    #[must_use]
    pub fn slices(&self) -> &[SliceLabel] {
        match self {
            Self::Slices(slices) => slices,
            Self::Snapshot(_) | Self::Derived(_) | Self::Runs(_) => &[],
        }
    }

    /// The runs; none of another origin.
    #[must_use]
    pub fn runs(&self) -> &[RunId] {
        match self {
            Self::Runs(runs) => runs,
            Self::Slices(_) | Self::Snapshot(_) | Self::Derived(_) => &[],
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
            Self::Snapshot(_) | Self::Derived(_) | Self::Runs(_) => Vec::new(),
        }
    }
}

impl From<SliceLabel> for Origin {
    fn from(slice: SliceLabel) -> Self {
        Self::Slices(vec![slice])
    }
}

impl From<RunId> for Origin {
    fn from(run: RunId) -> Self {
        Self::Runs(vec![run])
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
            Self::Runs(runs) => {
                let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
                write!(f, "run {}", runs.join(", "))
            }
        }
    }
}

/// The origin as documents have it. A single slice is written as it always was. A file of the table of runs has
/// `run`, or `runs` if it is compacted; versions before that table do not read its manifests.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Slice { slice: SliceLabel },
    Slices { slices: Vec<SliceLabel> },
    Snapshot { snapshot: String },
    Derived { derived_from: String },
    Run { run: RunId },
    Runs { runs: Vec<RunId> },
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
            Form::Run { run } => run.into(),
            Form::Runs { mut runs } => {
                runs.sort_unstable();
                runs.dedup();
                Self::Runs(runs)
            }
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
            Origin::Runs(runs) => match &runs[..] {
                [run] => Self::Run { run: run.clone() },
                _ => Self::Runs { runs },
            },
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
    #[case::minutes(&["2026-11-10T01"], &["2026-11-10T01_15to30"], true)]
    #[case::other_minutes(&["2026-11-10T01_00to15"], &["2026-11-10T01_15to30"], false)]
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
    fn a_run_overlaps_only_itself() {
        let run = |digit: &str| RunId::of_hash(&digit.repeat(16)).unwrap();
        let one = Origin::from(run("1"));
        let both = Origin::Runs(vec![run("1"), run("2")]);
        assert!(one.overlaps(&one) && one.overlaps(&both) && both.overlaps(&one));
        assert!(!one.overlaps(&Origin::from(run("2"))));
        assert!(one.overlaps(&Origin::Snapshot("1".into())));
        assert!(slices(&["2026-11-10"]).overlaps(&one));
        assert_eq!((one.slices(), both.runs().len()), (&[][..], 2));
        assert!(both.lost_to(&one).is_empty());
        assert_eq!(both.to_string(), "run 1111111111111111, 2222222222222222");
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
        let quarters = slices(&["2026-11-10T01_00to15", "2026-11-10T01_15to30"]);
        assert_eq!(
            quarters.lost_to(&slices(&["2026-11-10T01_15to20"])),
            slices(&["2026-11-10T01_00to15"]).slices()
        );
        assert!(slices(&["2026-11-10T01"]).covers(&quarters));
    }
}
