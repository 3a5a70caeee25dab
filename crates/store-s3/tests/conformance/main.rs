//! The store passes the suite over an S3 that runs in this process.
//!
//! s3s implements S3's protocol, but its file system accepts requests that S3 refuses. The layer
//! `strict` in front of it refuses them too, and `refusals` tests each case. The file system checks a
//! condition and writes in two steps, so races are tested with the fakes and on S3 itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod refusals;
mod server;
mod strict;
mod uploads;

use aws_sdk_s3::config::RequestChecksumCalculation;
use bytes::Bytes;
use mixlake_app::ports::{ObjectStore as _, Precondition, Put};
use mixlake_store_s3::S3Store;
use mixlake_testkit::store::{a_listing_of_many_pages_is_whole, conformance};
use server::Server;

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

/// `AWS_REQUEST_CHECKSUM_CALCULATION=when_required` removes the checksum from calls that work without
/// one. The parts of an upload that named an algorithm do not.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_has_its_checksums_whatever_the_client_is_told_of_them() {
    let server = Server::start();
    let bucket = server.bucket().await;
    let sparing = RequestChecksumCalculation::WhenRequired;
    let config = server.client.config().to_builder().request_checksum_calculation(sparing).build();
    let store = S3Store::new(aws_sdk_s3::Client::from_conf(config), bucket).with_part_size(0);
    let body = Bytes::from(vec![7; 6 * 1024 * 1024]);
    assert_eq!(store.put("large", body, Precondition::Absent).await.unwrap(), Put::Done);
}
