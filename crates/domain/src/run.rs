//! The name of what a run recorded about itself.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of the rows that one run added to the table of runs: sixteen hexadecimal digits of a hash of
/// their file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// The text names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name of a run has {DIGITS} hexadecimal digits; got {0:?}")]
pub struct RunIdError(String);

/// How many digits a name has.
const DIGITS: usize = 16;

impl RunId {
    /// The run of a file with this hash, of which the first digits count.
    pub fn of_hash(hash: &str) -> Result<Self, RunIdError> {
        Self::try_from(hash.chars().take(DIGITS).collect::<String>())
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdError;

    fn try_from(text: String) -> Result<Self, RunIdError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_name = text.len() == DIGITS && text.bytes().all(hex);
        if is_name { Ok(Self(text)) } else { Err(RunIdError(text)) }
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_the_first_digits_of_a_hash() {
        let run = RunId::of_hash("00ff00ff00ff00ffabcd").unwrap();
        assert_eq!(run.to_string(), "00ff00ff00ff00ff");
        for text in ["", "00ff", "00FF00ff00ff00ff", "-0ff00ff00ff00ff"] {
            assert_eq!(RunId::of_hash(text), Err(RunIdError(text.to_owned())));
        }
    }
}
