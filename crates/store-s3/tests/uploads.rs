//! Uploads that were not completed are ended, page by page, and only the old ones.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::ErrorMetadata;
use aws_sdk_s3::operation::abort_multipart_upload::{
    AbortMultipartUploadError, AbortMultipartUploadOutput,
};
use aws_sdk_s3::operation::list_multipart_uploads::{
    ListMultipartUploadsError, ListMultipartUploadsOutput,
};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::MultipartUpload;
use aws_sdk_s3::types::error::NoSuchUpload;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use mixlake_app::ports::ObjectStore as _;
use mixlake_store_s3::S3Store;
use std::time::{Duration, UNIX_EPOCH};

fn store(rules: &[&Rule]) -> S3Store {
    let client = mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules, |config| {
        config.retry_config(RetryConfig::disabled())
    });
    S3Store::new(client, "lake").owned_by(Some("123456789012".to_owned()))
}

fn upload(id: &str, begun: i64) -> MultipartUpload {
    let begun = DateTime::from_secs(begun);
    MultipartUpload::builder().key("42/a").upload_id(id).initiated(begun).build()
}

/// Two pages of uploads, which began at second 10, 20 and 30.
fn pages() -> [Rule; 2] {
    let first = mock!(Client::list_multipart_uploads)
        .match_requests(|r| {
            r.prefix() == Some("42/")
                && r.key_marker().is_none()
                && r.expected_bucket_owner() == Some("123456789012")
        })
        .then_output(|| {
            ListMultipartUploadsOutput::builder()
                .uploads(upload("one", 10))
                .is_truncated(true)
                .next_key_marker("42/a")
                .next_upload_id_marker("one")
                .build()
        });
    let second = mock!(Client::list_multipart_uploads)
        .match_requests(|r| (r.key_marker(), r.upload_id_marker()) == (Some("42/a"), Some("one")))
        .then_output(|| {
            ListMultipartUploadsOutput::builder()
                .uploads(upload("two", 20))
                .uploads(upload("three", 30))
                .is_truncated(false)
                .build()
        });
    [first, second]
}

fn ended(id: &'static str) -> Rule {
    mock!(Client::abort_multipart_upload)
        .match_requests(move |r| r.upload_id() == Some(id) && r.key() == Some("42/a"))
        .then_output(|| AbortMultipartUploadOutput::builder().build())
}

#[tokio::test]
async fn old_uploads_of_all_pages_are_ended() {
    let [first, second] = pages();
    let (one, two) = (ended("one"), ended("two"));
    let before = UNIX_EPOCH + Duration::from_secs(25);
    let store = store(&[&first, &second, &one, &two]);
    assert_eq!(store.abort_uploads("42/", before).await.unwrap(), 2);
    assert_eq!((one.num_calls(), two.num_calls()), (1, 1));
}

#[tokio::test]
async fn an_upload_that_is_gone_is_not_an_error() {
    let [first, second] = pages();
    let gone = mock!(Client::abort_multipart_upload)
        .then_error(|| AbortMultipartUploadError::NoSuchUpload(NoSuchUpload::builder().build()));
    let before = UNIX_EPOCH + Duration::from_secs(15);
    let store = store(&[&first, &second, &gone]);
    assert_eq!(store.abort_uploads("42/", before).await.unwrap(), 1);
}

#[tokio::test]
async fn a_refusal_names_the_rights() {
    let denied = mock!(Client::list_multipart_uploads).then_error(|| {
        let meta = ErrorMetadata::builder().code("AccessDenied").message("no").build();
        ListMultipartUploadsError::generic(meta)
    });
    let error = store(&[&denied]).abort_uploads("42/", UNIX_EPOCH).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("s3:ListBucketMultipartUploads and s3:AbortMultipartUpload"), "{text}");
}
