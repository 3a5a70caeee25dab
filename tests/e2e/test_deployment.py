"""What the template makes, and what a first deployment that fails leaves behind: nothing that blocks the second."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import STOREFRONT, Deploy

from local import names, package, samconfig
from local.failure import Failure
from local.ministack import MiniStack
from local.pipeline import Pipeline

FUNCTIONS = {f"{name}FunctionName": f"{name}RoleArn" for name in ("Export", "Catalog", "Maintenance")}
"""The outputs with the names of the functions, and with their roles."""
FUNCTIONS |= {"ProfilesFunctionName": "ExportRoleArn"}
TOPIC = f"arn:aws:sns:{names.REGION}:000000000000:trouble"


def buckets(cloud: MiniStack) -> set[str]:
    return {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}


def test_a_database_that_exists_fails_the_first_deployment_and_not_the_second(cloud: MiniStack) -> None:
    """As where Mixpanel's own pipeline has made the database `mixpanel`."""
    stack, bucket = "second-try", "mixlake-second-try"
    cloud.client("glue").create_database(DatabaseInput={"Name": "secondtry"})
    parameters = {
        "ProjectId": names.PROJECT_ID,
        "MixpanelSecretArn": cloud.create_secret(names.USERNAME, names.SECRET, f"mixlake/{stack}"),
        "GlueDatabase": "secondtry",
        "BucketName": bucket,
        "ScheduleState": "DISABLED",
    }
    with pytest.raises(Failure, match="deploy` of"):
        Pipeline.deploy(cloud, package.prepare(), stack, **parameters)
    assert bucket not in buckets(cloud)
    cloud.client("cloudformation").delete_stack(StackName=stack)
    cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=stack)

    Pipeline.deploy(cloud, package.prepare(), stack, **parameters, CreateDatabase="false")
    assert bucket in buckets(cloud)
    cloud.client("cloudformation").delete_stack(StackName=stack)
    cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=stack)
    assert bucket in buckets(cloud), "a lake outlives its stack"


def test_a_setting_that_is_too_long_is_refused_before_anything_is_made(cloud: MiniStack, deploy: Deploy) -> None:
    with pytest.raises(Failure, match="failed"):
        deploy("toolong", STOREFRONT, Events="x" * 451)
    with pytest.raises(ClientError, match="does not exist"):
        cloud.client("cloudformation").describe_stacks(StackName="toolong")


@pytest.fixture(scope="module")
def watched(deploy: Deploy) -> Pipeline:
    return deploy("watched", STOREFRONT, AlarmTopicArn=TOPIC, Frequency="daily", ScheduleState="ENABLED")


def alarms(deployed: Pipeline) -> dict[str, Any]:
    """The alarms of a stack by their names in the template."""
    pages = deployed.cloud.client("cloudwatch").get_paginator("describe_alarms")
    mine = [alarm for page in pages.paginate(AlarmNamePrefix=f"{deployed.stack}-") for alarm in page["MetricAlarms"]]
    return {alarm["AlarmName"].split("-")[1]: alarm for alarm in mine}


def test_alarms_tell_the_topic(watched: Pipeline) -> None:
    found = alarms(watched)
    assert len(found) == 17
    assert all(alarm["AlarmActions"] == [TOPIC] for alarm in found.values())
    oldest = found["OldestSliceAlarm"]
    assert (oldest["Period"], oldest["Threshold"]) == (86400, 30)


def test_a_schedule_that_is_off_has_no_alarm_for_its_silence(kolkata: Pipeline) -> None:
    found = alarms(kolkata)
    assert len(found) == 14
    assert not {"OldestSliceAlarm", "DaysToSyncAlarm", "ProfilesAgeAlarm"} & found.keys()
    assert all(alarm["AlarmActions"] == [] for alarm in found.values())


@pytest.fixture(scope="module")
def told(deploy: Deploy) -> Pipeline:
    return deploy("told", STOREFRONT, AlarmEmail="data@example.com", Tracing="true")


def test_alarms_tell_an_address_by_a_topic_of_the_stack(told: Pipeline) -> None:
    topic = told.outputs["AlarmTopicArn"]
    found = told.cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [(s["Protocol"], s["Endpoint"]) for s in found] == [("email", "data@example.com")]
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms(told).values())


