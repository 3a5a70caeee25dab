"""The stand-in of S3 refuses the uploads in parts that S3 refuses: else an end-to-end test proves nothing."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import names, strict_ministack
from local.cloud import ACCESS_KEY, SECRET_KEY
from local.ministack import ARTIFACTS, MiniStack

PART = b"." * strict_ministack.SMALLEST_PART
PLACE = {"Bucket": ARTIFACTS, "Key": "upload"}


@pytest.fixture(scope="module")
def s3(cloud: MiniStack) -> Any:
    """A client that adds no checksum by itself."""
    plain = Config(request_checksum_calculation="when_required", retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.client("s3", endpoint_url=cloud.endpoint, region_name=names.REGION, config=plain, **keys)


def begin(s3: Any, algorithm: str = "") -> dict[str, str]:
    named = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    return PLACE | {"UploadId": s3.create_multipart_upload(**PLACE, **named)["UploadId"]}


def send(s3: Any, upload: dict[str, str], number: int, algorithm: str = "", body: bytes = PART) -> dict[str, Any]:
    named = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    sent = s3.upload_part(**upload, PartNumber=number, Body=body, **named)
    kept = {key: text for key, text in sent.items() if key == "ETag" or key in ("ChecksumCRC32", "ChecksumSHA256")}
    return {"PartNumber": number} | kept


def complete(s3: Any, upload: dict[str, str], *parts: dict[str, Any]) -> None:
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": list(parts)})


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_what_s3_takes_is_taken(s3: Any) -> None:
    for algorithm in ("", "CRC32"):
        upload = begin(s3, algorithm)
        complete(s3, upload, *(send(s3, upload, number, algorithm) for number in (1, 2)))


def test_checksums_that_the_creation_has_not_named(s3: Any) -> None:
    upload = begin(s3)
    part = send(s3, upload, 1, "CRC32")
    assert part["ChecksumCRC32"]
    with refused("InvalidPart"):
        complete(s3, upload, part)


def test_checksums_of_another_algorithm_or_none(s3: Any) -> None:
    upload = begin(s3, "SHA256")
    for algorithm in ("CRC32", ""):
        with refused("InvalidRequest"):
            send(s3, upload, 1, algorithm)
    part = send(s3, upload, 1, "SHA256")
    with refused("InvalidRequest"):
        complete(s3, upload, {key: part[key] for key in ("PartNumber", "ETag")})


def test_a_list_out_of_order_or_empty(s3: Any) -> None:
    upload = begin(s3, "CRC32")
    one, two = (send(s3, upload, number, "CRC32") for number in (1, 2))
    with refused("InvalidPartOrder"):
        complete(s3, upload, two, one)
    with refused("MalformedXML"):
        complete(s3, upload)


def test_a_small_part_that_is_not_the_last(s3: Any) -> None:
    upload = begin(s3, "CRC32")
    small, last = (send(s3, upload, number, "CRC32", b"small") for number in (1, 2))
    with refused("EntityTooSmall"):
        complete(s3, upload, small, last)
