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
        "none of the {lines} lines of the answer is an event, so the answer is not an export: {}. The live rows stay as they are",
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
        "time_type: table {table} stores time as {has}, and the setting asks for {wanted}. The type of a column never changes. Set time_type back, or use another s3_prefix"
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
        "data_format: the files of table {table} are {has}, and the setting asks for {wanted}. Set data_format={has}, or use another s3_prefix"
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
        "so many lines are not events that memory has no room for more of them, so the answer is not an export. The last reason: {reason}"
    )]
    TooManyBadLines {
        /// What is wrong with one of them.
        reason: String,
    },
    /// There are more different names than fit in memory.
    #[error(
        "the slice has {events} different event names and {properties} different property names. They do not fit in {} MiB, the limit of one slice. Names such as {example:?} seem to contain values. Export shorter slices, or leave such events out",
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
