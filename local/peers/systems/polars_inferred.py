"""Polars that finds the schema itself, from the whole file: from its first rows it would miss properties."""

import os

from local.peers.systems.task import task

told = task()
os.environ["POLARS_MAX_THREADS"] = str(told.threads)

import polars as pl  # noqa: E402 - reads the number of threads when it is imported


def main() -> None:
    events = pl.scan_ndjson(told.source, infer_schema_length=None)
    flat = events.select("event", pl.col("properties").struct.unnest())
    flat.sink_parquet(told.target, compression="zstd")


if __name__ == "__main__":
    main()
