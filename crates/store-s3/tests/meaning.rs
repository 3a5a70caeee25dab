//! The meaning of S3 responses that no stand-in sends.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use bytes::Bytes;
use mixlake_app::ports::{ObjectStore, Precondition, Put, StoreError, Tail};
use mixlake_store_s3::S3Store;

/// No retries, because they would only slow the tests.
fn store(rules: &[&Rule]) -> S3Store {
    let client = mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules, |config| {
        config.retry_config(RetryConfig::disabled())
    });
    S3Store::new(client, "lake").with_part_size(0)
}

/// An error document as S3 sends it.
fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>told by the test</Message></Error>")
}

/// A response to any number of calls of an operation.
macro_rules! answer {
    ($operation:ident, $status:literal, $code:literal) => {
        mock!(Client::$operation)
            .sequence()
            .http_status($status, Some(error($code)))
            .repeatedly()
            .build()
    };
}

fn swap() -> Precondition {
    Precondition::Matches("\"0123\"".to_owned())
}

const SMALL: Bytes = Bytes::from_static(b"small");

fn large() -> Bytes {
    Bytes::from(vec![b'.'; 12 * 1024 * 1024])
}

fn hint(error: &StoreError) -> &str {
    error.hint.as_deref().unwrap_or_default()
}

