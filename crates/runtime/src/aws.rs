//! AWS clients, built once for a process.

use crate::answer::{Failure, Kind};
use crate::config;
use crate::settings::Settings;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_secretsmanager::Client as Secrets;
use mixlake_catalog_glue::GlueCatalog;
use mixlake_mixpanel::Credentials;
use mixlake_store_s3::S3Store;

/// Region, credentials and endpoint, from where AWS tools take them; `s3_region` where it is given.
pub async fn sdk_config(settings: &Settings) -> SdkConfig {
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    match settings.value("s3_region") {
        Some(region) => defaults.region(Region::new(region.to_owned())).load().await,
        None => defaults.load().await,
    }
}

/// The bucket of the settings.
pub fn store(sdk: &SdkConfig, settings: &Settings) -> Result<S3Store, Failure> {
    bucket(sdk, config::bucket(settings).map_err(|p| Failure::settings(&p))?)
}

/// A bucket in the region of the settings.
pub fn bucket(sdk: &SdkConfig, bucket: String) -> Result<S3Store, Failure> {
    if sdk.region().is_none() {
        let what =
            "s3_region: required where no region is configured, as in AWS_REGION=eu-central-1";
        return Err(Failure::new(Kind::InvalidSettings, what));
    }
    Ok(S3Store::new(mixlake_store_s3::client(sdk), bucket))
}

/// A Glue database.
#[must_use]
pub fn catalog(sdk: &SdkConfig, database: &str) -> GlueCatalog {
    GlueCatalog::new(mixlake_catalog_glue::client(sdk), database)
}

/// Mixpanel credentials from a secret; read for every invocation, so that a rotated one counts.
pub async fn credentials(sdk: &SdkConfig, secret: &str) -> Result<Credentials, Failure> {
    let client = Secrets::new(sdk);
    let found = client.get_secret_value().secret_id(secret).send().await.map_err(|error| {
        let error = error.into_service_error();
        let hint = if error.is_resource_not_found_exception() {
            "there is no such secret in this region"
        } else {
            "the function's role needs secretsmanager:GetSecretValue on it"
        };
        no_credentials(secret, &format!("{hint}: {}", mixlake_app::chain(&error)))
    })?;
    let text = found.secret_string().unwrap_or_default();
    Credentials::from_json(text).map_err(|error| no_credentials(secret, &error.to_string()))
}

/// An ARN helps whoever reads it. What looks like a name may be a secret that was put in its place.
fn no_credentials(secret: &str, what: &str) -> Failure {
    let is_arn = secret.starts_with("arn:");
    let message = if is_arn {
        format!("mixpanel_secret {secret}: {what}")
    } else {
        format!("mixpanel_secret: {}", what.replace(secret, "***"))
    };
    Failure::new(Kind::NoCredentials, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        let failure = no_credentials("hunter2", "not authorized on resource: hunter2");
        assert_eq!(failure.message, "mixpanel_secret: not authorized on resource: ***");
        let failure = no_credentials("arn:aws:x", "there is no such secret");
        assert_eq!(failure.message, "mixpanel_secret arn:aws:x: there is no such secret");
    }
}
