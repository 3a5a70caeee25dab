//! The clients of AWS, each made for its purpose when it is first needed.

use crate::answer::{Failure, Kind};
use crate::config::{Access, ClientRegion, Purpose};
use crate::role;
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_secretsmanager::Client as Secrets;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use mixlake_catalog_glue::GlueCatalog;
use mixlake_mixpanel::Credentials;
use mixlake_store_s3::S3Store;
use tokio::sync::OnceCell;

/// Makes the clients of a process, for the functions and the command line alike.
///
/// Credentials, endpoint and HTTP client come from where AWS tools take them, and all clients share
/// them. They are loaded once, with the first client: reading root certificates takes time.
#[derive(Debug)]
pub struct Clients {
    access: Access,
    /// The name of the sessions of assumed roles, which `CloudTrail` shows.
    session: String,
    shared: OnceCell<SdkConfig>,
    region_of_process: OnceCell<Option<Region>>,
}

impl Clients {
    /// Clients as the settings say. Nothing is loaded yet.
    #[must_use]
    pub fn new(access: Access, session: impl Into<String>) -> Self {
        let session = session.into();
        Self { access, session, shared: OnceCell::new(), region_of_process: OnceCell::new() }
    }

    /// Clients of a process that has loaded what they share.
    #[cfg(test)]
    pub(crate) fn over(access: Access, session: &str, shared: SdkConfig) -> Self {
        let region_of_process = OnceCell::new_with(Some(shared.region().cloned()));
        let (session, shared) = (session.to_owned(), OnceCell::new_with(Some(shared)));
        Self { access, session, shared, region_of_process }
    }

    /// The bucket of the lake.
    pub async fn lake(&self, bucket: String) -> Result<S3Store, Failure> {
        let sdk = self.sdk(Purpose::Lake).await?;
        let role = self.access.of(Purpose::Lake).role.as_ref();
        let store = S3Store::new(mixlake_store_s3::client(&sdk), bucket);
        let store = store.encrypted(self.access.encryption().clone());
        Ok(store.owned_by(role.map(|role| role.arn.account().to_owned())))
    }

    /// The bucket of a pipeline.
    pub async fn source(&self, bucket: String) -> Result<S3Store, Failure> {
        let sdk = self.sdk(Purpose::Source).await?;
        Ok(S3Store::new(mixlake_store_s3::client(&sdk), bucket))
    }

    /// A Glue database.
    pub async fn catalog(&self, database: &str) -> Result<GlueCatalog, Failure> {
        let sdk = self.sdk(Purpose::Catalog).await?;
        Ok(GlueCatalog::new(mixlake_catalog_glue::client(&sdk), database))
    }

    /// Mixpanel credentials from a secret; read for every invocation, so that a rotated one counts.
    pub async fn credentials(&self, secret: &str) -> Result<Credentials, Failure> {
        let client = Secrets::new(&self.sdk(Purpose::Secrets).await?);
        let found = client.get_secret_value().secret_id(secret).send().await.map_err(|error| {
            let error = error.into_service_error();
            // "Access to KMS is not allowed" comes with the code of a missing right on the secret.
            let of_key = error.message().is_some_and(|text| text.contains("KMS"));
            let hint = if error.is_resource_not_found_exception() {
                "there is no such secret in this region"
            } else if of_key || error.is_decryption_failure() {
                "the function's role needs kms:Decrypt on the secret's key, and the key must be \
                 enabled (parameter SecretKmsKeyArn of a deployment)"
            } else {
                "the function's role needs secretsmanager:GetSecretValue on it"
            };
            no_credentials(secret, &format!("{hint}: {}", mixlake_app::chain(&error)))
        })?;
        let text = found.secret_string().unwrap_or_default();
        Credentials::from_json(text).map_err(|error| no_credentials(secret, &error.to_string()))
    }

    /// What a client of a purpose is made with.
    async fn sdk(&self, purpose: Purpose) -> Result<SdkConfig, Failure> {
        let region = self.region(purpose).await.ok_or_else(|| no_region(purpose))?;
        let sdk = self.shared().await.to_builder().region(region.clone()).build();
        match &self.access.of(purpose).role {
            // The future of an STS client takes many pages of memory, and most clients have no role.
            Some(role) => Ok(Box::pin(role::assume(sdk, role, region, &self.session)).await),
            None => Ok(sdk),
        }
    }

    async fn region(&self, purpose: Purpose) -> Option<Region> {
        match &self.access.of(purpose).region {
            ClientRegion::Named(region) => Some(Region::new(region.clone())),
            ClientRegion::OfProcess { or } => {
                let region = self.region_of_process.get_or_init(|| self.find_region()).await;
                region.clone().or_else(|| or.clone().map(Region::new))
            }
        }
    }

    /// With a named region for the lake nothing looks for another one: where no region is configured,
    /// that asks the machine's metadata service, which may take seconds to be missed.
    async fn shared(&self) -> &SdkConfig {
        let load = || async {
            let defaults = aws_config::defaults(BehaviorVersion::latest());
            match &self.access.of(Purpose::Lake).region {
                ClientRegion::Named(region) => {
                    defaults.region(Region::new(region.clone())).load().await
                }
                ClientRegion::OfProcess { .. } => defaults.load().await,
            }
        };
        self.shared.get_or_init(load).await
    }

