"""An independent reading of the source lines, by the written rules and the catalog's columns."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from scenario import Event
from source import cleaned, day, milliseconds

from local.lake import Column, Table

EXACT = 2**53
"""Beyond it a double does not hold every integer: such a number is kept as text."""

OVERFLOW = "mp_properties"
EVENT_NAME = "mp_event_name"
"""Where all events are in one table."""
BUILT_IN = {EVENT_NAME, "time", "distinct_id"}


def per_day_and_event(events: list[Event]) -> Counter[tuple[str, str]]:
    return Counter((day(e), cleaned(e["event"])) for e in events)


def expected(event: Event, table: Table) -> dict[str, Any]:
    """The cells of a row by column; those that are null are left out."""
    cells: dict[str, Any] = {
        "time": milliseconds(event),
        "distinct_id": event["properties"]["distinct_id"],
    }
    if any(c.name == EVENT_NAME for c in table.columns):
        cells[EVENT_NAME] = cleaned(event["event"])
    columns = {(c.property, c.type): c.name for c in table.columns if c.name not in BUILT_IN | {OVERFLOW}}
    rest = {}
    for name, value in event["properties"].items():
        if name in ("time", "distinct_id") or value is None:
            continue
        kind, cell = typed(value)
        column = columns.get((name, kind))
        if column is None:
            rest[name] = value
        else:
            cells[column] = cell
    if rest:
        cells[OVERFLOW] = rest
    return cells


def typed(value: Any) -> tuple[str, Any]:
    """The type of the column that takes a value, and the value as it stands there."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        exact = isinstance(value, float) or abs(value) <= EXACT
        return ("double", float(value)) if exact else ("string", str(value))
    return "string", value


def found(row: tuple[Any, ...], table: Table, wanted: dict[str, Any]) -> dict[str, Any]:
    """A row of an engine as the cells that are not null, in the form of what is expected."""
    names = [column.name for column in table.columns]
    cells = zip(table.columns, row[: len(names)], strict=True)
    return {c.name: readable(c, value, wanted.get(c.name)) for c, value in cells if value is not None}


def readable(column: Column, value: Any, wanted: Any) -> Any:
    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(instant.timestamp() * 1000)
    if column.name == OVERFLOW or isinstance(wanted, list | dict):
        return json.loads(value)
    return value


def by_insert_id(rows: list[tuple[Any, ...]], table: Table) -> dict[str, tuple[Any, ...]]:
    place = [column.property for column in table.columns].index("$insert_id")
    return {row[place]: row for row in rows}
