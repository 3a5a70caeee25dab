//! A layer in front of an S3 that is too permissive: it refuses what S3 refuses.

use crate::uploads::{Algorithm, Checksums, Claim, MOST_PARTS, Part, Upload, named};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use s3s::checksum::ChecksumHasher;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CopyObjectInput, CopyObjectOutput, CopySource,
    CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput,
    StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, TrailingHeaders, s3_error};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// The largest object or part for one put or copy.
const LARGEST_AT_ONCE: u64 = 5 * 1024 * 1024 * 1024;

/// An S3 whose uploads are checked.
#[derive(Debug)]
pub(crate) struct StrictS3<S> {
    inner: S,
    largest_at_once: u64,
    /// By upload id. Completed and aborted uploads are removed.
    uploads: Mutex<HashMap<String, Upload>>,
}

impl<S> StrictS3<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, largest_at_once: LARGEST_AT_ONCE, uploads: Mutex::default() }
    }

    /// A limit that a test can reach.
    pub(crate) fn with_largest_at_once(self, bytes: u64) -> Self {
        Self { largest_at_once: bytes, ..self }
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<String, Upload>> {
        self.uploads.lock().unwrap()
    }

    /// Decides about an upload, if one has this id.
    fn of_upload<T>(
        &self,
        id: &str,
        decide: impl FnOnce(&mut Upload) -> S3Result<T>,
    ) -> S3Result<T> {
        let mut uploads = self.uploads();
        let upload = uploads.get_mut(id);
        decide(upload.ok_or_else(|| s3_error!(NoSuchUpload, "there is no such upload"))?)
    }

    fn small_enough(&self, size: u64) -> S3Result<()> {
        if size <= self.largest_at_once {
            return Ok(());
        }
        Err(s3_error!(EntityTooLarge, "one call takes {} bytes at most", self.largest_at_once))
    }
}

#[async_trait::async_trait]
impl<S: S3> S3 for StrictS3<S> {
    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = &request.input;
        let named = named(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
        let answer = self.inner.create_multipart_upload(request).await?;
        let id = answer.output.upload_id.clone().unwrap();
        self.uploads().insert(id, Upload::new(named));
        Ok(answer)
    }

    async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let (number, id) = (request.input.part_number, request.input.upload_id.clone());
        if usize::try_from(number).is_ok_and(|number| (1..=MOST_PARTS).contains(&number)) {
            self.of_upload(&id, |_| Ok(()))?;
        } else {
            return Err(s3_error!(InvalidArgument, "a part has a number from 1 to {MOST_PARTS}"));
        }
        let body = collect(request.input.body.take()).await?;
        let size = u64::try_from(body.len()).unwrap();
        self.small_enough(size)?;
        let checksums = sent_with_part(&request.input, request.trailing_headers.as_ref());
        self.of_upload(&id, |upload| upload.admit(&checksums))?;
        fit(&checksums, &body)?;
        request.input.body = Some(StreamingBlob::from(Body::from(body)));
        let mut answer = self.inner.upload_part(request).await?;
        let etag = answer.output.e_tag.clone().unwrap();
        tell(&mut answer.output, &checksums);
        self.of_upload(&id, |upload| {
            upload.parts.insert(number, Part { etag, size, checksums });
            Ok(answer)
        })
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let id = request.input.upload_id.clone();
        let list = request.input.multipart_upload.as_ref().and_then(|list| list.parts.as_ref());
        let claims: Vec<_> = list.into_iter().flatten().map(claim).collect();
        self.of_upload(&id, |upload| upload.complete(&claims))?;
        let answer = self.inner.complete_multipart_upload(request).await?;
        self.uploads().remove(&id);
        Ok(answer)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let id = request.input.upload_id.clone();
        self.of_upload(&id, |_| Ok(()))?;
        let answer = self.inner.abort_multipart_upload(request).await?;
        self.uploads().remove(&id);
        Ok(answer)
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        self.small_enough(length(request.input.content_length))?;
        self.inner.put_object(request).await
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        if let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source {
            let input = HeadObjectInput::builder().bucket(bucket.to_string()).key(key.to_string());
            let head = request.clone().map_input(|_| input.build().unwrap());
            let size = length(self.inner.head_object(head).await?.output.content_length);
            if self.small_enough(size).is_err() {
                return Err(s3_error!(
                    InvalidRequest,
                    "The specified copy source is larger than the maximum allowable size for a copy source"
                ));
            }
        }
        self.inner.copy_object(request).await
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.inner.create_bucket(request).await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.inner.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.inner.head_object(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.inner.delete_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.inner.list_objects_v2(request).await
    }
}

