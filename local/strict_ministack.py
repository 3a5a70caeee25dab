"""Starts MiniStack, and makes it refuse the uploads in parts that S3 refuses.

By itself MiniStack takes a part with a checksum of any algorithm, parts that are too small, and lists out of
order. A function whose uploads S3 never completes would pass every test. The S3 of the Rust tests has the
same rules, and more (crates/store-s3/tests/conformance).

It runs in the place of the program `ministack`. Its own folder must not be on the module path, where its neighbours
would hide packages of the same names:

    python -P strict_ministack.py
"""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from ministack import app
from ministack.services import s3

sys.path.append(str(Path(__file__).resolve().parents[1]))

from local import strict
from local.wider_ministack import widen

Refusal = tuple[str, str]
"""The code of an error of S3, and its text."""

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
SMALLEST_PART = 5 * 1024 * 1024
MOST_PARTS = 10_000


def refusal_of_part(named: str | None, sent: set[str]) -> Refusal | None:
    """Whether a part may carry these checksums, in an upload whose creation has named this algorithm."""
    if named is None or sent == {named}:
        return None
    actual = ", ".join(sorted(sent)).lower() or "null"
    text = f"Checksum Type mismatch occurred, expected checksum Type: {named.lower()}, actual checksum Type: {actual}"
    return "InvalidRequest", text


def refusal_of_list(named: str | None, sizes: dict[int, int], listed: list[tuple[int, set[str]]]) -> Refusal | None:
    """Whether the parts of a completion, with the checksums that it gives for each, make an object."""
    numbers = [number for number, _ in listed]
    if not 1 <= len(numbers) <= MOST_PARTS:
        return "MalformedXML", f"A list has 1 to {MOST_PARTS} parts."
    if any(first >= second for first, second in itertools.pairwise(numbers)):
        return "InvalidPartOrder", "The list of parts was not in ascending order."
    for number, checksums in listed:
        if named is None and checksums:
            return "InvalidPart", f"Part {number} has no checksum, because the upload has named no algorithm."
        if named is not None and checksums != {named}:
            return "InvalidRequest", f"The upload was created using a {named.lower()} checksum; see part {number}."
    if any(sizes.get(number, SMALLEST_PART) < SMALLEST_PART for number in numbers[:-1]):
        return "EntityTooSmall", "Only the last part may have less than 5 MiB."
    return None


def sent_checksums(headers: dict[str, str]) -> set[str]:
    return {algorithm for algorithm in ALGORITHMS if headers.get(f"x-amz-checksum-{algorithm.lower()}")}


def listed_parts(body: bytes) -> list[tuple[int, set[str]]]:
    """The numbers of a completion's parts, with the algorithms of their checksums, in the order of the list."""
    return [number_and_checksums(element) for element in fromstring(body) if local_name(element) == "Part"]


def number_and_checksums(part: Element) -> tuple[int, set[str]]:
    texts = {local_name(child): child.text or "" for child in part}
    checksums = {name.removeprefix("Checksum").upper() for name in texts if name.startswith("Checksum")}
    return int(texts.get("PartNumber", "0")), checksums


def local_name(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def upload_of(query: dict[str, Any]) -> Any:
    """The upload that a request names. One that is not there is MiniStack's to refuse."""
    given = query.get("uploadId", "")
    return s3._multipart_uploads.get(given[0] if isinstance(given, list) else given)


def strict_part(inner: Callable[..., Any]) -> Callable[..., Any]:
    def upload_part(bucket: str, key: str, body: bytes, query: dict[str, Any], headers: dict[str, str]) -> Any:
        upload = upload_of(query)
        found = upload and refusal_of_part(upload["checksum_algorithm"], sent_checksums(headers))
        return refuse(found, bucket, key) if found else inner(bucket, key, body, query, headers)

    return upload_part


def strict_completion(inner: Callable[..., Any]) -> Callable[..., Any]:
    def complete(bucket: str, key: str, body: bytes, query: dict[str, Any], headers: dict[str, str]) -> Any:
        upload = upload_of(query)
        found = upload and refusal_of_body(upload, body)
        return refuse(found, bucket, key) if found else inner(bucket, key, body, query, headers)

    return complete


def refusal_of_body(upload: Any, body: bytes) -> Refusal | None:
    sizes = {number: part["size"] for number, part in upload["parts"].items()}
    try:
        listed = listed_parts(body)
    except (ParseError, ValueError):
        return "MalformedXML", "The list of parts is no XML of the published schema."
    return refusal_of_list(upload["checksum_algorithm"], sizes, listed)


def refuse(refusal: Refusal, bucket: str, key: str) -> Any:
    return s3._error(*refusal, 400, f"/{bucket}/{key}")


if __name__ == "__main__":
    widen()
    s3._upload_part = strict_part(s3._upload_part)
    s3._complete_multipart_upload = strict_completion(s3._complete_multipart_upload)
    strict.install()
    sys.exit(app.main())
