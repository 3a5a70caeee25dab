"""SQL on the lake with the Glue catalog as the only source of schema and places.

A reader of Glue (Athena, Spectrum, Spark) takes columns and types from the table and files from the
location of each partition, or of a table without partitions. So does this: no schema is ever inferred
from a file, and a file that the catalog does not point at is not read. DataFusion coerces silently
where Athena refuses, so a right answer here does not prove the Parquet types; `tests/e2e` looks at the
footers for that.
"""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from datafusion import SessionConfig, SessionContext
from datafusion.object_store import AmazonS3

from local import names
from local.cloud import s3_parts
from local.failure import Failure
from local.lake import Lake, Table

ARROW_TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms"),
    "bigint": pa.int64(),
}


@dataclass(frozen=True)
class Result:
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Engine:
    """A session with every table of the lake's database as it is in the catalog now."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._stores: set[str] = set()
        config = (
            SessionConfig()
            .with_information_schema(enabled=True)
            .set("datafusion.execution.parquet.schema_force_view_types", "false")
        )
        self._context = SessionContext(config)
        self._run(f"CREATE SCHEMA {quote(lake.database)}")
        for table in lake.tables().values():
            self._register(table)

    def query(self, sql: str) -> Result:
        try:
            answer = self._context.sql(sql).to_arrow_table()
        except Exception as problem:  # its own error type is not exported
            what = f"the query failed: {str(problem).splitlines()[0]}"
            raise Failure(what, advice=f"the tables are {', '.join(self._names())}") from problem
        columns = [column.to_pylist() for column in answer.columns]
        return Result(tuple(answer.column_names), tuple(zip(*columns, strict=True)))

    def _names(self) -> list[str]:
        return [f"{self.lake.database}.{name}" for name in self.lake.tables()]

    def _register(self, table: Table) -> None:
        """One listing table for each place of files, and a view over all of them."""
        schema = arrow_schema(table)
        parts = []
        for number, place in enumerate(table.places):
            self._open_bucket(place.location)
            name = f"{table.name}__{number}"
            self._list(name, table.format, place.location.rstrip("/") + "/", schema)
            keys = "".join(f", '{place.value}' AS {quote(key)}" for key in table.partition_keys)
            parts.append(f"SELECT {column_list(table)}{keys} FROM {quote(name)}")
        if not parts:
            # A table whose partitions are all gone has columns and no rows.
            self._context.register_record_batches(table.name, [[pa.RecordBatch.from_pylist([], schema)]])
            parts = [f"SELECT {column_list(table)}, '' AS {names.PARTITION_KEY} FROM {quote(table.name)}"]
        body = " UNION ALL ".join(parts)
        self._run(f"CREATE VIEW {quote(self.lake.database)}.{quote(table.name)} AS {body}")

    def _list(self, name: str, kind: str, folder: str, schema: pa.Schema) -> None:
        if kind == "json":
            self._context.register_json(
                name, folder, schema=schema, file_extension=".json.gz", file_compression_type="gzip"
            )
        else:
            self._context.register_listing_table(name, folder, schema=schema)

    def _open_bucket(self, location: str) -> None:
        bucket, _ = s3_parts(location)
        if bucket in self._stores:
            return
        store = AmazonS3(
            bucket_name=bucket,
            region=names.REGION,
            access_key_id=self.lake.cloud.access_key,
            secret_access_key=self.lake.cloud.secret_key,
            endpoint=self.lake.cloud.endpoint,
            allow_http=True,
        )
        self._context.register_object_store("s3://", store, bucket)
        self._stores.add(bucket)

    def _run(self, sql: str) -> None:
        self._context.sql(sql).collect()


def arrow_schema(table: Table) -> pa.Schema:
    """The declared schema. A type that the lake never writes is an error, not a guess."""
    unknown = [f"{column.name} {column.type}" for column in table.columns if column.type not in ARROW_TYPES]
    if unknown:
        raise Failure(f"table {table.name} has columns of types that no reader was promised: {', '.join(unknown)}")
    return pa.schema([(column.name, ARROW_TYPES[column.type]) for column in table.columns])


def column_list(table: Table) -> str:
    return ", ".join(quote(column.name) for column in table.columns)


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
