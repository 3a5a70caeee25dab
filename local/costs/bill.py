"""Multiplies measured counts and prices: what a number of events costs a month.

Hourly slices, one table for all events, Parquet with snappy, ten days of sync, daily profiles of users, daily
maintenance: the defaults. A slice, a day that is fetched again, an export of profiles and a maintenance need a fixed
number of calls, and each file of more than 48 MiB needs some more. All of these are measured (`measured.json`). Not
measured are the numbers below.
"""

from dataclasses import dataclass, replace
from typing import Any

from local.costs import prices
from local.costs.prices import Price

HOURS = 730
"""Slices in a month."""
DAYS = HOURS / 24
SYNC_DAYS = 10
"""How often the events of a day are fetched again: once when it has closed, and then with equal rows."""
LAKE_DAYS, READS_OF_A_DAY = 365, 2
"""Maintenance reads a manifest and a ledger of each day that the lake has."""
BYTES_PER_EVENT = 148
GB_SECONDS_PER_MILLION = 14.1
SOURCES = (
    "148 bytes per event: docs/PERFORMANCE.md, Compression, snappy. 14.1 GB-seconds per million events: the row"
    ' "Mixlake, 300,000 events" of its comparison of 2026-11-26 (one x86_64 core at full use, 1,769 MB).'
)
EXPORT_GB, CATALOG_GB, MAINTENANCE_GB = 1769 / 1024, 512 / 1024, 1769 / 1024
STORAGE_GB, MAINTENANCE_STORAGE_GB = (2048 - 512) / 1024, (4096 - 512) / 1024
WAIT_EXPORT, WAIT_CATALOG, WAIT_IDLE, WAIT_MAINTENANCE = 10, 1, 1, 30
"""Seconds that an invocation, or a day of a sync, waits for Mixpanel, S3 and Glue. Assumed."""
FILE_BYTES = 48 * 1024 * 1024
PAGES_OF_A_MILLION, PAGES_PER_SECOND = 1_000, 3
"""Pages of profiles, and how many of them Mixpanel answers."""
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
    "ListMultipartUploads",
)
S3_FREE = ("DeleteObject", "DeleteObjects", "AbortMultipartUpload")
FILE_CALLS = ("writes", "reads")
"""What a file costs that is stored for a comparison only."""


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
    maintenances: float = 0
    idle: float = 0
    """Runs of the sync, and of the profiles, that find nothing to do."""
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
        # EventBridge hears of both.
        objects=measured["written_objects"] + of("s3", only=("DeleteObject",)),
        messages=measured["notifications"],
        exports=measured["invocations"]["export"] + measured["invocations"]["profiles"],
        catalogs=measured["invocations"]["catalog"],
        maintenances=measured["invocations"]["maintenance"],
        log_bytes=sum(measured["log_bytes"].values()),
    )


def per_slice(measured: dict[str, Any]) -> Counts:
    day = measured["day"]
    return Counts().plus(counts(day), 1 / day["slices"])


def per_file(measured: dict[str, Any]) -> Counts:
    """What each file needs after the first of a slice: the large hour less a usual one, by its further files."""
    large = measured["large_hour"]
    more = counts(large).plus(per_slice(measured), -1)
    return Counts().plus(none_less(more), 1 / (large["files"] - 1))


def none_less(more: Counts) -> Counts:
    return Counts(*(max(value, 0) for value in values(more)))


def further_files(events: int, parts: float) -> float:
    """Files after the first one, of each of the equal parts of a month."""
    return max(events / parts * BYTES_PER_EVENT / FILE_BYTES - 1, 0)


def idle(measured: dict[str, Any], part: str) -> Counts:
    return replace(counts(measured[part]), exports=0, idle=1)


