//! Multipart uploads: complete with the last call, or aborted.
//!
//! S3 requires one checksum algorithm from the first call to the last. The creation names it, each part
//! carries its checksum, and the completion lists these. If the creation names none, S3 checks the
//! checksum of a part and does not keep it. A completion that lists it is then refused with
//! `InvalidPart`.

use crate::encryption::{Encrypted, Encryption};
use crate::failure::{Failure, Omission};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use mixlake_app::ports::{Precondition, Put};
use std::ops::Range;

/// Parts in flight at the same time: enough to use a function's full network bandwidth at the part
/// size.
const IN_FLIGHT: usize = 4;

/// The algorithm of all calls of an upload: the SDK's default for single puts.
const CHECKSUM: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

/// The permissions that the role needs for it.
const RIGHTS: &str = "s3:PutObject and s3:AbortMultipartUpload";

/// The object that an upload makes.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) client: &'a Client,
    pub(crate) bucket: &'a str,
    /// The account that must own the bucket.
    pub(crate) owner: Option<&'a str>,
    pub(crate) key: &'a str,
    pub(crate) encryption: &'a Encryption,
    pub(crate) part_size: usize,
}

impl Target<'_> {
    fn owner(&self) -> Option<String> {
        self.owner.map(str::to_owned)
    }
}

/// An upload that has started.
struct Upload<'a> {
    target: Target<'a>,
    id: String,
}

/// How many bytes there are, and what reads some of them.
type Body<'a> = (u64, &'a (dyn Fn(Range<u64>) -> Result<Bytes, Failure> + Sync));

/// Uploads a body in parts. The last call makes the object visible and checks the condition.
pub(crate) async fn put(
    target: Target<'_>,
    body: Body<'_>,
    when: &Precondition,
) -> Result<Put, Failure> {
    let upload = Upload::begin(target).await?;
    match upload.run(body, when).await {
        Ok(()) => Ok(Put::Done),
        Err(failure) => {
            upload.abort().await;
            failure.unless_refused(when)
        }
    }
}

impl<'a> Upload<'a> {
    async fn begin(target: Target<'a>) -> Result<Self, Failure> {
        let Target { client, bucket, key, encryption, .. } = target;
        let request = client.create_multipart_upload().bucket(bucket).key(key);
        let request = request.set_expected_bucket_owner(target.owner());
        let begun = request
            .encrypted(encryption)
            .checksum_algorithm(CHECKSUM)
            .send()
            .await
            .map_err(|e| Failure::of(e, RIGHTS))?;
        let id = begun.upload_id.ok_or_else(|| Failure::odd(Omission::UploadId))?;
        Ok(Self { target, id })
    }

    async fn run(&self, (length, body): Body<'_>, when: &Precondition) -> Result<(), Failure> {
        let size = self.target.part_size;
        let parts = (0..length).step_by(size).zip(1..).map(|(start, number)| async move {
            let end = (start + size as u64).min(length);
            self.part(number, body(start..end)?).await
        });
        let parts = stream::iter(parts).buffered(IN_FLIGHT).try_collect().await?;
        self.complete(parts, when).await
    }

    async fn part(&self, number: i32, body: Bytes) -> Result<CompletedPart, Failure> {
        let request = self.target.client.upload_part();
        let request = request.bucket(self.target.bucket).key(self.target.key).upload_id(&self.id);
        let request = request.set_expected_bucket_owner(self.target.owner());
        let request = request.part_number(number).checksum_algorithm(CHECKSUM);
        let request = request.body(ByteStream::from(body)).customize();
        let sent = request.config_override(with_checksum()).send().await;
        let sent = sent.map_err(|e| Failure::of(e, RIGHTS))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_crc32(sent.checksum_crc32)
            .build())
    }

    async fn complete(
        &self,
        parts: Vec<CompletedPart>,
        when: &Precondition,
    ) -> Result<(), Failure> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.target.client.complete_multipart_upload();
        let request = request.bucket(self.target.bucket).key(self.target.key).upload_id(&self.id);
        let request = request.set_expected_bucket_owner(self.target.owner());
        let request = request.multipart_upload(parts);
        let request = match when {
            Precondition::Absent => request.if_none_match("*"),
            Precondition::Matches(etag) => request.if_match(etag),
        };
        request.send().await.map(|_| ()).map_err(|e| Failure::of(e, RIGHTS))
    }

    /// The caller gets the first failure; this one only costs storage.
    async fn abort(&self) {
        let request = self.target.client.abort_multipart_upload();
        let request = request.bucket(self.target.bucket).key(self.target.key).upload_id(&self.id);
        let request = request.set_expected_bucket_owner(self.target.owner());
        if let Err(error) = request.send().await {
            tracing::warn!(
                key = self.target.key,
                upload_id = self.id,
                error = %aws_sdk_s3::error::DisplayErrorContext(&error),
                "could not abort a multipart upload: its parts stay until a lifecycle rule removes them"
            );
        }
    }
}

/// Makes the SDK add the checksum even if `AWS_REQUEST_CHECKSUM_CALCULATION` is `when_required`. S3
/// refuses a part without the checksum that the creation named.
fn with_checksum() -> Builder {
    Builder::new().request_checksum_calculation(RequestChecksumCalculation::WhenSupported)
}
