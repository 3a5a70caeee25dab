"""What the others write of the same events, each day by day with its usual settings, as its documentation advises.

    python -m local.queries.writers NAME DATABASE OUT DATE...

DuckDB reads the lines once, into a database with a column for each property. Each writer gets the rows of a day from
there: how they were read changes nothing about the files. It runs in an environment of its own
(requirements-queries.txt).
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
"""Nested and mixed values are text."""


def read(database: str, types: str, *sources: str) -> None:
    """All events into a table, with the day of each."""
    kinds = {name: TYPES.get(kind, "VARCHAR") for name, kind in json.loads(Path(types).read_text()).items()}
    fields = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    columns = ", ".join(f'properties."{name}" AS {plain(name)}' for name in kinds)
    with connect(database) as connection:
        connection.execute(
            "CREATE TABLE events AS"
            f" SELECT regexp_replace(lower(event), '[^a-z0-9]', '_', 'g') AS mp_event_name, {columns},"
            " strftime(make_timestamp_ms(properties.time), '%Y-%m-%d') AS mp_date"
            f" FROM read_json({list(sources)}, format = 'newline_delimited', compression = 'gzip',"
            f" columns = {{event: 'VARCHAR', properties: 'STRUCT({fields})'}})"
        )


def plain(name: str) -> str:
    """A name that needs no quotes in any engine."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("$", "mp_"))


def connect(database: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(database, config={"memory_limit": "4GB"})


def days(database: str, dates: list[str]) -> Iterator[tuple[str, Any]]:
    """The rows of each day in the order of the lines, as an Arrow table."""
    with connect(database) as connection:
        for date in dates:
            select = f"SELECT * EXCLUDE (mp_date) FROM events WHERE mp_date = '{date}'"
            yield date, connection.execute(select).to_arrow_table()


def write_duckdb(database: str, out: str, dates: list[str]) -> None:
    with connect(database) as connection:
        for date in dates:
            folder = Path(out) / f"mp_date={date}"
            folder.mkdir(parents=True)
            select = f"SELECT * EXCLUDE (mp_date) FROM events WHERE mp_date = '{date}'"
            connection.execute(f"COPY ({select}) TO '{folder / 'data.parquet'}' (FORMAT parquet)")


def write_dlt(database: str, out: str, dates: list[str]) -> None:
    """Arrow tables, which dlt hands to PyArrow's writer: its documentation calls that its quick way."""
    import dlt  # noqa: PLC0415 - a writer imports its own tool and no other

    with TemporaryDirectory() as work:
        for date, rows in days(database, dates):
            folder = Path(out) / f"mp_date={date}"
            lake = dlt.destinations.filesystem(bucket_url=str(Path(work) / "lake" / date))
            pipeline = dlt.pipeline(f"day_{date}", pipelines_dir=work, destination=lake, dataset_name="mixpanel")
            pipeline.run(rows, table_name="events", loader_file_format="parquet").raise_on_failed_jobs()
            folder.mkdir(parents=True)
            for file in (Path(work) / "lake" / date / "mixpanel" / "events").glob("*.parquet"):
                file.rename(folder / file.name)


def write_awswrangler(database: str, out: str, dates: list[str]) -> None:
    """To S3, as it knows nothing else: `out` is a prefix there."""
    import awswrangler as wr  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    for date, rows in days(database, dates):
        frame = rows.to_pandas(types_mapper=pd.ArrowDtype)
        wr.s3.to_parquet(frame.assign(mp_date=date), path=out, dataset=True, partition_cols=["mp_date"], mode="append")


WRITERS: dict[str, Callable[[str, str, list[str]], None]] = {
    "duckdb": write_duckdb,
    "dlt": write_dlt,
    "awswrangler": write_awswrangler,
}


if __name__ == "__main__":
    name, database, *rest = sys.argv[1:]
    if name == "read":
        read(database, *rest)
    else:
        WRITERS[name](database, rest[0], rest[1:])
