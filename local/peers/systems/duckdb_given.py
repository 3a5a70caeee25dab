"""DuckDB that is told the schema: one pass. A property of several types is told to be text."""

import duckdb

from local.peers.systems.duckdb_inferred import literal
from local.peers.systems.task import task

TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "nested": "JSON",
    "mixed": "VARCHAR",
}

SQL = """
COPY (
    SELECT event, properties.*
    FROM read_json({source}, format = 'newline_delimited', compression = 'gzip', columns = {columns})
) TO {target} (FORMAT parquet, COMPRESSION zstd)
"""


def main() -> None:
    told = task()
    fields = ", ".join(f"{quote(name)} {TYPES[kind]}" for name, kind in told.schema().items())
    columns = f"{{event: 'VARCHAR', properties: {literal(f'STRUCT({fields})')}}}"
    database = duckdb.connect(config={"threads": told.threads, "preserve_insertion_order": False})
    places = {"source": literal(str(told.source)), "target": literal(str(told.target))}
    database.execute(SQL.format(columns=columns, **places))


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


if __name__ == "__main__":
    main()