fn length(told: Option<i64>) -> u64 {
    told.map_or(0, |length| u64::try_from(length).unwrap())
}

async fn collect(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody, "there is no body"))?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|e| s3_error!(IncompleteBody, "{e}"))?);
    }
    Ok(bytes.freeze())
}

fn in_order(sums: [Option<String>; 5]) -> Checksums {
    use Algorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    let sums = [Crc32, Crc32c, Crc64Nvme, Sha1, Sha256].into_iter().zip(sums);
    sums.filter_map(|(algorithm, sum)| Some((algorithm, sum?))).collect()
}

/// The checksums of a part: in the headers or after the body. The latter arrive when the body has been
/// read.
fn sent_with_part(input: &UploadPartInput, behind: Option<&TrailingHeaders>) -> Checksums {
    let trailer = |name: &str| {
        let sum = behind?.read(|headers| headers.get(name).cloned())??;
        Some(sum.to_str().unwrap().to_owned())
    };
    in_order([
        input.checksum_crc32.clone().or_else(|| trailer("x-amz-checksum-crc32")),
        input.checksum_crc32c.clone().or_else(|| trailer("x-amz-checksum-crc32c")),
        input.checksum_crc64nvme.clone().or_else(|| trailer("x-amz-checksum-crc64nvme")),
        input.checksum_sha1.clone().or_else(|| trailer("x-amz-checksum-sha1")),
        input.checksum_sha256.clone().or_else(|| trailer("x-amz-checksum-sha256")),
    ])
}

fn claim(part: &CompletedPart) -> Claim {
    let checksums = in_order([
        part.checksum_crc32.clone(),
        part.checksum_crc32c.clone(),
        part.checksum_crc64nvme.clone(),
        part.checksum_sha1.clone(),
        part.checksum_sha256.clone(),
    ]);
    Claim { number: part.part_number.unwrap_or_default(), etag: part.e_tag.clone(), checksums }
}

/// Whether the bytes match these checksums.
fn fit(checksums: &Checksums, body: &Bytes) -> S3Result<()> {
    let has = |algorithm| checksums.contains_key(&algorithm);
    let mut hasher = ChecksumHasher {
        crc32: has(Algorithm::Crc32).then(Default::default),
        crc32c: has(Algorithm::Crc32c).then(Default::default),
        crc64nvme: has(Algorithm::Crc64Nvme).then(Default::default),
        sha1: has(Algorithm::Sha1).then(Default::default),
        sha256: has(Algorithm::Sha256).then(Default::default),
    };
    hasher.update(body);
    let found = hasher.finalize();
    let found = in_order([
        found.checksum_crc32,
        found.checksum_crc32c,
        found.checksum_crc64nvme,
        found.checksum_sha1,
        found.checksum_sha256,
    ]);
    if found == *checksums {
        Ok(())
    } else {
        Err(s3_error!(BadDigest, "the part has another checksum"))
    }
}

/// S3 returns the checksums that a part came with.
fn tell(output: &mut UploadPartOutput, checksums: &Checksums) {
    let sum = |algorithm| checksums.get(&algorithm).cloned();
    output.checksum_crc32 = sum(Algorithm::Crc32);
    output.checksum_crc32c = sum(Algorithm::Crc32c);
    output.checksum_crc64nvme = sum(Algorithm::Crc64Nvme);
    output.checksum_sha1 = sum(Algorithm::Sha1);
    output.checksum_sha256 = sum(Algorithm::Sha256);
}
