//! The one place where an error becomes an answer: a stable type and the whole chain of causes.

use crate::settings::Problems;
use mixlake_app::chain;
use std::fmt;

/// An error as it leaves the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind it is; callers may act on it.
    pub kind: Kind,
    /// What a person should know.
    pub message: String,
}

/// The kinds of failure. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A setting is missing or wrong.
    InvalidSettings,
    /// The payload is wrong.
    InvalidPayload,
    /// The credentials cannot be had.
    NoCredentials,
    /// The lake cannot be reached, or is not one of these settings.
    NoLake,
    /// The query budget is used up: the message is JSON, and says when to come back.
    RateLimited,
    /// The function's time is used up: the message is JSON, and says how to go on.
    OutOfTime,
    /// At least one slice is not published.
    SliceFailed,
    /// The profiles of at least one table are not published.
    ProfilesFailed,
    /// At least one notification could not be brought into the catalog.
    CatalogFailed,
    /// Maintenance could not do all of its work.
    MaintenanceFailed,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidSettings => "InvalidSettings",
            Self::InvalidPayload => "InvalidPayload",
            Self::NoCredentials => "NoCredentials",
            Self::NoLake => "NoLake",
            Self::RateLimited => "RateLimited",
            Self::OutOfTime => "OutOfTime",
            Self::SliceFailed => "SliceFailed",
            Self::ProfilesFailed => "ProfilesFailed",
            Self::CatalogFailed => "CatalogFailed",
            Self::MaintenanceFailed => "MaintenanceFailed",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// A failure with its message.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// Wrong settings.
    #[must_use]
    pub fn settings(problems: &Problems) -> Self {
        Self::new(Kind::InvalidSettings, problems)
    }

    /// An error with all its causes.
    pub fn caused(kind: Kind, error: &dyn std::error::Error) -> Self {
        Self { kind, message: chain(error) }
    }
}

impl From<Failure> for lambda_runtime::Diagnostic {
    fn from(failure: Failure) -> Self {
        tracing::error!(kind = %failure.kind, error = failure.message, "the invocation failed");
        Self { error_type: failure.kind.to_string(), error_message: failure.message }
    }
}
