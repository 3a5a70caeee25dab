"""What happens to the lake that the engines read, as source lines: no code of the project's makes them.

Properties come over the days, change their types, come late to old days; a day is replaced; and one
has more properties than a table may have columns.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Event = dict[str, Any]
Profile = dict[str, Any]

DAYS = ("2025-11-03", "2025-11-04", "2025-11-05", "2025-11-06")
NAMES = ("Sign Up", "Add to Cart", "Purchase ✓")
WIDE = 1_900
"""Properties of the last day: more than the 1,597 columns of a table."""


@dataclass(frozen=True)
class Chapter:
    """What Mixpanel has at some time, and the days that are exported then."""

    events: list[Event]
    exported: tuple[str, ...]


def event(day: str, number: int, **properties: Any) -> Event:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    name = NAMES[number % len(NAMES)]
    time = int(start) + (number * 613) % 86_400
    insert_id = f"{day}-{number:05}"
    return {
        "event": name,
        "properties": {"time": time, "distinct_id": f"user {number % 7}", "$insert_id": insert_id} | properties,
    }


def first_day() -> list[Event]:
    return [event(DAYS[0], n, plan="free", amount=n / 4, paid=n % 2 == 0) for n in range(120)]


def grown_day() -> list[Event]:
    """New properties, and other types of the old ones."""
    kinds: list[Event] = [
        {"amount": "12,50"},
        {"amount": [1, "two", None], "paid": "yes"},
        {"plan": 7, "paid": 1},
        {"$city": "Größe ✓ 名前", "plan": True},
        {"exact": 2**53 + 1, "limits": [2**53, -(2**53)], "amount": 2**53},
        {"nested": {"a": {"b": [1.5, "x"]}}, "empty": "", "nothing": None},
        {"mp_date": "not a day", "SELECT": "reserved", "timestamp": 12},
        {"X-Y": "first come", "x y": 1.5, "Größe (cm)": 12.5, "long " * 40: "cut", "long " * 41: "cut too"},
        {"text": 'line\nbreak, "quotes", back\\slash and \t tab' * 20},
    ]
    return [event(DAYS[1], n, **kinds[n % len(kinds)]) for n in range(160)]


def late_columns() -> list[Event]:
    """Events that come late to the first day, with what no column of it had."""
    late: list[Event] = [{"late": "yes", "amount": "late"}, {"$city": "Bonn", "late": 3.5}]
    return [event(DAYS[0], 1_000 + n, **late[n % len(late)]) for n in range(20)]


def replaced_day() -> list[Event]:
    """The second day as it is later: some events are gone, some have other values."""
    kept = [e for n, e in enumerate(grown_day()) if n % 3]
    return [{**e, "properties": e["properties"] | {"checked": n % 2 == 0}} for n, e in enumerate(kept)]


def wide_day() -> list[Event]:
    values = [lambda n: f"v{n}", lambda n: n / 8, lambda n: n % 2 == 0]
    return [
        event(DAYS[3], n, **{f"wide {k}": values[k % 3](n) for k in range(n * 20, n * 20 + 60)})
        for n in range((WIDE - 60) // 20 + 1)
    ]


def people(chapter: int) -> list[Profile]:
    """The profiles as they are in the first chapter, and as they are later: some are gone, and properties came."""
    kinds: list[Profile] = [
        {"$name": "Größe ✓ 名前", "$last_seen": "2025-11-04T10:11:12", "plan": "free", "amount": 1.5},
        {"plan": 7, "amount": "12,50", "paid": True},
        {"tags": ["a", None, {"b": 2}], "nested": {"a": {"b": [1.5, "x"]}}, "paid": "yes"},
        {"exact": 2**53 + 1, "X-Y": "first come", "x y": 1.5, "SELECT": "reserved", "nothing": None},
        {"long": [f"value {n}" for n in range(20_000)], "text": 'line\nbreak, "quotes" and back\\slash'},
    ]
    later = [{}, {"late": 3.5}, {"late": "text"}, {"mp_date": "not a day"}]
    more = later[: 1 + 3 * chapter]
    return [
        {"$distinct_id": f"user {n}", "$properties": kinds[n % len(kinds)] | more[n % len(more)]}
        for n in range(60)
        if chapter == 0 or n % 7
    ]


def companies() -> list[Profile]:
    return [{"$distinct_id": f"company {n}", "$properties": {"seats": n, "open": n % 2 == 0}} for n in range(12)]


def third_day() -> list[Event]:
    return [event(DAYS[2], n, plan="pro", late=n, **{f"grown {n % 9}": n}) for n in range(90)]


def chapters() -> list[Chapter]:
    """One after another; each export sees what Mixpanel has by then."""
    first, grown, third, wide = first_day(), grown_day(), third_day(), wide_day()
    late, replaced = late_columns(), replaced_day()
    return [
        Chapter(first, (DAYS[0],)),
        Chapter(first + grown, (DAYS[1],)),
        Chapter(first + grown + third, (DAYS[2],)),
        Chapter(first + late + grown + third, (DAYS[0],)),
        Chapter(first + late + replaced + third + wide, (DAYS[1], DAYS[3])),
    ]


def truth() -> list[Event]:
    """What the tables should hold in the end."""
    return chapters()[-1].events


def write(events: list[Event] | list[Profile], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)
    path.write_text(lines, encoding="utf-8")
    return path
