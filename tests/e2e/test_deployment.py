"""What the template makes, and what a first deployment that fails leaves behind: nothing that blocks the second."""

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
    found = deployed.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    mine = [alarm for alarm in found if alarm["AlarmName"].startswith(f"{deployed.stack}-")]
    return {alarm["AlarmName"].split("-")[1]: alarm for alarm in mine}


def test_alarms_tell_the_topic(watched: Pipeline) -> None:
    found = alarms(watched)
    assert len(found) == 10
    assert all(alarm["AlarmActions"] == [TOPIC] for alarm in found.values())
    oldest = found["OldestSliceAlarm"]
    assert (oldest["Period"], oldest["Threshold"]) == (86400, 30)


def test_a_schedule_that_is_off_has_no_alarm_for_its_silence(kolkata: Pipeline) -> None:
    found = alarms(kolkata)
    assert len(found) == 9
    assert "OldestSliceAlarm" not in found
    assert all(alarm["AlarmActions"] == [] for alarm in found.values())


def test_the_export_has_the_temporary_storage_that_was_asked_for(deploy: Deploy, kolkata: Pipeline) -> None:
    roomy = deploy("roomy", STOREFRONT, ExportStorage="4096")
    for deployed, size in ((kolkata, 2048), (roomy, 4096)):
        name = deployed.outputs["ExportFunctionName"]
        found = deployed.cloud.client("lambda").get_function_configuration(FunctionName=name)
        assert found["EphemeralStorage"] == {"Size": size}


def test_sam_takes_the_processor_from_the_file_that_the_build_writes(cloud: MiniStack, tmp_path: Path) -> None:
    template = Path(shutil.copytree(package.prepare().parent, tmp_path / "deploy")) / names.TEMPLATE.name
    secret = cloud.create_secret(names.USERNAME, names.SECRET, "mixlake/processor")
    given = f"ProjectId={names.PROJECT_ID} MixpanelSecretArn={secret} GlueDatabase=processor ScheduleState=DISABLED"
    config = template.with_name(names.SAM_CONFIG.name)
    config.write_text(f'[default.deploy.parameters]\nparameter_overrides = "{given}"\n')
    samconfig.write(config, "arm64")
    deployed = Pipeline.deploy(cloud, template, "processor")
    for function in ("ExportFunctionName", "CatalogFunctionName"):
        found = cloud.client("lambda").get_function_configuration(FunctionName=deployed.outputs[function])
        assert found["Architectures"] == ["arm64"]
