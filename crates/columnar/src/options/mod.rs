//! What a transformation is told. All of it was checked before.

pub(crate) mod compression;
pub(crate) mod contract;

use crate::options::compression::Compression;
use crate::options::contract::Contracts;
use crate::people::suppression::Suppression;
use mixlake_domain::{DataFormat, ProjectId, Zone};
use mixlake_schema::{ColumnType, Profile};
use std::num::NonZero;

/// How events become rows. All of it was checked before.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose events they are.
    pub project: ProjectId,
    /// Limits of names and tables.
    pub profile: Profile,
    /// Which tables there are.
    pub schema_type: SchemaType,
    /// The format of the files.
    pub format: DataFormat,
    /// How Parquet files are compressed; JSON lines are always gzip.
    pub compression: Compression,
    /// What `mp_event_name` holds.
    pub event_name: EventNameForm,
    /// The type of `time`.
    pub time_type: TimeType,
    /// The zone whose dates are the partitions.
    pub date_zone: Zone,
    /// Where `time` is the wall clock of a zone written as if it were UTC (projects created
    /// before 2023), that zone.
    pub wall_clock: Option<Zone>,
    /// Whether repeated rows are removed.
    pub deduplicate: bool,
    /// Whether files tell the identities of all of their rows, by which other slices leave the same rows
    /// out; if not, only of those near the edges of their slice, or beyond them.
    pub across_slices: bool,
    /// Which properties are kept and get columns.
    pub contracts: Contracts,
    /// Whether rows are sorted by event and time within a row group; if not, they stay in the
    /// order of their arrival.
    pub clustered: bool,
    /// The people whose events are left out.
    pub suppression: Option<Suppression>,
    /// Bounds of memory and files.
    pub bounds: Bounds,
    /// The version that files name as their writer.
    pub version: &'static str,
}

impl Options {
    /// What counts where nothing else is said.
    #[must_use]
    pub fn of(project: ProjectId) -> Self {
        Self {
            project,
            profile: Profile::Portable,
            schema_type: SchemaType::Monoschema,
            format: DataFormat::Parquet,
            compression: Compression::of_profile(Profile::Portable),
            event_name: EventNameForm::Cleaned,
            time_type: TimeType::Timestamp,
            date_zone: Zone::UTC,
            wall_clock: None,
            deduplicate: true,
            across_slices: false,
            contracts: Contracts::default(),
            clustered: true,
            suppression: None,
            bounds: Bounds::default(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Which tables there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaType {
    /// One table of all events.
    Monoschema,
    /// One table for each event.
    Multischema,
}

/// What `mp_event_name` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventNameForm {
    /// The cleaned name: `add_to_cart`.
    Cleaned,
    /// As Mixpanel has it: `Add to Cart`.
    Raw,
}

/// The type of the column `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeType {
    /// A timestamp of milliseconds, in UTC.
    Timestamp,
    /// Milliseconds since 1970 as an integer.
    Bigint,
}

impl TimeType {
    /// The type of the column.
    #[must_use]
    pub fn column_type(self) -> ColumnType {
        match self {
            Self::Timestamp => ColumnType::Timestamp,
            Self::Bigint => ColumnType::Bigint,
        }
    }
}

/// Bounds of memory and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The longest line that is read; a longer one goes to quarantine.
    pub line_bytes: usize,
    /// Rows of a row group.
    pub group_rows: usize,
    /// Memory of all rows that are not yet encoded.
    pub buffer_bytes: usize,
    /// Encoded bytes after which a file is ended and another begun.
    pub file_bytes: usize,
    /// Bytes of bad lines, compressed, beyond which a slice fails: no export is like that.
    pub quarantine_bytes: usize,
    /// Bytes of memory that the names of events and properties may take; a slice with more names fails.
    pub name_bytes: usize,
    /// Identities of rows that are held in memory; those before wait in a temporary file.
    pub identities: usize,
    /// Rows that may come again after their older twin was encoded; a further pass over the slice
    /// holds the identity of each in memory.
    pub superseded: usize,
    /// Threads that encode a row group; any number gives the same bytes.
    pub threads: NonZero<usize>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // Mixpanel takes events of at most 1 MB; escapes make them longer.
            line_bytes: 8 << 20,
            group_rows: 65_536,
            buffer_bytes: 80 << 20,
            file_bytes: 48 << 20,
            quarantine_bytes: 32 << 20,
            // About 600,000 names of usual length; in multischema those of each event count.
            name_bytes: 128 << 20,
            // What a table of 2^19 places takes before it doubles; with the rows 27 MB.
            identities: 458_752,
            // 32 bytes each: 32 MB.
            superseded: 1 << 20,
            threads: NonZero::<usize>::MIN,
        }
    }
}
