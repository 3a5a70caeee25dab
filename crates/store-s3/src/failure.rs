//! The meaning of S3's errors.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use mixlake_app::ports::{Precondition, Put};
use std::error::Error;
use std::fmt;

/// What an S3 error means for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The key does not exist.
    NoSuchKey,
    /// The bucket does not exist.
    NoSuchBucket,
    /// The condition of a write was not met, or another write was faster.
    ConditionFailed,
    /// The requested range is outside of the object.
    OutOfRange,
    /// The role lacks a permission; or, for a read, the key does not exist and the role may not list.
    Denied,
    /// The role may not use the KMS key that the bucket or the object is encrypted with.
    KeyDenied,
    /// The KMS key does not exist in the bucket's region, or cannot be used.
    KeyUnusable,
    /// The bucket is in another region.
    OtherRegion,
    /// The credentials are invalid or have expired.
    BadCredentials,
    /// There are no credentials.
    NoCredentials,
    /// A role could not be assumed, or another source of credentials failed.
    CredentialsFailed,
    /// No response arrived.
    Unreachable,
    /// Anything else.
    Other,
}

/// Reads the error code, or the status if a stand-in or a proxy sends no code.
fn meaning<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Meaning {
    if let SdkError::DispatchFailure(failure) = error {
        // Missing credentials appear as a request that could not be sent.
        let cause = failure.as_connector_error();
        return cause.and_then(|error| of_credentials(error)).unwrap_or(Meaning::Unreachable);
    }
    if let SdkError::TimeoutError(_) = error {
        return Meaning::Unreachable;
    }
    match error.code() {
        Some("NoSuchKey") => Meaning::NoSuchKey,
        Some("NoSuchBucket") => Meaning::NoSuchBucket,
        Some("PreconditionFailed" | "ConditionalRequestConflict") => Meaning::ConditionFailed,
        Some("InvalidRange") => Meaning::OutOfRange,
        Some("AccessDenied") if error.message().is_some_and(|text| text.contains("kms:")) => {
            Meaning::KeyDenied
        }
        // A throttled KMS says nothing about the key.
        Some(code) if code.starts_with("KMS.") && code != "KMS.ThrottlingException" => {
            Meaning::KeyUnusable
        }
        Some("AccessDenied" | "AllAccessDisabled" | "Forbidden") => Meaning::Denied,
        Some(
            "PermanentRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException",
        ) => Meaning::OtherRegion,
        Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken") => {
            Meaning::BadCredentials
        }
        Some(_) => Meaning::Other,
        None => by_status(error.raw_response().map(|response| response.status().as_u16())),
    }
}

/// What failed, if a cause of the error is about credentials.
fn of_credentials(error: &(dyn Error + 'static)) -> Option<Meaning> {
    let found = mixlake_app::cause_of::<CredentialsError>(error)?;
    let none = matches!(found, CredentialsError::CredentialsNotLoaded(_));
    Some(if none { Meaning::NoCredentials } else { Meaning::CredentialsFailed })
}

/// A 404 without a code does not prove that the key is missing, so it stays an error.
fn by_status(status: Option<u16>) -> Meaning {
    match status {
        Some(412) => Meaning::ConditionFailed,
        Some(416) => Meaning::OutOfRange,
        Some(403) => Meaning::Denied,
        Some(301) => Meaning::OtherRegion,
        Some(_) | None => Meaning::Other,
    }
}

/// What S3 left out of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Omission {
    UploadId,
    ETag,
    Size,
}

impl Error for Omission {}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UploadId => "S3 returned no upload id",
            Self::ETag => "S3 returned no ETag for the object",
            Self::Size => "S3 did not return the size of the object",
        })
    }
}

/// A failed call. What it was about is added later.
pub(crate) struct Failure {
    pub(crate) meaning: Meaning,
    pub(crate) rights: &'static str,
    pub(crate) cause: Box<dyn Error + Send + Sync>,
}

impl Failure {
    pub(crate) fn of<E>(error: SdkError<E, HttpResponse>, rights: &'static str) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        Self { meaning: meaning(&error), rights, cause: Box::new(error) }
    }

    /// A failed `HEAD`. Its response has no body, so a missing key has only its status.
    pub(crate) fn of_head(
        error: SdkError<HeadObjectError, HttpResponse>,
        rights: &'static str,
    ) -> Self {
        let absent = error.as_service_error().is_some_and(HeadObjectError::is_not_found);
        let failure = Self::of(error, rights);
        if absent { Self { meaning: Meaning::NoSuchKey, ..failure } } else { failure }
    }

    /// A response that cannot be used.
    pub(crate) fn odd(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { meaning: Meaning::Other, rights: "", cause: cause.into() }
    }

    /// `None` if the failure means that the key does not exist.
    pub(crate) fn unless_absent<T>(self) -> Result<Option<T>, Self> {
        if self.meaning == Meaning::NoSuchKey { Ok(None) } else { Err(self) }
    }

    /// A write that its condition refused. S3 answers "no such key" to a conditional write on a missing
    /// object.
    pub(crate) fn unless_refused(self, when: &Precondition) -> Result<Put, Self> {
        let swap = matches!(when, Precondition::Matches(_));
        let refused = self.meaning == Meaning::ConditionFailed
            || (swap && self.meaning == Meaning::NoSuchKey);
        if refused { Ok(Put::Refused) } else { Err(self) }
    }

    /// What a person should check.
    pub(crate) fn hint(&self, bucket: &str, owner: Option<&str>) -> Option<String> {
        match self.meaning {
            Meaning::NoSuchBucket => {
                Some(format!("the bucket {bucket} does not exist: check s3_bucket"))
            }
            Meaning::Denied => {
                let rights = self.rights;
                let owner = owner.map(|owner| {
                    format!("; the bucket must belong to the account {owner} of s3_role")
                });
                Some(format!(
                    "access denied: the role needs {rights} on {bucket}, and the right to use the KMS \
                     key if the bucket is encrypted with one{}",
                    owner.unwrap_or_default()
                ))
            }
            Meaning::KeyDenied => Some(format!(
                "access denied to a KMS key: the role needs kms:Decrypt and kms:GenerateDataKey on the \
                 key that encrypts {bucket}; its rights on the bucket are not the cause"
            )),
            Meaning::KeyUnusable => Some(format!(
                "the KMS key cannot be used: check that the key of s3_kms_key_id, or of the default \
                 encryption of {bucket}, exists in the bucket's region, is enabled, and is not \
                 scheduled for deletion"
            )),
            Meaning::OtherRegion => Some(format!(
                "the bucket {bucket} is in another region: check s3_region, or raw_pipeline_region for the bucket of a pipeline"
            )),
            Meaning::BadCredentials => Some("the credentials are wrong or have expired".to_owned()),
            Meaning::NoCredentials => Some(
                "no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY"
                    .to_owned(),
            ),
            Meaning::CredentialsFailed => {
                Some(format!("the credentials for {bucket} could not be obtained"))
            }
            Meaning::Unreachable => {
                Some("no response from S3: check s3_region and the network".to_owned())
            }
            Meaning::NoSuchKey => Some("the object does not exist".to_owned()),
            Meaning::ConditionFailed | Meaning::OutOfRange | Meaning::Other => None,
        }
    }
}
