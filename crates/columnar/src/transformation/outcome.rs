//! The result of a transformation: files, counts, and what the next pass needs.

use crate::deduplication::superseded::Superseded;
use crate::files::data_file::DataFile;
use bytes::Bytes;
use mixlake_schema::Registry;

/// What became of the lines of a slice: `received = written + duplicates + quarantined +
/// suppressed`. The other numbers count some of these lines once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that are not blank.
    pub received: u64,
    /// Rows in files.
    pub written: u64,
    /// Repeated rows that were left out.
    pub duplicates: u64,
    /// Lines that are no events.
    pub quarantined: u64,
    /// Lines of people whose events are not written any more.
    pub suppressed: u64,
    /// Rows among the written whose time lies outside of the slice.
    pub outside: u64,
    /// Events in which half of a surrogate pair became U+FFFD.
    pub mended: u64,
}

/// The result of a slice.
#[derive(Debug)]
pub struct Transformed {
    /// The registry that was given, and the names that were added. They must be reserved before
    /// a file that uses them is written.
    pub registry: Registry,
    /// What became of the lines.
    pub counts: Counts,
    /// The files that were not taken before.
    pub files: Vec<DataFile>,
    /// The quarantine file, if any line is bad.
    pub quarantine: Option<Bytes>,
    /// Not empty: a repeated row was found after its older twin was encoded. The files are of no
    /// use; a further pass over the slice that knows these rows gives good ones.
    pub superseded: Superseded,
    /// The first reasons for which lines are bad, each once.
    pub reasons: Vec<String>,
    /// The last line, if it is an error in the place of an event. Of an answer that is one export from its
    /// first line to its last, that says that there should have been more.
    pub error_at_end: Option<String>,
}
