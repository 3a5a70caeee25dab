"""DataFusion: the engine of the demo, as one of many."""

import re
from typing import Self

from local.engines import Quoted, Row
from local.failure import Failure
from local.lake import Lake, Table
from local.query import Engine


class Fusion:
    name = "DataFusion"
    quote = Quoted('"')

    def __init__(self, lakes: list[Lake]) -> None:
        self._lakes = lakes
        self._engines: dict[str, Engine] = {}

    def __enter__(self) -> Self:
        self._engines = {lake.database: Engine(lake) for lake in self._lakes}
        return self

    def __exit__(self, *_: object) -> None:
        self._engines = {}

    def rows(self, sql: str) -> list[Row]:
        """Each database is a session of its own."""
        named = re.search(r"\bFROM (\w+)\.", sql)
        if named is None:
            raise Failure(f"the query names no database: {sql}")
        return list(self._engines[named[1]].query(sql).rows)

    def every_column(self, table: Table) -> list[Row]:
        return self.rows(f"SELECT {self.quote.listed(table)} FROM {table.database}.{self.quote(table.name)}")
