"""The table of identities: made on a folder by the command line, and in AWS by the maintenance function."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Deploy
from replaced import maintain
from test_first_query import mixlake, views

from local import names
from local.pipeline import Pipeline
from local.query import Engine

STOREFRONT = names.ROOT / "tests" / "data" / "storefront-events.jsonl.gz"
TABLE = "mp_identity_mappings_data"
DATES = ["--from-date", "2026-11-10", "--to-date", "2026-11-13"]

USERS = """
SELECT count(DISTINCT e.distinct_id), count(DISTINCT coalesce(m.resolved_distinct_id, e.distinct_id))
FROM mp_master_event e LEFT JOIN mp_identity_mappings_data m USING (distinct_id)
"""


def first_users() -> dict[str, str]:
    """The first user of each device, from the lines themselves."""
    first: dict[str, tuple[float, str]] = {}
    for properties in properties_of_lines():
        if "$device_id" in properties and "$user_id" in properties:
            device, user = f"$device:{properties['$device_id']}", (properties["time"], properties["$user_id"])
            first[device] = min(first.get(device, user), user)
    return {device: user for device, (_, user) in first.items() if user}


def properties_of_lines() -> Iterator[dict[str, Any]]:
    with gzip.open(STOREFRONT, "rt") as lines:
        for line in lines:
            try:
                yield json.loads(line)["properties"]
            except (ValueError, KeyError, TypeError):
                continue


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("identities") / "lake"
    mixlake("export", "--input", STOREFRONT, "--lake", lake, *DATES)
    return lake


def test_unique_users_are_counted_with_and_without_the_table(lake: Path) -> None:
    [report] = json.loads(mixlake("identities", "--lake", lake, "--json"))["projects"]
    expected = first_users()
    assert len(expected) > 100
    assert (report["status"], report["identities"]) == ("replaced", len(expected))
    database: duckdb.DuckDBPyConnection = views(lake)
    assert dict(database.sql(f"SELECT distinct_id, resolved_distinct_id FROM {TABLE}").fetchall()) == expected
    [(before, after)] = database.sql(USERS).fetchall()
    ids = {row[0] for row in database.sql("SELECT DISTINCT distinct_id FROM mp_master_event").fetchall()}
    assert (before, after) == (len(ids - {None}), len({expected.get(one, one) for one in ids - {None}}))
    assert after < before


def test_a_second_run_changes_no_file(lake: Path) -> None:
    mixlake("identities", "--lake", lake)
    before = {path: path.read_bytes() for path in lake.rglob("*") if path.is_file()}
    told = mixlake("identities", "--lake", lake)
    assert told.endswith("rows, unchanged.\n")
    assert " 0 read." in told
    assert {path: path.read_bytes() for path in lake.rglob("*") if path.is_file()} == before


def merged(name: str, second: int, **properties: Any) -> dict[str, Any]:
    time = 1_794_268_800 + second
    return {"event": name, "properties": {"time": time, "distinct_id": "x", "$insert_id": str(second), **properties}}


EVENTS = [
    merged("$identify", 1, **{"$identified_id": "ann", "$anon_id": "anon"}),
    merged("$create_alias", 2, distinct_id="ann", alias="ann@example.com"),
    merged("$merge", 3, **{"$distinct_ids": ["zoe", "ann"]}),
    merged("View", 4, **{"$device_id": "d", "$user_id": "bob"}),
]
OF_EVENTS = [("ann@example.com", "ann"), ("anon", "ann"), ("zoe", "ann")]


@pytest.fixture(scope="module")
def deployed(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    data: Path = tmp_path_factory.mktemp("identified") / "events.jsonl"
    data.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    deployed = deploy("identified", data, IdMerge="original", Compact="false")
    deployed.export({"date": "2026-11-10"})
    deployed.wait_for_catalog()
    return deployed


def rows(deployed: Pipeline) -> list[Any]:
    query = f"SELECT distinct_id, resolved_distinct_id FROM {deployed.lake.database}.{TABLE}"
    return sorted(Engine(deployed.lake).query(query).rows)


def test_the_maintenance_function_makes_the_table_and_the_catalog_has_it(deployed: Pipeline) -> None:
    answer = maintain(deployed)
    assert not answer.error, answer.message
    identities = answer.payload["identities"]
    assert (identities["status"], identities["days_read"], identities["identities"]) == ("replaced", 1, 3)
    deployed.wait_for_catalog()
    assert [tuple(row) for row in rows(deployed)] == OF_EVENTS


def test_the_next_day_the_function_writes_nothing(deployed: Pipeline) -> None:
    maintain(deployed)
    before = deployed.lake.snapshot()
    identities = maintain(deployed).payload["identities"]
    assert (identities["status"], identities["days_read"]) == ("unchanged", 0)
    assert before.changes(deployed.lake.snapshot()) == []
