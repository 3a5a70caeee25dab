//! How many columns a table may have and how long their names may be.

/// A set of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// What every engine can read; Redshift Spectrum has the tightest limits.
    Portable,
    /// Mixpanel's own limits; Athena and Spark can read them, Spectrum cannot.
    Mixpanel,
}

impl Profile {
    /// The most columns of a table, without the partition key.
    #[must_use]
    pub fn columns(self) -> usize {
        match self {
            // Spectrum reads 1,598 with the partition key.
            Self::Portable => 1_597,
            Self::Mixpanel => 9_500,
        }
    }

    /// The largest size of the columns in a catalog's definition of a table, in bytes, if there is a
    /// limit.
    #[must_use]
    pub fn definition_bytes(self) -> Option<usize> {
        match self {
            // Glue has refused updates of tables of about 3,600 columns with usual names, of about 100
            // bytes each; it documents no number.
            Self::Portable => Some(360_000),
            Self::Mixpanel => None,
        }
    }

    /// The most bytes of a name; a clean name has only ASCII characters.
    #[must_use]
    pub fn name_bytes(self) -> usize {
        match self {
            Self::Portable => 127,
            Self::Mixpanel => 128,
        }
    }
}
