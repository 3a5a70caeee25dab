"""What the cells of an answer take by themselves: written alone, into a Parquet file of their own."""

import io
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from local.engines import Row
from local.queries import COMPRESSION


def alone(columns: Sequence[str], rows: list[Row]) -> int:
    """The bytes of the column chunks, without the footer; of each column the smaller of two encodings."""
    ordered = sorted(rows, key=lambda row: row[columns.index("time")])
    arrays = [array([row[number] for row in ordered]) for number in range(len(columns))]
    table = pa.table(arrays, names=list(columns))
    sizes = [chunk_sizes(table, use_dictionary=use) for use in (True, False)]
    return sum(map(min, zip(*sizes, strict=True)))


def array(values: list) -> pa.Array:
    is_time = any(isinstance(value, datetime) for value in values)
    return pa.array(values, pa.timestamp("ms") if is_time else None)


def chunk_sizes(table: pa.Table, *, use_dictionary: bool) -> list[int]:
    out = io.BytesIO()
    pq.write_table(table, out, compression=COMPRESSION, use_dictionary=use_dictionary)
    metadata = pq.read_metadata(io.BytesIO(out.getvalue()))
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    return [sum(group.column(n).total_compressed_size for group in groups) for n in range(metadata.num_columns)]
