"""DuckDB that finds the schema itself.

It looks at a sample first; left at 20,480 rows, a property that is rarer than that would be dropped in silence, so the
sample is the whole file. Left alone, wide objects become a MAP and rare fields JSON; columns are the task.
"""

import duckdb

from local.peers.systems.task import task

SQL = """
COPY (
    SELECT event, properties.*
    FROM read_json(
        $source, format = 'newline_delimited', compression = 'gzip', sample_size = -1,
        map_inference_threshold = -1, field_appearance_threshold = 0
    )
) TO {target} (FORMAT parquet, COMPRESSION zstd)
"""


def main() -> None:
    told = task()
    database = duckdb.connect(config={"threads": told.threads, "preserve_insertion_order": False})
    database.execute(SQL.format(target=literal(str(told.target))), {"source": str(told.source)})


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    main()
