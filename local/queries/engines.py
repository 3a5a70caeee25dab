"""The engines that answer: each takes the places of the files from the catalog."""

from typing import Protocol

import duckdb
from duckdb_extensions import import_extension

from local import names
from local.cloud import ACCESS_KEY, SECRET_KEY
from local.engines import Row
from local.engines.trino import Trino
from local.lake import Lake
from local.queries.questions import Question
from local.queries.traffic import CountingStack, Request


class Engine(Protocol):
    name: str

    def ask(self, lake: Lake, question: Question) -> tuple[list[Row], list[Request]]: ...


class TrinoReader:
    """Trino's Hive connector, as it is without settings."""

    name = "Trino"

    def __init__(self, cloud: CountingStack, trino: Trino) -> None:
        self._cloud, self._trino = cloud, trino

    def ask(self, lake: Lake, question: Question) -> tuple[list[Row], list[Request]]:
        sql = question.sql(f"{lake.database}.{names.MASTER_TABLE}", dated=True)
        return self._cloud.watch(lambda: self._trino.rows(sql))


class DuckReader:
    """A new DuckDB for each question, as it keeps what it has read.

    The catalog gives the folders of the days asked for.
    """

    name = "DuckDB"

    def __init__(self, cloud: CountingStack) -> None:
        self._cloud = cloud

    def ask(self, lake: Lake, question: Question) -> tuple[list[Row], list[Request]]:
        partitions = lake.tables()[names.MASTER_TABLE].partitions
        wanted = [p.location.rstrip("/") for p in partitions if p.value in question.dates]
        files = ", ".join(f"'{folder}/*.parquet'" for folder in wanted)
        with duckdb.connect() as connection:
            import_extension("httpfs", con=connection)
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"CREATE SECRET (TYPE s3, KEY_ID '{ACCESS_KEY}', SECRET '{SECRET_KEY}', REGION '{names.REGION}',"
                f" ENDPOINT '{self._cloud.endpoint.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false)"
            )
            sql = question.sql(f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)", dated=False)
            return self._cloud.watch(lambda: connection.execute(sql).fetchall())
