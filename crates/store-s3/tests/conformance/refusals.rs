//! What the S3 of these tests refuses, one case per test. A stand-in that accepts more than S3 proves
//! nothing.

use crate::server::Server;
use crate::strict::StrictS3;
use crate::uploads::{MOST_PARTS, SMALLEST_PART};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};

/// The error code of a refusal.
type Outcome<T> = Result<T, String>;

/// An upload with individual calls, each of which can be wrong.
struct Upload {
    server: Server,
    bucket: String,
    id: String,
}

impl Upload {
    async fn begin(algorithm: Option<ChecksumAlgorithm>) -> Self {
        Self::begin_as(algorithm, None).await.unwrap()
    }

    async fn begin_as(
        algorithm: Option<ChecksumAlgorithm>,
        kind: Option<ChecksumType>,
    ) -> Outcome<Self> {
        Self::begin_on(Server::start(), algorithm, kind).await
    }

    async fn begin_on(
        server: Server,
        algorithm: Option<ChecksumAlgorithm>,
        kind: Option<ChecksumType>,
    ) -> Outcome<Self> {
        let bucket = server.bucket().await;
        let request = server.client.create_multipart_upload().bucket(&bucket).key("a");
        let request = request.set_checksum_algorithm(algorithm).set_checksum_type(kind);
        let id = request.send().await.map_err(|e| code(&e))?.upload_id.unwrap();
        Ok(Self { server, bucket, id })
    }

    fn client(&self) -> &Client {
        &self.server.client
    }

    /// A part of the smallest size, with the SDK's checksum: CRC32 by default.
    async fn part(&self, number: i32) -> Outcome<CompletedPart> {
        self.part_as(number, SMALLEST_PART, None).await
    }

    async fn part_as(
        &self,
        number: i32,
        size: u64,
        algorithm: Option<ChecksumAlgorithm>,
    ) -> Outcome<CompletedPart> {
        let body = vec![u8::try_from(number % 251).unwrap(); usize::try_from(size).unwrap()];
        let request = self.client().upload_part().bucket(&self.bucket).key("a").upload_id(&self.id);
        let request = request.set_checksum_algorithm(algorithm).part_number(number);
        let sent = request.body(ByteStream::from(body)).send().await;
        sent.map(|sent| completed(number, sent)).map_err(|e| code(&e))
    }

    async fn complete(&self, parts: &[CompletedPart]) -> Outcome<()> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let request = self.client().complete_multipart_upload().bucket(&self.bucket).key("a");
        let request = request.upload_id(&self.id).multipart_upload(parts);
        request.send().await.map(|_| ()).map_err(|e| code(&e))
    }
}

fn code(error: &impl ProvideErrorMetadata) -> String {
    error.code().unwrap_or("no code").to_owned()
}

fn completed(number: i32, sent: UploadPartOutput) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(sent.e_tag)
        .set_checksum_crc32(sent.checksum_crc32)
        .set_checksum_sha256(sent.checksum_sha256)
        .build()
}

fn without_checksum(part: &CompletedPart) -> CompletedPart {
    CompletedPart::builder()
        .part_number(part.part_number.unwrap())
        .set_e_tag(part.e_tag.clone())
        .build()
}

fn but(part: &CompletedPart, change: impl FnOnce(&mut CompletedPart)) -> CompletedPart {
    let mut changed = part.clone();
    change(&mut changed);
    changed
}

fn refused<T>(code: &str) -> Outcome<T> {
    Err(code.to_owned())
}

const CRC32: Option<ChecksumAlgorithm> = Some(ChecksumAlgorithm::Crc32);

#[tokio::test]
async fn what_s3_takes_is_taken() {
    let plain = Upload::begin(None).await;
    let parts = [plain.part(1).await.unwrap(), plain.part(2).await.unwrap()];
    plain.complete(&parts.each_ref().map(without_checksum)).await.unwrap();

    let composite = Upload::begin(CRC32).await;
    let parts = [composite.part(1).await.unwrap(), composite.part_as(2, 1, None).await.unwrap()];
    composite.complete(&parts).await.unwrap();

    let full = Upload::begin_as(CRC32, Some(ChecksumType::FullObject)).await.unwrap();
    let part = full.part(1).await.unwrap();
    full.complete(&[without_checksum(&part)]).await.unwrap();
}

#[tokio::test]
async fn a_completion_with_checksums_that_no_creation_has_named() {
    let upload = Upload::begin(None).await;
    let part = upload.part(1).await.unwrap();
    assert!(part.checksum_crc32.is_some(), "the SDK adds it by itself");
    assert_eq!(upload.complete(&[part]).await, refused("InvalidPart"));
}

#[tokio::test]
async fn a_part_with_the_checksum_of_another_algorithm() {
    let upload = Upload::begin(Some(ChecksumAlgorithm::Sha256)).await;
    assert_eq!(upload.part(1).await, refused("InvalidRequest"));
    upload.part_as(1, 1, Some(ChecksumAlgorithm::Sha256)).await.unwrap();
}

