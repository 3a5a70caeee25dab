"""What waits in the two dead-letter queues comes back by one command each, once its cause is fixed."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import STOREFRONT, STOREFRONT_PROFILES, Deploy

from local import names
from local import redrive as redriving
from local.pipeline import Pipeline
from local.process import poll

DAY = {"date": "2026-11-10"}
SCHEDULED = {"scheduled_time": "2026-11-12T14:10:00Z"}
PEOPLE = {"people_time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def waiting(deployed: Pipeline, queue: str) -> int:
    attributes = deployed.cloud.client("sqs").get_queue_attributes(
        QueueUrl=deployed.queue(queue), AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def until(deployed: Pipeline, queue: str, number: int) -> None:
    """Waits for a number of messages. The catalog has two for a slice: of its file and of the day's manifest."""
    for _ in poll(60):
        if waiting(deployed, queue) == number:
            return
    raise AssertionError(f"{queue} has {waiting(deployed, queue)} messages, not {number}")


def set_secret(deployed: Pipeline, secret: str) -> None:
    text = json.dumps({"username": names.USERNAME, "secret": secret})
    deployed.cloud.client("secretsmanager").put_secret_value(SecretId=f"mixlake/{deployed.stack}", SecretString=text)


def redrive(deployed: Pipeline) -> str:
    command = [sys.executable, "-m", "local.redrive", deployed.stack]
    environment = deployed.cloud.client_environment()
    done = subprocess.run(command, cwd=names.ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_failed_slice_is_exported_again_when_its_cause_is_fixed(deploy: Deploy) -> None:
    people = {"profiles": STOREFRONT_PROFILES}
    deployed = deploy("failedslices", STOREFRONT, secret="wrong", people=people, CatchUpDays="0")
    started = deployed.cloud.client("lambda").invoke(
        FunctionName=deployed.outputs["ExportFunctionName"], InvocationType="Event", Payload=json.dumps(DAY).encode()
    )
    assert started["StatusCode"] == 202
    until(deployed, "FailedSlicesUrl", 1)
    # As the Scheduler leaves requests that it could not hand over.
    for request in (SCHEDULED, PEOPLE):
        deployed.cloud.client("sqs").send_message(
            QueueUrl=deployed.queue("FailedSlicesUrl"), MessageBody=json.dumps(request)
        )
    with pytest.raises(ClientError, match="Dead Letter Queue"):
        move_back(deployed, "FailedSlicesUrl")

    set_secret(deployed, names.SECRET)
    printed = redrive(deployed)
    assert "3 requests are started again" in printed
    for request in (DAY, SCHEDULED, PEOPLE):
        assert json.dumps(request) in printed
    for _ in poll(60):
        if {"2026-11-10", "2026-11-12T11", names.PEOPLE_TABLE} <= published(deployed):
            break
    assert {"2026-11-10", "2026-11-12T11", names.PEOPLE_TABLE} <= published(deployed)
    assert waiting(deployed, "FailedSlicesUrl") == 0


def published(deployed: Pipeline) -> set[str]:
    """The slices of live files of events, and the tables that have live files."""
    manifests = deployed.lake.manifests().values()
    slices = {file["slice"] for manifest in manifests for file in manifest["files"] if "slice" in file}
    return slices | {manifest["table"] for manifest in manifests if manifest["files"]}


@pytest.mark.parametrize(
    ("body", "function"),
    [
        ({"date": "2026-11-10"}, "Export"),
        ({"people_time": "2026-11-10T14:25:00Z"}, "Profiles"),
        (
            {"requestPayload": {}, "requestContext": {"functionArn": "arn:aws:lambda:r:1:function:it-Profiles-1"}},
            "Profiles",
        ),
        (
            {
                "requestPayload": {},
                "requestContext": {"functionArn": "arn:aws:lambda:r:1:function:it-Export-1:$LATEST"},
            },
            "Export",
        ),
    ],
)
def test_a_request_goes_back_to_its_function(body: Any, function: str) -> None:
    outputs = {f"{name}FunctionName": f"it-{name}-1" for name in ("Export", "Profiles")}
    assert redriving.function_of(body, outputs) == f"{function}FunctionName"


def move_back(deployed: Pipeline, queue: str) -> None:
    """aws sqs start-message-move-task --source-arn <FailedObjectsArn>"""
    sqs = deployed.cloud.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=deployed.queue(queue), AttributeNames=["QueueArn"])
    sqs.start_message_move_task(SourceArn=found["Attributes"]["QueueArn"])


def test_an_object_that_the_catalog_gave_up_is_processed_when_its_cause_is_fixed(deploy: Deploy) -> None:
    deployed = deploy("failedobjects", STOREFRONT)
    database = deployed.lake.database
    glue = deployed.cloud.client("glue")
    glue.delete_database(Name=database)
    # With its own half hour between two tries, five of them would take more than two hours.
    deployed.cloud.client("sqs").set_queue_attributes(
        QueueUrl=deployed.queue("CatalogQueueUrl"), Attributes={"VisibilityTimeout": "1"}
    )
    deployed.export(DAY)
    # The file and the manifest of the day, and those of the table of runs.
    until(deployed, "FailedObjectsUrl", 4)

    glue.create_database(DatabaseInput={"Name": database})
    found = deployed.cloud.client("sqs").get_queue_attributes(
        QueueUrl=deployed.queue("FailedObjectsUrl"), AttributeNames=["QueueArn"]
    )
    assert found["Attributes"]["QueueArn"] == deployed.outputs["FailedObjectsArn"]
    move_back(deployed, "FailedObjectsUrl")
    deployed.wait_for_catalog()
    assert deployed.lake.tables().keys() == {names.RUNS_TABLE, names.MASTER_TABLE}
