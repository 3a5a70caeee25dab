"""Looks for the values of the input in the output of any system, and counts what a query of it reads."""

import datetime as dt
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from datafusion import SessionConfig, SessionContext

from local.peers.systems import quoted

KEPT, TEXT, QUOTED, CHANGED, LOST = "kept", "became text", "became JSON text", "changed", "lost"
"""What can become of a value. Kept is the same value in the same type; for a nested one also its JSON as text. A number
or a boolean may become text, and a text may get quotes and escapes.
"""

INSERT_ID, EVENT = "$insert_id", ("event", "mp_event_name")
OVERFLOW = "mp_properties"
"""Ours: the JSON of properties past the limit of columns."""

VARIANTS = (
    *("", "_string", "_number", "_boolean"),  # ours
    *("_v_text", "_v_bigint", "_v_double", "_v_bool", "_v_json", "_v_decimal", "_v_timestamp"),  # dlt's
)
"""What is put behind the name of a property that comes in several types, one column for each."""


class Columns:
    """The columns of a file, found by the names of properties."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_plain_name: dict[str, list[str]] = {}
        for name in names:
            self._by_plain_name.setdefault(plain(name), []).append(name)

    def named(self, *names: str) -> list[str]:
        return [column for name in names for column in self._by_plain_name.get(name, [])]

    def of_property(self, name: str) -> list[str]:
        """Mostly one; several where types have columns of their own; none if it was dropped."""
        stems = [plain(name), f"mp_{plain(name)}"] if name.startswith("$") else [plain(name)]
        return self.named(*(stem + variant for stem in stems for variant in VARIANTS))


def plain(name: str) -> str:
    """What all ways to clean a name have in common: `Total Price` and `total_price` are one."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def check(events: Iterable[dict], output: Path) -> dict[str, Any]:
    """Compares each property of some events with the cells of its columns."""
    # In all folders of a system; dlt keeps books of its own beside them.
    files = [file for file in output.rglob("*.parquet") if file.is_file() and "/_dlt_" not in str(file)]
    schema = pa.unify_schemas([pq.read_schema(file) for file in files], promote_options="permissive")
    written, columns = ds.dataset(files, schema=schema), Columns(schema.names)
    (key,) = columns.of_property(INSERT_ID)
    sample = {event["properties"][INSERT_ID]: event for event in events}
    outcomes = Counter(
        judged(value, cells)
        for event, row in paired(sample, written, key)
        for value, cells in looked_up(event, row, columns)
    )
    size = {"columns": len(schema), "bytes": sum(file.stat().st_size for file in files)}
    return size | {"rows": written.count_rows(), "events": len(sample), "outcomes": outcomes}


def paired(sample: dict[str, dict], written: ds.Dataset, key: str) -> Iterator[tuple[dict, dict]]:
    """Each event with its row; one without a row gets an empty one."""
    missing = dict(sample)
    is_wanted = ds.field(key).cast(pa.string()).isin(list(sample))
    # In pieces: all of a wide file at once is gigabytes.
    for batch in written.to_batches(filter=is_wanted, batch_size=8_192):
        for row in batch.to_pylist():
            if event := missing.pop(str(row[key]), None):
                yield event, row
    yield from ((event, {}) for event in missing.values())


def looked_up(event: dict, row: dict, columns: Columns) -> Iterator[tuple[Any, list]]:
    """Each value of an event with the cells that may hold it."""
    names = [row.get(column) for column in columns.named(*EVENT)]
    # A cleaned event name maps back to one event name, through the registry.
    yield event["event"], [event["event"] if name == plain(event["event"]) else name for name in names]
    overflow = {key: v for column in columns.named(OVERFLOW) for key, v in json.loads(row.get(column) or "{}").items()}
    for key, value in event["properties"].items():
        yield value, [*(row.get(column) for column in columns.of_property(key)), overflow.get(key)]


def judged(value: Any, cells: list) -> str:
    full = [cell for cell in cells if cell is not None]
    if not full:
        return KEPT if value is None else LOST
    if any(same(value, cell) for cell in full):
        return KEPT
    if any(same(value, inner) for cell in full for inner in parsed(cell)):
        return KEPT if isinstance(value, dict | list) else QUOTED if isinstance(value, str) else TEXT
    return CHANGED


def parsed(cell: Any) -> list:
    """What a text means as JSON, if anything."""
    try:
        return [json.loads(cell)] if isinstance(cell, str) else []
    except ValueError:
        return []


def same(value: Any, cell: Any) -> bool:
    """The same value in the same type; numbers are one type, and an instant is its milliseconds."""
    if isinstance(value, dict):
        # A struct has a field for each key that any row has.
        there = {key: inner for key, inner in cell.items() if inner is not None} if isinstance(cell, dict) else None
        return there is not None and there.keys() == value.keys() and all(same(value[k], there[k]) for k in value)
    if isinstance(value, list):
        return isinstance(cell, list) and len(cell) == len(value) and all(map(same, value, cell))
    if isinstance(cell, dt.datetime):
        utc = cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)
        instant = (utc - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(milliseconds=1)
        return is_number(value) and value in (instant, instant / 1_000)
    if is_number(value):
        return is_number(cell) and not math.isnan(cell) and cell == value
    return type(value) is type(cell) and cell == value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def query(output: Path) -> dict[str, int]:
    """The bytes that a query for one event name reads, and the rows that it answers.

    DataFusion is the reader: it leaves out row groups by their statistics and pages by the page index, and says how
    many bytes of pages it asked for. The event is neither the most frequent nor the rarest. The columns are its name,
    time and person, and three that not all events have, from the middle of the alphabet.
    """
    # One partition: two would count a page at their border twice.
    session = SessionContext(SessionConfig().with_target_partitions(1))
    session.register_parquet("events", str(output))
    names = session.table("events").schema().names
    quote = partial(quoted, sign='"')
    counts = f"SELECT {', '.join(f'count({quote(name)}) AS {quote(name)}' for name in names)} FROM events"
    (key,) = Columns(names).named(*EVENT)
    # DataFusion takes the order within row groups for that of the file: its GROUP BY would split names.
    counted = Counter(pq.read_table(output, columns=[key]).column(key).to_pylist())
    name = sorted(counted, key=lambda name: (counted[name], name))[len(counted) // 2]
    where = f"WHERE {quote(key)} = '{name}'"
    all_events, its = (session.sql(f"{counts} {only}").to_pydict() for only in ("", where))
    own = sorted(name for name in names if its[name][0] and all_events[name][0] < all_events[key][0])
    middle = own[max(0, len(own) // 2 - 1) : len(own) // 2 + 2]
    chosen = ", ".join(map(quote, [key, "time", "distinct_id", *middle]))
    plan = session.sql(f"SELECT {chosen} FROM events {where}").execution_plan()
    rows = sum(batch.to_pyarrow().num_rows for batch in session.execute(plan, 0))
    scanned = [metrics.sum_by_name("bytes_scanned") for _, metrics in plan.collect_metrics() if metrics]
    return {"rows": rows, "bytes": sum(filter(None, scanned))}
