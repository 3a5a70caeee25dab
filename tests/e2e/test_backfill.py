"""A backfill of a deployed stack: its state machine and the export function together.

test_backfill_machine.py tries each state of the machine. Here the days come from the stand-in of Mixpanel, and the
project has three queries an hour, of which a backfill takes two.
"""

import json
from typing import Any

import machine
import pytest
from conftest import STOREFRONT, Deploy
from source import read_events, without_repeats

from local import names
from local.pipeline import Pipeline
from local.process import poll
from local.query import Engine

FIRST, LAST = "2026-11-10", "2026-11-13"
DAYS = 4
AN_HOUR = 2
"""Queries that a backfill starts in an hour here."""


@pytest.fixture(scope="module")
def deployed(deploy: Deploy) -> Pipeline:
    return deploy("daybyday", STOREFRONT, QueriesPerHour="3")


class Budget:
    """The project's queries, as the document in the lake counts them."""

    def __init__(self, deployed: Pipeline) -> None:
        self.deployed = deployed
        self.key = f"{deployed.lake.folder}{names.BUDGET}queries.json"
        self.before = 0

    def started(self) -> int:
        """Queries since the test began."""
        return self.before + self._this_hour()

    def let_an_hour_pass(self) -> None:
        self.before += self._this_hour()
        self.deployed.cloud.client("s3").delete_object(Bucket=self.deployed.lake.bucket, Key=self.key)

    def _this_hour(self) -> int:
        s3 = self.deployed.cloud.client("s3")
        try:
            found = s3.get_object(Bucket=self.deployed.lake.bucket, Key=self.key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return 0
        return len(json.loads(found)["started"])


@pytest.fixture(scope="module")
def budget(deployed: Pipeline) -> Budget:
    return Budget(deployed)


def wait_for(what: Any, seconds: float = 30) -> None:
    for _ in poll(seconds):
        if what():
            return
    raise AssertionError("it did not happen")


def report_of(deployed: Pipeline, ended: dict[str, Any]) -> Any:
    """The report in the lake that the answer names."""
    key = json.loads(ended["output"])["report"].removeprefix(f"s3://{deployed.lake.bucket}/")
    return json.loads(deployed.lake.read(key))


def test_a_backfill_that_is_stopped_while_it_waits_goes_on_with_the_days_that_are_left(
    deployed: Pipeline, budget: Budget
) -> None:
    stopped = machine.start(deployed, FIRST, LAST)
    wait_for(lambda: len(stopped.entered("Wait")) > 0)
    stopped.stop()
    assert stopped.end()["status"] == "ABORTED"
    assert budget.started() == AN_HOUR
    seconds = [given["seconds"] for given in stopped.entered("Wait")]
    assert all(3000 < wait < 3700 for wait in seconds), "until the first query is an hour old"

    budget.let_an_hour_pass()
    ended = machine.start(deployed, FIRST, LAST).end()
    assert ended["status"] == "SUCCEEDED", ended
    assert budget.started() == DAYS, "one query for each day, and none twice"
    deployed.wait_for_catalog()
    query = f"SELECT count(*) FROM {deployed.lake.database}.{names.MASTER_TABLE}"
    assert Engine(deployed.lake).query(query).rows == ((len(without_repeats(read_events(STOREFRONT))),),)
    output = json.loads(ended["output"])
    assert (output["published"], output["missing"]) == (DAYS, 0)


def test_a_second_backfill_of_the_same_days_asks_mixpanel_nothing(deployed: Pipeline, budget: Budget) -> None:
    before, queries = deployed.lake.snapshot(), budget.started()
    ended = machine.start(deployed, FIRST, LAST).end()
    assert ended["status"] == "SUCCEEDED", ended
    assert budget.started() == queries
    changes = [change for change in before.changes(deployed.lake.snapshot()) if "/_reports/" not in change]
    assert changes == []


def test_a_forced_backfill_waits_for_the_budget_and_fetches_every_day_once_more(
    deployed: Pipeline, budget: Budget
) -> None:
    budget.let_an_hour_pass()
    queries = budget.started()
    forced = machine.start(deployed, FIRST, LAST, force=True)
    wait_for(lambda: len(forced.entered("Wait")) > 0)
    budget.let_an_hour_pass()
    ended = forced.end()
    assert ended["status"] == "SUCCEEDED", ended
    assert budget.started() == queries + DAYS
    report = report_of(deployed, ended)
    assert (report["kind"], report["published"], report["missing"]) == ("backfill", DAYS, [])


def test_a_range_that_cannot_be_meant_is_refused_before_anything_runs(deployed: Pipeline, budget: Budget) -> None:
    queries = budget.started()
    ended = machine.start(deployed, "2009-12-31", "2099-01-01").end()
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidPayload")
    assert "from_date" in ended["cause"]
    assert "to_date" in ended["cause"]
    assert budget.started() == queries
