"""The maintenance function: it deletes files that were replaced, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Deploy
from replaced import maintain, replaced_files
from small_run import EXPORT, MAINTENANCE, events, set_variables

from local import names
from local.pipeline import Pipeline
from local.query import Engine

REPLACED_DAY, OTHER_DAYS = "2026-11-10", ["2026-11-11", "2026-11-12"]
NOTHING = {"deleted": [], "kept": [], "failed": [], "staged": 0, "uploads": 0}


@pytest.fixture(scope="module")
def replaced(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A lake in which a day was replaced twice, and whose tables have moved on."""
    data: Path = tmp_path_factory.mktemp("maintained") / "events.jsonl"
    data.write_text("".join(json.dumps(event) + "\n" for event in events()))
    deployed = deploy("maintained", data, Compact="false", Identities="false")
    deployed.export({"from_date": REPLACED_DAY, "to_date": OTHER_DAYS[-1]})
    for chosen in ("Purchase", "Sign Up"):
        set_variables(deployed, EXPORT, EVENTS=chosen)
        deployed.export({"date": REPLACED_DAY, "force": True})
    deployed.wait_for_catalog()
    assert len(of_the_day(replaced_files(deployed.lake))) == 2
    return deployed


def of_the_day(keys: set[str]) -> set[str]:
    return {key for key in keys if f"/{names.MASTER_TABLE}/2026/11/10/" in key}


def collected(deployed: Pipeline) -> Any:
    answer = maintain(deployed)
    assert not answer.error, answer.message
    return answer.payload["collected"]


def counts(deployed: Pipeline) -> Any:
    query = f"SELECT mp_date, mp_event_name, count(*) FROM {deployed.lake.database}.{names.MASTER_TABLE} GROUP BY 1, 2"
    return sorted(Engine(deployed.lake).query(query).rows)


def test_replaced_files_stay_for_a_day(replaced: Pipeline) -> None:
    before = replaced.lake.snapshot()
    found = collected(replaced)
    assert (found["deleted"], found["failed"]) == ([], [])
    assert before.changes(replaced.lake.snapshot()) == []


def test_a_wrong_setting_is_told_and_nothing_is_deleted(replaced: Pipeline) -> None:
    before = replaced.lake.snapshot()
    set_variables(replaced, MAINTENANCE, KEEP_REPLACED_HOURS="9000", COMPACT="sometimes")
    answer = maintain(replaced)
    set_variables(replaced, MAINTENANCE, KEEP_REPLACED_HOURS="24", COMPACT="false")
    assert answer.payload["errorType"] == "InvalidSettings"
    assert answer.message.splitlines() == [
        'COMPACT: "sometimes" is not supported; it accepts true, false',
        'KEEP_REPLACED_HOURS: must be a number of hours from 0 to 8760, got "9000"',
    ]
    assert before.changes(replaced.lake.snapshot()) == []


def test_with_a_crawler_nothing_is_deleted(replaced: Pipeline) -> None:
    """It is invoked by hand here: the schedule of such a stack is off."""
    before = replaced.lake.snapshot()
    set_variables(replaced, MAINTENANCE, KEEP_REPLACED_HOURS="0", CATALOG="crawler")
    answer = maintain(replaced)
    set_variables(replaced, MAINTENANCE, KEEP_REPLACED_HOURS="24", CATALOG="direct")
    assert (answer.error, answer.payload) == (False, {})
    assert before.changes(replaced.lake.snapshot()) == []


@pytest.fixture(scope="module")
def maintained(replaced: Pipeline) -> Any:
    """What was there before and after the replaced files were deleted, and what the function said."""
    note = f"{replaced.lake.folder}{names.MASTER_TABLE}/2026/11/10/a-note-of-ours.txt"
    replaced.cloud.client("s3").put_object(Bucket=replaced.lake.bucket, Key=note, Body=b"not Mixlake's")
    before, were_replaced, were_counted = replaced.lake.snapshot(), replaced_files(replaced.lake), counts(replaced)
    set_variables(replaced, MAINTENANCE, KEEP_REPLACED_HOURS="0")
    said = collected(replaced)
    replaced.wait_for_catalog()
    assert counts(replaced) == were_counted
    return before, were_replaced, said


def test_the_replaced_files_are_deleted_and_nothing_else(replaced: Pipeline, maintained: Any) -> None:
    before, were_replaced, _ = maintained
    after = replaced.lake.snapshot()
    assert before.objects.keys() - after.objects.keys() == were_replaced
    assert of_the_day(were_replaced)
    assert after.objects.keys() <= before.objects.keys()
    assert after.tables == before.tables
    changed = {key for key, found in after.objects.items() if before.objects[key] != found}
    folders = {key.rsplit("/", 2)[0] for key in were_replaced}
    assert changed == {f"{folder}/{names.MANIFEST}" for folder in folders}, "each records what is deleted"


def test_the_answer_says_what_was_deleted(replaced: Pipeline, maintained: Any) -> None:
    before, were_replaced, said = maintained
    (day,) = [day for day in said["deleted"] if day["table"] == names.MASTER_TABLE]
    assert (day["subject"], day["files"]) == (REPLACED_DAY, len(of_the_day(were_replaced)))
    assert day["bytes"] > 0
    assert sum(day["files"] for day in said["deleted"]) == len(were_replaced)
    assert (said["failed"], said["staged"], said["uploads"]) == ([], 0, 0)
    log = replaced.save_log("MaintenanceLogGroup").read_text()
    assert "replaced files were deleted" in log
    assert before.objects


@pytest.mark.usefixtures("maintained")
def test_a_second_run_deletes_nothing(replaced: Pipeline) -> None:
    before = replaced.lake.snapshot()
    assert collected(replaced) == NOTHING
    assert before.changes(replaced.lake.snapshot()) == []


def test_the_hours_of_a_closed_day_become_one_file(deploy: Deploy, tmp_path: Path) -> None:
    data = tmp_path / "events.jsonl"
    data.write_text("".join(json.dumps(event) + "\n" for event in events()))
    deployed = deploy("compacted", data)
    for hour in ("2026-11-10T01", "2026-11-10T02"):
        deployed.export({"hour": hour})
    deployed.wait_for_catalog()
    were_counted = counts(deployed)
    answer = maintain(deployed)
    assert not answer.error, answer.message
    [target] = answer.payload["compacted"]["targets"]
    assert (target["table"], target["status"]) == (names.MASTER_TABLE, "compacted")
    assert (target["before"]["files"], target["after"]["files"]) == (2, 1)
    deployed.wait_for_catalog()
    assert counts(deployed) == were_counted
    before = deployed.lake.snapshot()
    assert maintain(deployed).payload["compacted"]["targets"] == []
    assert before.changes(deployed.lake.snapshot()) == []
