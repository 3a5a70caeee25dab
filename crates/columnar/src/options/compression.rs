//! How the pages of Parquet files are compressed.

use mixlake_schema::Profile;

/// The compression of the pages of a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Snappy: every engine reads it.
    Snappy,
    /// Zstandard: the smallest files. Redshift Spectrum does not document that it reads it.
    Zstd,
    /// Gzip: every engine reads it; smaller than Snappy, and slower.
    Gzip,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Snappy, Self::Zstd, Self::Gzip];

    /// What the setting calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What counts where nothing is said: for tables that every engine reads, a compression that every
    /// engine reads.
    #[must_use]
    pub fn of_profile(profile: Profile) -> Self {
        match profile {
            Profile::Portable => Self::Snappy,
            Profile::Mixpanel => Self::Zstd,
        }
    }
}
