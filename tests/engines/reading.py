"""An independent reading of the source lines, by the written rules."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import rules
from rules import ALWAYS, EVENT_NAME, OVERFLOW, typed
from scenario import Event
from source import cleaned, day, milliseconds

from local.lake import Column, Table


def per_day_and_event(events: list[Event]) -> Counter[tuple[str, str]]:
    return Counter((day(e), cleaned(e["event"])) for e in events)


def expected(event: Event, table: str, *, multischema: bool) -> dict[str, Any]:
    """The cells of a row by column; those that are null are left out."""
    cells: dict[str, Any] = {
        "time": milliseconds(event),
        "distinct_id": event["properties"]["distinct_id"],
    }
    if not multischema:
        cells[EVENT_NAME] = cleaned(event["event"])
    columns = rules.columns(multischema=multischema)[table]
    rest = {}
    for name, value in event["properties"].items():
        if name in ALWAYS or value is None:
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


def described(table: str, *, multischema: bool) -> dict[str, str]:
    """The columns that the catalog should have for a table, and their types."""
    given = {name: kind for (_, kind), name in rules.columns(multischema=multischema)[table].items()}
    always = ALWAYS if multischema else {EVENT_NAME: "string"} | ALWAYS
    return always | given | ({OVERFLOW: "string"} if len(always | given) == rules.MOST_COLUMNS - 1 else {})


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
    place = [column.name for column in table.columns].index("mp_insert_id")
    return {row[place]: row for row in rows}
