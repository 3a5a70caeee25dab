"""The systems: command lines of ours, and for each peer a function, written as its documentation advises for speed.

    python -m local.peers.systems NAME IN OUT SCHEMA THREADS

A function imports its own tool and no other, because the start and the memory of the process count.
"""

import gzip
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.peers import BENCH

OURS, PLAIN = "mixlake", "arrow_json"
COMPRESSION = "zstd"
"""All of them write it, so that their bytes and times can be compared."""

WHOLE = (str(BENCH), "whole", "{source}", "{target}", "--threads", "{threads}", "--compression", COMPRESSION)
PEER = (sys.executable, "-m", "local.peers.systems", "{name}", "{source}", "{target}", "{schema}", "{threads}")

KINDS = ("string", "integer", "number", "boolean", "nested", "mixed")
"""The types of properties; `mixed` has no common one, and becomes text."""


@dataclass(frozen=True)
class Task:
    """What a peer is told."""

    source: str
    target: str
    schema: str
    threads: int

    def types(self, *types: Any) -> dict[str, Any]:
        """The type of each property in words of a tool, which come in the order of KINDS."""
        kinds = json.loads(Path(self.schema).read_text())
        return {name: types[KINDS.index(kind)] for name, kind in kinds.items()}

    def loose(self) -> list[str]:
        """The properties whose values have no common type."""
        return [name for name, kind in self.types(*KINDS).items() if kind in {"mixed", "nested"}]

    def batches(self, rows: int) -> Iterator[list[dict[str, Any]]]:
        """The events as Python objects, for tools that have no JSON reader for such data."""
        import orjson

        with gzip.open(self.source, "rb") as lines:
            while batch := [orjson.loads(line) for line in islice(lines, rows)]:
                yield batch


Peer = Callable[[Task], None]


@dataclass(frozen=True)
class System:
    name: str
    title: str
    template: tuple[str, ...] = PEER
    divisor: int = 1
    """It gets a file of so many times fewer events: some would take minutes or gigabytes for all of them."""

    def command(self, **told: Any) -> list[str]:
        return [word.format(name=self.name, **told) for word in self.template]


ALL = [
    System(OURS, "Mixlake", WHOLE),
    System(PLAIN, "plain arrow-json + ArrowWriter", (str(BENCH), "arrow-json", "{source}", "{target}")),
]
"""In this order they run and are listed; ours is the first on each file."""


def peer(title: str, divisor: int = 1) -> Callable[[Peer], Peer]:
    def add(run: Peer) -> Peer:
        ALL.append(System(run.__name__, title, divisor=divisor))
        return run

    return add


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """One column for each property."""
    return {"event": event["event"], **event["properties"]}


def as_text(value: Any) -> str | None:
    """A value for a column of text: text stays, anything else becomes its JSON."""
    import orjson

    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def quoted(text: str, sign: str = "'") -> str:
    return sign + text.replace(sign, sign * 2) + sign


