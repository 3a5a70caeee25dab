//! The calls that write an object, as S3 sees them: their encryption, and the owner of the bucket.
//!
//! The S3 of the other tests keeps no encryption. `tests/e2e` reads it back from objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use bytes::Bytes;
use mixlake_app::ports::{ObjectStore as _, Precondition, Put};
use mixlake_store_s3::{Encryption, S3Store};

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1";
const OWNER: &str = "123456789012";

fn store(rules: &[&Rule], encryption: &Encryption) -> S3Store {
    let client = mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules, |config| {
        config.retry_config(RetryConfig::disabled())
    });
    let store = S3Store::new(client, "lake").with_part_size(0);
    store.encrypted(encryption.clone()).owned_by(Some(OWNER.to_owned()))
}

/// The headers of encryption: the algorithm, the key, and whether a bucket key is used.
type Headers = (Option<ServerSideEncryption>, Option<&'static str>, Option<bool>);

fn each_encryption() -> [(Encryption, Headers); 4] {
    let kms = |key: Option<&str>| Encryption::Kms { key: key.map(str::to_owned) };
    [
        (Encryption::BucketDefault, (None, None, None)),
        (Encryption::S3Managed, (Some(ServerSideEncryption::Aes256), None, None)),
        (kms(None), (Some(ServerSideEncryption::AwsKms), None, Some(true))),
        (kms(Some(KEY)), (Some(ServerSideEncryption::AwsKms), Some(KEY), Some(true))),
    ]
}

/// A response to the calls of an operation that have these headers and name the owner.
macro_rules! answer {
    ($operation:ident, $headers:expr, $output:expr) => {{
        let headers: Headers = $headers;
        mock!(Client::$operation)
            .match_requests(move |r| {
                let found = (r.server_side_encryption(), r.ssekms_key_id(), r.bucket_key_enabled());
                found == (headers.0.as_ref(), headers.1, headers.2)
                    && r.expected_bucket_owner() == Some(OWNER)
            })
            .then_output(move || $output)
    }};
}

/// A response to the calls of an operation that name the owner.
macro_rules! owned {
    ($operation:ident, $output:expr) => {
        mock!(Client::$operation)
            .match_requests(|r| r.expected_bucket_owner() == Some(OWNER))
            .then_output(move || $output)
    };
}

#[tokio::test]
async fn an_object_that_is_written_at_once_is_encrypted() {
    for (encryption, headers) in each_encryption() {
        let put = answer!(put_object, headers, PutObjectOutput::builder().build());
        let store = store(&[&put], &encryption);
        let body = Bytes::from_static(b"small");
        let done = store.put("a", body, Precondition::Absent).await.unwrap();
        assert_eq!(done, Put::Done, "{encryption:?}");
    }
}

#[tokio::test]
async fn an_object_that_is_written_in_parts_is_encrypted_by_its_creation() {
    for (encryption, headers) in each_encryption() {
        let begun = CreateMultipartUploadOutput::builder().upload_id("1").build();
        let create = answer!(create_multipart_upload, headers, begun.clone());
        let part = owned!(upload_part, UploadPartOutput::builder().e_tag("\"1\"").build());
        let complete =
            owned!(complete_multipart_upload, CompleteMultipartUploadOutput::builder().build());
        let store = store(&[&create, &part, &complete], &encryption);
        let body = Bytes::from(vec![b'.'; 6 * 1024 * 1024]);
        let done = store.put("a", body, Precondition::Absent).await.unwrap();
        assert_eq!((done, part.num_calls()), (Put::Done, 2), "{encryption:?}");
    }
}

/// S3 encrypts a copy as the bucket's default says if the call says nothing, whatever the source has.
#[tokio::test]
async fn a_copy_is_encrypted_too() {
    for (encryption, headers) in each_encryption() {
        let copy = answer!(copy_object, headers, CopyObjectOutput::builder().build());
        store(&[&copy], &encryption).copy("a", "b").await.unwrap();
    }
}

#[tokio::test]
async fn every_other_call_names_the_owner_of_the_bucket() {
    let get = owned!(get_object, GetObjectOutput::builder().e_tag("\"1\"").build());
    let list = owned!(list_objects_v2, ListObjectsV2Output::builder().build());
    let delete = owned!(delete_object, DeleteObjectOutput::builder().build());
    let store = store(&[&get, &list, &delete], &Encryption::default());
    assert!(store.get("a").await.unwrap().is_some());
    assert_eq!(store.list("").await.unwrap(), []);
    store.delete("a").await.unwrap();
}

#[tokio::test]
async fn the_store_tells_which_object_has_the_old_encryption() {
    let aes = || {
        let head = HeadObjectOutput::builder();
        head.server_side_encryption(ServerSideEncryption::Aes256).build()
    };
    let head = owned!(head_object, aes());
    let kms = Encryption::Kms { key: None };
    let old = store(&[&head], &kms).old_encryption("a").await.unwrap();
    assert_eq!(old.as_deref(), Some("aes"));
    assert_eq!(store(&[&head], &Encryption::S3Managed).old_encryption("a").await.unwrap(), None);
    assert_eq!(head.num_calls(), 2);

    let none = store(&[], &Encryption::BucketDefault).old_encryption("a").await.unwrap();
    assert_eq!(none, None, "the bucket decides, so no object is asked about");
}

#[tokio::test]
async fn an_object_that_is_gone_has_no_encryption() {
    let gone = mock!(Client::head_object).sequence().http_status(404, None).repeatedly().build();
    let old = store(&[&gone], &Encryption::S3Managed).old_encryption("a").await.unwrap();
    assert_eq!(old, None);
}
