"""What queries read of the lake: bytes and requests, counted inside of the stand-in of S3.

`make bench-queries` writes 30 days of generated events: hourly and compacted by Mixlake, and as DuckDB, dlt and
awswrangler write them. Trino and DuckDB answer the same questions on each, through the catalog. The stand-in writes
down each request to S3, so what an engine reads is known to the byte, and so is the part of the file that it read.
"""

from local import names

RELEASE = names.target_folder() / "release"
BENCH, COMMAND_LINE = RELEASE / "mixlake-bench", RELEASE / names.COMMAND_LINE

HOME = names.HOME / "queries"
DATA, LOGS, WORK = HOME / "data", HOME / "logs", HOME / "work"
PEERS_PYTHON = names.HOME / "queries" / "venv" / "bin" / "python"

BUCKET = "lake"
COMPRESSION = "snappy"
"""The usual one of Mixlake and of each of the others."""

LAST_DAY = "2026-11-10"
"""Of the generated events."""
