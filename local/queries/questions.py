"""The questions: one event of one day, and one person over all days."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from local import names
from local.queries.events import Events

EVENT, PERSON, PERSON_ALL = "one event", "one person", "one person, every column"
PEOPLE_COLUMNS = ("mp_event_name", "time", "distinct_id", "mp_insert_id", "mp_browser", "mp_os")


@dataclass(frozen=True)
class Question:
    name: str
    columns: tuple[str, ...]
    """None: every column of the table."""
    dates: tuple[str, ...]
    where: str

    def sql(self, table: str, *, dated: bool) -> str:
        """An engine that is told the folders of the days needs no condition on them."""
        dates = ", ".join(f"'{date}'" for date in self.dates)
        only = f" AND {names.PARTITION_KEY} IN ({dates})" if dated else ""
        return f"SELECT {', '.join(self.columns) or '*'} FROM {table} WHERE {self.where}{only}"


def questions(events: Events, lake: Path) -> list[Question]:
    """Chosen from the data of the day in the middle: neither the most frequent event nor the rarest."""
    date = events.dates[len(events.dates) // 2]
    folder = lake / names.PROJECT_ID / names.MASTER_TABLE / date.replace("-", "/")
    day = duckdb.from_parquet(f"{folder}/*/*.parquet", union_by_name=True)
    counts = Counter(dict(day.aggregate("mp_event_name, count(*)").fetchall()))
    event = sorted(counts, key=lambda name: (counts[name], name))[len(counts) // 2]
    its = day.filter(f"mp_event_name = '{event}'")
    own = [name for name in day.columns if name.startswith("property_")]
    filled = its.aggregate(", ".join(f"count({name})" for name in own)).fetchone()
    texts = {name for name, kind in zip(day.columns, day.types, strict=True) if str(kind) == "VARCHAR"}
    value = max((count, name) for name, count in zip(own, filled, strict=True) if name in texts)[1]
    (person,) = day.order("time, mp_insert_id").limit(1).project("distinct_id").fetchone()
    is_person = f"distinct_id = '{person}'"
    return [
        Question(EVENT, ("time", "distinct_id", value), (date,), f"mp_event_name = '{event}'"),
        Question(PERSON, PEOPLE_COLUMNS, tuple(events.dates), is_person),
        Question(PERSON_ALL, (), tuple(events.dates), is_person),
    ]