#[tokio::test]
async fn conditions_travel_in_their_headers() {
    let create = mock!(Client::put_object)
        .match_requests(|r| r.if_none_match() == Some("*") && r.if_match().is_none())
        .then_output(|| PutObjectOutput::builder().build());
    let swapped = mock!(Client::put_object)
        .match_requests(|r| r.if_match() == Some("\"0123\"") && r.if_none_match().is_none())
        .then_output(|| PutObjectOutput::builder().build());
    let store = store(&[&create, &swapped]);
    assert_eq!(store.put("a", SMALL, Precondition::Absent).await.unwrap(), Put::Done);
    assert_eq!(store.put("a", SMALL, swap()).await.unwrap(), Put::Done);
    assert_eq!((create.num_calls(), swapped.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_lost_condition_is_a_refusal() {
    let rules = [
        answer!(put_object, 412, "PreconditionFailed"),
        answer!(put_object, 409, "ConditionalRequestConflict"),
    ];
    for rule in &rules {
        let store = store(&[rule]);
        assert_eq!(store.put("a", SMALL, Precondition::Absent).await.unwrap(), Put::Refused);
        assert_eq!(store.put("a", SMALL, swap()).await.unwrap(), Put::Refused);
    }
}

#[tokio::test]
async fn a_swap_of_a_key_that_is_gone_is_a_refusal_though_s3_says_not_found() {
    let gone = answer!(put_object, 404, "NoSuchKey");
    assert_eq!(store(&[&gone]).put("a", SMALL, swap()).await.unwrap(), Put::Refused);
}

#[tokio::test]
async fn only_no_such_key_is_absence() {
    let absent = answer!(get_object, 404, "NoSuchKey");
    assert_eq!(store(&[&absent]).get("a").await.unwrap(), None);
    assert_eq!(store(&[&absent]).tail("a", 8).await.unwrap(), None);

    let no_bucket = answer!(get_object, 404, "NoSuchBucket");
    let error = store(&[&no_bucket]).get("a").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read s3://lake/a: the bucket lake does not exist: check s3_bucket"
    );
    let proxy = mock!(Client::get_object).sequence().http_status(404, None).repeatedly().build();
    store(&[&proxy]).get("a").await.unwrap_err();
}

#[tokio::test]
async fn a_missing_key_that_may_not_be_listed_is_denied_and_not_absent() {
    let denied = answer!(get_object, 403, "AccessDenied");
    let error = store(&[&denied]).get("a").await.unwrap_err();
    assert!(hint(&error).contains("s3:GetObject and s3:ListBucket on lake"), "{error}");
}

#[tokio::test]
async fn every_call_says_what_it_lacks() {
    let rules = [
        answer!(put_object, 403, "AccessDenied"),
        answer!(copy_object, 403, "AccessDenied"),
        answer!(delete_object, 403, "AccessDenied"),
        answer!(list_objects_v2, 403, "AccessDenied"),
    ];
    let store = store(&rules.each_ref());
    let errors = [
        (store.put("a", SMALL, Precondition::Absent).await.unwrap_err(), "s3:PutObject"),
        (store.copy("a", "b").await.unwrap_err(), "s3:PutObject"),
        (store.delete("a").await.unwrap_err(), "s3:DeleteObject"),
        (store.list("a").await.unwrap_err(), "s3:ListBucket"),
    ];
    for (error, right) in errors {
        assert!(hint(&error).contains(right), "{error}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_used_is_named_and_no_other_right() {
    let text = "User: arn:aws:sts::1:assumed-role/export is not authorized to perform: \
                kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:1:key/a";
    let body = format!("<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>");
    let denied =
        mock!(Client::put_object).sequence().http_status(403, Some(body)).repeatedly().build();
    let error = store(&[&denied]).put("a", SMALL, Precondition::Absent).await.unwrap_err();
    assert!(hint(&error).contains("kms:GenerateDataKey on the key"), "{error}");
    assert!(!hint(&error).contains("s3:PutObject"), "{error}");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_from_a_key_service_that_is_busy() {
    let disabled = answer!(put_object, 400, "KMS.DisabledException");
    let error = store(&[&disabled]).put("a", SMALL, Precondition::Absent).await.unwrap_err();
    assert!(hint(&error).contains("is enabled"), "{error}");
    let busy = answer!(put_object, 400, "KMS.ThrottlingException");
    let error = store(&[&busy]).put("a", SMALL, Precondition::Absent).await.unwrap_err();
    assert_eq!(hint(&error), "", "{error}");
}

#[tokio::test]
async fn another_region_and_old_credentials_are_named() {
    let elsewhere = answer!(get_object, 301, "PermanentRedirect");
    let error = store(&[&elsewhere]).get("a").await.unwrap_err();
    assert!(hint(&error).contains("check s3_region"), "{error}");
    let expired = answer!(get_object, 400, "ExpiredToken");
    let error = store(&[&expired]).get("a").await.unwrap_err();
    assert!(hint(&error).contains("have expired"), "{error}");
}

/// This is not in the suite because s3s fails if a suffix is longer than its object.
#[tokio::test]
async fn a_tail_is_never_longer_than_its_object() {
    let empty = answer!(get_object, 416, "InvalidRange");
    let tail = store(&[&empty]).tail("a", 8).await.unwrap();
    assert_eq!(tail, Some(Tail { bytes: Bytes::new(), size: 0 }));

    let short = mock!(Client::get_object)
        .match_requests(|r| r.range() == Some("bytes=-8"))
        .then_output(|| {
            let output = GetObjectOutput::builder().content_range("bytes 0-4/5");
            output.body(ByteStream::from_static(b"small")).build()
        });
    let tail = store(&[&short]).tail("a", 8).await.unwrap();
    assert_eq!(tail, Some(Tail { bytes: SMALL, size: 5 }));
}

/// An upload whose parts arrive; the test decides the response to the last call.
fn begun() -> [Rule; 3] {
    [
        mock!(Client::create_multipart_upload)
            .then_output(|| CreateMultipartUploadOutput::builder().upload_id("u1").build()),
        mock!(Client::upload_part).then_compute_output(|part| {
            let number = part.part_number().unwrap_or_default();
            UploadPartOutput::builder().e_tag(format!("\"part-{number}\"")).build()
        }),
        mock!(Client::abort_multipart_upload)
            .match_requests(|r| r.upload_id() == Some("u1"))
            .then_output(|| AbortMultipartUploadOutput::builder().build()),
    ]
}

#[tokio::test]
async fn a_large_body_appears_with_the_last_call_under_its_condition() {
    let [_, part, abort] = begun();
    let create = mock!(Client::create_multipart_upload)
        .match_requests(|r| r.checksum_algorithm() == Some(&ChecksumAlgorithm::Crc32))
        .then_output(|| CreateMultipartUploadOutput::builder().upload_id("u1").build());
    let complete = mock!(Client::complete_multipart_upload)
        .match_requests(|r| {
            let parts = r.multipart_upload().map(|m| m.parts().to_vec()).unwrap_or_default();
            let tags: Vec<_> = parts.iter().filter_map(|p| p.e_tag()).collect();
            r.if_none_match() == Some("*") && tags == ["\"part-1\"", "\"part-2\"", "\"part-3\""]
        })
        .then_output(|| CompleteMultipartUploadOutput::builder().build());
    let store = store(&[&create, &part, &abort, &complete]);
    assert_eq!(store.put("a", large(), Precondition::Absent).await.unwrap(), Put::Done);
    assert_eq!((part.num_calls(), complete.num_calls(), abort.num_calls()), (3, 1, 0));
}

#[tokio::test]
async fn a_refused_upload_is_aborted() {
    let rules = [
        answer!(complete_multipart_upload, 412, "PreconditionFailed"),
        answer!(complete_multipart_upload, 409, "ConditionalRequestConflict"),
        answer!(complete_multipart_upload, 404, "NoSuchKey"),
    ];
    for complete in &rules {
        let [create, part, abort] = begun();
        let store = store(&[&create, &part, &abort, complete]);
        assert_eq!(store.put("a", large(), swap()).await.unwrap(), Put::Refused);
        assert_eq!(abort.num_calls(), 1);
    }
}

#[tokio::test]
async fn an_upload_whose_part_fails_is_aborted_and_never_completed() {
    let [create, _, abort] = begun();
    let part = answer!(upload_part, 403, "AccessDenied");
    let complete = mock!(Client::complete_multipart_upload)
        .then_output(|| CompleteMultipartUploadOutput::builder().build());
    let store = store(&[&create, &part, &abort, &complete]);
    let error = store.put("a", large(), Precondition::Absent).await.unwrap_err();
    assert!(hint(&error).contains("s3:AbortMultipartUpload"), "{error}");
    assert_eq!((abort.num_calls(), complete.num_calls()), (1, 0));
}

#[tokio::test]
async fn an_error_inside_a_200_is_an_error() {
    let [create, part, abort] = begun();
    let complete = answer!(complete_multipart_upload, 200, "InternalError");
    let store = store(&[&create, &part, &abort, &complete]);
    store.put("a", large(), Precondition::Absent).await.unwrap_err();
    assert_eq!(abort.num_calls(), 1);
}
