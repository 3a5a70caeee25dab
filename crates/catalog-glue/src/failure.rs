//! The meaning of Glue's errors.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_glue::config::http::HttpResponse;
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use mixlake_app::ports::CatalogError;
use std::error::Error;
use std::fmt;

/// A call to Glue, described for the person who reads its error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// `read`, `create`, `update` or `delete`.
    pub(crate) verb: &'static str,
    /// The permission that it needs.
    pub(crate) right: &'static str,
    /// What Lake Formation must grant, if it is used.
    pub(crate) grant: &'static str,
}

const ALTER: &str = "ALTER on the table and the data location";

pub(crate) const GET_TABLES: Call =
    Call { verb: "read", right: "glue:GetTables", grant: "DESCRIBE on the database" };
pub(crate) const GET_TABLE: Call =
    Call { verb: "read", right: "glue:GetTable", grant: "DESCRIBE on the table" };
pub(crate) const CREATE_TABLE: Call = Call {
    verb: "create",
    right: "glue:CreateTable",
    grant: "CREATE_TABLE on the database and the data location",
};
pub(crate) const UPDATE_TABLE: Call =
    Call { verb: "update", right: "glue:UpdateTable", grant: ALTER };
pub(crate) const DELETE_TABLE: Call =
    Call { verb: "delete", right: "glue:DeleteTable", grant: "DROP on the view" };
pub(crate) const GET_PARTITIONS: Call =
    Call { verb: "read", right: "glue:GetPartitions", grant: "DESCRIBE on the table" };
pub(crate) const GET_PARTITION: Call =
    Call { verb: "read", right: "glue:GetPartition", grant: "DESCRIBE on the table" };
pub(crate) const BATCH_GET: Call =
    Call { verb: "read", right: "glue:BatchGetPartition", grant: "DESCRIBE on the table" };
pub(crate) const BATCH_CREATE: Call =
    Call { verb: "create", right: "glue:BatchCreatePartition", grant: ALTER };
pub(crate) const BATCH_UPDATE: Call =
    Call { verb: "update", right: "glue:BatchUpdatePartition", grant: ALTER };
pub(crate) const BATCH_DELETE: Call =
    Call { verb: "delete", right: "glue:BatchDeletePartition", grant: ALTER };
pub(crate) const DELETE_PARTITION: Call =
    Call { verb: "delete", right: "glue:DeletePartition", grant: ALTER };

/// Converts an SDK error to an error of the port.
pub(crate) fn failure<E>(
    call: Call,
    subject: &str,
    error: SdkError<E, HttpResponse>,
) -> CatalogError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error.code() {
        Some("EntityNotFoundException") => CatalogError::NotFound(subject.to_owned()),
        Some("ConcurrentModificationException" | "AlreadyExistsException") => {
            CatalogError::Conflict(subject.to_owned())
        }
        Some(code) if !is_of_the_service(code) => {
            let hint = hint_of(call, code);
            not_taken(call, subject, hint, error)
        }
        code => CatalogError::Failed {
            action: call.verb,
            subject: subject.to_owned(),
            hint: hint(call, &error, code),
            cause: Box::new(error),
        },
    }
}

/// Whether a code means that Glue is unavailable or does not accept the caller, whatever the request
/// is. Any other code may be about the request itself.
fn is_of_the_service(code: &str) -> bool {
    let tired = ["Throttl", "TooManyRequests", "Unavailable", "Internal", "Timeout", "Timed"];
    let stranger = ["AccessDenied", "Expired", "UnrecognizedClient", "Signature", "Credentials"];
    tired.iter().chain(&stranger).any(|part| code.contains(part))
}

/// The same for one item of a batch that was not refused as a whole: an internal error then concerns
/// only this item.
pub(crate) fn is_of_the_item(code: &str) -> bool {
    !is_of_the_service(code) || code.contains("Internal")
}

/// An error that is not a failed call: the response or the request is invalid.
pub(crate) fn refused(
    call: Call,
    subject: &str,
    cause: impl Into<Box<dyn Error + Send + Sync>>,
) -> CatalogError {
    not_taken(call, subject, None, cause)
}

pub(crate) fn not_taken(
    call: Call,
    subject: &str,
    hint: Option<String>,
    cause: impl Into<Box<dyn Error + Send + Sync>>,
) -> CatalogError {
    let (action, subject, cause) = (call.verb, subject.to_owned(), cause.into());
    CatalogError::Refused { action, subject, hint, cause }
}

fn hint<E>(call: Call, error: &SdkError<E, HttpResponse>, code: Option<&str>) -> Option<String> {
    if let SdkError::DispatchFailure(failure) = error
        && let Some(cause) = failure.as_connector_error()
        && mixlake_app::cause_of::<CredentialsError>(cause).is_some()
    {
        return Some(Hint::NoCredentials.to_string());
    }
    if let SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) = error {
        return Some(Hint::NoResponse.to_string());
    }
    hint_of(call, code?)
}

/// What to check, by the code of an error or of an item of a batch.
pub(crate) fn hint_of(call: Call, code: &str) -> Option<String> {
    let hint = match code {
        "AccessDeniedException" | "AccessDenied" => Hint::Denied(call),
        "ResourceNumberLimitExceededException" => Hint::Limit,
        "InvalidInputException" | "ValidationException" => Hint::Input,
        "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
            Hint::Credentials
        }
        _ => return None,
    };
    Some(hint.to_string())
}

/// What a person should check.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hint {
    NoResponse,
    Denied(Call),
    Limit,
    Input,
    Credentials,
    NoCredentials,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoResponse => {
                f.write_str("no response from Glue: check the region and the network")
            }
            Self::Denied(Call { right, grant, .. }) => write!(
                f,
                "access denied: the role needs {right} on the catalog, the database and its tables; \
                 with Lake Formation, also {grant}"
            ),
            Self::Limit => f.write_str(
                "a Glue limit is reached: the size of a table (columns), or the number of tables, \
                 partitions or versions in the account",
            ),
            Self::Input => f.write_str(
                "Glue does not accept the input: an invalid name, type or comment, or a table that \
                 is too large",
            ),
            Self::NoCredentials => f.write_str("the credentials for Glue could not be obtained"),
            Self::Credentials => f.write_str("the credentials are wrong or have expired"),
        }
    }
}
