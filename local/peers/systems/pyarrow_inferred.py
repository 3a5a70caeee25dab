"""PyArrow with its own JSON reader, which wants one type for each property."""

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import json

from local.peers.systems.task import task


def main() -> None:
    told = task()
    pa.set_cpu_count(told.threads)
    table = json.read_json(told.source, read_options=json.ReadOptions(use_threads=told.threads > 1))
    properties = table.column("properties").combine_chunks()
    columns = [table.column("event"), *properties.flatten()]
    names = ["event", *(field.name for field in properties.type)]
    pq.write_table(pa.table(columns, names=names), told.target, compression="zstd")


if __name__ == "__main__":
    main()
