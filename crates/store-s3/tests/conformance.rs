//! The store passes the suite over s3s, an S3 that runs in this process.
//!
//! s3s speaks S3's protocol; its file system decides a condition and writes in two steps, so that
//! races are left to the fakes and to S3 itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use mixlake_store_s3::S3Store;
use mixlake_testkit::store::{a_listing_of_many_pages_is_whole, conformance};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// An S3 with as many buckets as asked for.
struct Server {
    client: Client,
    buckets: AtomicUsize,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("key", "secret"));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .region(Region::new("us-east-1"))
            .endpoint_url("http://localhost")
            .force_path_style(true)
            .http_client(s3s_aws::Client::from(service.build()))
            .build();
        Self { client: Client::from_conf(config), buckets: AtomicUsize::new(0), _folder: folder }
    }

    async fn store(&self) -> S3Store {
        let bucket = format!("lake-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        self.client.create_bucket().bucket(&bucket).send().await.unwrap();
        // The smallest parts that S3 takes, so that the suite's large bodies have several.
        S3Store::new(self.client.clone(), bucket).with_part_size(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_behaves_as_every_store_must() {
    let server = Server::start();
    conformance(async || server.store().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_read_to_its_last_page() {
    let server = Server::start();
    a_listing_of_many_pages_is_whole(&server.store().await).await;
}
