"""The state machine of a backfill, state by state: a script is in the place of the export function."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jsonata
import machine
import pytest
from conftest import STOREFRONT, Deploy
from scripted import Answer, Script, play

from local.pipeline import Pipeline
from local.process import poll
from local.rights.policy import listed, statements
from local.rights.roles import Account, Role
from local.strict import machines

DAYS = [f"2026-11-{day:02}" for day in range(1, 7)]
REPORT = "s3://lake/2195193/_reports/backfill.json"


def error(kind: str, message: Any) -> Answer:
    """As the runtime of our functions answers."""
    return {"errorType": kind, "errorMessage": message if isinstance(message, str) else json.dumps(message)}


def limited(seconds: int) -> Answer:
    return error("RateLimited", {"error": "the query budget is used up", "retry_after_seconds": seconds})


@dataclass
class Project:
    """A project whose days are published by a function that first gives other answers, if it has any."""

    days: list[str] = field(default_factory=lambda: list(DAYS))
    concurrency: int = 3
    published: list[str] = field(default_factory=list)
    first: dict[str, list[Answer]] = field(default_factory=dict)
    report: Answer = field(default_factory=lambda: {"report": REPORT})
    running: int = 0
    most: int = 0
    gate: threading.Event | None = None
    changing: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, payload: dict[str, Any]) -> Answer:
        if "plan" in payload:
            left = [day for day in self.days if payload["plan"].get("force") or day not in self.published]
            return {"slices": [{"date": day} for day in left], "concurrency": self.concurrency}
        if "report" in payload:
            missing = len(set(self.days) - set(self.published))
            return self.report | {"published": len(self.days) - missing, "missing": missing}
        day = payload.get("date", payload.get("from_date"))
        with self.changing:
            self.running += 1
            self.most = max(self.most, self.running)
            others = self.first.get(day, [])
            other = others.pop(0) if others else None
        if self.gate is not None:
            self.gate.wait(30)
        with self.changing:
            self.running -= 1
            if other is None:
                self.published.append(day)
        return other or {"slices": [{"slice": day, "status": "published"}]}


@pytest.fixture(scope="module")
def deployed(deploy: Deploy) -> Pipeline:
    return deploy("backfill", STOREFRONT)


@pytest.fixture
def project() -> Project:
    return Project()


@pytest.fixture
def script(deployed: Pipeline, project: Project) -> Iterator[Script]:
    with Script(project.answer) as running:
        play(deployed, running)
        yield running


def start(deployed: Pipeline, **more: Any) -> machine.Execution:
    return machine.start(deployed, DAYS[0], DAYS[-1], **more)


def test_each_slice_of_the_plan_is_exported_once_and_a_report_ends_it(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    execution = start(deployed)
    ended = execution.end()
    assert ended["status"] == "SUCCEEDED", ended
    assert script.payloads("plan") == [{"from_date": DAYS[0], "to_date": DAYS[-1]}]
    assert sorted(script.payloads("date")) == DAYS
    assert script.payloads("report") == [{"from_date": DAYS[0], "to_date": DAYS[-1], "failed": []}]
    assert json.loads(ended["output"]) == {"report": REPORT, "published": 6, "missing": 0}
    assert execution.map_run()["itemCounts"]["succeeded"] == len(DAYS)
    assert project.most <= project.concurrency


def test_what_is_published_is_not_exported_again_unless_it_is_forced(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    project.published = list(DAYS)
    assert start(deployed).end()["status"] == "SUCCEEDED"
    assert script.payloads("date") == []
    assert start(deployed, force=True).end()["status"] == "SUCCEEDED"
    forced = [one.payload for one in script.invocations if "date" in one.payload]
    assert sorted(forced, key=lambda one: str(one["date"])) == [
        {"date": day, "force": True, "backfill": True} for day in DAYS
    ]


def test_a_slice_waits_as_long_as_the_function_says_and_nothing_runs_meanwhile(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    project.days, project.concurrency = DAYS[:1], 1
    project.first = {DAYS[0]: [limited(3000), limited(600)]}
    execution = start(deployed)
    assert execution.end()["status"] == "SUCCEEDED"
    first, second = (given["seconds"] for given in execution.entered("Wait"))
    assert (first // 10, second // 10) == (300, 60), "a few seconds more, so that slices do not come back together"
    asked = [one.at for one in script.invocations if "date" in one.payload]
    assert len(asked) == 3
    assert asked[1] - asked[0] >= 3.0, "a thousandth of the time, in the tests"


def test_a_function_that_ran_out_of_time_goes_on_with_what_is_left(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    rest = {"from_date": DAYS[1], "to_date": DAYS[1]}
    project.first = {DAYS[1]: [error("OutOfTime", {"error": "the time is used up", "go_on": rest})]}
    assert start(deployed).end()["status"] == "SUCCEEDED"
    assert [one.payload for one in script.invocations if "from_date" in one.payload] == [rest | {"backfill": True}]


def test_a_slice_that_never_ends_is_given_up(deployed: Pipeline, project: Project, script: Script) -> None:
    rest = {"from_date": DAYS[1], "to_date": DAYS[1]}
    project.first = {DAYS[1]: [error("OutOfTime", {"go_on": rest}) for _ in range(20)]}
    ended = start(deployed).end()
    assert (ended["status"], ended["error"]) == ("FAILED", "BackfillIncomplete")
    assert len(script.payloads("from_date")) == 11, "and the first of twelve by its date"
    [report] = script.payloads("report")
    assert report["failed"] == [f"{DAYS[1]}: OutOfTime: 12 invocations were not enough"]


def test_a_bad_day_does_not_end_the_others_and_is_told(deployed: Pipeline, project: Project, script: Script) -> None:
    project.first = {DAYS[2]: [error("SliceFailed", "401 " + "x" * 600)], DAYS[3]: [error("NoLake", '{"a": "b"}')]}
    ended = start(deployed).end()
    assert sorted(project.published) == [DAYS[0], DAYS[1], DAYS[4], DAYS[5]]
    [report] = script.payloads("report")
    refused = f"{DAYS[2]}: SliceFailed: 401 ".ljust(500, "x")
    assert report["failed"] == [refused, f'{DAYS[3]}: NoLake: {{"a": "b"}}']
    assert (ended["status"], ended["error"]) == ("FAILED", "BackfillIncomplete")
    assert ended["cause"] == (
        "2 slices failed, and 2 days are not published. The reasons are in s3://lake/2195193/_reports/backfill.json."
        " The same backfill, started again, goes on with these days."
    )
    assert start(deployed).end()["status"] == "SUCCEEDED"
    assert sorted(project.published) == DAYS, "and none of them twice"


def test_a_report_that_cannot_be_written_is_told(deployed: Pipeline, project: Project, script: Script) -> None:
    project.first = {DAYS[2]: [error("SliceFailed", "401")]}
    project.report = {"report": None, "report_error": "access denied"}
    assert start(deployed).end()["cause"] == (
        "1 slices failed, and 1 days are not published. The report is not written: access denied."
        " The same backfill, started again, goes on with these days."
    )
    assert len(script.payloads("report")) == 1


def test_a_function_that_is_killed_is_tried_again(deployed: Pipeline, project: Project, script: Script) -> None:
    project.first = {DAYS[0]: [{"crash": True}], DAYS[1]: [error("Sandbox.Timedout", "Task timed out")] * 3}
    ended = start(deployed).end()
    assert ended["status"] == "SUCCEEDED", ended
    asked = script.payloads("date")
    assert (asked.count(DAYS[0]), asked.count(DAYS[1]), len(asked)) == (2, 4, 10)


def test_a_function_that_times_out_is_tried_three_times_more(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    """Lambda ends it after a second here, while it waits for the script."""
    project.days, project.gate = DAYS[:1], threading.Event()
    functions, name = deployed.cloud.client("lambda"), deployed.outputs["ExportFunctionName"]
    functions.update_function_configuration(FunctionName=name, Timeout=1)
    try:
        ended = start(deployed).end()
    finally:
        project.gate.set()
        functions.update_function_configuration(FunctionName=name, Timeout=900)
    assert ended["error"] == "BackfillIncomplete"
    assert script.payloads("date") == [DAYS[0]] * 4
    [report] = script.payloads("report")
    [failed] = report["failed"]
    assert failed.startswith(f"{DAYS[0]}: Sandbox.Timedout: "), failed


def test_a_backfill_waits_until_lambda_starts_the_function(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    """The account has no concurrency left."""
    functions, name = deployed.cloud.client("lambda"), deployed.outputs["ExportFunctionName"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        execution = start(deployed)
        for _ in poll(30):
            if "Lambda.TooManyRequestsException" in execution.errors():
                break
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert execution.end()["status"] == "SUCCEEDED"
    assert set(execution.errors()) == {"Lambda.TooManyRequestsException"}
    assert sorted(script.payloads("date")) == sorted(project.published) == DAYS


def test_a_backfill_that_is_stopped_begins_nothing_more_and_the_next_one_goes_on(
    deployed: Pipeline, project: Project, script: Script
) -> None:
    project.first = {DAYS[0]: [limited(86400)]}
    project.concurrency = 2
    project.gate = threading.Event()
    execution = start(deployed)
    for _ in poll(30):
        if len(script.payloads("date")) == 2:
            break
    execution.stop()
    project.gate.set()
    assert execution.end()["status"] == "ABORTED"
    for _ in poll(30):
        if project.running == 0:
            break
    counts = execution.map_run()
    assert (counts["status"], {one["status"] for one in execution.slices()}) == ("ABORTED", {"ABORTED"})
    assert sorted(script.payloads("date")) == DAYS[:2], "the two that were running"
    assert start(deployed).end()["status"] == "SUCCEEDED"
    assert sorted(project.published) == DAYS, "the one that was running has published its day"
    assert len(script.payloads("date")) == len(DAYS) + 1, "the one that waited is asked again"


def test_a_plan_that_is_refused_ends_the_backfill_with_what_the_function_says(
    deployed: Pipeline, script: Script
) -> None:
    script.answer = lambda _: error("InvalidPayload", "to_date: 2099-01-01 is in the future")
    ended = machine.start(deployed, DAYS[0], "2099-01-01").end()
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidPayload")
    assert "2099-01-01 is in the future" in ended["cause"]
    assert len(script.invocations) == 1


MOST_SLICES = 10_000


def test_a_list_of_27_years_and_an_error_of_each_slice_fit_what_a_state_holds(deployed: Pipeline) -> None:
    """A state holds 256 KB."""
    slices = [{"date": "2026-11-10"}] * MOST_SLICES
    assert size({"slices": slices, "concurrency": 5}) < machines.LARGEST
    arn = deployed.outputs["BackfillStateMachineArn"]
    found = deployed.cloud.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    expression = json.loads(found)["States"]["Slices"]["ItemSelector"]["characters"]
    evaluated = jsonata.Jsonata(expression.strip("{% }")).evaluate(None, {"states": {"input": {"slices": slices}}})
    assert size({"failed": ["x" * int(evaluated)] * MOST_SLICES}) < machines.LARGEST


def size(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":")).encode())


def test_the_machine_may_invoke_the_export_and_start_itself_and_reaches_no_bucket(deployed: Pipeline) -> None:
    """So the bucket can be in another account."""
    machine_arn = deployed.outputs["BackfillStateMachineArn"]
    executions = machine_arn.replace(":stateMachine:", ":execution:")
    found = [one for document in role_of(deployed).documents for one in statements(document)]
    rights = {(action, resource) for one in found for action in one.actions for resource in listed(one.raw["Resource"])}
    of_slices = ("states:DescribeExecution", "states:StopExecution")
    assert rights == {
        ("lambda:InvokeFunction", function_arn(deployed)),
        ("states:StartExecution", machine_arn),
        *((action, f"{executions}{rest}") for action in of_slices for rest in (":*", "/*")),
    }


def function_arn(deployed: Pipeline) -> str:
    functions, name = deployed.cloud.client("lambda"), deployed.outputs["ExportFunctionName"]
    return str(functions.get_function_configuration(FunctionName=name)["FunctionArn"])


def role_of(deployed: Pipeline) -> Role:
    account = Account(deployed.cloud)
    [role] = [role for role in account.roles(deployed.stack) if role.logical_name == "BackfillRole"]
    return role


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("action", ["lambda:InvokeFunction", "states:StartExecution"])
def test_a_right_that_is_taken_away_from_the_machine_ends_the_backfill(deployed: Pipeline, action: str) -> None:

    def less(document: Any) -> Any:
        kept = [one for one in document["Statement"] if action not in one["Action"]]
        nothing = {"Effect": "Deny", "Action": action, "Resource": "*"}
        return {**document, "Statement": kept or [nothing]}

    with Account(deployed.cloud).changed(role_of(deployed), less):
        ended = start(deployed).end()
    assert ended["status"] == "FAILED"
    assert f"is not authorized to perform: {action}" in ended["cause"]
