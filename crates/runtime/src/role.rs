//! Credentials of a role, from STS.

use crate::config::Role;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use std::error::Error;
use std::fmt;

#[cfg(test)]
mod tests;

/// The longest name of a session.
const LONGEST_NAME: usize = 64;

/// Credentials of a role that is assumed when a call first needs them, and again before they expire: the
/// client of the call keeps them until then.
#[derive(Debug)]
struct AssumedRole {
    role: Role,
    provider: AssumeRoleProvider,
}

/// The configuration of a client whose calls the role makes. It asks the STS endpoint of its own region.
pub(crate) async fn assume(
    sdk: SdkConfig,
    role: &Role,
    region: Region,
    session: &str,
) -> SdkConfig {
    let session: String = session.chars().take(LONGEST_NAME).collect();
    let builder = AssumeRoleProvider::builder(role.arn.as_str()).configure(&sdk);
    let builder = builder.region(region).session_name(session);
    let builder = match &role.external_id {
        Some(id) => builder.external_id(id),
        None => builder,
    };
    let provider = AssumedRole { role: role.clone(), provider: builder.build().await };
    sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.provider.provide_credentials().await;
            credentials.map_err(|error| CredentialsError::provider_error(self.refused(error)))
        })
    }
}

impl AssumedRole {
    fn refused(&self, cause: CredentialsError) -> Refused {
        let role = &self.role;
        let hint = match code(&cause).as_deref() {
            Some("AccessDenied" | "AccessDeniedException") => Some(role.why_denied()),
            Some("RegionDisabledException") => Some(
                "STS is not active in this region: activate it in the account settings of IAM"
                    .to_owned(),
            ),
            Some("ExpiredToken" | "ExpiredTokenException") => {
                Some("the credentials that assume it have expired".to_owned())
            }
            _ => None,
        };
        Refused { setting: role.setting, role: role.arn.to_string(), hint, cause }
    }
}

impl Role {
    /// STS does not say which of the causes it was, so as not to tell strangers which roles exist.
    fn why_denied(&self) -> String {
        let Self { external_id_setting, .. } = self;
        let id = match &self.external_id {
            Some(id) => format!("does not expect the external id {id:?} ({external_id_setting})"),
            None => format!("expects an external id, and {external_id_setting} is not set"),
        };
        format!(
            "the role does not exist, or its trust policy does not allow the caller, or its trust \
             policy {id}, or the caller lacks sts:AssumeRole on it"
        )
    }
}

/// The code of STS's error, if STS has answered.
fn code(error: &CredentialsError) -> Option<String> {
    let found = mixlake_app::cause_of::<AssumeRoleError>(error);
    found.and_then(ProvideErrorMetadata::code).map(str::to_owned)
}

/// A role could not be assumed.
#[derive(Debug)]
struct Refused {
    setting: &'static str,
    role: String,
    hint: Option<String>,
    cause: CredentialsError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, role, .. } = self;
        write!(f, "cannot assume the role {role} ({setting})")?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, ": {hint}"))
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}
