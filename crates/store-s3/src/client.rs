//! Creates an S3 client for this store.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

/// Attempts per call, with growing waits: S3 asks clients to slow down when a prefix is new and busy.
const ATTEMPTS: u32 = 6;

/// A client for the store: it retries when S3 throttles, and supports stand-ins.
#[must_use]
pub fn client(config: &SdkConfig) -> Client {
    // A stand-in on a loopback address has no host name per bucket.
    let custom_endpoint = config.endpoint_url().is_some();
    let config = Builder::from(config)
        .retry_config(RetryConfig::adaptive().with_max_attempts(ATTEMPTS))
        .force_path_style(custom_endpoint)
        .build();
    Client::from_conf(config)
}
