"""An independent reading of the source lines: no code of the project's, only the written rules."""

import gzip
import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.lake import Column

Event = dict[str, Any]

JSON_TYPES: dict[str, tuple[type, ...]] = {"string": (str, list, dict), "double": (int, float), "boolean": (bool,)}
"""Which JSON values a column of a Glue type takes. Booleans are numbers in Python, so they are asked first."""


def read_lines(path: Path) -> list[bytes]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [line for line in raw.split(b"\n") if line.strip()]


def read_events(path: Path) -> list[Event]:
    return [json.loads(line) for line in read_lines(path)]


def without_repeats(events: list[Event]) -> list[Event]:
    """Of equal events the one that Mixpanel processed last. Without `$insert_id` nothing is equal."""
    groups: dict[Any, list[Event]] = defaultdict(list)
    for number, event in enumerate(events):
        p = event["properties"]
        identity = (event["event"], p.get("distinct_id"), p["time"], p["$insert_id"]) if p.get("$insert_id") else number
        groups[identity].append(event)
    return [
        max(group, key=lambda event: event["properties"].get("mp_processing_time_ms", 0)) for group in groups.values()
    ]


def cleaned(event_name: str) -> str:
    """Enough of the rules for the storefront: no event name there collides with another."""
    return re.sub(r"[^A-Za-z0-9_]", "_", event_name).lower()


def milliseconds(event: Event) -> int:
    return round(event["properties"]["time"] * 1000)


def day(event: Event) -> str:
    return datetime.fromtimestamp(event["properties"]["time"], UTC).strftime("%Y-%m-%d")


def cell(event: Event, column: Column) -> Any:
    """What must stand in a column, by the property and the type that the catalog gives for it."""
    if column.property == "event":
        return cleaned(event["event"])
    value = event["properties"].get(column.property)
    if column.type == "timestamp":
        return milliseconds(event)
    if column.name == "distinct_id":
        return None if value is None else str(value)
    return value if fits(value, column.type) else None


def fits(value: Any, glue_type: str) -> bool:
    if isinstance(value, bool):
        return glue_type == "boolean"
    return isinstance(value, JSON_TYPES[glue_type])


def readable(value: Any, expected: Any) -> Any:
    """A cell in the form of what is expected: time as milliseconds, JSON text parsed."""
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=UTC).timestamp() * 1000)
    if isinstance(expected, list | dict) and isinstance(value, str):
        return json.loads(value)
    return value