@peer("DuckDB, schema given")
def duckdb_given(told: Task) -> None:
    types = told.types("VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "JSON", "VARCHAR")
    fields = ", ".join(quoted(name, '"') + f" {kind}" for name, kind in types.items())
    duckdb_copy(told, f"columns = {{event: 'VARCHAR', properties: {quoted(f'STRUCT({fields})')}}}")


@peer("DuckDB, schema inferred")
def duckdb_inferred(told: Task) -> None:
    """Its sample is the whole file: left at 20,480 rows, it would drop a property that is rarer than that in silence.
    Left alone, wide objects become a MAP and rare fields JSON; columns are the task.
    """
    duckdb_copy(told, "sample_size = -1, map_inference_threshold = -1, field_appearance_threshold = 0")


def duckdb_copy(told: Task, how: str) -> None:
    import duckdb

    source = f"read_json({quoted(told.source)}, format = 'newline_delimited', compression = 'gzip', {how})"
    target = f"{quoted(told.target)} (FORMAT parquet, COMPRESSION zstd)"
    database = duckdb.connect(config={"threads": told.threads, "preserve_insertion_order": False})
    database.execute(f"COPY (SELECT event, properties.* FROM {source}) TO {target}")


@peer("PyArrow, its JSON reader")
def pyarrow_inferred(told: Task) -> None:
    """The reader wants one type for each property."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import json as reader

    pa.set_cpu_count(told.threads)
    table = reader.read_json(told.source, read_options=reader.ReadOptions(use_threads=told.threads > 1))
    properties = table.column("properties").combine_chunks()
    names = ["event", *(field.name for field in properties.type)]
    table = pa.table([table.column("event"), *properties.flatten()], names=names)
    pq.write_table(table, told.target, compression="zstd")


@peer("PyArrow, types made one in Python")
def pyarrow_told(told: Task) -> None:
    """Python makes each property one type, then PyArrow reads with a declared schema. This is more than twice as
    quick as making arrays from Python objects, which touches each column of each row.
    """
    import orjson
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import json as reader

    pa.set_cpu_count(told.threads)
    types = told.types(pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.string())
    # A declared column that no row of a batch has comes out as nulls, in the declared order.
    schema, loose = pa.schema({"event": pa.string()} | types), set(told.loose())
    parse = reader.ParseOptions(explicit_schema=schema)
    read = reader.ReadOptions(use_threads=told.threads > 1, block_size=8 << 20)
    with pq.ParquetWriter(told.target, schema, compression="zstd") as writer:
        for batch in told.batches(65_536):
            rows = ({name: as_text(v) if name in loose else v for name, v in flat(event).items()} for event in batch)
            lines = io.BytesIO(b"\n".join(map(orjson.dumps, rows)))
            writer.write_table(reader.read_json(lines, read_options=read, parse_options=parse))


@peer("Polars, schema inferred")
def polars_inferred(told: Task) -> None:
    """From the whole file: from its first rows it would miss properties."""
    polars_sink(told, lambda _: {"infer_schema_length": None})


@peer("Polars, schema given")
def polars_given(told: Task) -> None:
    def schema(pl: Any) -> dict[str, Any]:
        types = told.types(pl.String, pl.Int64, pl.Float64, pl.Boolean, pl.String, pl.String)
        return {"schema": {"event": pl.String, "properties": pl.Struct(types)}}

    polars_sink(told, schema)


def polars_sink(told: Task, how: Callable[[Any], dict[str, Any]]) -> None:
    os.environ["POLARS_MAX_THREADS"] = str(told.threads)  # the import reads it
    import polars as pl

    events = pl.scan_ndjson(told.source, **how(pl)).select("event", pl.col("properties").struct.unnest())
    events.sink_parquet(told.target, compression="zstd")


@peer("dlt, filesystem destination")
def dlt_files(told: Task) -> None:
    """Nested values stay in the row (`max_table_nesting=0`): one flat table is the task. Its quick way, Arrow tables
    instead of rows, needs a reader that takes mixed types. Its usual buffer of 5,000 rows is quicker than larger ones.
    """
    workers = {f"{stage}__WORKERS": str(told.threads) for stage in ("EXTRACT", "NORMALIZE", "LOAD")}
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    os.environ.update(workers | quiet | {"DATA_WRITER__COMPRESSION": "zstd"})  # the import reads them
    import dlt

    events = ([flat(event) for event in batch] for batch in told.batches(10_000))
    resource = dlt.resource(events, name="events", max_table_nesting=0, write_disposition="append")
    with TemporaryDirectory() as work:
        lake = dlt.destinations.filesystem(bucket_url=told.target)
        pipeline = dlt.pipeline("peers", pipelines_dir=work, destination=lake, dataset_name="mixpanel")
        pipeline.run(resource, loader_file_format="parquet").raise_on_failed_jobs()


ALL.append(System(OURS, "Mixlake, on as many events", WHOLE, divisor=10))


@peer("pandas, as awswrangler feeds it", divisor=10)
def pandas_wrangler(told: Task) -> None:
    """`json_normalize`, one type for each column, `to_parquet` (PyArrow's writer)."""
    import pandas as pd
    import pyarrow as pa

    pa.set_cpu_count(told.threads)
    frame = pd.json_normalize([event for batch in told.batches(100_000) for event in batch], max_level=1)
    frame.columns = [name.removeprefix("properties.") for name in frame.columns]
    # Both writers refuse columns of several types.
    loose = told.loose()
    frame[loose] = frame[loose].map(as_text, na_action="ignore")
    frame.to_parquet(told.target, compression="zstd", index=False)


@peer("ClickHouse local, schema given", divisor=10)
def clickhouse_local(told: Task) -> None:
    """From its Python package. Its inference takes several times as long."""
    import chdb

    def escaped(text: str, sign: str = "'") -> str:
        return quoted(text.replace("\\", "\\\\"), sign)

    types = told.types("String", "Int64", "Float64", "Bool", "String", "String")
    fields = {escaped(name, "`"): kind for name, kind in types.items()}
    properties = ", ".join(f"{field} Nullable({kind})" for field, kind in fields.items())
    columns = ", ".join(f"properties.{field} AS {field}" for field in fields)
    structure = escaped(f"event String, properties Tuple({properties})")
    texts = ", ".join(f"input_format_json_read_{kind}_as_strings = 1" for kind in ("objects", "numbers", "bools"))
    chdb.query(
        f"SELECT event, {columns} FROM file({escaped(told.source)}, JSONEachRow, {structure}, 'gzip')"
        f" INTO OUTFILE {escaped(told.target)} FORMAT Parquet SETTINGS max_threads = {told.threads}, {texts},"
        f" input_format_parallel_parsing = {int(told.threads > 1)},"
        " input_format_json_defaults_for_missing_elements_in_named_tuple = 1,"
        " output_format_parquet_compression_method = 'zstd'"
    )


if __name__ == "__main__":
    name, source, target, schema, threads = sys.argv[1:]
    globals()[name](Task(source, target, schema, int(threads)))
