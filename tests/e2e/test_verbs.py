"""`mixlake create`, `pause`, `resume`, `cancel` and `backfill` on a deployed stack, as a person runs them."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import tomlkit
from conftest import STOREFRONT, Deploy
from samcli.cli.types import CfnParameterOverridesType

from local import names, samconfig
from local.ministack import MiniStack
from local.pipeline import Pipeline
from local.process import poll

CHANGING = ("State", "LastModificationDate", "ResponseMetadata")
"""What differs between two readings of a schedule that was switched."""
SENT_FIELDS = 12
"""crates/stack/src/aws/scheduler.rs has a test with each of them."""
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mixlake/mixpanel-AbCdEf"


@pytest.fixture(scope="module")
def deployed(deploy: Deploy) -> Pipeline:
    return deploy("verbs", STOREFRONT)


def mixlake(cloud: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(names.binary(names.COMMAND_LINE)), *arguments]
    return subprocess.run(command, env=cloud.client_environment(), capture_output=True, text=True, check=False)


def answer(cloud: Any, *arguments: str) -> Any:
    done = mixlake(cloud, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def schedules(deployed: Pipeline) -> dict[str, Any]:
    """All schedules of the stack as EventBridge Scheduler has them."""
    ids = deployed.outputs["ScheduleNames"].split(",")
    scheduler = deployed.cloud.client("scheduler")

    def read(group: str, name: str) -> Any:
        return scheduler.get_schedule(GroupName=group, Name=name)

    return {schedule: read(*schedule.split("/")) for schedule in ids}


def states(deployed: Pipeline) -> set[str]:
    return {schedule["State"] for schedule in schedules(deployed).values()}


def rest(deployed: Pipeline) -> dict[str, Any]:
    """What must stay."""
    return {
        name: {field: value for field, value in schedule.items() if field not in CHANGING}
        for name, schedule in schedules(deployed).items()
    }


def test_the_stack_names_all_its_schedules(deployed: Pipeline) -> None:
    resources = deployed.cloud.client("cloudformation").describe_stack_resources(StackName=deployed.stack)
    found = {
        f"default/{resource['PhysicalResourceId']}"
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::Scheduler::Schedule"
    }
    assert set(deployed.outputs["ScheduleNames"].split(",")) == found


def test_a_stack_without_sync_does_not_resume_it(deploy: Deploy) -> None:
    without = deploy("verbsnosync", STOREFRONT, Sync="false")
    assert answer(without.cloud, "resume", "--stack", without.stack)["state"] == "ENABLED"
    sync = without.cloud.client("scheduler").get_schedule(Name=without.outputs["SyncScheduleName"])
    assert sync["State"] == "DISABLED"
    assert without.schedule()["State"] == "ENABLED"
    answer(without.cloud, "pause", "--stack", without.stack)


def test_pause_and_resume_change_only_the_state_of_the_schedules_and_twice_is_once(deployed: Pipeline) -> None:
    before = rest(deployed)
    for verb, state in (("resume", "ENABLED"), ("pause", "DISABLED"), ("resume", "ENABLED"), ("pause", "DISABLED")):
        for changed in (True, False):
            said = answer(deployed.cloud, verb, "--stack", deployed.stack)
            assert (said["stack"], said["state"]) == (deployed.stack, state)
            assert {entry["schedule"]: entry["changed"] for entry in said["schedules"]} == dict.fromkeys(
                before, changed
            )
            assert states(deployed) == {state}
            assert rest(deployed) == before


def test_an_update_of_a_schedule_has_no_field_that_the_command_line_does_not_send() -> None:
    """crates/stack writes back each field that it read; AWS sets one that is not sent to its default."""
    scheduler = botocore.session.get_session().get_service_model("scheduler")
    update = set(scheduler.operation_model("UpdateSchedule").input_shape.members)
    read = set(scheduler.operation_model("GetSchedule").output_shape.members)
    assert update - {"ClientToken"} == read - {"Arn", "CreationDate", "LastModificationDate"}
    assert len(update) == SENT_FIELDS + 1


def test_pause_says_what_no_longer_runs_and_how_to_go_on(deployed: Pipeline) -> None:
    said = mixlake(deployed.cloud, "pause", "--stack", deployed.stack).stdout
    assert "do not run" in said
    assert "Next: mixlake resume --stack verbs" in said
    assert "the last 5 days (CatchUpDays)" in said


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_an_unknown_stack_is_refused_with_those_that_exist(deployed: Pipeline, verb: str) -> None:
    done = mixlake(deployed.cloud, verb, "--stack", "nowhere")
    assert done.returncode == 2
    assert '--stack: there is no stack "nowhere"' in done.stderr
    assert deployed.stack in done.stderr.rpartition("stacks of Mixlake here: ")[2].strip().split(", ")


def test_without_a_region_the_error_names_the_variable(deployed: Pipeline) -> None:
    environment = deployed.cloud.client_environment() | {"AWS_EC2_METADATA_DISABLED": "true"}
    del environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]
    command = [str(names.binary(names.COMMAND_LINE)), "pause", "--stack", deployed.stack]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "AWS_REGION: required" in done.stderr


DAYS = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"]


@pytest.fixture(scope="module")
def slow(deploy: Deploy) -> Pipeline:
    """A project with three queries an hour, of which a backfill uses two."""
    return deploy("verbsbackfill", STOREFRONT, QueriesPerHour="3")


def published(deployed: Pipeline) -> list[str]:
    files = [file for manifest in deployed.lake.manifests().values() for file in manifest["files"]]
    return sorted({file["slice"] for file in files if "slice" in file})


def started_queries(deployed: Pipeline) -> int:
    return len(json.loads(deployed.lake.read(budget(deployed)))["started"])


def budget(deployed: Pipeline) -> str:
    return f"{deployed.lake.folder}{names.BUDGET}queries.json"


def executions(deployed: Pipeline) -> list[str]:
    arn = deployed.outputs["BackfillStateMachineArn"]
    found = deployed.cloud.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return [execution["status"] for execution in found]


def backfill(deployed: Pipeline, first: str = DAYS[0], last: str = DAYS[-1]) -> list[str]:
    command = [str(names.binary(names.COMMAND_LINE)), "backfill", "--stack", deployed.stack, "--json"]
    return [*command, "--from-date", first, "--to-date", last]


def interrupted(deployed: Pipeline, command: list[str], until: Any) -> str:
    """Runs a command until something holds, and ends it. Answers what it said. A shell lets what runs in the background
    ignore Ctrl-C, so this is the other signal."""
    environment = deployed.cloud.client_environment()
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for _ in poll(60):
            if until():
                break
        running.terminate()
        _, said = running.communicate(timeout=20)
    finally:
        running.kill()
    assert running.returncode == -signal.SIGTERM, said
    return str(said)


def test_a_backfill_survives_its_command_is_stopped_by_cancel_and_goes_on(slow: Pipeline) -> None:
    said = interrupted(slow, backfill(slow), lambda: published(slow) == DAYS[:2])
    assert said.startswith("The backfill of 2026-11-10 to 2026-11-13 runs in AWS. Ctrl-C ends only this display")
    assert published(slow) == DAYS[:2]
    assert executions(slow) == ["RUNNING"]

    since = os.times().elapsed
    other = interrupted(slow, backfill(slow, last=DAYS[1]), lambda: os.times().elapsed > since + 3)
    assert "2026-11-10 to 2026-11-11 is not started" in other
    assert "2 of 4 slices, about 1 h 0 min left at 2 queries an hour" in other
    assert executions(slow) == ["RUNNING"]

    stopped = answer(slow.cloud, "cancel", "--stack", slow.stack)
    assert stopped["request"] == {"from_date": DAYS[0], "to_date": DAYS[-1], "force": False}
    assert stopped["slices"]["total"] == len(DAYS)
    assert executions(slow) == ["ABORTED"]
    nothing = mixlake(slow.cloud, "cancel", "--stack", slow.stack)
    assert nothing.returncode == 2
    assert "verbsbackfill runs no backfill; cancel accepts a stack whose backfill is running" in nothing.stderr

    # The next hour.
    assert started_queries(slow) == 2
    slow.cloud.client("s3").delete_object(Bucket=slow.lake.bucket, Key=budget(slow))
    done = subprocess.run(
        backfill(slow), env=slow.cloud.client_environment(), capture_output=True, text=True, check=False
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["outcome"]) == (0, "succeeded"), done
    assert document["report"]["missing"] == 0
    assert published(slow) == DAYS
    assert started_queries(slow) == 2, "published days were not asked for again"


def test_a_range_that_a_backfill_does_not_take_is_refused_before_anything_starts(slow: Pipeline) -> None:
    before = executions(slow)
    command = backfill(slow, "2009-12-31", "2199-01-01")
    done = subprocess.run(command, env=slow.cloud.client_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--from-date: 2009-12-31 is before 2010-01-01" in done.stderr
    assert "--to-date: 2199-01-01 is not over; the last whole day in UTC is" in done.stderr
    assert executions(slow) == before


SETTINGS = {
    "project_id": names.PROJECT_ID,
    "mixpanel_secret": SECRET_ARN,
    "timezone": "Europe/Berlin",
    "where": 'properties["plan"] == "it\'s paid"',
    "events": '["Sign Up","Größe"]',
    "contracts": '{"*":{"exclude":["e\\"mail"]}}',
}
PARAMETERS = {
    "ProjectId": names.PROJECT_ID,
    "MixpanelSecretArn": SECRET_ARN,
    "Timezone": "Europe/Berlin",
    "Where": SETTINGS["where"],
    "Events": SETTINGS["events"],
    "AlarmEmail": "data@example.com",
}


def create(cloud: MiniStack, file: Path, settings: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    given = [word for name in settings for word in ("--set", f"{name}={SETTINGS[name]}")]
    return mixlake(cloud, "create", "--out", str(file), "--parameter", "AlarmEmail=data@example.com", *given, *options)


def deployment(file: Path) -> Any:
    return tomlkit.parse(file.read_text())["default"]["deploy"]["parameters"]  # type: ignore[index]


def as_sam_reads(file: Path) -> Any:
    overrides = deployment(file)["parameter_overrides"]
    plain = overrides.unwrap() if hasattr(overrides, "unwrap") else overrides
    return CfnParameterOverridesType().convert(plain, None, None)


def test_sam_reads_what_create_writes(cloud: MiniStack, tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    done = create(cloud, file, [name for name in SETTINGS if name != "contracts"], "--stack", "second")
    assert done.returncode == 0, done.stderr
    assert as_sam_reads(file) == PARAMETERS
    assert deployment(file)["stack_name"] == "second"
    for command in ("make build", f"sam deploy --template-file template.yaml --config-file {file}", "mixlake backfill"):
        assert f"\n  {command}" in done.stdout


def test_sam_reads_a_value_with_a_backslash(cloud: MiniStack, tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    done = create(cloud, file, list(SETTINGS))
    assert done.returncode == 0, done.stderr
    assert as_sam_reads(file) == PARAMETERS | {"Contracts": SETTINGS["contracts"]}


def test_create_and_make_build_complete_each_others_file(cloud: MiniStack, tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    samconfig.write(file, "arm64")
    done = create(cloud, file, ["project_id", "mixpanel_secret"])
    assert done.returncode == 0, done.stderr
    samconfig.write(file, "x86_64")
    found = as_sam_reads(file)
    assert (found["Architecture"], found["ProjectId"]) == ("x86_64", names.PROJECT_ID)
    before = file.read_text()
    assert create(cloud, file, ["project_id", "mixpanel_secret"]).returncode == 0
    assert file.read_text() == before


def test_create_replaces_a_value_only_with_force(cloud: MiniStack, tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    create(cloud, file, ["project_id", "mixpanel_secret"])
    before = file.read_text()
    refused = create(cloud, file, ["project_id", "mixpanel_secret"], "--stack", "other")
    assert refused.returncode == 2
    assert "would get" in refused.stderr
    assert file.read_text() == before
    assert create(cloud, file, ["project_id", "mixpanel_secret"], "--stack", "other", "--force").returncode == 0
    assert deployment(file)["stack_name"] == "other"
