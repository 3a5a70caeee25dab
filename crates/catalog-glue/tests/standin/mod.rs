//! The real adapter and the real SDK, including its retries, over the strict stand-in for Glue.
//!
//! Only the network is replaced. Time is tokio's: a test pauses it, so waits take no time.

#![allow(dead_code, reason = "each test file is a crate of its own and uses some of this")]

pub mod functions;
pub mod lake;
mod life;
mod wire;

pub use life::{Life, Watched};
pub use wire::{Trouble, Wire};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_glue::config::{Credentials, SharedAsyncSleep, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use mixlake_catalog_glue::GlueCatalog;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

pub const DATABASE: &str = "mixpanel";

/// A catalog as a function creates it, over this connection.
///
/// The SDK shares its retry budget between all clients of a region, but functions share nothing. So
/// each function is in a region of its own.
pub fn catalog(function: usize, wire: Wire) -> GlueCatalog {
    let http = http_client_fn(move |_, _| SharedHttpConnector::new(wire.clone()));
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(format!("test-{function}")))
        .endpoint_url("http://127.0.0.1:1")
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(TestTime(Instant::now())))
        .build();
    GlueCatalog::new(mixlake_catalog_glue::client(&config), DATABASE)
}

/// The SDK's clock, driven by tokio's.
#[derive(Debug)]
struct TestTime(Instant);

impl TimeSource for TestTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(498_408) + self.0.elapsed()
    }
}

/// Random numbers from a seed.
#[derive(Debug)]
pub struct Dice(Mutex<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1))
    }

    /// A number below the limit.
    pub fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) % limit
    }

    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap();
            items.swap(last, other);
        }
    }

    /// Usually short, now and then as long as a whole run.
    pub async fn pause(&self) {
        let milliseconds = match self.below(10) {
            0 => self.below(3_000),
            1..=3 => self.below(300),
            _ => self.below(30),
        };
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}
