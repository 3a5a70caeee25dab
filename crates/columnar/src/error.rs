//! Why a transformation fails.

use crate::deduplication::far_apart::FarApart;
use parquet::errors::ParquetError;

/// Why a stream gives no files. Nothing of it may be published.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The source said that it stopped in the middle.
    #[error("the export ends with {0:?}: the source stopped before all events were sent")]
    TerminatedEarly(String),
    /// Lines came, and none of them is an event.
    #[error(
        "none of the {lines} lines of the answer is an event, so it is no export: {}. What is live stays",
        reasons.join("; ")
    )]
    NoEvent {
        /// How many lines came.
        lines: u64,
        /// The first reasons.
        reasons: Vec<String>,
    },
    /// The last line is no line of an export.
    #[error("the export ends with {0:?}: the source failed before all events were sent")]
    EndsWithError(String),
    /// The stream ends within a line.
    #[error("the export ends in the middle of a line, after {0} whole lines")]
    CutLine(u64),
    /// The table has its `time` in another type since its first slice.
    #[error(
        "time_type: table {table} has time as {has}, and a column's type never changes; the setting asks for {wanted}"
    )]
    TimeType {
        /// The table.
        table: String,
        /// The type that it has.
        has: &'static str,
        /// The type that was asked for.
        wanted: &'static str,
    },
    /// The table has its files in another format since its first slice.
    #[error(
        "data_format: the files of table {table} are {has}; the setting asks for {wanted}. Another format needs another s3_prefix"
    )]
    Format {
        /// The table.
        table: String,
        /// The format that it has.
        has: &'static str,
        /// The format that was asked for.
        wanted: &'static str,
    },
    /// Rows that are repeated far apart cannot be told.
    #[error(transparent)]
    FarApart(#[from] FarApart),
    /// So many lines are bad that this cannot be an export.
    #[error(
        "the lines that are no events fill memory, and that is no export any more; the last one: {reason}"
    )]
    TooManyBadLines {
        /// What is wrong with one of them.
        reason: String,
    },
    /// There are more different names than fit in memory.
    #[error(
        "the slice has {events} different names of events and {properties} of properties: more than fit in {} MiB, which is the bound of one slice. Names like {example:?} seem to hold values; export shorter slices, or leave such events out",
        .bound / (1 << 20)
    )]
    TooManyNames {
        /// Names of events so far.
        events: usize,
        /// Names of properties so far; in multischema those of each event.
        properties: usize,
        /// The bytes of memory that names may take.
        bound: usize,
        /// One of the last.
        example: String,
    },
    /// The JSON writer failed.
    #[error("cannot encode JSON lines")]
    Json(#[source] std::io::Error),
    /// The Parquet writer failed.
    #[error("cannot encode Parquet")]
    Parquet(#[from] ParquetError),
    /// The gzip writer failed.
    #[error("cannot write the quarantine file")]
    Quarantine(#[from] std::io::Error),
}
