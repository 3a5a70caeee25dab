"""What a run tells of itself: a row for each slice in a table that SQL reads, and its whole report in the lake."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy, Exported, export

from local import names, pipeline
from local.cloud import s3_parts
from local.query import Result

DAY = "2026-11-10"


@pytest.fixture(scope="module")
def exported(deploy: Deploy) -> Exported:
    return export(deploy("runs", STOREFRONT), pipeline.payload("backfill"))


@pytest.fixture
def query(exported: Exported) -> Callable[[str], Result]:
    """Asks the table as it is now."""
    table = f"{exported.pipeline.lake.database}.{names.RUNS_TABLE}"

    def ask(columns: str) -> Result:
        exported.pipeline.wait_for_catalog()
        return exported.query(f"SELECT {columns} FROM {table} ORDER BY began")

    return ask


def whole(exported: Exported, report: dict[str, Any]) -> Any:
    """The report in the lake that an answer names."""
    bucket, key = s3_parts(report["report_location"])
    assert (bucket, "_reports" in key) == (exported.pipeline.lake.bucket, True)
    return json.loads(exported.pipeline.lake.read(key))


def mixlake(exported: Exported, command: str, *arguments: str) -> Any:
    """What a command says of the lake in its bucket."""
    lake = exported.pipeline.lake
    words = [str(names.binary(names.COMMAND_LINE)), command, "--lake", f"s3://{lake.bucket}", "--json", *arguments]
    env = lake.cloud.client_environment()
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    return json.loads(done.stdout)


def test_the_table_has_a_row_for_each_slice(exported: Exported, query: Callable[[str], Result]) -> None:
    found = query("slice, why, status, received, written, duplicates, quarantined, bytes, queries, report, dataset")
    counts = ("slice", "status", "received", "written", "duplicates", "quarantined", "bytes")
    slices = [tuple(part[count] for count in counts) for part in exported.report["slices"]]
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows][: len(slices)]
    assert [tuple(row[count] for count in counts) for row in rows] == slices
    assert {(row["why"], row["queries"], row["dataset"]) for row in rows} == {("manual", 1, "events")}
    assert {row["report"] for row in rows} == {exported.report["report_location"]}


def test_the_partition_is_the_date_on_which_the_run_ended(query: Callable[[str], Result]) -> None:
    for ended, date in query("ended, mp_date").rows:
        assert ended.date().isoformat() == date


def test_the_report_is_kept_in_the_lake(exported: Exported) -> None:
    kept = whole(exported, exported.report)
    assert kept["slices"] == exported.report["slices"]
    assert kept["totals"] == exported.report["totals"]
    assert kept["began"] < kept["ended"]


def test_the_doctor_finds_nothing_wrong(exported: Exported) -> None:
    database = f"glue_database={exported.pipeline.lake.database}"
    exported.pipeline.wait_for_catalog()
    assert mixlake(exported, "doctor", "--deep", "--set", database)["findings"] == []


def test_status_and_timeline_are_told_of_a_bucket(exported: Exported) -> None:
    (status,) = mixlake(exported, "status", "--set", "frequency=daily")["projects"]
    assert (status["project"], status["published"], status["missing"]) == (names.PROJECT_ID, 4, [])
    assert status["queries_last_hour"] >= len(exported.report["slices"])
    (timeline,) = mixlake(exported, "timeline")["projects"]
    rows = {day["date"]: day["rows"] for day in timeline["days"]}
    assert rows == {part["slice"]: part["written"] for part in exported.report["slices"]}


def test_a_failed_slice_has_a_row_with_a_word_and_the_report_has_the_text(
    exported: Exported, query: Callable[[str], Result]
) -> None:
    functions, name = exported.pipeline.cloud.client("lambda"), exported.pipeline.outputs["ExportFunctionName"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = variables | {"WHERE": 'properties["a"] =='}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    answer = exported.pipeline.invoke({"date": DAY, "force": True})
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    assert answer.payload["errorType"] == "SliceFailed", answer.message
    told = json.loads(answer.message.partition(" Report: ")[2])
    failed = whole(exported, told)["slices"]
    assert [part["status"] for part in failed] == ["failed"]
    *_, last = query("slice, status, error, received, report").rows
    assert last == (DAY, "failed", "refused", None, told["report_location"])


def test_a_backfill_is_told_from_a_person(exported: Exported, query: Callable[[str], Result]) -> None:
    exported.pipeline.export({"date": DAY, "force": True, "backfill": True})
    *_, last = query("slice, why, status").rows
    assert last == (DAY, "backfill", "unchanged")
