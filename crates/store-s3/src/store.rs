//! The port, call by call.

use crate::encryption::{Encrypted, Encryption};
use crate::failure::{Failure, Meaning, Omission};
use crate::multipart::{self, Target};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::abort_multipart_upload::AbortMultipartUploadError;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{
    Object, ObjectBody, ObjectMeta, ObjectStore, Precondition, Put, StoreError, Tail,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::SystemTime;

/// The size of a part. A body up to this size is uploaded in one call.
const PART_SIZE: usize = 16 * 1024 * 1024;
/// S3 accepts smaller parts only as the last part.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

const READ: &str = "s3:GetObject and s3:ListBucket";
const WRITE: &str = "s3:PutObject";
const COPY: &str = "s3:GetObject, s3:PutObject and s3:ListBucket";
const DELETE: &str = "s3:DeleteObject";
const LIST: &str = "s3:ListBucket";
const ABORT: &str = "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload";

/// Characters of a copy source that need no escape: S3 decodes the header like a URL.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A bucket.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
    owner: Option<String>,
    encryption: Encryption,
    part_size: usize,
}

impl S3Store {
    /// A store over a bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let encryption = Encryption::default();
        Self { client, bucket: bucket.into(), owner: None, encryption, part_size: PART_SIZE }
    }

    /// Lets S3 refuse every call if the bucket belongs to another account than this one.
    #[must_use]
    pub fn owned_by(self, account: Option<String>) -> Self {
        Self { owner: account, ..self }
    }

    /// Encrypts what is written.
    #[must_use]
    pub fn encrypted(self, encryption: Encryption) -> Self {
        Self { encryption, ..self }
    }

    /// Uploads larger bodies in parts of this size: a larger size needs more memory and fewer calls.
    #[must_use]
    pub fn with_part_size(self, bytes: usize) -> Self {
        Self { part_size: bytes.max(SMALLEST_PART), ..self }
    }

    fn failed(&self, action: &'static str, key: &str, failure: Failure) -> StoreError {
        let hint = failure.hint(&self.bucket, self.owner.as_deref());
        StoreError { action, location: self.location(key), hint, cause: failure.cause }
    }

    fn target<'a>(&'a self, key: &'a str) -> Target<'a> {
        Target {
            client: &self.client,
            bucket: &self.bucket,
            owner: self.owner.as_deref(),
            key,
            encryption: &self.encryption,
            part_size: self.part_size,
        }
    }

    async fn ask(&self, key: &str, range: Option<String>) -> Result<GetObjectOutput, Failure> {
        let request = self.client.get_object().bucket(&self.bucket).key(key).set_range(range);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        request.send().await.map_err(|e| Failure::of(e, READ))
    }

    async fn whole(&self, key: &str) -> Result<Object, Failure> {
        let read = self.ask(key, None).await?;
        let etag = read.e_tag.ok_or_else(|| Failure::odd(Omission::ETag))?;
        Ok(Object { body: collect(read.body).await?, etag })
    }

    /// An empty object has no byte that a range could select.
    async fn end(&self, key: &str, length: u64) -> Result<Tail, Failure> {
        let read = match self.ask(key, Some(format!("bytes=-{}", length.max(1)))).await {
            Ok(read) => read,
            Err(failure) if failure.meaning == Meaning::OutOfRange => {
                return Ok(Tail { bytes: Bytes::new(), size: 0 });
            }
            Err(failure) => return Err(failure),
        };
        let size = size_of_whole(&read)?;
        let bytes = collect(read.body).await?;
        let keep = usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()));
        Ok(Tail { bytes: bytes.slice(bytes.len() - keep..), size })
    }

    async fn put_at_once(
        &self,
        key: &str,
        body: Bytes,
        when: &Precondition,
    ) -> Result<Put, Failure> {
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let request = match when {
            Precondition::Absent => request.if_none_match("*"),
            Precondition::Matches(etag) => request.if_match(etag),
        };
        let request = request.encrypted(&self.encryption).body(ByteStream::from(body));
        match request.send().await {
            Ok(_) => Ok(Put::Done),
            Err(error) => Failure::of(error, WRITE).unless_refused(when),
        }
    }

    /// How an object is encrypted, if that is not how this store would write it now.
    async fn encryption_of(&self, key: &str) -> Result<Option<String>, Failure> {
        if self.encryption == Encryption::BucketDefault {
            return Ok(None);
        }
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let head = request.send().await.map_err(|e| Failure::of_head(e, READ))?;
        let (algorithm, key) = (head.server_side_encryption, head.ssekms_key_id);
        Ok(self.encryption.difference(algorithm.as_ref(), key.as_deref()))
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<ObjectMeta>, Failure> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| Failure::of(e, LIST))?;
            for object in page.contents.unwrap_or_default() {
                let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
                let modified = object.last_modified.and_then(|time| time.try_into().ok());
                found.extend(object.key.map(|key| ObjectMeta { key, size, modified }));
            }
        }
        Ok(found)
    }
}

/// Uploads that were not completed.
impl S3Store {
    async fn end_uploads(&self, prefix: &str, before: SystemTime) -> Result<u64, Failure> {
        let mut ended = 0;
        let (mut key, mut id) = (None, None);
        loop {
            let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
            let request = request.set_expected_bucket_owner(self.owner.clone());
            let request = request.set_key_marker(key).set_upload_id_marker(id);
            let page = request.send().await.map_err(|e| Failure::of(e, ABORT))?;
            for upload in page.uploads.unwrap_or_default() {
                let begun = upload.initiated.and_then(|time| SystemTime::try_from(time).ok());
                let is_old = begun.is_some_and(|begun| begun < before);
                if let (Some(key), Some(id), true) = (upload.key, upload.upload_id, is_old) {
                    self.end_upload(key, id).await?;
                    ended += 1;
                }
            }
            if page.is_truncated != Some(true) {
                return Ok(ended);
            }
            (key, id) = (page.next_key_marker, page.next_upload_id_marker);
        }
    }