def test_invocations_are_traced_only_where_that_is_asked_for(told: Pipeline, kolkata: Pipeline) -> None:
    for deployed, mode, has_the_right in ((told, "Active", True), (kolkata, "PassThrough", False)):
        for function, role in FUNCTIONS.items():
            name = deployed.outputs[function]
            found = deployed.cloud.client("lambda").get_function_configuration(FunctionName=name)
            assert found["TracingConfig"]["Mode"] == mode
            assert ("xray:PutTraceSegments" in rights(deployed, deployed.outputs[role])) == has_the_right


def rights(deployed: Pipeline, role: str) -> str:
    iam, name = deployed.cloud.client("iam"), role.rpartition("/")[2]
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    found = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies]
    return json.dumps(found)


def test_the_dashboard_shows_this_stack(kolkata: Pipeline) -> None:
    name = kolkata.outputs["DashboardName"]
    body = json.loads(kolkata.cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    titles = [widget["properties"]["title"] for widget in body["widgets"]]
    assert len(set(titles)) == len(titles) == 12
    text = json.dumps(body)
    assert "${" not in text
    queues = [kolkata.outputs[f"{queue}Url"].rpartition("/")[2] for queue in ("CatalogQueue", "FailedSlices")]
    for shown in (*(kolkata.outputs[function] for function in FUNCTIONS), *queues):
        assert f'"{shown}"' in text


def test_the_functions_have_the_size_that_was_asked_for(deploy: Deploy, kolkata: Pipeline) -> None:
    roomy = deploy("roomy", STOREFRONT, ExportStorage="4096", MaintenanceStorage="10240", MaintenanceMemory="3008")
    for deployed, export, maintenance in (
        (kolkata, (1769, 2048), (1769, 4096)),
        (roomy, (1769, 4096), (3008, 10240)),
    ):
        for function, size in (("ExportFunctionName", export), ("MaintenanceFunctionName", maintenance)):
            name = deployed.outputs[function]
            found = deployed.cloud.client("lambda").get_function_configuration(FunctionName=name)
            assert (found["MemorySize"], found["EphemeralStorage"]["Size"]) == size


def test_the_schedules_are_those_that_can_run(deploy: Deploy, watched: Pipeline) -> None:
    off = {"Catalog": "crawler", "Sync": "false", "PeopleFrequency": "off"}
    crawled = deploy("unmaintained", STOREFRONT, ScheduleState="ENABLED", **off)
    own = ("SyncScheduleName", "ProfilesScheduleName", "MaintenanceScheduleName")
    for deployed, state_of_others in ((watched, "ENABLED"), (crawled, "DISABLED")):
        states = {"ScheduleName": "ENABLED", **dict.fromkeys(own, state_of_others)}
        schedules = deployed.cloud.client("scheduler")
        assert {output: schedules.get_schedule(Name=deployed.outputs[output])["State"] for output in states} == states
        running = [f"default/{deployed.outputs[output]}" for output, state in states.items() if state == "ENABLED"]
        assert deployed.outputs["ScheduleNames"] == ",".join(running)


def test_the_payload_of_each_schedule_says_what_its_function_does(kolkata: Pipeline) -> None:
    schedules = kolkata.cloud.client("scheduler")
    for output, field, function in (
        ("ScheduleName", "scheduled_time", "ExportFunctionName"),
        ("SyncScheduleName", "sync_time", "ExportFunctionName"),
        ("ProfilesScheduleName", "people_time", "ProfilesFunctionName"),
        ("MaintenanceScheduleName", "scheduled_time", "MaintenanceFunctionName"),
    ):
        target = schedules.get_schedule(Name=kolkata.outputs[output])["Target"]
        assert json.loads(target["Input"]) == {field: "<aws.scheduler.scheduled-time>"}
        assert target["Arn"].endswith(f":function:{kolkata.outputs[function]}")


def test_sam_takes_the_processor_from_the_file_that_the_build_writes(cloud: MiniStack, tmp_path: Path) -> None:
    template = Path(shutil.copytree(package.prepare().parent, tmp_path / "deploy")) / names.TEMPLATE.name
    secret = cloud.create_secret(names.USERNAME, names.SECRET, "mixlake/processor")
    given = f"ProjectId={names.PROJECT_ID} MixpanelSecretArn={secret} GlueDatabase=processor ScheduleState=DISABLED"
    config = template.with_name(names.SAM_CONFIG.name)
    config.write_text(f'[default.deploy.parameters]\nparameter_overrides = "{given}"\n')
    samconfig.write(config, "arm64")
    deployed = Pipeline.deploy(cloud, template, "processor")
    for function in FUNCTIONS:
        found = cloud.client("lambda").get_function_configuration(FunctionName=deployed.outputs[function])
        assert found["Architectures"] == ["arm64"]
