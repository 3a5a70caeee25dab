"""Profiles of users and groups: whole tables that equal the source, replaced at once or not at all."""

import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import STOREFRONT, STOREFRONT_PROFILES, Deploy
from engage import Engage, Profile
from small_run import set_variables
from source import fits, readable

from local import names
from local.lake import Column
from local.pipeline import Pipeline
from local.query import Engine

PROFILES = "ProfilesFunctionName"
GROUP, GROUP_ID = "company_id", "8372645"
GROUP_TABLE = f"mp_group_{GROUP}_data"
OF_RUNS = (*names.ABOUT_RUNS, "_profiles/")
"""What each run writes about itself."""
NOW = datetime.now(UTC)


def companies() -> list[Profile]:
    plans = ("free", "growth", 3)
    return [
        {"$distinct_id": f"company-{n}", "$properties": {"$name": f"Company {n}", "plan": plans[n % 3], "seats": n * 5}}
        for n in range(25)
    ]


def users() -> list[Profile]:
    return [json.loads(line) for line in gzip.decompress(STOREFRONT_PROFILES.read_bytes()).splitlines()]


@pytest.fixture(scope="module")
def people(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    file = tmp_path_factory.mktemp("people") / "companies.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in companies()))
    source = {"profiles": STOREFRONT_PROFILES, "groups": {GROUP_ID: file}, "page_size": 90}
    deployed = deploy("people", STOREFRONT, people=source, DataGroupId=f"{GROUP}:{GROUP_ID}")
    deployed.call({}, PROFILES)
    deployed.wait_for_catalog()
    return deployed


SOURCES = {names.PEOPLE_TABLE: users, GROUP_TABLE: companies}


def cell(profile: Profile, column: Column) -> Any:
    """What a column must hold, by the property and the type that the catalog gives for it."""
    if column.name == "distinct_id":
        return profile["$distinct_id"]
    value = profile["$properties"].get(column.property)
    return value if fits(value, column.type) else None


@pytest.mark.parametrize("table", SOURCES)
def test_every_cell_is_what_the_source_says(people: Pipeline, table: str) -> None:
    columns = people.lake.tables()[table].columns
    listed = ", ".join(f'"{c.name}"' for c in columns)
    answer = Engine(people.lake).query(f"SELECT {listed} FROM people.{table} ORDER BY distinct_id")
    wanted = sorted(SOURCES[table](), key=lambda profile: profile["$distinct_id"])
    assert len(answer.rows) == len(wanted)
    for row, profile in zip(answer.rows, wanted, strict=True):
        expected = {c.name: cell(profile, c) for c in columns}
        assert {c.name: readable(v, expected[c.name]) for c, v in zip(columns, row, strict=True)} == expected


@pytest.mark.parametrize("table", SOURCES)
def test_every_value_of_the_source_has_a_column(people: Pipeline, table: str) -> None:
    columns = people.lake.tables()[table].columns
    for profile in SOURCES[table]():
        held = {c.property for c in columns if cell(profile, c) is not None}
        assert profile["$properties"].keys() - held == set()


@pytest.mark.parametrize("table", SOURCES)
def test_the_table_has_no_partitions(people: Pipeline, table: str) -> None:
    assert people.lake.tables()[table].partition_keys == ()


def test_the_mapping_of_properties_is_public(people: Pipeline) -> None:
    registry = json.loads(people.lake.read(f"{people.lake.folder}schema/people.json"))
    assert registry["tables"].keys() == SOURCES.keys()


def content(deployed: Pipeline) -> dict[str, tuple[str, str]]:
    """The objects that are no account of a run."""
    found = {key.removeprefix(deployed.lake.folder): how for key, how in deployed.lake.snapshot().objects.items()}
    return {key: how for key, how in found.items() if not key.startswith(OF_RUNS)}


def test_the_same_profiles_again_write_nothing(people: Pipeline) -> None:
    before = content(people), people.lake.tables()[names.PEOPLE_TABLE]
    people.call({}, PROFILES)
    people.wait_for_catalog()
    assert (content(people), people.lake.tables()[names.PEOPLE_TABLE]) == before


def test_one_group_can_be_exported_alone(people: Pipeline) -> None:
    report = people.call({"group": GROUP}, PROFILES)
    assert [one["table"] for one in report["tables"]] == [GROUP_TABLE]


def test_an_unknown_group_is_refused_with_those_that_there_are(people: Pipeline) -> None:
    answer = people.invoke({"group": "team"}, PROFILES)
    assert answer.error
    assert "team" in answer.message
    assert GROUP in answer.message


def test_the_secret_is_in_no_log(people: Pipeline) -> None:
    assert names.SECRET not in people.save_log("ProfilesLogGroup").read_text()


# --- a source that changes ---------------------------------------------------------------------------


def version(number: int) -> list[Profile]:
    """All profiles have the version; the number of profiles has it too."""
    return [
        {"$distinct_id": f"user-{n}", "$properties": {"version": number, "tags": [n, "a"]}} for n in range(100 + number)
    ]


@pytest.fixture(scope="module")
def mixpanel() -> Iterator[Engage]:
    with Engage(version(1)) as running:
        yield running


@pytest.fixture(scope="module")
def changing(deploy: Deploy, mixpanel: Engage) -> Pipeline:
    deployed = deploy("changing", STOREFRONT)
    set_variables(deployed, PROFILES, MIXPANEL_ENDPOINT=mixpanel.endpoint)
    return deployed


def versions(deployed: Pipeline) -> tuple[tuple[Any, ...], ...]:
    sql = f"SELECT min(version), max(version), count(*) FROM {deployed.lake.database}.{names.PEOPLE_TABLE}"
    return Engine(deployed.lake).query(sql).rows


def whole(number: int) -> tuple[tuple[Any, ...], ...]:
    return ((number, number, 100 + number),)


def scheduled(deployed: Pipeline, at: datetime) -> Any:
    """What a run of the deployed schedule did at a time."""
    schedule = deployed.cloud.client("scheduler").get_schedule(Name=deployed.outputs["ProfilesScheduleName"])
    text = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return deployed.call(json.loads(text), PROFILES)


def test_the_schedule_exports_once_a_day(changing: Pipeline, mixpanel: Engage) -> None:
    scheduled(changing, NOW)
    assert mixpanel.started == 1
    for hours in (1, 12):
        scheduled(changing, NOW + timedelta(hours=hours))
    assert mixpanel.started == 1, "nothing is due"
    scheduled(changing, NOW + timedelta(days=1))
    assert mixpanel.started == 2
    changing.wait_for_catalog()
    assert versions(changing) == whole(1)


def test_an_export_that_breaks_off_says_so_and_keeps_the_table(changing: Pipeline, mixpanel: Engage) -> None:
    before = content(changing)
    mixpanel.profiles, mixpanel.breaks_at = version(2), 1
    answer = changing.invoke({}, PROFILES)
    mixpanel.breaks_at = None
    assert answer.error
    assert "an internal error occurred" in answer.message
    tables = {key for key in content(changing).items() ^ before.items() if key[0].startswith("mp_")}
    assert tables == set()
    assert versions(changing) == whole(1)


def test_readers_see_one_version_or_the_other_while_profiles_are_replaced(changing: Pipeline, mixpanel: Engage) -> None:
    replaced = threading.Event()

    def read() -> list[Any]:
        seen = []
        while not replaced.is_set():
            seen.append(versions(changing))
        return seen

    with ThreadPoolExecutor() as threads:
        reader = threads.submit(read)
        try:
            for number in range(2, 7):
                mixpanel.profiles = version(number)
                changing.call({}, PROFILES)
                changing.wait_for_catalog()
        finally:
            replaced.set()
    seen = reader.result()
    assert set(seen) <= {whole(number) for number in range(1, 7)}
    assert len(set(seen)) > 1
    assert versions(changing) == whole(6)


def test_no_profile_replaces_no_table_unless_that_is_allowed(changing: Pipeline, mixpanel: Engage) -> None:
    before = versions(changing)
    mixpanel.profiles = []
    answer = changing.invoke({}, PROFILES)
    assert answer.error
    assert "allow_empty" in answer.message
    assert versions(changing) == before
    set_variables(changing, PROFILES, ALLOW_EMPTY="true")
    changing.call({}, PROFILES)
    changing.wait_for_catalog()
    assert Engine(changing.lake).query(f"SELECT count(*) FROM changing.{names.PEOPLE_TABLE}").rows == ((0,),)
