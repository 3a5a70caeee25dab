"""What starts an export by itself: the slice comes from the scheduled time, in the project's zone."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy, Exported
from source import Event, read_events, without_repeats

from local import names, pipeline
from local.pipeline import Pipeline

FROM = datetime(2026, 11, 10, 10, 30, tzinfo=UTC)
UNTIL = datetime(2026, 11, 10, 11, 30, tzinfo=UTC)
"""The last hour in Kolkata that had ended two hours before 14:10 UTC, which is 19:40 there."""

SCHEDULED = "2026-11-10T14:10:00Z"


def scheduled_payload(deployed: Pipeline, at: str = SCHEDULED) -> Any:
    """The deployed schedule's own payload. AWS puts the time in; MiniStack leaves the words as they are."""
    text = deployed.schedule()["Target"]["Input"]
    assert "<aws.scheduler.scheduled-time>" in text
    return json.loads(text.replace("<aws.scheduler.scheduled-time>", at))


def inside(event: Event) -> bool:
    return FROM.timestamp() <= event["properties"]["time"] < UNTIL.timestamp()


@pytest.fixture(scope="module")
def first(kolkata: Pipeline) -> Any:
    report = kolkata.export(scheduled_payload(kolkata))
    kolkata.wait_for_catalog()
    return report["slices"]


def test_schedule_exports_the_last_whole_hour_of_the_project_zone(first: Any) -> None:
    assert [(datetime.fromisoformat(s["from"]), datetime.fromisoformat(s["to"])) for s in first] == [(FROM, UNTIL)]


def test_the_hour_holds_exactly_its_events(first: Any) -> None:
    lines = [event for event in read_events(STOREFRONT) if inside(event)]
    assert (first[0]["received"], first[0]["written"]) == (len(lines), len(without_repeats(lines)))


def test_objects_and_tables_carry_their_prefixes(kolkata: Pipeline, first: Any) -> None:
    assert all(f"exports/mixpanel/{names.PROJECT_ID}/mp_master_event/2026/11/10/" in key for key in first[0]["objects"])
    assert kolkata.lake.tables().keys() == {f"raw_{names.RUNS_TABLE}", f"raw_{names.MASTER_TABLE}"}


@pytest.mark.parametrize(
    "event", [pipeline.payload("eventbridge-rule"), {"hour": "2026-11-10T16"}], ids=["rule", "manual"]
)
def test_other_ways_to_name_the_same_hour_find_it_done(kolkata: Pipeline, first: Any, event: Any) -> None:
    before = kolkata.lake.snapshot()
    again = kolkata.export(event)["slices"]
    kolkata.wait_for_catalog()
    assert [(s["slice"], s["status"]) for s in again] == [(first[0]["slice"], "existing")]
    assert before.changes(kolkata.lake.snapshot()) == []


@pytest.mark.usefixtures("first")
def test_what_earlier_runs_left_out_is_exported_first(kolkata: Pipeline) -> None:
    """The runs of 15:10 and 16:10 UTC never came."""
    report = kolkata.export(scheduled_payload(kolkata, "2026-11-10T17:10:00Z"))
    kolkata.wait_for_catalog()
    hours = ["2026-11-10T17", "2026-11-10T18", "2026-11-10T19"]
    assert [(s["slice"], s["status"]) for s in report["slices"]] == [(hour, "published") for hour in hours]
    until = UNTIL + timedelta(hours=3)
    lines = [e for e in read_events(STOREFRONT) if FROM.timestamp() <= e["properties"]["time"] < until.timestamp()]
    query = f"SELECT count(*) FROM {kolkata.lake.database}.raw_{names.MASTER_TABLE}"
    assert Exported(kolkata, report).query(query).rows == ((len(without_repeats(lines)),),)
    runs = f"SELECT slice, why FROM {kolkata.lake.database}.raw_{names.RUNS_TABLE} ORDER BY began DESC LIMIT 3"
    whys = [(hours[2], "schedule"), (hours[1], "catch_up"), (hours[0], "catch_up")]
    assert Exported(kolkata, report).query(runs).rows == tuple(whys)


@pytest.fixture(scope="module")
def quarterly(deploy: Deploy) -> Pipeline:
    """A project three quarters of an hour off UTC, whose slices are quarters of an hour."""
    return deploy("quarterly", STOREFRONT, Timezone="Asia/Kathmandu", Frequency="15min")


def test_a_schedule_of_minutes_exports_the_last_whole_quarter_and_what_was_missed(quarterly: Pipeline) -> None:
    """The runs of 14:34 to 15:34 UTC never came: an hour and a quarter are missing beside the slice that is due."""
    assert quarterly.schedule()["ScheduleExpression"] == "cron(4/15 * * * ? *)"
    first = quarterly.export(scheduled_payload(quarterly, "2026-11-10T14:19:00Z"))
    assert [s["slice"] for s in first["slices"]] == ["2026-11-10T17_45to60"]
    later = quarterly.export(scheduled_payload(quarterly, "2026-11-10T15:49:00Z"))
    quarterly.wait_for_catalog()
    missed = ["2026-11-10T18", "2026-11-10T19_00to15", "2026-11-10T19_15to30"]
    assert [(s["slice"], s["status"]) for s in later["slices"]] == [(label, "published") for label in missed]
    since, until = (datetime(2026, 11, 10, hour, minute, tzinfo=UTC) for hour, minute in ((12, 0), (13, 45)))
    lines = [e for e in read_events(STOREFRONT) if since.timestamp() <= e["properties"]["time"] < until.timestamp()]
    query = f"SELECT count(*) FROM {quarterly.lake.database}.{names.MASTER_TABLE}"
    assert Exported(quarterly, later).query(query).rows == ((len(without_repeats(lines)),),)


def test_schedule_retries_for_a_day_and_keeps_what_failed(kolkata: Pipeline) -> None:
    target = kolkata.schedule()["Target"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86400
    assert "FailedSlices" in target["DeadLetterConfig"]["Arn"]
    assert kolkata.schedule()["FlexibleTimeWindow"] == {"Mode": "OFF"}
