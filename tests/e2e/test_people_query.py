"""The query of README.md that resolves and joins people, on a local lake of events, profiles and identities."""

import gzip
import json
import re
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest
from conftest import STOREFRONT, STOREFRONT_PROFILES
from source import Event, read_events, without_repeats
from test_first_query import mixlake

from local import names


def query_of_readme() -> str:
    (sql,) = re.findall(r"```sql\n(.*?)```", (names.ROOT / "README.md").read_text(), re.DOTALL)
    return str(sql)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The statements that make a view of each table."""
    lake = tmp_path_factory.mktemp("people") / "lake"
    days = ("--from-date", "2026-11-10", "--to-date", "2026-11-13")
    mixlake("export", "--input", STOREFRONT, "--lake", lake, *days)
    mixlake("export", "--set", "data_source=people", "--input", STOREFRONT_PROFILES, "--lake", lake)
    mixlake("identities", "--lake", lake)
    mixlake("catalog", "--lake", lake)
    return mixlake("catalog", "--lake", lake, "--sql")


def resolved(events: list[Event]) -> dict[str, str]:
    """The first user of each device, by the time of the events."""
    users: dict[str, str] = {}
    for event in sorted(events, key=lambda event: event["properties"]["time"]):
        device, user = event["properties"].get("$device_id"), event["properties"].get("$user_id")
        if device and user:
            users.setdefault(f"$device:{device}", user)
    return users


def test_people_are_counted_by_what_their_profiles_say(views: str, tmp_path: Path) -> None:
    events = without_repeats(read_events(STOREFRONT))
    profiles = [json.loads(line) for line in gzip.decompress(STOREFRONT_PROFILES.read_bytes()).splitlines()]
    titles = {profile["$distinct_id"]: profile["$properties"]["title"] for profile in profiles}
    users, wanted = resolved(events), defaultdict(set)
    for event in events:
        distinct_id = event["properties"]["distinct_id"]
        person = users.get(distinct_id, distinct_id)
        if person in titles:
            wanted[titles[person]].add(person)
    with duckdb.connect(str(tmp_path / "people.duckdb")) as connection:
        connection.execute(views)
        found = dict(connection.execute(query_of_readme()).fetchall())
    assert found == {title: len(people) for title, people in wanted.items()}
    assert sum(found.values()) > 100
