//! The format of data files.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the rows of a table are stored in its files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataFormat {
    /// Parquet.
    #[default]
    Parquet,
    /// JSON, one object per line, compressed with gzip.
    Json,
}

impl DataFormat {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Parquet, Self::Json];

    /// The name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Json => "json",
        }
    }

    /// The suffix of its file names, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Json => "json.gz",
        }
    }

    /// The format of a file, from its name.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let ends = |format: &Self| {
            name.strip_suffix(format.extension()).is_some_and(|stem| stem.ends_with('.'))
        };
        Self::ALL.into_iter().find(ends)
    }
}

impl fmt::Display for DataFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