    async fn find_region(&self) -> Option<Region> {
        match &self.access.of(Purpose::Lake).region {
            ClientRegion::Named(_) => DefaultRegionChain::builder().build().region().await,
            ClientRegion::OfProcess { .. } => self.shared().await.region().cloned(),
        }
    }
}

/// What clients are made with whose service no setting is about: credentials, region and endpoint of the process.
pub async fn sdk_of_process() -> Result<SdkConfig, Failure> {
    let sdk = aws_config::defaults(BehaviorVersion::latest()).load().await;
    if sdk.region().is_some() {
        return Ok(sdk);
    }
    let what = "AWS_REGION: required where no region is configured, as in AWS_REGION=eu-central-1";
    Err(Failure::new(Kind::InvalidSettings, what))
}

pub(crate) fn no_region(purpose: Purpose) -> Failure {
    let what = match purpose {
        Purpose::Lake => "s3_region: required",
        Purpose::Source => "raw_pipeline_region: required",
        Purpose::Catalog => "glue_region: required",
        Purpose::Secrets => "mixpanel_secret: its ARN is required",
    };
    let what = format!("{what} where no region is configured, as in AWS_REGION=eu-central-1");
    Failure::new(Kind::InvalidSettings, what)
}

/// An ARN helps whoever reads it. What looks like a name may be a secret that was put in its place.
pub(crate) fn no_credentials(secret: &str, what: &str) -> Failure {
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
    use crate::config::LakeConfig;
    use crate::settings::Settings;

    /// Clients of a process that has loaded what it shares.
    fn clients(region: Option<&'static str>, pairs: &[&str]) -> Clients {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        let region = region.map(Region::from_static);
        let shared = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        let shared = shared.region(region).endpoint_url("http://127.0.0.1:9").build();
        let access = LakeConfig::check_lake(&settings).unwrap();
        Clients::over(access, "mixlake-test", shared)
    }

    async fn region(clients: &Clients, purpose: Purpose) -> String {
        let sdk = clients.sdk(purpose).await.unwrap();
        assert_eq!(sdk.endpoint_url(), Some("http://127.0.0.1:9"), "all else is shared");
        sdk.region().unwrap().to_string()
    }

    const ALL: [&str; 4] = [
        "s3_region=eu-west-1",
        "raw_pipeline_region=us-west-2",
        "glue_region=eu-north-1",
        "mixpanel_secret=arn:aws:secretsmanager:us-east-2:123456789012:secret:a-AbCdEf",
    ];

    #[tokio::test]
    async fn each_client_is_in_the_region_of_its_purpose() {
        let clients = clients(Some("eu-central-1"), &ALL);
        assert_eq!(region(&clients, Purpose::Lake).await, "eu-west-1");
        assert_eq!(region(&clients, Purpose::Source).await, "us-west-2");
        assert_eq!(region(&clients, Purpose::Catalog).await, "eu-north-1");
        assert_eq!(region(&clients, Purpose::Secrets).await, "us-east-2");
    }

    #[tokio::test]
    async fn a_secret_with_a_name_is_in_the_region_of_the_process_whatever_the_lakes() {
        let name = ["s3_region=eu-west-1", "mixpanel_secret=mixlake/account"];
        let clients_of = |region| clients(region, &name);
        assert_eq!(
            region(&clients_of(Some("eu-central-1")), Purpose::Secrets).await,
            "eu-central-1"
        );
        let without = clients_of(None);
        assert_eq!(
            region(&without, Purpose::Secrets).await,
            "eu-west-1",
            "the lake's is the next best"
        );
    }

    #[tokio::test]
    async fn without_any_region_the_setting_is_named_that_would_give_one() {
        let clients = clients(None, &[]);
        for (purpose, setting) in [
            (Purpose::Lake, "s3_region: required where no region is configured"),
            (Purpose::Source, "raw_pipeline_region: required"),
            (Purpose::Catalog, "glue_region: required"),
            (Purpose::Secrets, "mixpanel_secret: its ARN is required"),
        ] {
            let failure = clients.sdk(purpose).await.unwrap_err();
            assert_eq!(failure.kind, Kind::InvalidSettings);
            assert!(failure.message.starts_with(setting), "{failure}");
        }
    }

    #[test]
    fn nothing_is_loaded_before_a_client_is_needed() {
        let access = LakeConfig::check_lake(&Settings::default()).unwrap();
        assert!(!Clients::new(access, "mixlake-test").shared.initialized());
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        let failure = no_credentials("hunter2", "not authorized on resource: hunter2");
        assert_eq!(failure.message, "mixpanel_secret: not authorized on resource: ***");
        let failure = no_credentials("arn:aws:x", "there is no such secret");
        assert_eq!(failure.message, "mixpanel_secret arn:aws:x: there is no such secret");
    }
}
