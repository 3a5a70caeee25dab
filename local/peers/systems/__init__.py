"""The systems: ours, and one small program for each peer, written as its documentation advises for speed."""

import sys
from dataclasses import dataclass
from pathlib import Path

from local.peers.place import BENCH

OURS = "mixlake"
PLAIN = "arrow_json"
COMPRESSION = "zstd"
"""All of them write it, so that their bytes and times can be compared."""


@dataclass(frozen=True)
class System:
    name: str
    title: str
    divisor: int = 1
    """It gets one event in so many: some would take minutes or gigabytes for all of them."""

    def command(self, source: Path, target: Path, schema: Path, threads: int) -> list[str]:
        if self.name == OURS:
            told = ["--threads", str(threads), "--compression", COMPRESSION]
            return [str(BENCH), "whole", str(source), str(target), *told]
        if self.name == PLAIN:
            return [str(BENCH), "arrow-json", str(source), str(target)]
        program = f"{__name__}.{self.name}"
        return [sys.executable, "-m", program, str(source), str(target), str(schema), str(threads)]


ALL = (
    System(OURS, "Mixlake"),
    System(PLAIN, "plain arrow-json + ArrowWriter"),
    System("duckdb_given", "DuckDB, schema given"),
    System("duckdb_inferred", "DuckDB, schema inferred"),
    System("pyarrow_inferred", "PyArrow, its JSON reader"),
    System("pyarrow_told", "PyArrow, types made one in Python"),
    System("polars_inferred", "Polars, schema inferred"),
    System("polars_given", "Polars, schema given"),
    System("dlt_files", "dlt, filesystem destination"),
    System("pandas_wrangler", "pandas, as awswrangler feeds it", divisor=10),
    System("clickhouse_local", "ClickHouse local, schema given", divisor=10),
)
"""In this order they run and are listed."""
