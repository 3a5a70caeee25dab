"""DuckDB, with a view for each table that is made of the catalog's columns and places."""

from typing import Self

import duckdb
from duckdb_extensions import import_extension

from local import names
from local.cloud import ACCESS_KEY, SECRET_KEY
from local.engines import Quoted, Row
from local.lake import Lake, Partition, Table

TYPES = {"string": "VARCHAR", "double": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP", "bigint": "BIGINT"}


class Duck:
    name = "DuckDB"
    quote = Quoted('"')

    def __init__(self, lakes: list[Lake]) -> None:
        self._lakes = lakes
        self._connection = duckdb.connect()

    def __enter__(self) -> Self:
        import_extension("httpfs", con=self._connection)
        host = self._lakes[0].cloud.endpoint.removeprefix("http://")
        self._connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{ACCESS_KEY}', SECRET '{SECRET_KEY}', REGION '{names.REGION}',"
            f" ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false)"
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        for lake in self._lakes:
            self._connection.execute(f"CREATE SCHEMA {self.quote(lake.database)}")
            for table in lake.tables().values():
                self._make(table)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, sql: str) -> list[Row]:
        return self._connection.execute(sql).fetchall()

    def every_column(self, table: Table) -> list[Row]:
        return self.rows(f"SELECT {self.quote.listed(table)} FROM {table.database}.{self.quote(table.name)}")

    def _make(self, table: Table) -> None:
        parts = [self._part(table, place) for place in table.places]
        name = f"{self.quote(table.database)}.{self.quote(table.name)}"
        self._connection.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(parts)}")

    def _files(self, table: Table, folder: str) -> str:
        if table.format != "json":
            return f"read_parquet('{folder}/*.parquet', union_by_name = true)"
        columns = ", ".join(f"{self.quote(c.name)}: '{TYPES[c.type]}'" for c in table.columns)
        return f"read_json('{folder}/*.json.gz', format = 'newline_delimited', columns = {{{columns}}})"

    def _part(self, table: Table, place: Partition) -> str:
        """The files of a place by name; a column that none of them has is null."""
        files = self._files(table, place.location.rstrip("/"))
        there = {row[0] for row in self.rows(f"DESCRIBE SELECT * FROM {files}")}

        def column(name: str, kind: str) -> str:
            value = self.quote(name) if name in there else "NULL"
            return f"CAST({value} AS {TYPES[kind]}) AS {self.quote(name)}"

        columns = [column(c.name, c.type) for c in table.columns]
        keys = [f"'{place.value}' AS {self.quote(key)}" for key in table.partition_keys]
        return f"SELECT {', '.join(columns + keys)} FROM {files}"
