//! How an S3 client for this store is made.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

/// Attempts at a call, waiting longer each time: S3 asks to slow down when a prefix is new and hot.
const ATTEMPTS: u32 = 6;

/// A client as the store wants it: patient under throttling, and plain towards stand-ins.
#[must_use]
pub fn client(config: &SdkConfig) -> Client {
    // A stand-in on a loopback address has no host name for each bucket.
    let custom_endpoint = config.endpoint_url().is_some();
    let config = Builder::from(config)
        .retry_config(RetryConfig::adaptive().with_max_attempts(ATTEMPTS))
        .force_path_style(custom_endpoint)
        .build();
    Client::from_conf(config)
}
