//! The error if repeated rows that are far apart cannot be found.

use std::io;

/// Rows that are repeated far apart cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FarApart {
    /// There are too many.
    #[error(
        "more than {0} rows are repeated so far apart that the older row was already written, and memory \
         has no room for more of them. Export shorter slices, or set deduplicate=false and remove repeated \
         rows in a view"
    )]
    TooMany(usize),
    /// The disk of temporary files is nearly full.
    #[error(
        "the temporary folder {folder} has only {free_mb} MB free. The identities of the {rows} rows so far \
         need {needed_mb} MB there, and some space must stay free for others. Give the function more \
         ephemeral storage (parameter ExportStorage of the template), set TMPDIR to a larger disk, or \
         export shorter slices"
    )]
    DiskFull {
        /// Where temporary files are.
        folder: String,
        /// What its disk has left.
        free_mb: u64,
        /// The rows whose identities were to be kept there.
        rows: u64,
        /// What they need.
        needed_mb: u64,
    },
    /// The file of identities failed.
    #[error("cannot store the identities of rows in a temporary file")]
    File(#[from] io::Error),
}
