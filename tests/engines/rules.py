"""The names that the written rules give to what the scenario has: neither a look at the catalog, nor
code of the project's.
"""

from functools import cache

from scenario import Profile, chapters
from source import cleaned, day

from local import names

Kind = str
"""What a column takes: `string`, `double` or `boolean`."""

MOST_COLUMNS = 1_597
LONGEST = 127
RESERVED = {"select", "timestamp", "open"}
"""Of the reserved words those that the scenario has."""

EXACT = 2**53
"""Beyond it a double does not hold every integer: such a number is kept as text."""

EVENT_NAME = "mp_event_name"
"""Where all events are in one table."""
OVERFLOW = "mp_properties"
ALWAYS = {"time": "timestamp", "distinct_id": "string"}
SUFFIXES = {"string": "_string", "double": "_number", "boolean": "_boolean"}


def typed(value: object) -> tuple[Kind, object]:
    """The type of the column that takes a value, and the value as it stands there."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        exact = isinstance(value, float) or abs(value) <= EXACT
        return ("double", float(value)) if exact else ("string", str(value))
    return "string", value


def clean(name: str) -> str:
    prefix, rest = ("mp_", name[1:]) if name.startswith("$") else ("", name)
    clean = prefix + "".join(c.lower() if c.isascii() and c.isalnum() else "_" for c in rest)
    return ("res_" + clean if clean in RESERVED else clean)[:LONGEST]


class Names:
    """The columns of a table, by property and type, in the order of their coming."""

    def __init__(self, built_in: set[str]) -> None:
        self.columns: dict[tuple[str, Kind], str] = {}
        self._first: dict[str, str] = {}
        self._taken = built_in | {names.PARTITION_KEY, OVERFLOW}
        self._room = MOST_COLUMNS - len(built_in) - len({OVERFLOW})

    def see(self, name: str, kind: Kind) -> None:
        if (name, kind) in self.columns or not self._room:
            return
        first = self._first.get(name)
        column = self._free(clean(name) if first is None else with_suffix(first, SUFFIXES[kind]))
        self._first.setdefault(name, column)
        self._taken.add(column)
        self.columns[name, kind] = column
        self._room -= 1

    def _free(self, stem: str) -> str:
        """First come, first served; the others are numbered."""
        name, number = stem, 0
        while name in self._taken:
            number += 1
            name = with_suffix(stem, f"_{number}")
        return name


def with_suffix(stem: str, suffix: str) -> str:
    return stem[: LONGEST - len(suffix)] + suffix


def columns_of(exported: list[list[Profile]]) -> dict[tuple[str, Kind], str]:
    """The names of a table of profiles, as its exports meet their properties."""
    given = Names({"distinct_id"})
    for profile in (one for profiles in exported for one in profiles):
        for name, value in profile["$properties"].items():
            if value is not None:
                given.see(name, typed(value)[0])
    return given.columns


@cache
def columns(*, multischema: bool) -> dict[str, dict[tuple[str, Kind], str]]:
    """The names of every table, as the exports of the scenario meet its properties."""
    built_in = set(ALWAYS) if multischema else {EVENT_NAME, *ALWAYS}
    tables: dict[str, Names] = {}
    for chapter in chapters():
        for event in (e for date in chapter.exported for e in chapter.events if day(e) == date):
            table = cleaned(event["event"]) if multischema else names.MASTER_TABLE
            for name, value in event["properties"].items():
                if name not in ALWAYS and value is not None:
                    tables.setdefault(table, Names(built_in)).see(name, typed(value)[0])
    return {table: given.columns for table, given in tables.items()}
