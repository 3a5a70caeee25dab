//! What the clients of AWS are made with, by what they are for.
//!
//! These are values, made of the settings alone; `crate::clients` makes clients of them. A lake, the
//! bucket of a pipeline, Glue and a secret can be in different regions.

use crate::settings::Reader;
use crate::settings::table::{GLUE_REGION, MIXPANEL_SECRET, RAW_PIPELINE_REGION, S3_REGION};

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

/// What the clients of one purpose are made with. A role to assume and its external id belong here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Where the service is asked.
    pub region: ClientRegion,
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
    let named = |region: Option<String>| ClientSettings {
        region: region.map_or(ClientRegion::OfProcess { or: None }, ClientRegion::Named),
    };
    Access {
        lake: named(lake),
        source: named(source),
        catalog: named(catalog),
        secrets: ClientSettings { region: secrets },
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
