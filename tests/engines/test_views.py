"""Trino answers from the views what the tables answer: for names of properties that no column has, for the users and
the profiles that events belong to, and after columns have come.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import HOME
from scenario import Event, event, write

from local import names
from local.engines.trino import Trino
from local.ministack import MiniStack

BUCKET = DATABASE = "views"
DAYS = ("2025-11-03", "2025-11-04")
NAMES = (
    "Plan Type",
    "plan type",
    "$city",
    "Größe (cm) ✓",
    'say "hi"',
    "名前",
    "two\nlines",
    "time zone",
    "mp_date",
    "a.b",
)
"""Names of properties. The first two differ only in case."""
COLUMNS = (
    "plan type",
    "plan type_1",
    "$city",
    "größe (cm) ✓",
    'say "hi"',
    "名前",
    "two lines",
    "time zone",
    "mp_date_1",
    "a.b",
)
"""Those of the view, by the rules of docs/COMPAT.md."""
PROFILES = [{"$distinct_id": f"user {n}", "$properties": {"$email": f"{n}@example.com", "Age": n}} for n in range(5)]
PAYMENTS: list[Any] = [5, 5.5, "five", True, -0.25, 2**53, 1e300, "5", False, 123456789012]


def first_day() -> list[Event]:
    """The device of each event belongs to a user; the profiles are those of users."""
    return [
        event(DAYS[0], n, **{name: f"{place}-{n}" for place, name in enumerate(NAMES)}) | {"event": "Sign Up"}
        for n in range(40)
    ]


def second_day() -> list[Event]:
    found = []
    for n in range(60):
        one = event(DAYS[1], n, paid=PAYMENTS[n % len(PAYMENTS)], fresh=f"fresh {n}")
        one["properties"] |= {"distinct_id": f"$device:d{n % 9}", "$device_id": f"d{n % 9}"}
        if n >= 30:
            one["properties"] |= {"distinct_id": f"user {n % 9 % 7}", "$user_id": f"user {n % 9 % 7}"}
        found.append(one)
    return found


class Lake:
    """A lake in the stand-in of AWS, written by the command line."""

    def __init__(self, cloud: MiniStack) -> None:
        self.cloud = cloud
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})

    def run(self, verb: str, *arguments: str) -> Any:
        command = [str(names.binary(names.COMMAND_LINE)), verb, f"--lake=s3://{BUCKET}/raw", "--json", *arguments]
        command += [f"--set=glue_database={DATABASE}", f"--set=project_id={names.PROJECT_ID}"]
        environment = self.cloud.client_environment()
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)

    def export(self, day: str, events: list[Event]) -> None:
        source = write(events, HOME / "work" / "views" / f"{day}.jsonl")
        self.run("export", f"--input={source}", f"--from-date={day}", f"--to-date={day}")

    def views(self, *, on: bool = True) -> list[str]:
        found = self.run("catalog", f"--set=views={str(on).lower()}")
        assert found["failed"] == []
        return list(found["views"])


def profiles() -> Path:
    path = HOME / "work" / "views" / "profiles.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in PROFILES))
    return path


@pytest.fixture(scope="module")
def lake(cloud: MiniStack) -> Lake:
    return Lake(cloud)


@pytest.fixture(scope="module")
def trino(cloud: MiniStack, lake: Lake) -> Iterator[Trino]:
    """With the lake after the last export. The first one shows what becomes of a view when columns come."""
    with Trino(cloud) as engine:
        lake.export(DAYS[0], first_day())
        assert lake.views() == ["mp_view_names"]
        before = Counter(engine.rows(f"SELECT * FROM {DATABASE}.mp_view_names"))
        lake.export(DAYS[1], second_day())
        lake.run("catalog")
        after = engine.rows(f"SELECT * FROM {DATABASE}.mp_view_names WHERE mp_date = '{DAYS[0]}'")
        assert Counter(after) == before, "a view answers while its table has columns that it does not have"
        lake.run("export", "--set=data_source=people", f"--input={profiles()}")
        lake.run("identities")
        views = ["mp_view_names", "mp_view_profiles", "mp_view_text", "mp_view_users"]
        assert lake.views() == views
        yield engine


def ask(trino: Trino, columns: str, table: str) -> Counter[tuple[Any, ...]]:
    return Counter(trino.rows(f"SELECT {columns} FROM {DATABASE}.{table}"))


def quoted(columns: tuple[str, ...]) -> str:
    return ", ".join('"' + name.replace('"', '""') + '"' for name in columns)


def test_columns_have_the_original_names_of_their_properties(trino: Trino) -> None:
    found = ask(trino, quoted(("mp_insert_id".replace("mp_", "$"), *COLUMNS)), "mp_view_names")
    wanted = Counter(
        (e["properties"]["$insert_id"], *(e["properties"].get(name) for name in NAMES))
        for e in first_day() + second_day()
    )
    assert found == wanted


def test_a_name_is_found_in_any_case(trino: Trino) -> None:
    found = ask(trino, '"Größe (CM) ✓"', "mp_view_names")
    assert found == ask(trino, '"größe (cm) ✓"', "mp_view_names")


def test_an_event_has_its_user(trino: Trino) -> None:
    joined = f"mp_master_event e LEFT JOIN {DATABASE}.mp_identity_mappings_data m ON m.distinct_id = e.distinct_id"
    wanted = ask(trino, "e.mp_insert_id, coalesce(m.resolved_distinct_id, e.distinct_id)", joined)
    assert ask(trino, "mp_insert_id, resolved_distinct_id", "mp_view_users") == wanted
    assert wanted != ask(trino, "mp_insert_id, distinct_id", "mp_master_event"), "some devices belong to users"
    assert wanted.total() == 100


def test_an_event_has_the_profile_of_its_user(trino: Trino) -> None:
    found = ask(trino, "mp_insert_id, resolved_distinct_id, profile_mp_email, profile_age", "mp_view_profiles")
    users = ask(trino, "mp_insert_id, resolved_distinct_id", "mp_view_users")
    known = {one["$distinct_id"]: one["$properties"] for one in PROFILES}
    wanted = Counter(
        (insert_id, user, known.get(user, {}).get("$email"), known.get(user, {}).get("Age"))
        for insert_id, user in users
    )
    assert found == wanted
    assert {user for _, user, email, _ in found if email} == set(known)


def test_values_of_several_types_are_one_column_of_text(trino: Trino) -> None:
    found = dict(trino.rows(f"SELECT mp_insert_id, paid FROM {DATABASE}.mp_view_text WHERE mp_date = '{DAYS[1]}'"))
    texts = {
        e["properties"]["$insert_id"]: "1.0E300"
        if paid == 1e300
        else paid
        if isinstance(paid, str)
        else json.dumps(paid)
        for e in second_day()
        for paid in [e["properties"]["paid"]]
    }
    assert {name: text for name, text in found.items() if texts.get(name) != text} == {}
    assert found.keys() == texts.keys()


def test_views_have_the_types_of_the_tables(trino: Trino) -> None:
    table = dict(row[:2] for row in trino.rows(f"DESCRIBE {DATABASE}.mp_master_event"))
    view = dict(row[:2] for row in trino.rows(f"DESCRIBE {DATABASE}.mp_view_users"))
    assert {name: kind for name, kind in view.items() if name != "resolved_distinct_id"} == table


def test_views_that_are_switched_off_are_gone_and_the_tables_are_not(trino: Trino, lake: Lake) -> None:
    """The last test of the file."""
    before = ask(trino, "count(*)", "mp_master_event")
    assert lake.views(on=False) == []
    shown = {name for (name,) in trino.rows(f"SHOW TABLES FROM {DATABASE}")}
    assert {name for name in shown if name.startswith("mp_view_")} == set()
    assert ask(trino, "count(*)", "mp_master_event") == before
