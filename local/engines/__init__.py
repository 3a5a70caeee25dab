"""Real engines that read the lake through the catalog: Trino, Spark, DuckDB and DataFusion.

Each is a `Reader`: it takes tables, columns and places from Glue and answers SQL. Two judge: Trino,
which Athena is built on, refuses most of what Athena refuses, and Spark refuses what does not fit a
declared type. The other two convert, and are there for their answers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from local import names
from local.lake import Table

HOME = names.HOME / "engines"
LOGS = HOME / "logs"

Row = tuple[Any, ...]


class Reader(Protocol):
    """Something that answers queries on the tables of a lake."""

    name: str

    def rows(self, sql: str) -> list[Row]: ...

    def every_column(self, table: Table) -> list[Row]:
        """All rows with all columns in the catalog's order, and `mp_date` at the end if the table has it."""
        ...


@dataclass(frozen=True)
class Quoted:
    """How an engine writes a name."""

    sign: str

    def __call__(self, name: str) -> str:
        return self.sign + name.replace(self.sign, self.sign * 2) + self.sign

    def listed(self, table: Table) -> str:
        return ", ".join(self(column) for column in [c.name for c in table.columns] + list(table.partition_keys))


def work_folder(name: str) -> Path:
    folder = HOME / "work" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
