//! How a Glue client for this catalog is made.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_glue::Client;
use aws_sdk_glue::config::Builder;

/// Glue throttles an account as a whole, and hundreds of tables may appear at once.
const ATTEMPTS: u32 = 8;

/// A client as the catalog wants it: adaptive, so that many tables do not press on a catalog
/// that has asked for less.
#[must_use]
pub fn client(config: &SdkConfig) -> Client {
    let retry = RetryConfig::adaptive().with_max_attempts(ATTEMPTS);
    Client::from_conf(Builder::from(config).retry_config(retry).build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::BehaviorVersion;
    use aws_config::retry::RetryMode;

    /// Many tables that appear at once are throttled, and wait. That they do not press on a catalog
    /// that has asked for less, only this mode sees to.
    #[test]
    fn a_client_adapts_to_a_catalog_that_has_asked_for_less() {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let client = client(&config);
        let retry = client.config().retry_config().expect("it is set");
        assert_eq!((retry.mode(), retry.max_attempts()), (RetryMode::Adaptive, 8));
    }
}
