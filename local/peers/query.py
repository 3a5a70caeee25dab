"""Counts the bytes that a query for one event name reads: python -m local.peers.query IN OUT

DataFusion is the reader: it leaves out row groups by their statistics and pages by the page index, and says how many
bytes of pages it asked for. Prints one line of JSON.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from datafusion import SessionConfig, SessionContext

from local.peers import data
from local.peers.columns import Columns, files, plain

PROPERTIES = 3
"""Of the event's own, beside its name, time and person."""


def main(source: Path, output: Path) -> None:
    name, properties = middle_event(source)
    columns = Columns({name: None for file in files(output) for name in pq.read_schema(file).names})
    (event_name,) = columns.of_event_name()
    wanted = [column for key in ("time", "distinct_id", *properties) for column in columns.of_property(key)]
    read, rows = asked(output, event_name, name, wanted)
    print(json.dumps({"event": name, "columns": [event_name, *wanted], "rows": rows, "bytes": read}))


def middle_event(source: Path) -> tuple[str, list[str]]:
    """Neither the most frequent event nor the rarest, and the middle of its properties."""
    names: Counter[str] = Counter()
    keys: dict[str, Counter[str]] = {}
    for event in data.read(source, one_in=10):
        names[event["event"]] += 1
        keys.setdefault(event["event"], Counter()).update(event["properties"].keys())
    frequent = [name for name, _ in names.most_common()]
    name = frequent[len(frequent) // 2]
    own = sorted(key for key in keys[name] if sum(key in other for other in keys.values()) < len(keys))
    start = max(0, (len(own) - PROPERTIES) // 2)
    return name, own[start : start + PROPERTIES]


def asked(output: Path, event_name: str, name: str, columns: list[str]) -> tuple[int, int]:
    """The bytes that the scan reads and the rows that the query answers."""
    # One partition: two would count a page at their border twice.
    session = SessionContext(SessionConfig().with_target_partitions(1))
    session.register_parquet("events", str(output))
    chosen = ", ".join(quote(column) for column in [event_name, *columns])
    # Cleaned or not, an event name has one form in a file.
    either = f"{quote(event_name)} IN ({literal(name)}, {literal(plain(name))})"
    found = session.sql(f"SELECT DISTINCT {quote(event_name)} AS name FROM events WHERE {either}").to_pydict()["name"]
    frame = session.sql(f"SELECT {chosen} FROM events WHERE {quote(event_name)} = {literal(found[0])}")
    plan = frame.execution_plan()
    rows = sum(batch.to_pyarrow().num_rows for batch in session.execute(plan, 0))
    scanned = [metrics.sum_by_name("bytes_scanned") for _, metrics in plan.collect_metrics() if metrics]
    return sum(count for count in scanned if count), rows


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