def daily(measured: dict[str, Any], events: int) -> Counts:
    """A closed day, the equal days before it, the profiles, and a maintenance. A day has its files once more when it is
    compacted.
    """
    file, files = per_file(measured), further_files(events, DAYS)

    def more(part: str, than: str) -> Counts:
        return none_less(counts(measured[part]).plus(idle(measured, than), -1))

    closed, equal = more("closed_day", "idle_sync"), more("equal_day", "idle_sync")
    profiles = more("profiles", "idle_profiles")
    compared = Counts(**{name: getattr(file, name) for name in FILE_CALLS})
    reads = Counts(reads=LAKE_DAYS * READS_OF_A_DAY)
    maintenance = counts(measured["maintenance"]).plus(reads, 1).plus(file, files)
    fetched_again = closed.plus(file, files).plus(equal.plus(compared, files), SYNC_DAYS - 1)
    return fetched_again.plus(profiles, 1).plus(maintenance, 1)


def month(measured: dict[str, Any], events: int) -> Counts:
    slice_ = per_slice(measured).plus(per_file(measured), further_files(events, HOURS))
    hourly = slice_.plus(idle(measured, "idle_sync"), 1).plus(idle(measured, "idle_profiles"), 1)
    return Counts().plus(hourly, HOURS).plus(daily(measured, events), DAYS)


def bill(measured: dict[str, Any], events: int, duration: Price = prices.LAMBDA_X86) -> list[Line]:
    """The lines of a month's bill, for the events of that month."""
    stack, used = measured["stack"], month(measured, events)
    working = events / prices.MILLION * GB_SECONDS_PER_MILLION
    # Each event is exported once, and then fetched again by each sync of its day.
    exporting = working * (1 + SYNC_DAYS) / EXPORT_GB + used.exports * WAIT_EXPORT + used.idle * WAIT_IDLE
    # Compaction takes at most the time of the export.
    maintaining = working / MAINTENANCE_GB + used.maintenances * WAIT_MAINTENANCE
    lasting = exporting * EXPORT_GB + used.catalogs * WAIT_CATALOG * CATALOG_GB + maintaining * MAINTENANCE_GB
    return [
        Line(duration, lasting),
        Line(prices.LAMBDA_STORAGE, exporting * STORAGE_GB + maintaining * MAINTENANCE_STORAGE_GB),
        Line(prices.LAMBDA_REQUEST, used.exports + used.catalogs + used.maintenances + used.idle),
        Line(prices.S3_WRITE, used.writes),
        Line(prices.S3_READ, used.reads),
        Line(prices.S3_STORAGE, events * BYTES_PER_EVENT / GB),
        Line(prices.EVENTBRIDGE, used.objects),
        # The export, the sync, the profiles and the maintenance.
        Line(prices.SCHEDULER, 3 * HOURS + DAYS),
        # A message is sent, received and deleted.
        Line(prices.SQS, used.messages * 3 + POLLS),
        Line(prices.GLUE_REQUEST, used.glue),
        # The tables of events and of profiles, and a partition for each day.
        Line(prices.GLUE_OBJECT, 2 + HOURS / 24),
        Line(prices.LOGS, used.log_bytes / GB),
        Line(prices.LOGS_KEPT, used.log_bytes / GB),
        Line(prices.METRIC, stack["metrics"]),
        Line(prices.ALARM, stack["AWS::CloudWatch::Alarm"]),
        Line(prices.DASHBOARD, stack["AWS::CloudWatch::Dashboard"]),
        Line(prices.SECRET, 1),
        Line(prices.SECRET_REQUEST, used.secrets),
    ]


def million_profiles() -> float:
    """Dollars of a month in which a million profiles are fetched each day."""
    return PAGES_OF_A_MILLION / PAGES_PER_SECOND * EXPORT_GB * prices.LAMBDA_X86.each * DAYS


def key_of_ones_own(measured: dict[str, Any], events: int) -> list[Line]:
    """What a KMS key adds, without what a bucket key saves: one request for each object that is read or written."""
    used = month(measured, events)
    return [Line(prices.KMS_KEY, 1), Line(prices.KMS_REQUEST, used.writes + used.reads)]
