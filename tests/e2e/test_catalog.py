"""The catalog function, asked directly: repeated, late and reordered notifications change nothing."""

from typing import Any

import pytest
from conftest import Exported

from local import pipeline
from local.lake import Lake
from local.pipeline import Pipeline

CATALOG = "CatalogFunctionName"


def records(lake: Lake) -> list[dict[str, Any]]:
    """A direct S3 notification for every object, in the wrong order."""
    keys = sorted((o["Key"] for o in lake.objects()), reverse=True)
    return [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "awsRegion": "us-east-1",
            "eventVersion": "2.1",
            "eventTime": "2026-11-10T14:10:09.123Z",
            "userIdentity": {"principalId": "test"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {},
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": lake.bucket, "arn": f"arn:aws:s3:::{lake.bucket}"},
                "object": {"key": key.replace("=", "%3D"), "size": 1},
            },
        }
        for key in keys
    ]


def accept(deployed: Pipeline, event: Any) -> Any:
    answer = deployed.invoke(event, CATALOG)
    assert not answer.error, answer.message
    return answer.payload


@pytest.mark.parametrize("times", [1, 2])
def test_repeated_notifications_in_any_order_change_nothing(storefront: Exported, times: int) -> None:
    before = storefront.pipeline.lake.snapshot()
    for _ in range(times):
        accept(storefront.pipeline, {"Records": records(storefront.pipeline.lake)})
    assert before.changes(storefront.pipeline.lake.snapshot()) == []


def test_test_event_of_s3_is_taken(storefront: Exported) -> None:
    accept(storefront.pipeline, pipeline.payload("s3-test-event"))


def test_one_bad_message_does_not_hold_up_the_others(storefront: Exported) -> None:
    batch = pipeline.payload("sqs-batch")
    good, bad = batch["Records"][2], batch["Records"][0] | {"messageId": "bad", "body": "no notification"}
    answer = accept(storefront.pipeline, {"Records": [bad, good]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
