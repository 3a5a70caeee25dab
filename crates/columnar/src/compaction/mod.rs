//! Merges the files of a day of a table: the same rows, sorted by event and time across the day, in row groups
//! that end where an event ends.
//!
//! 1. `keys` reads the event and the time of each row of each row group (a *run*).
//! 2. `plan` decides from the number of rows of each event where row groups end, and `order` merges the runs and
//!    notes where each row goes.
//! 3. `merge` reads one column after another, each chunk once, and puts its values into the drawer of their new
//!    row group (`drawers`). When the drawers are full, their columns are encoded.
//! 4. `output` puts the encoded row groups together as files.
//!
//! What does not fit in memory is in unnamed temporary files (`scratch`), so memory depends neither on the number
//! of rows nor on the number of files. The hash of the rows that come out must equal that of the rows that go in.

mod drawers;
mod keys;
mod merge;
mod order;
mod output;
mod plan;
mod scratch;
#[cfg(test)]
mod tests;

pub use merge::{Compaction, CompactionError, CompactionInput};
pub use output::{Compacted, CompactedFile};

/// Bounds of memory and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionBounds {
    /// Rows of a row group, at most.
    pub group_rows: u32,
    /// Bytes of values that are in memory before they are encoded or stored.
    pub values: usize,
    /// The usual bytes of a file. Files have from half as many to one and a half times as many; a small day is
    /// one file.
    pub file_bytes: u64,
}

impl Default for CompactionBounds {
    fn default() -> Self {
        Self { group_rows: 65_536, values: 48 << 20, file_bytes: 256 << 20 }
    }
}
