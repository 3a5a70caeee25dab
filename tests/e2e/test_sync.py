"""The scheduled sync: closed days are fetched again once a day; late events appear, and deleted ones disappear."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy
from small_run import EXPORT, set_variables

from local import names
from local.mixpanel import MixpanelStandIn
from local.pipeline import Pipeline
from local.query import Engine

STACK = "synced"
NOW = datetime.now(UTC)
DELAY = 0 if NOW.hour < 2 else 2
TODAY = (NOW - timedelta(hours=DELAY)).date()
"""The function records when it fetched a day, by its clock. So these tests are about the last days. A day has closed
so many hours after midnight; no day closes soon after the tests begin, or they would meet two days."""
FIRST, SECOND, LAST = (TODAY - timedelta(days=days) for days in (3, 2, 1))
TIMES = "_sync/days.json"
OF_RUNS = ("_reports/", "mp_export_runs/", "schema/runs.json")
"""What each run writes about itself."""

Event = dict[str, Any]


def event(day: date, hour: int, number: int) -> Event:
    at = datetime.combine(day, time(hour), UTC) + timedelta(minutes=number)
    properties = {"time": round(at.timestamp()), "distinct_id": f"u{number}", "$insert_id": f"{day}-{hour}-{number}"}
    return {"event": "Purchase", "properties": properties}


EVENTS = [event(day, hour, number) for day in (FIRST, SECOND, LAST) for hour in (1, 2) for number in range(3)]
DELETED, LATE = event(LAST, 2, 0), event(LAST, 2, 50)


def written(folder: Path, events: Iterable[Event]) -> Path:
    data = folder / "events.jsonl"
    data.write_text("".join(json.dumps(one) + "\n" for one in events))
    return data


@pytest.fixture(scope="module")
def synced(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A lake with a day, with a day of which two hours are there, and without the last day."""
    data = written(tmp_path_factory.mktemp(STACK), EVENTS)
    deployed = deploy(STACK, data, SyncDays="3", ExportDelayMinutes=f"{60 * DELAY}")
    for payload in ({"date": f"{FIRST}"}, {"hour": f"{SECOND}T01"}, {"hour": f"{SECOND}T02"}):
        deployed.export(payload)
    return deployed


def scheduled(deployed: Pipeline, at: datetime) -> list[tuple[str, str]]:
    """What a run of the deployed schedule did at a time: the slices with their states."""
    schedule = deployed.cloud.client("scheduler").get_schedule(Name=deployed.outputs["SyncScheduleName"])
    text = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return slices(deployed.export(json.loads(text)))


def slices(report: Any) -> list[tuple[str, str]]:
    return [(one["slice"], one["status"]) for one in report["slices"]]


def queries(deployed: Pipeline) -> int:
    """How many queries were asked so far: the tests take less than an hour, after which they are forgotten."""
    return len(json.loads(deployed.lake.read(deployed.lake.folder + names.BUDGET + "queries.json"))["started"])


def objects(deployed: Pipeline) -> dict[str, tuple[str, str]]:
    found = {key.removeprefix(deployed.lake.folder): how for key, how in deployed.lake.snapshot().objects.items()}
    return {key: how for key, how in found.items() if not key.startswith(OF_RUNS)}


