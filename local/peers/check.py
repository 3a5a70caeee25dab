"""Looks for every value of the input in the output, knowing nothing of the system: python -m local.peers.check IN OUT

It takes events spread evenly over the input, finds each one's row by `$insert_id`, and compares each property with
the cells of its columns. Prints one line of JSON. A process of its own: readers of Parquet are large.
"""

import datetime as dt
import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from local.peers import columns, data
from local.peers.columns import INSERT_ID, Columns, plain
from local.peers.outcomes import CHANGED, KEPT, LOST, QUOTED, SAMPLE, TEXT

ABSENT = object()


def main(source: Path, output: Path) -> None:
    files = columns.files(output)
    written = sum(pq.read_metadata(file).num_rows for file in files)
    sample = sampled(source)
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for event, row in paired(sample, files):
        for name, value, cells in looked_up(event, row):
            outcome = judged(value, cells)
            counts[outcome] += 1
            if outcome != KEPT:
                examples.setdefault(outcome, f"{name}: {json.dumps(value, ensure_ascii=False)} -> {cells!r}"[:200])
    wide = len({name for file in files for name in pq.read_schema(file).names})
    result = {"rows": written, "columns": wide, "bytes": sum(file.stat().st_size for file in files)}
    print(json.dumps(result | {"events": len(sample), "outcomes": counts, "examples": examples}, ensure_ascii=False))


def sampled(source: Path) -> dict[str, dict]:
    """Events by their `$insert_id`."""
    with gzip.open(source, "rb") as lines:
        rows = sum(1 for _ in lines)
    chosen = data.read(source, one_in=max(1, rows // SAMPLE))
    return {event["properties"][INSERT_ID]: event for event in chosen}


def paired(sample: dict[str, dict], files: list[Path]) -> Iterator[tuple[dict, dict]]:
    """Each event with its row; one without a row gets an empty one."""
    missing = dict(sample)
    for file in files:
        for row, identifier in rows_of(file, pa.array(sample)):
            if event := missing.pop(identifier, None):
                yield event, row
    for event in missing.values():
        yield event, {}


def rows_of(file: Path, wanted: pa.Array) -> Iterator[tuple[dict, str]]:
    """The wanted rows of a file. In pieces: all of a wide file at once is gigabytes."""
    parquet = pq.ParquetFile(file)
    (key,) = Columns(parquet.schema_arrow.names).of_property(INSERT_ID)
    for batch in parquet.iter_batches(batch_size=8_192):
        identifiers = batch.column(key).cast(pa.string())
        mask = pc.is_in(identifiers, value_set=wanted)
        picked = batch.filter(mask)
        yield from zip(picked.to_pylist(), identifiers.filter(mask).to_pylist(), strict=True)


def looked_up(event: dict, row: dict) -> Iterator[tuple[str, Any, list]]:
    """Each value of an event with the cells that may hold it."""
    found = Columns(row)
    yield "event", event["event"], [original(row[c], event["event"]) for c in found.of_event_name()]
    overflow = {}
    for column in found.overflow():
        overflow |= json.loads(row[column] or "{}")
    for name, value in event["properties"].items():
        cells = [row[column] for column in found.of_property(name)]
        yield name, value, [*cells, *([overflow[name]] if name in overflow else [])]


def original(cell: Any, name: str) -> Any:
    """A cleaned event name maps back to one event name, through the registry."""
    return name if isinstance(cell, str) and cell == plain(name) else cell


def judged(value: Any, cells: list) -> str:
    full = [cell for cell in cells if cell is not None]
    if not full:
        return KEPT if value is None else LOST
    if any(same(value, cell) for cell in full):
        return KEPT
    if any(same(value, parsed(cell)) for cell in full):
        return KEPT if isinstance(value, dict | list) else QUOTED if isinstance(value, str) else TEXT
    return CHANGED


def parsed(cell: Any) -> Any:
    """What a text means as JSON."""
    try:
        return json.loads(cell) if isinstance(cell, str) else ABSENT
    except ValueError:
        return ABSENT


def same(value: Any, cell: Any) -> bool:
    """The same value in the same type; numbers are one type, and an instant is its milliseconds."""
    if isinstance(value, dict):
        # A struct has a field for each key that any row has.
        there = {key: inner for key, inner in cell.items() if inner is not None} if isinstance(cell, dict) else None
        return there is not None and there.keys() == value.keys() and all(same(value[k], there[k]) for k in value)
    if isinstance(value, list):
        return isinstance(cell, list) and len(cell) == len(value) and all(map(same, value, cell))
    if isinstance(cell, dt.datetime):
        return is_number(value) and value in (instant(cell), instant(cell) / 1_000)
    if is_number(value):
        return is_number(cell) and not math.isnan(cell) and cell == value
    return type(value) is type(cell) and cell == value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def instant(cell: dt.datetime) -> float:
    utc = cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)
    return (utc - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(milliseconds=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
