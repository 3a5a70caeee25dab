"""Spark with Hive-style external tables, made from the Glue definitions.

The wheel has no S3: what the partitions point at is copied first, to the same paths below a folder.
"""

import os
import shutil
from pathlib import Path
from typing import Any, Self

from pyspark.sql import SparkSession

from local.cloud import s3_parts
from local.engines import Quoted, Row, java, needs, work_folder
from local.lake import Lake, Table


class Spark:
    name = "Spark"
    quote = Quoted("`")

    def __init__(self, lakes: list[Lake]) -> None:
        home = java.find(needs.SPARK)
        self._folder = work_folder("spark")
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        os.environ.update(java.environment(home) | {"SPARK_LOCAL_IP": "127.0.0.1"})
        self._lakes = lakes
        self._session = session(self._folder)

    def __enter__(self) -> Self:
        for lake in self._lakes:
            self._session.sql(f"CREATE DATABASE {self.quote(lake.database)}")
            for table in lake.tables().values():
                self._make(lake, table)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.stop()

    def rows(self, sql: str) -> list[Row]:
        return [tuple(row) for row in self._session.sql(sql).collect()]

    def every_column(self, table: Table) -> list[Row]:
        """Instants as milliseconds: collected, they would be in the zone of this process."""

        def shown(name: str, kind: str) -> str:
            return f"unix_millis({self.quote(name)})" if kind == "timestamp" else self.quote(name)

        columns = [shown(column.name, column.type) for column in table.columns]
        keys = [self.quote(key) for key in table.partition_keys]
        return self.rows(f"SELECT {', '.join(columns + keys)} FROM {table.database}.{self.quote(table.name)}")

    def _make(self, lake: Lake, table: Table) -> None:
        columns = [f"{self.quote(column.name)} {column.type}" for column in table.columns]
        keys = [f"{self.quote(key)} string" for key in table.partition_keys]
        name = f"{table.database}.{self.quote(table.name)}"
        place = self._folder / "lake" / "tables" / table.database / table.name
        if not table.partition_keys:
            place = self._copy(lake, table.location)
        if table.format == "json":
            # The wheel has no Hive reader of JSON; Spark's own takes its place.
            by = f" PARTITIONED BY ({', '.join(map(self.quote, table.partition_keys))})" if keys else ""
            self._session.sql(
                f"CREATE TABLE {name} ({', '.join(columns + keys)}) USING json"
                f" OPTIONS (timestampFormat 'yyyy-MM-dd HH:mm:ss.SSSSSS'){by} LOCATION '{place}'"
            )
        else:
            by = f" PARTITIONED BY ({', '.join(keys)})" if keys else ""
            self._session.sql(
                f"CREATE EXTERNAL TABLE {name} ({', '.join(columns)}){by} STORED AS PARQUET LOCATION '{place}'"
            )
        for partition in table.partitions:
            self._session.sql(
                f"ALTER TABLE {name} ADD PARTITION ({table.partition_keys[0]} = '{partition.value}')"
                f" LOCATION '{self._copy(lake, partition.location)}'"
            )

    def _copy(self, lake: Lake, location: str) -> Path:
        bucket, prefix = s3_parts(location.rstrip("/") + "/")
        folder = self._folder / "lake" / bucket / prefix
        folder.mkdir(parents=True)
        for item in lake.objects(prefix.removeprefix(lake.folder)):
            (folder / item["Key"].removeprefix(prefix)).write_bytes(lake.read(item["Key"]))
        return folder


def session(folder: Path) -> Any:
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": folder / "warehouse",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder / 'derby'} -Duser.timezone=UTC",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        # A plan of 1,597 columns is not worth compiling.
        "spark.sql.codegen.wholeStage": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").appName("engines").enableHiveSupport()
    for name, value in settings.items():
        builder = builder.config(name, str(value))
    return builder.getOrCreate()
