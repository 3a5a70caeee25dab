//! An S3 in this process, with any number of buckets.

use crate::strict::StrictS3;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use mixlake_store_s3::S3Store;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A server and its client.
pub(crate) struct Server {
    pub(crate) client: Client,
    buckets: AtomicUsize,
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_as(StrictS3::new)
    }

    /// With a layer that the test has changed.
    pub(crate) fn start_as(layer: impl FnOnce(FileSystem) -> StrictS3<FileSystem>) -> Self {
        let folder = TempDir::new().unwrap();
        let mut service = S3ServiceBuilder::new(layer(FileSystem::new(folder.path()).unwrap()));
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

    /// The name of a new bucket.
    pub(crate) async fn bucket(&self) -> String {
        let bucket = format!("lake-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        self.client.create_bucket().bucket(&bucket).send().await.unwrap();
        bucket
    }

    /// A store over a new bucket. Its parts have the smallest size that S3 accepts, so that the suite's
    /// large bodies have several.
    pub(crate) async fn store(&self) -> S3Store {
        S3Store::new(self.client.clone(), self.bucket().await).with_part_size(0)
    }
}
