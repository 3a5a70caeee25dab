"""DataFusion: the engine of the demo, as one of many."""

from typing import Self

from local.engines import Quoted, Row
from local.lake import Lake, Table
from local.query import Engine


class Fusion:
    name = "DataFusion"
    quote = Quoted('"')

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def __enter__(self) -> Self:
        self._engine = Engine(self._lake)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def rows(self, sql: str) -> list[Row]:
        return list(self._engine.query(sql).rows)

    def every_column(self, table: Table) -> list[Row]:
        return self.rows(f"SELECT {self.quote.listed(table)} FROM {table.database}.{self.quote(table.name)}")
