"""What lies in the bucket and what the Glue catalog says about it, read as a stranger would."""

import json
from dataclasses import dataclass
from typing import Any

from local import names
from local.cloud import Cloud, s3_parts


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    property: str
    """The original name, which the catalog keeps as the column's comment."""


@dataclass(frozen=True)
class Partition:
    value: str
    location: str


@dataclass(frozen=True)
class Table:
    database: str
    name: str
    version: str
    format: str
    """What the catalog calls the files: `parquet` or `json`."""
    columns: tuple[Column, ...]
    location: str
    partition_keys: tuple[str, ...]
    partitions: tuple[Partition, ...]

    @property
    def places(self) -> tuple[Partition, ...]:
        """Where the files are: in the partitions, or at the location of a table that has no partitions."""
        return self.partitions if self.partition_keys else (Partition("", self.location),)


@dataclass(frozen=True)
class Snapshot:
    """All that a second run must leave as it was: what a run tells of itself is no part of it."""

    objects: dict[str, tuple[str, str]]
    """Key to etag and time of writing."""
    tables: dict[str, Table]

    def changes(self, later: "Snapshot") -> list[str]:
        """What differs, in words; nothing when nothing does."""
        keys = self.objects.keys() | later.objects.keys()
        changed = [f"object {key}" for key in sorted(keys) if self.objects.get(key) != later.objects.get(key)]
        tables = self.tables.keys() | later.tables.keys()
        return changed + [f"table {name}" for name in sorted(tables) if self.tables.get(name) != later.tables.get(name)]


class Lake:
    """The folder of one project in a bucket, and the Glue database of its tables."""

    def __init__(self, cloud: Cloud, bucket: str, folder: str, database: str, table_prefix: str = "") -> None:
        self.cloud = cloud
        self.bucket = bucket
        self.folder = folder
        self.database = database
        self.table_prefix = table_prefix

    def objects(self, prefix: str = "") -> list[dict[str, Any]]:
        """All objects below the project's folder, or below a part of it; but for the query budget."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        found: list[dict[str, Any]] = []
        for page in pages.paginate(Bucket=self.bucket, Prefix=self.folder + prefix):
            found += page.get("Contents", [])
        return [o for o in found if not o["Key"].startswith(self.folder + names.BUDGET)]

    def read(self, key: str) -> bytes:
        return bytes(self.cloud.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Every day's manifest by its key."""
        keys = [o["Key"] for o in self.objects() if o["Key"].endswith(f"/{names.MANIFEST}")]
        return {key: json.loads(self.read(key)) for key in keys}

    def event_manifests(self) -> dict[str, dict[str, Any]]:
        """Those of tables of events."""
        return {key: it for key, it in self.manifests().items() if not it["table"].startswith(names.NOT_OF_EVENTS)}

    def event_tables(self) -> dict[str, Table]:
        """The tables of events."""
        others = tuple(self.table_prefix + name for name in names.NOT_OF_EVENTS)
        return {name: it for name, it in self.tables().items() if not name.startswith(others)}

    def about_runs(self, key: str) -> bool:
        """Whether a run writes the object to tell of itself."""
        return key.startswith(tuple(self.folder + place for place in names.ABOUT_RUNS))

    def tables(self) -> dict[str, Table]:
        """Every table of the database, with its partitions. A view is none."""
        pages = self.cloud.client("glue").get_paginator("get_tables").paginate(DatabaseName=self.database)
        tables = [raw for page in pages for raw in page["TableList"] if raw.get("TableType") != "VIRTUAL_VIEW"]
        return {raw["Name"]: self._table(raw) for raw in tables}

    def snapshot(self) -> Snapshot:
        kept = [o for o in self.objects() if not self.about_runs(o["Key"])]
        objects = {o["Key"]: (o["ETag"], str(o["LastModified"])) for o in kept}
        return Snapshot(objects, self.event_tables())

    def differences(self) -> list[str]:
        """Where the catalog does not (yet) point readers at what the manifests call live."""
        tables = self.tables()
        found = []
        for key, manifest in self.manifests().items():
            table, day, location = self._expected(key, manifest)
            places = {p.value: p.location.rstrip("/") for p in tables[table].places} if table in tables else {}
            if places.get(day) != location:
                found.append(f"{table} {day} is at {places.get(day)}, not at {location}")
        return found

    def file_count(self, partition: Partition) -> int:
        _, prefix = s3_parts(partition.location.rstrip("/") + "/")
        return sum(o["Key"].endswith(names.EXTENSIONS) for o in self.objects(prefix.removeprefix(self.folder)))

    def _expected(self, key: str, manifest: dict[str, Any]) -> tuple[str, str, str | None]:
        """Table, day and location that a manifest stands for; no location, if nothing of the day is live. A table
        without partitions has no day, and a location even if it is empty.
        """
        folder = key.rsplit("/", 1)[0]
        table, *date = folder.removeprefix(self.folder).split("/")
        live = f"s3://{self.bucket}/{folder}/{manifest['generation']}" if manifest["files"] or not date else None
        return self.table_prefix + table, "-".join(date), live

    def _table(self, raw: dict[str, Any]) -> Table:
        columns = tuple(Column(c["Name"], c["Type"], c.get("Comment", "")) for c in raw["StorageDescriptor"]["Columns"])
        return Table(
            database=self.database,
            name=raw["Name"],
            version=str(raw.get("VersionId", "")),
            format=raw.get("Parameters", {}).get("classification", ""),
            columns=columns,
            location=raw["StorageDescriptor"].get("Location", ""),
            partition_keys=tuple(key["Name"] for key in raw.get("PartitionKeys", [])),
            partitions=self._partitions(raw["Name"]),
        )

    def _partitions(self, table: str) -> tuple[Partition, ...]:
        pages = (
            self.cloud.client("glue")
            .get_paginator("get_partitions")
            .paginate(DatabaseName=self.database, TableName=table)
        )
        found = [
            Partition(p["Values"][0], p["StorageDescriptor"]["Location"]) for page in pages for p in page["Partitions"]
        ]
        return tuple(sorted(found, key=lambda partition: partition.value))
