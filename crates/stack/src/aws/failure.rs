//! The meaning of the services' errors.

use crate::error::CallError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sfn::config::http::HttpResponse;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

/// A call, described for the person who reads its error.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// `read`, `change`, `start` or `stop`.
    pub verb: &'static str,
    /// The right that it needs.
    pub right: &'static str,
}

/// Converts an SDK error.
pub fn failure<E>(call: Call, subject: &str, error: SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let hint = hint(call, &error);
    let (action, subject) = (call.verb, subject.to_owned());
    CallError { action, subject, hint, cause: Box::new(error) }
}

fn hint<E: ProvideErrorMetadata>(call: Call, error: &SdkError<E, HttpResponse>) -> Option<String> {
    if let SdkError::DispatchFailure(failure) = error
        && let Some(cause) = failure.as_connector_error()
        && mixlake_app::cause_of::<CredentialsError>(cause).is_some()
    {
        return Some("the credentials could not be obtained; sign in to AWS".to_owned());
    }
    if let SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) = error {
        return Some("no response from AWS: check the region and the network".to_owned());
    }
    // CloudFormation has no suffix in its codes.
    match error.code()?.trim_end_matches("Exception") {
        "AccessDenied" => Some(format!("access denied: your credentials need {}", call.right)),
        "ExpiredToken" | "UnrecognizedClient" | "InvalidSignature" | "InvalidClientTokenId" => {
            Some("the credentials are wrong or have expired".to_owned())
        }
        _ => None,
    }
}
