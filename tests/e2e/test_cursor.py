"""Slices of the time at which Mixpanel processed events: late ones go to their own dates, once."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import STOREFRONT, Deploy, Exported
from source import Event, cleaned, day, read_events

from local import names

START, LAST = "2026-11-11", "2026-11-12"
LATE_DAYS = (1, 30, 149)


def processed(event: Event) -> str:
    """The date at which an event was processed."""
    seconds = event["properties"]["mp_processing_time_ms"] / 1000
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def late(event: Event, days: int) -> Event:
    """The same event long before, and processed when it was."""
    properties = event["properties"]
    number = properties["$insert_id"] + f" {days} days late"
    return event | {"properties": properties | {"time": properties["time"] - days * 86_400, "$insert_id": number}}


def again(event: Event) -> Event:
    """The same event, sent again a day later."""
    properties = event["properties"]
    newer = properties["mp_processing_time_ms"] + 86_400_000
    return event | {"properties": properties | {"mp_processing_time_ms": newer}}


@pytest.fixture(scope="module")
def held() -> list[Event]:
    """The shop, and some of its events late or twice."""
    events = read_events(STOREFRONT)
    first = [e for e in events if processed(e) == START]
    return events + [late(e, days) for days in LATE_DAYS for e in first[:5]] + [again(e) for e in first[-20:]]


@pytest.fixture(scope="module")
def cursor(deploy: Deploy, held: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    data: Path = tmp_path_factory.mktemp("cursor") / "events.jsonl"
    data.write_text("".join(json.dumps(e) + "\n" for e in held))
    deployed = deploy("cursor", data, LateData="ingestion_cursor", IngestionStart=START)
    report = deployed.export({"from_date": "2026-11-10", "to_date": LAST})
    deployed.wait_for_catalog()
    return Exported(deployed, report)


def identity(event: Event) -> tuple[object, ...]:
    properties = event["properties"]
    return (event["event"], properties.get("distinct_id"), properties["time"], properties["$insert_id"])


def test_slices_are_of_ingestion_from_the_start_on(cursor: Exported) -> None:
    assert [s["slice"] for s in cursor.report["slices"]] == ["2026-11-10", f"i{START}", f"i{LAST}"]


def test_every_event_is_there_once_on_its_own_date(cursor: Exported, held: list[Event]) -> None:
    found = [e for e in held if processed(e) <= LAST and (day(e) <= "2026-11-10" or processed(e) >= START)]
    expected = Counter((day(e), cleaned(e["event"])) for e in {identity(e): e for e in found}.values())
    assert sum(d < START for d, _ in expected) > len(LATE_DAYS), "some are late"
    answer = cursor.query(f"SELECT mp_date, mp_event_name, count(*) FROM cursor.{names.MASTER_TABLE} GROUP BY 1, 2")
    assert {(d, name): count for d, name, count in answer.rows} == expected


def test_what_was_sent_twice_counts_as_a_duplicate(cursor: Exported) -> None:
    first, second = cursor.report["slices"][1:]
    assert second["duplicates"] >= 20
    for counts in (first, second):
        assert counts["received"] == counts["written"] + counts["duplicates"] + counts["quarantined"]


def test_the_same_days_again_change_nothing(cursor: Exported) -> None:
    deployed = cursor.pipeline
    before = deployed.lake.snapshot()
    deployed.export({"from_date": "2026-11-10", "to_date": LAST})
    deployed.wait_for_catalog()
    assert before.changes(deployed.lake.snapshot()) == []
