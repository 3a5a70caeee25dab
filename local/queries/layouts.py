"""What queries read of a day in one file, with row groups of several sizes, sorted by event and time.

    python -m local.queries.layouts [--rows N]

PyArrow writes the files, so this is about the layout and not about our pages. A row group ends where an event ends,
once it has so many rows. The engines and the questions are those of `make bench-queries`.
"""

import argparse
import sys
from itertools import accumulate, groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from local.engines.trino import Trino
from local.failure import exit_code
from local.lake import Lake
from local.peers.__main__ import number
from local.peers.report import table
from local.process import end_on_signals
from local.queries import BUCKET, COMPRESSION, HOME, WORK, cells, others, ours
from local.queries.engines import DuckReader, TrinoReader
from local.queries.events import Events
from local.queries.files import ASKED, OTHER, File, Files
from local.queries.questions import EVENT, PERSON, questions
from local.queries.traffic import CountingStack

LEAST = (9_000, 17_000, 28_000, 65_536, 1 << 62)
PLAIN = ("time", "distinct_id", "mp_insert_id")
"""Columns of which most values differ get no dictionary."""

HEADER = ("rows, at least", "row groups", "footer", "question", "engine", "bytes read", "column chunks", "cells alone")


def show(rows: int) -> None:
    events = Events(rows, 1)
    events.make()
    lake = WORK / events.folder.name / ours.HOURLY
    if not lake.is_dir():
        ours.whole(lake, lambda part: ours.export(events, part))
    asked = [question for question in questions(events, lake) if question.name in (EVENT, PERSON)]
    day, lines = day_of(lake), []
    with CountingStack(HOME / "layouts") as cloud, Trino(cloud) as trino:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        for least in LEAST:
            body = written(day, least)
            file, published = File.of(body), publish(cloud, f"least_{least}", events.dates[0], body)
            for question in asked:
                for engine in (TrinoReader(cloud, trino), DuckReader(cloud)):
                    answer, requests = engine.ask(published, question)
                    parts = Files(published).read(requests, question.columns)
                    sizes = (parts.total(), parts[ASKED] + parts[OTHER], cells.alone(question.columns, answer))
                    counts = [f"{count:,}" for count in (min(least, rows), file.row_groups, file.footer())]
                    lines.append([*counts, question.name, engine.name, *(f"{size:,}" for size in sizes)])
    print(table(HEADER, *lines))


def day_of(lake: Path) -> pa.Table:
    files = sorted(lake.rglob("*.parquet"))
    schema = pa.unify_schemas([pq.read_schema(file) for file in files])
    return ds.dataset(files, schema=schema).to_table().sort_by([("mp_event_name", "ascending"), ("time", "ascending")])


def written(day: pa.Table, least: int) -> bytes:
    out = pa.BufferOutputStream()
    dictionaries = [name for name in day.column_names if name not in PLAIN]
    start = 0
    with pq.ParquetWriter(
        out,
        day.schema,
        compression=COMPRESSION,
        write_page_index=True,
        use_dictionary=dictionaries,
        bloom_filter_options={"distinct_id": True},
    ) as writer:
        for end in ends(day.column("mp_event_name").to_pylist(), least):
            writer.write_table(day.slice(start, end - start), row_group_size=end - start)
            start = end
    return out.getvalue().to_pybytes()


def ends(names: list[str], least: int) -> list[int]:
    """Where row groups end: behind an event, once there are so many rows."""
    found, start = [], 0
    for end in accumulate(len(list(rows)) for _, rows in groupby(names)):
        if end - start >= least:
            found.append(end)
            start = end
    return found if start == len(names) else [*found, len(names)]


def publish(cloud: CountingStack, name: str, date: str, body: bytes) -> Lake:
    folder = f"{name}/events/"
    cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{folder}mp_date={date}/data.parquet", Body=body)
    lake = Lake(cloud, BUCKET, folder, name)
    others.register(lake, name)
    return lake


def main() -> int:
    end_on_signals()
    parser = argparse.ArgumentParser("python -m local.queries.layouts")
    parser.add_argument("--rows", type=number, default=300_000)
    wish = parser.parse_args()
    return exit_code(lambda: show(wish.rows))


if __name__ == "__main__":
    sys.exit(main())