    /// An upload that somebody else has ended in the meantime is not an error.
    async fn end_upload(&self, key: String, id: String) -> Result<(), Failure> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        match request.key(key).upload_id(id).send().await {
            Ok(_) => Ok(()),
            Err(error) if is_no_such_upload(&error) => Ok(()),
            Err(error) => Err(Failure::of(error, ABORT)),
        }
    }
}

fn is_no_such_upload(error: &SdkError<AbortMultipartUploadError>) -> bool {
    error.as_service_error().is_some_and(AbortMultipartUploadError::is_no_such_upload)
}

async fn collect(body: ByteStream) -> Result<Bytes, Failure> {
    body.collect()
        .await
        .map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes)
        .map_err(Failure::odd)
}

#[expect(clippy::cast_possible_truncation, reason = "what is in memory has fewer bytes than usize")]
fn slice_of(body: &Bytes, range: Range<u64>) -> Bytes {
    body.slice(range.start as usize..range.end as usize)
}

fn part_of(mut file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let mut part = vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut part)?;
    Ok(part.into())
}

/// `bytes 4-9/10`; if no range was applied, the length of the body is the size.
fn size_of_whole(read: &GetObjectOutput) -> Result<u64, Failure> {
    let size = match &read.content_range {
        Some(range) => range.rsplit_once('/').and_then(|(_, size)| size.parse().ok()),
        None => read.content_length.and_then(|length| u64::try_from(length).ok()),
    };
    size.ok_or_else(|| Failure::odd(Omission::Size))
}

#[async_trait::async_trait]
impl ObjectStore for S3Store {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let read = self.whole(key).await.map(Some).or_else(Failure::unless_absent);
        read.map_err(|e| self.failed("read", key, e))
    }

    async fn read(&self, key: &str) -> Result<Option<ObjectBody>, StoreError> {
        let read = self.ask(key, None).await.map(Some).or_else(Failure::unless_absent);
        let Some(read) = read.map_err(|e| self.failed("read", key, e))? else { return Ok(None) };
        let (store, key) = (self.clone(), key.to_owned());
        let next = async |(mut body, store, key): (ByteStream, Self, String)| {
            let Some(piece) = body.next().await else { return Ok(None) };
            let piece = piece.map_err(|e| store.failed("read", &key, Failure::odd(e)))?;
            Ok(Some((piece, (body, store, key))))
        };
        Ok(Some(stream::try_unfold((read.body, store, key), next).boxed()))
    }

    async fn tail(&self, key: &str, length: u64) -> Result<Option<Tail>, StoreError> {
        let read = self.end(key, length).await.map(Some).or_else(Failure::unless_absent);
        read.map_err(|e| self.failed("read", key, e))
    }

    async fn put(&self, key: &str, body: Bytes, when: Precondition) -> Result<Put, StoreError> {
        let put = if body.len() > self.part_size {
            let (size, part) = (body.len() as u64, |range| Ok(slice_of(&body, range)));
            multipart::put(self.target(key), (size, &part), &when).await
        } else {
            self.put_at_once(key, body, &when).await
        };
        put.map_err(|e| self.failed("write", key, e))
    }

    async fn put_file(
        &self,
        key: &str,
        file: &File,
        when: Precondition,
    ) -> Result<Put, StoreError> {
        let unreadable = |cause| self.failed("write", key, Failure::odd(cause));
        let size = file.metadata().map_err(unreadable)?.len();
        if size <= self.part_size as u64 {
            let body = part_of(file, 0..size).map_err(unreadable)?;
            let put = self.put_at_once(key, body, &when).await;
            return put.map_err(|e| self.failed("write", key, e));
        }
        let part = |range| part_of(file, range).map_err(Failure::odd);
        let put = multipart::put(self.target(key), (size, &part), &when).await;
        put.map_err(|e| self.failed("write", key, e))
    }

    async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let source = format!("{}/{}", self.bucket, utf8_percent_encode(from, PLAIN));
        let request = self.client.copy_object().bucket(&self.bucket).key(to).copy_source(source);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let request = request.set_expected_source_bucket_owner(self.owner.clone());
        let request = request.encrypted(&self.encryption);
        let copied = request.send().await.map_err(|e| Failure::of(e, COPY));
        copied.map(|_| ()).map_err(|e| self.failed("copy", from, e))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let deleted = request.send().await.map_err(|e| Failure::of(e, DELETE));
        match deleted.map(|_| ()) {
            Ok(()) => Ok(()),
            Err(failure) if failure.meaning == Meaning::NoSuchKey => Ok(()),
            Err(failure) => Err(self.failed("delete", key, failure)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        self.keys(prefix).await.map_err(|e| self.failed("list", prefix, e))
    }

    async fn abort_uploads(&self, prefix: &str, before: SystemTime) -> Result<u64, StoreError> {
        let ended = self.end_uploads(prefix, before).await;
        ended.map_err(|e| self.failed("end the uploads of", prefix, e))
    }

    async fn old_encryption(&self, key: &str) -> Result<Option<String>, StoreError> {
        let found = self.encryption_of(key).await.or_else(Failure::unless_absent);
        found.map_err(|e| self.failed("read", key, e))
    }

    fn location(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}
