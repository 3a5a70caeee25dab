"""dlt: a resource of events into the filesystem destination, as Parquet.

Nested values stay in the row (`max_table_nesting=0`): one flat table is the task. Its quick way, Arrow tables instead
of rows, needs a reader that takes mixed types. Its usual buffer of 5,000 rows is quicker than larger ones.
"""

import os
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from local.peers.systems.task import flat, task

told = task()
os.environ.update(
    {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DATA_WRITER__COMPRESSION": "zstd",
        "EXTRACT__WORKERS": str(told.threads),
        "NORMALIZE__WORKERS": str(told.threads),
        "LOAD__WORKERS": str(told.threads),
    }
)

import dlt  # noqa: E402 - reads its settings from the environment


@dlt.resource(name="events", max_table_nesting=0, write_disposition="append")
def events() -> Iterator[list[dict[str, Any]]]:
    for batch in told.batches(10_000):
        yield [flat(event) for event in batch]


def main() -> None:
    with TemporaryDirectory() as work:
        lake = dlt.destinations.filesystem(bucket_url=str(told.target))
        pipeline = dlt.pipeline("peers", pipelines_dir=work, destination=lake, dataset_name="mixpanel")
        pipeline.run(events(), loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
