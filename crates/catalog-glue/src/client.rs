//! Creates a Glue client for this catalog.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_glue::Client;
use aws_sdk_glue::config::Builder;

/// Glue throttles an account as a whole, and hundreds of tables may appear at once.
const ATTEMPTS: u32 = 8;

/// A client for the catalog: its retries are adaptive, so that many tables do not overload a catalog
/// that throttles.
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

    /// Many tables that appear at once are throttled and must wait. Only this retry mode keeps them
    /// from overloading a catalog that throttles.
    #[test]
    fn a_client_adapts_to_a_catalog_that_has_asked_for_less() {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let client = client(&config);
        let retry = client.config().retry_config().expect("it is set");
        assert_eq!((retry.mode(), retry.max_attempts()), (RetryMode::Adaptive, 8));
    }
}
