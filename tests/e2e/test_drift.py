"""A table that somebody has changed: reported in the dead-letter queue, repaired where that is asked for."""

import json
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy

from local import names
from local.pipeline import Pipeline
from local.process import poll

DAY = {"date": "2026-11-10"}


@pytest.fixture(scope="module")
def changed(deploy: Deploy) -> Pipeline:
    return drifted(deploy("drift", STOREFRONT))


def drifted(deployed: Pipeline) -> Pipeline:
    """A day in the catalog, where `category` has got another type since."""
    deployed.export(DAY)
    deployed.wait_for_catalog()
    retype(deployed, "category", "bigint")
    return deployed


def retype(deployed: Pipeline, column: str, kind: str) -> None:
    glue = deployed.cloud.client("glue")
    table = glue.get_table(DatabaseName=deployed.lake.database, Name=names.MASTER_TABLE)["Table"]
    [one] = [c for c in table["StorageDescriptor"]["Columns"] if c["Name"] == column]
    one["Type"] = kind
    kept = ("Name", "Description", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    glue.update_table(DatabaseName=deployed.lake.database, TableInput={key: table[key] for key in kept if key in table})


def created(deployed: Pipeline, key: str) -> str:
    """What EventBridge says of an object."""
    return json.dumps(
        {
            "version": "0",
            "id": "1",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "1",
            "time": "2026-11-10T14:10:09Z",
            "region": names.REGION,
            "resources": [],
            "detail": {"bucket": {"name": deployed.lake.bucket}, "object": {"key": key}},
        }
    )


def dead_letters(deployed: Pipeline) -> list[Any]:
    queue = deployed.queue("FailedObjectsUrl")
    found = deployed.cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def types(deployed: Pipeline) -> dict[str, str]:
    return {c.name: c.type for c in deployed.lake.tables()[names.MASTER_TABLE].columns}


def test_drift_ends_in_the_dead_letter_queue_with_its_reason_in_the_log(changed: Pipeline) -> None:
    sqs = changed.cloud.client("sqs")
    queue = changed.queue("CatalogQueueUrl")
    # With its own half hour between two tries, five of them would take more than two hours.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    key = next(o["Key"] for o in changed.lake.objects(f"{names.MASTER_TABLE}/") if o["Key"].endswith(".parquet"))
    sqs.send_message(QueueUrl=queue, MessageBody=created(changed, key))
    letters: list[Any] = []
    for _ in poll(60, every=0.5):
        letters = letters or dead_letters(changed)
        if letters:
            break
    assert [letter["detail"]["object"]["key"] for letter in letters] == [key]
    log = changed.save_log("CatalogLogGroup").read_text()
    assert "column category is bigint in the catalog, but string in the files" in log
    assert types(changed)["category"] == "bigint", "it is left as it is"


def test_drift_is_put_right_where_that_is_asked_for(deploy: Deploy) -> None:
    repairing = drifted(deploy("driftrepair", STOREFRONT, OnDrift="repair"))
    before = repairing.lake.tables()[names.MASTER_TABLE]
    key = next(o["Key"] for o in repairing.lake.objects(f"{names.MASTER_TABLE}/") if o["Key"].endswith(".parquet"))
    answer = repairing.invoke(json.loads(created(repairing, key)), "CatalogFunctionName")
    assert not answer.error, answer.message
    assert answer.payload["tables"][0]["repaired"], answer.payload
    assert types(repairing)["category"] == "string"
    after = repairing.lake.tables()[names.MASTER_TABLE]
    assert [c.name for c in after.columns] == [c.name for c in before.columns]


def test_a_deleted_day_loses_its_partition(changed: Pipeline) -> None:
    lake = changed.lake
    for item in lake.objects(f"{names.MASTER_TABLE}/2026/11/10/g"):
        lake.cloud.client("s3").delete_object(Bucket=lake.bucket, Key=item["Key"])
    for _ in poll(30):
        if not lake.tables()[names.MASTER_TABLE].partitions:
            break
    assert lake.tables()[names.MASTER_TABLE].partitions == ()
    # Its manifest still names the files, and notices of it come again.
    [manifest] = lake.event_manifests()
    answer = changed.invoke(json.loads(created(changed, manifest)), "CatalogFunctionName")
    assert not answer.error, answer.message
    assert lake.tables()[names.MASTER_TABLE].partitions == ()
