"""Multiplies measured counts and prices: what a number of events costs a month.

Hourly slices, one table for all events, Parquet with snappy: the defaults. A slice needs a fixed number of calls, and
each file of more than 48 MiB needs some more. Both are measured (`measured.json`). Not measured are the numbers below.
"""

from dataclasses import dataclass
from typing import Any

from local.costs import prices
from local.costs.prices import Price

HOURS = 730
"""Slices in a month."""
BYTES_PER_EVENT = 148
GB_SECONDS_PER_MILLION = 14.1
SOURCES = (
    "148 bytes per event: docs/PERFORMANCE.md, Compression, snappy. 14.1 GB-seconds per million events: the row"
    ' "Mixlake, 300,000 events" of its comparison of 2026-11-26 (one x86_64 core at full use, 1,769 MB).'
)
EXPORT_GB, CATALOG_GB = 1769 / 1024, 512 / 1024
STORAGE_GB = (2048 - 512) / 1024
WAIT_EXPORT, WAIT_CATALOG = 10, 1
"""Seconds that an invocation waits for Mixpanel, S3 and Glue. Assumed."""
FILE_BYTES = 48 * 1024 * 1024
POLLS = 5 * 3 * 60 * HOURS
"""Lambda asks an empty queue with five pollers, each of which waits for 20 seconds."""
GB = 1_000_000_000

S3_WRITES = (
    "PutObject",
    "CopyObject",
    "CreateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "ListObjectsV2",
)
S3_FREE = ("DeleteObject", "DeleteObjects", "AbortMultipartUpload")


@dataclass(frozen=True)
class Line:
    price: Price
    quantity: float

    @property
    def dollars(self) -> float:
        return self.price.each * self.quantity


@dataclass(frozen=True)
class Counts:
    """What one slice needs, or one more file of it."""

    writes: float = 0
    reads: float = 0
    glue: float = 0
    secrets: float = 0
    objects: float = 0
    messages: float = 0
    exports: float = 0
    catalogs: float = 0
    log_bytes: float = 0

    def plus(self, other: "Counts", times: float) -> "Counts":
        return Counts(*(mine + times * its for mine, its in zip(values(self), values(other), strict=True)))


def values(counts: Counts) -> list[float]:
    return list(vars(counts).values())


def counts(measured: dict[str, Any]) -> Counts:
    calls = [call for function in measured["calls"].values() for call in function.items()]

    def of(service: str, *, only: tuple[str, ...] = (), never: tuple[str, ...] = ()) -> int:
        found = [(name.partition(":")[2], number) for name, number in calls if name.startswith(f"{service}:")]
        return sum(number for name, number in found if name not in never and (not only or name in only))

    return Counts(
        writes=of("s3", only=S3_WRITES),
        reads=of("s3", never=S3_WRITES + S3_FREE),
        glue=of("glue"),
        secrets=of("secretsmanager"),
        objects=measured["written_objects"],
        messages=measured["notifications"],
        exports=measured["invocations"]["export"],
        catalogs=measured["invocations"]["catalog"],
        log_bytes=sum(measured["log_bytes"].values()),
    )


def per_slice(measured: dict[str, Any]) -> Counts:
    day = measured["day"]
    return Counts().plus(counts(day), 1 / day["slices"])


def per_file(measured: dict[str, Any]) -> Counts:
    """What each file needs after the first of a slice: the large hour less a usual one, by its further files."""
    large = measured["large_hour"]
    more = counts(large).plus(per_slice(measured), -1)
    none_less = Counts(*(max(value, 0) for value in values(more)))
    return Counts().plus(none_less, 1 / (large["files"] - 1))


def month(measured: dict[str, Any], events: int) -> Counts:
    further_files = max(events / HOURS * BYTES_PER_EVENT / FILE_BYTES - 1, 0)
    return Counts().plus(per_slice(measured).plus(per_file(measured), further_files), HOURS)


def bill(measured: dict[str, Any], events: int, duration: Price = prices.LAMBDA_X86) -> list[Line]:
    """The lines of a month's bill, for the events of that month."""
    stack, used = measured["stack"], month(measured, events)
    working = events / prices.MILLION * GB_SECONDS_PER_MILLION
    exporting = working / EXPORT_GB + used.exports * WAIT_EXPORT
    return [
        Line(duration, exporting * EXPORT_GB + used.catalogs * WAIT_CATALOG * CATALOG_GB),
        Line(prices.LAMBDA_STORAGE, exporting * STORAGE_GB),
        Line(prices.LAMBDA_REQUEST, used.exports + used.catalogs),
        Line(prices.S3_WRITE, used.writes),
        Line(prices.S3_READ, used.reads),
        Line(prices.S3_STORAGE, events * BYTES_PER_EVENT / GB),
        Line(prices.EVENTBRIDGE, used.objects),
        Line(prices.SCHEDULER, HOURS),
        # A message is sent, received and deleted.
        Line(prices.SQS, used.messages * 3 + POLLS),
        Line(prices.GLUE_REQUEST, used.glue),
        # The table, and a partition for each day.
        Line(prices.GLUE_OBJECT, 1 + HOURS / 24),
        Line(prices.LOGS, used.log_bytes / GB),
        Line(prices.LOGS_KEPT, used.log_bytes / GB),
        Line(prices.METRIC, stack["metrics"]),
        Line(prices.ALARM, stack["AWS::CloudWatch::Alarm"]),
        Line(prices.DASHBOARD, stack["AWS::CloudWatch::Dashboard"]),
        Line(prices.SECRET, 1),
        Line(prices.SECRET_REQUEST, used.secrets),
    ]


def key_of_ones_own(measured: dict[str, Any], events: int) -> list[Line]:
    """What a KMS key adds, without what a bucket key saves: one request for each object that is read or written."""
    used = month(measured, events)
    return [Line(prices.KMS_KEY, 1), Line(prices.KMS_REQUEST, used.writes + used.reads)]
