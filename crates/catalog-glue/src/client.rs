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
