//! The error if repeated rows that are far apart cannot be found.

use std::io;

/// Rows that are repeated far apart cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FarApart {
    /// There are too many.
    #[error(
        "more than {0} rows come again so much later that the older row was written by then, and \
         memory has no room for more of them; export shorter slices, or set deduplicate=false and \
         remove repeats in a view"
    )]
    TooMany(usize),
    /// The disk of temporary files is nearly full.
    #[error(
        "the temporary folder {folder} has {free_mb} MB free, which is not enough: the identities of the \
         {rows} rows so far need {needed_mb} MB there, and some is left to others; give the function more \
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
    #[error("cannot keep the identities of rows in a temporary file")]
    File(#[from] io::Error),
}
