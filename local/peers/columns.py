"""Finds the column of a property in a file that any system wrote, whatever it did to the name."""

import re
from collections.abc import Iterable
from pathlib import Path

VARIANTS = (
    "",
    *("_string", "_number", "_boolean"),  # ours
    *("_v_text", "_v_bigint", "_v_double", "_v_bool", "_v_json", "_v_decimal", "_v_timestamp"),  # dlt's
)
"""What is put behind the name of a property that comes in several types, one column for each."""

OVERFLOW = "mp_properties"
"""Ours: the JSON of properties past the limit of columns."""

EVENT_NAME = ("event", "mp_event_name")
INSERT_ID = "$insert_id"


def files(output: Path) -> list[Path]:
    """The Parquet files of a system, in all of its folders; dlt keeps books of its own beside them."""
    return sorted(file for file in output.rglob("*.parquet") if file.is_file() and "/_dlt_" not in str(file))


class Columns:
    """The columns of a file, found by the names of properties."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_plain_name: dict[str, list[str]] = {}
        for name in names:
            self._by_plain_name.setdefault(plain(name), []).append(name)

    def of_property(self, name: str) -> list[str]:
        """Mostly one; several where types have columns of their own; none if it was dropped."""
        stems = {plain(name)}
        if name.startswith("$"):
            stems.add(f"mp_{plain(name)}")
        return self._named(stem + variant for stem in sorted(stems) for variant in VARIANTS)

    def of_event_name(self) -> list[str]:
        return self._named(EVENT_NAME)

    def overflow(self) -> list[str]:
        return self._named([OVERFLOW])

    def _named(self, names: Iterable[str]) -> list[str]:
        return [column for name in names for column in self._by_plain_name.get(name, [])]


def plain(name: str) -> str:
    """What all ways to clean a name have in common: `Total Price` and `total_price` are one."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
