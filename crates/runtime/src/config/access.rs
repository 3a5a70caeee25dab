//! What the clients of AWS are made with, by what they are for.
//!
//! These are values, made of the settings alone; `crate::clients` makes clients of them. A lake, the
//! bucket of a pipeline, Glue and a secret can be in different regions.

use crate::settings::table::{
    GLUE_EXTERNAL_ID, GLUE_REGION, GLUE_ROLE, MIXPANEL_SECRET, PROJECT_TOKEN, RAW_PIPELINE_REGION,
    S3_ENCRYPTION, S3_EXTERNAL_ID, S3_KMS_KEY_ID, S3_REGION, S3_ROLE,
};
use crate::settings::{Reader, RoleArn, Setting};
use mixlake_store_s3::Encryption;

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// S3: the bucket of the lake.
    Lake,
    /// S3: the bucket of a pipeline.
    Source,
    /// Glue: the tables.
    Catalog,
    /// Secrets Manager: Mixpanel's credentials.
    Secrets,
}

/// What the clients of one purpose are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Where the service is asked.
    pub region: ClientRegion,
    /// The role that asks; `None` is the process's own.
    pub role: Option<Role>,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: RoleArn,
    /// The external id that its trust policy expects.
    pub external_id: Option<String>,
    /// The name of the setting that gave it.
    pub setting: &'static str,
    /// The name of the setting of the external id.
    pub external_id_setting: &'static str,
}

/// The region of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientRegion {
    /// This one.
    Named(String),
    /// The region of the process, as AWS tools find it, or another one if it has none.
    OfProcess {
        /// The other one.
        or: Option<String>,
    },
}

/// What the clients of each purpose are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    lake: ClientSettings,
    source: ClientSettings,
    catalog: ClientSettings,
    secrets: ClientSettings,
    encryption: Encryption,
}

impl Access {
    /// What the clients of a purpose are made with.
    #[must_use]
    pub fn of(&self, purpose: Purpose) -> &ClientSettings {
        match purpose {
            Purpose::Lake => &self.lake,
            Purpose::Source => &self.source,
            Purpose::Catalog => &self.catalog,
            Purpose::Secrets => &self.secrets,
        }
    }

    /// How the objects of the lake are encrypted.
    #[must_use]
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }
}

pub(super) fn access(reader: &mut Reader<'_>) -> Access {
    let lake = reader.get(&S3_REGION);
    let source = reader.get(&RAW_PIPELINE_REGION).or_else(|| lake.clone());
    let catalog = reader.get(&GLUE_REGION).or_else(|| lake.clone());
    // The catalog function has no secret. An export reads it, and tells what is wrong with it.
    let secret = reader.peek(&MIXPANEL_SECRET);
    let secrets = match secret.as_deref().and_then(region_of_arn) {
        Some(region) => ClientRegion::Named(region.to_owned()),
        None => ClientRegion::OfProcess { or: lake.clone() },
    };
    let client = |region: Option<String>, role| ClientSettings {
        region: region.map_or(ClientRegion::OfProcess { or: None }, ClientRegion::Named),
        role,
    };
    Access {
        lake: client(lake, role(reader, &S3_ROLE, &S3_EXTERNAL_ID)),
        source: client(source, None),
        catalog: client(catalog, role(reader, &GLUE_ROLE, &GLUE_EXTERNAL_ID)),
        secrets: ClientSettings { region: secrets, role: None },
        encryption: encryption(reader),
    }
}

fn role(
    reader: &mut Reader<'_>,
    arn: &Setting<RoleArn>,
    external_id: &Setting<String>,
) -> Option<Role> {
    let token = reader.get(&PROJECT_TOKEN);
    let id = reader.get(external_id);
    if !reader.has(arn) {
        reader.only_with(arn.name, &[external_id]);
        return None;
    }
    let (setting, external_id_setting) = (arn.name, external_id.name);
    let arn = reader.get(arn)?;
    Some(Role { arn, external_id: id.or(token), setting, external_id_setting })
}

fn encryption(reader: &mut Reader<'_>) -> Encryption {
    let key = reader.get(&S3_KMS_KEY_ID).map(|key| key.as_str().to_owned());
    match reader.get(&S3_ENCRYPTION).unwrap_or_default() {
        Encryption::Kms { .. } => Encryption::Kms { key },
        other @ (Encryption::BucketDefault | Encryption::S3Managed) => {
            reader.only_with("s3_encryption=kms", &[&S3_KMS_KEY_ID]);
            other
        }
    }
}

/// The fourth part of `arn:aws:secretsmanager:eu-central-1:123456789012:secret:name`.
fn region_of_arn(secret: &str) -> Option<&str> {
    let mut parts = secret.strip_prefix("arn:")?.split(':');
    parts.nth(2).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use ClientRegion::{Named, OfProcess};

    /// The regions of the lake, the source, the catalog and the secrets.
    fn regions(pairs: &[&str]) -> [ClientRegion; 4] {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        let mut reader = Reader::new(&settings);
        let access = access(&mut reader);
        reader.finish(Some(())).unwrap();
        [Purpose::Lake, Purpose::Source, Purpose::Catalog, Purpose::Secrets]
            .map(|purpose| access.of(purpose).region.clone())
    }

    fn named(region: &str) -> ClientRegion {
        Named(region.to_owned())
    }

    const ARN: &str =
        "mixpanel_secret=arn:aws:secretsmanager:us-east-2:123456789012:secret:a-AbCdEf";

    #[test]
    fn without_a_setting_every_client_is_in_the_region_of_the_process() {
        let process = OfProcess { or: None };
        assert_eq!(regions(&[]), [(); 4].map(|()| process.clone()));
    }

    #[test]
    fn the_source_and_the_catalog_follow_the_region_of_the_lake_and_the_secrets_do_not() {
        let lake = named("eu-west-1");
        let secrets = OfProcess { or: Some("eu-west-1".to_owned()) };
        assert_eq!(regions(&["s3_region=eu-west-1"]), [lake.clone(), lake.clone(), lake, secrets]);
    }

    #[test]
    fn the_source_and_the_catalog_can_have_their_own_regions() {
        let pairs =
            ["s3_region=eu-west-1", "raw_pipeline_region=us-west-2", "glue_region=eu-north-1"];
        let [lake, source, catalog, _] = regions(&pairs);
        let expected = ["eu-west-1", "us-west-2", "eu-north-1"].map(named);
        assert_eq!([lake, source, catalog], expected);
        let [lake, source, catalog, _] = regions(&pairs[1..]);
        let of_process = OfProcess { or: None };
        assert_eq!([lake, source, catalog], [of_process, expected[1].clone(), expected[2].clone()]);
    }

    #[test]
    fn a_secret_is_read_in_the_region_of_its_arn() {
        let [.., secrets] = regions(&["s3_region=eu-west-1", ARN]);
        assert_eq!(secrets, named("us-east-2"));
        let [.., secrets] = regions(&["mixpanel_secret=mixlake/account"]);
        assert_eq!(secrets, OfProcess { or: None });
    }

    #[test]
    fn what_is_no_region_is_a_problem() {
        let pairs = ["project_id=1", "s3_region=EU (Ireland)", "glue_region=eu_west"];
        let settings = Settings::from_pairs(pairs).unwrap();
        let text = crate::config::LakeConfig::check(&settings).unwrap_err().to_string();
        assert_eq!(
            text,
            "s3_region: must be an AWS region such as eu-central-1, got \"EU (Ireland)\"\n\
             glue_region: must be an AWS region such as eu-central-1, got \"eu_west\""
        );
    }
}