def changed(before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def folder(day: date) -> str:
    return f"{names.MASTER_TABLE}/{day:%Y/%m/%d}/"


def ids(deployed: Pipeline) -> list[str]:
    deployed.wait_for_catalog()
    query = f"SELECT mp_insert_id FROM {deployed.lake.database}.{names.MASTER_TABLE} ORDER BY 1"
    return [row[0] for row in Engine(deployed.lake).query(query).rows]


def ids_of(events: Iterable[Event]) -> list[str]:
    return sorted(one["properties"]["$insert_id"] for one in events)


@pytest.fixture(scope="module")
def first_run(synced: Pipeline) -> Any:
    before, asked = objects(synced), queries(synced)
    found = scheduled(synced, NOW)
    return found, changed(before, objects(synced)), queries(synced) - asked


def test_each_closed_day_becomes_one_slice(synced: Pipeline, first_run: Any) -> None:
    found, _, asked = first_run
    assert found == [(f"{LAST}", "published"), (f"{SECOND}", "published"), (f"{FIRST}", "unchanged")]
    assert asked == len(found)
    manifests = synced.lake.manifests()
    for day in (FIRST, SECOND, LAST):
        (file,) = manifests[f"{synced.lake.folder}{folder(day)}{names.MANIFEST}"]["files"]
        assert file["name"].startswith(f"{day}-"), "no file of an hour"
    assert ids(synced) == ids_of(EVENTS)


def test_a_day_with_equal_rows_is_not_written(first_run: Any) -> None:
    _, was_changed, _ = first_run
    assert {key for key in was_changed if key.startswith(folder(FIRST))} == set()
    assert {key for key in was_changed if key.startswith(folder(SECOND))} != set()


@pytest.mark.usefixtures("first_run")
def test_a_second_run_of_the_day_asks_nothing(synced: Pipeline) -> None:
    before, asked = objects(synced), queries(synced)
    assert scheduled(synced, NOW) == []
    assert (changed(before, objects(synced)), queries(synced) - asked) == (set(), 0)


@pytest.fixture(scope="module")
def next_day(synced: Pipeline, first_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The first run of the next day. Until then an event of the last day came late, and another was deleted."""
    assert first_run
    data = written(tmp_path_factory.mktemp("later"), [one for one in EVENTS if one != DELETED] + [LATE])
    with MixpanelStandIn(synced.logs / "mixpanel-synced-later.log", data) as mixpanel:
        set_variables(synced, EXPORT, MIXPANEL_ENDPOINT=mixpanel.endpoint)
        before, asked = objects(synced), queries(synced)
        found = scheduled(synced, NOW + timedelta(days=1))
        first = found, changed(before, objects(synced)), queries(synced) - asked
        before = objects(synced)
        again = synced.export({"from_date": f"{SECOND}", "to_date": f"{LAST}", "sync": True})
        return *first, slices(again), changed(before, objects(synced))


def test_the_next_day_asks_for_each_day_again(next_day: Any) -> None:
    found, _, asked, *_ = next_day
    assert dict(found).keys() == {f"{TODAY}", f"{LAST}", f"{SECOND}"}
    assert asked >= len(found)
    assert {day: status for day, status in found if day != f"{TODAY}"} == {
        f"{LAST}": "published",
        f"{SECOND}": "unchanged",
    }


def test_a_late_event_appears_and_a_deleted_one_disappears(synced: Pipeline, next_day: Any) -> None:
    assert next_day
    found = ids(synced)
    assert found == ids_of([one for one in EVENTS if one != DELETED] + [LATE])
    assert len(found) == len(EVENTS)


def test_only_the_changed_day_is_written(next_day: Any) -> None:
    _, was_changed, *_ = next_day
    tables = {key for key in was_changed if key.startswith(f"{names.MASTER_TABLE}/")}
    assert tables == {key for key in tables if key.startswith(folder(LAST))} != set()
    assert TIMES in was_changed


def test_equal_days_write_nothing_but_the_time_of_the_sync(next_day: Any) -> None:
    *_, again, was_changed = next_day
    assert dict(again) == {f"{SECOND}": "unchanged", f"{LAST}": "unchanged"}
    assert was_changed == {TIMES}


@pytest.mark.usefixtures("next_day")
def test_without_sync_a_run_does_nothing(synced: Pipeline) -> None:
    """It is invoked by hand here: the schedule of such a stack is off."""
    set_variables(synced, EXPORT, SYNC="false")
    before, asked = objects(synced), queries(synced)
    assert scheduled(synced, NOW + timedelta(days=1)) == []
    assert (changed(before, objects(synced)), queries(synced) - asked) == (set(), 0)


@pytest.mark.parametrize(
    ("stack", "parameters", "state"),
    [
        ("syncing", {}, "ENABLED"),
        ("syncless", {"Sync": "false"}, "DISABLED"),
        ("synccursor", {"LateData": "ingestion_cursor", "IngestionStart": "2099-01-01"}, "DISABLED"),
    ],
)
def test_the_schedule_is_on_where_it_has_something_to_do(
    deploy: Deploy, stack: str, parameters: dict[str, str], state: str
) -> None:
    deployed = deploy(stack, STOREFRONT, ScheduleState="ENABLED", **parameters)
    schedules, name = deployed.cloud.client("scheduler"), deployed.outputs["SyncScheduleName"]
    assert schedules.get_schedule(Name=name)["State"] == state
    assert (f"default/{name}" in deployed.outputs["ScheduleNames"].split(",")) == (state == "ENABLED")
