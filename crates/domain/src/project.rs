//! The Mixpanel project whose events a lake holds.

use std::fmt;
use std::str::FromStr;

/// A project id as Mixpanel shows it in the project settings; also the top folder of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectId(String);

/// The text is not a project id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "a project id has 1 to 64 letters, digits, `-` or `_`, such as 2195193, and does not begin with `_`; got {0:?}"
)]
pub struct ProjectIdError(String);

impl FromStr for ProjectId {
    type Err = ProjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        // A leading `_` would hide every table from Athena and Spectrum.
        if (1..=64).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('_') {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProjectIdError(text.to_owned()))
        }
    }
}

impl ProjectId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::number("2195193", true)]
    #[case::word("staging-eu", true)]
    #[case::empty("", false)]
    #[case::a_path("a/b", false)]
    #[case::hidden("_x", false)]
    #[case::dots("..", false)]
    fn a_project_id_is_one_visible_path_segment(#[case] text: &str, #[case] fine: bool) {
        assert_eq!(text.parse::<ProjectId>().is_ok(), fine);
    }
}
