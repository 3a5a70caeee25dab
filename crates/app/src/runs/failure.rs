//! Why a slice, an export of profiles, or the table of identities failed, as a word. The words are stable; people group by them.
//!
//! The text of an error can quote what was received: names of properties, the time of an event, words of
//! Mixpanel about a filter. So the table of runs has only the word.

use crate::export::ExportError;
use crate::identities::IdentitiesError;
use crate::ports::SourceError;
use crate::profiles::ProfilesError;
use mixlake_columnar::TransformError;

/// The word for an error.
pub(super) fn word(error: &ExportError) -> &'static str {
    match error {
        ExportError::Source(error) => of_source(error),
        ExportError::Transform(error) => of_transformation(error),
        ExportError::Store(_) => "store",
        ExportError::Document(_) => "document",
        ExportError::Registry { .. } => "registry",
        ExportError::Identities { .. } => "identities",
        ExportError::Zone { .. } | ExportError::Start(_) => "other_settings",
        ExportError::MostlyBad { .. } => "bad_lines",
        ExportError::Empty { .. } => "empty",
        ExportError::Fewer { .. } => "fewer_rows",
        ExportError::NotTried(_) => "not_tried",
        ExportError::Minute { .. } => "incomplete",
        ExportError::Compacted { .. } => "compacted",
        ExportError::Table(_) => "table_name",
        ExportError::Contended(_) => "contended",
    }
}

/// The word for an error of an export of profiles.
pub(super) fn word_of_profiles(error: &ProfilesError) -> &'static str {
    match error {
        ProfilesError::Source(error) => of_source(error),
        ProfilesError::SessionEnded(_) | ProfilesError::Pages(_) => "incomplete",
        ProfilesError::Transform(error) => of_transformation(error),
        ProfilesError::NoProfile { .. } => "no_export",
        ProfilesError::MostlyBad { .. } => "bad_lines",
        ProfilesError::Empty { .. } => "empty",
        ProfilesError::Fewer(_) => "fewer_rows",
        ProfilesError::Store(_) => "store",
        ProfilesError::Document(_) => "document",
        ProfilesError::Registry { .. } | ProfilesError::NamesLost { .. } => "registry",
        ProfilesError::Taken(_) => "table_name",
        ProfilesError::Contended(_) => "contended",
    }
}

/// The word for days whose rows cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";

/// The word for a run that had not the time for all days.
pub(super) const OUT_OF_TIME: &str = "out_of_time";

/// The word for an error of the table of identities.
pub(super) fn word_of_identities(error: &IdentitiesError) -> &'static str {
    match error {
        IdentitiesError::Store(_) => "store",
        IdentitiesError::Document(_) => "document",
        IdentitiesError::Registry { .. } | IdentitiesError::Columns(_) => "registry",
        IdentitiesError::Missing { .. }
        | IdentitiesError::Damaged { .. }
        | IdentitiesError::Rows { .. }
        | IdentitiesError::Facts { .. } => UNREADABLE,
        IdentitiesError::Encode(error) => of_transformation(error),
        IdentitiesError::Scratch(_) => "temporary_file",
        IdentitiesError::OutOfTime => OUT_OF_TIME,
        IdentitiesError::Contended(_) => "contended",
    }
}

fn of_source(error: &SourceError) -> &'static str {
    match error {
        SourceError::Incomplete { .. } => "incomplete",
        SourceError::TimedOut { .. } => "timed_out",
        SourceError::OutOfTime => OUT_OF_TIME,
        SourceError::Unavailable { .. } => "unavailable",
        SourceError::Unreachable { .. } => "unreachable",
        SourceError::RateLimited { .. } => "rate_limited",
        SourceError::NotYet { .. } => "not_yet",
        SourceError::Refused(_) => "refused",
    }
}

fn of_transformation(error: &TransformError) -> &'static str {
    match error {
        TransformError::TerminatedEarly(_)
        | TransformError::EndsWithError(_)
        | TransformError::CutLine(_) => "incomplete",
        TransformError::NoEvent { .. } => "no_export",
        TransformError::TooManyBadLines { .. } => "bad_lines",
        TransformError::TimeType { .. } | TransformError::Format { .. } => "other_settings",
        TransformError::FarApart(_) => "far_apart",
        TransformError::TooManyNames { .. } => "too_many_names",
        TransformError::Json(_) | TransformError::Parquet(_) | TransformError::Quarantine(_) => {
            "encoding"
        }
    }
}