#[tokio::test]
async fn a_completion_that_lacks_the_checksum_or_has_another() {
    let upload = Upload::begin(CRC32).await;
    let part = upload.part(1).await.unwrap();
    assert_eq!(upload.complete(&[without_checksum(&part)]).await, refused("InvalidRequest"));
    let other = but(&part, |part| part.checksum_crc32 = Some("AAAAAA==".to_owned()));
    assert_eq!(upload.complete(&[other]).await, refused("InvalidPart"));
    upload.complete(&[part]).await.unwrap();
}

#[tokio::test]
async fn a_creation_with_an_algorithm_and_a_type_that_do_not_fit() {
    for (algorithm, kind) in [
        (Some(ChecksumAlgorithm::Sha256), ChecksumType::FullObject),
        (Some(ChecksumAlgorithm::Crc64Nvme), ChecksumType::Composite),
        (None, ChecksumType::Composite),
    ] {
        let begun = Upload::begin_as(algorithm.clone(), Some(kind)).await;
        assert_eq!(begun.map(|_| ()), refused("InvalidRequest"), "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_part_whose_bytes_have_another_checksum() {
    let upload = Upload::begin(CRC32).await;
    let request = upload.client().upload_part().bucket(&upload.bucket).key("a").part_number(1);
    let request = request.upload_id(&upload.id).checksum_crc32("AAAAAA==");
    let sent = request.body(ByteStream::from_static(b"other bytes")).send().await;
    assert_eq!(sent.map_err(|e| code(&e)).map(|_| ()), refused("BadDigest"));
}

#[tokio::test]
async fn parts_out_of_order() {
    let upload = Upload::begin(CRC32).await;
    let [one, two] = [upload.part(1).await.unwrap(), upload.part(2).await.unwrap()];
    assert_eq!(upload.complete(&[two, one.clone()]).await, refused("InvalidPartOrder"));
    assert_eq!(upload.complete(&[one.clone(), one]).await, refused("InvalidPartOrder"));
}

#[tokio::test]
async fn a_small_part_that_is_not_the_last() {
    let upload = Upload::begin(CRC32).await;
    let small = upload.part_as(1, SMALLEST_PART - 1, None).await.unwrap();
    let last = upload.part_as(2, 1, None).await.unwrap();
    assert_eq!(upload.complete(&[small, last]).await, refused("EntityTooSmall"));
}

#[tokio::test]
async fn a_list_of_no_part_or_of_too_many() {
    let upload = Upload::begin(CRC32).await;
    let part = upload.part(1).await.unwrap();
    assert_eq!(upload.complete(&[]).await, refused("MalformedXML"));
    let most = i32::try_from(MOST_PARTS).unwrap();
    let number = |number| but(&part, |part| part.part_number = Some(number));
    let many: Vec<_> = (1..=most + 1).map(number).collect();
    assert_eq!(upload.complete(&many).await, refused("MalformedXML"));
    for number in [0, most + 1] {
        assert_eq!(upload.part(number).await, refused("InvalidArgument"), "{number}");
    }
}

#[tokio::test]
async fn a_part_that_did_not_arrive_or_has_another_etag() {
    let upload = Upload::begin(CRC32).await;
    let part = upload.part(1).await.unwrap();
    let other = but(&part, |part| part.e_tag = Some("\"0123\"".to_owned()));
    assert_eq!(upload.complete(&[other]).await, refused("InvalidPart"));
    let never = but(&part, |part| part.part_number = Some(2));
    assert_eq!(upload.complete(&[part, never]).await, refused("InvalidPart"));
}

#[tokio::test]
async fn an_upload_that_is_not_there() {
    let upload = Upload::begin(CRC32).await;
    let part = upload.part(1).await.unwrap();
    upload.complete(std::slice::from_ref(&part)).await.unwrap();
    assert_eq!(upload.part(2).await, refused("NoSuchUpload"));
    assert_eq!(upload.complete(&[part]).await, refused("NoSuchUpload"));
    let abort = upload.client().abort_multipart_upload().bucket(&upload.bucket).key("a");
    let abort = abort.upload_id(&upload.id).send().await;
    assert_eq!(abort.map_err(|e| code(&e)).map(|_| ()), refused("NoSuchUpload"));
}

/// S3's limit is 5 GiB; here it is one that a test can reach.
#[tokio::test]
async fn an_object_that_is_too_large_for_one_call() {
    let small = Server::start_as(|files| StrictS3::new(files).with_largest_at_once(SMALLEST_PART));
    let upload = Upload::begin_on(small, CRC32, None).await.unwrap();
    assert_eq!(upload.part_as(1, SMALLEST_PART + 1, None).await, refused("EntityTooLarge"));
    let parts = [upload.part(1).await.unwrap(), upload.part(2).await.unwrap()];
    upload.complete(&parts).await.unwrap();

    let copy = upload.client().copy_object().bucket(&upload.bucket).key("b");
    let copied = copy.copy_source(format!("{}/a", upload.bucket)).send().await;
    assert_eq!(copied.map(|_| ()).map_err(|e| code(&e)), refused("InvalidRequest"));
    let put = upload.client().put_object().bucket(&upload.bucket).key("c");
    let put = put.body(ByteStream::from(vec![0; 6 * 1024 * 1024])).send().await;
    assert_eq!(put.map(|_| ()).map_err(|e| code(&e)), refused("EntityTooLarge"));
}
