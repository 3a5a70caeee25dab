"""Polars that is told the schema and streams. A property of several types is told to be text."""

import os

from local.peers.systems.task import task

told = task()
os.environ["POLARS_MAX_THREADS"] = str(told.threads)

import polars as pl  # noqa: E402 - reads the number of threads when it is imported

TYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "nested": pl.String,
    "mixed": pl.String,
}


def main() -> None:
    properties = pl.Struct({name: TYPES[kind] for name, kind in told.schema().items()})
    events = pl.scan_ndjson(told.source, schema={"event": pl.String, "properties": properties})
    flat = events.select("event", pl.col("properties").struct.unnest())
    flat.sink_parquet(told.target, compression="zstd")


if __name__ == "__main__":
    main()
