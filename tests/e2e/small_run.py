"""A run of the functions, in small steps that a test can repeat, refuse and watch.

The rule that notifies the catalog is off: a step invokes the catalog function itself, so nothing happens at the same
time. Each step is what users do: an hour, a second hour, the first hour again, maintenance, two days, deleted days.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conftest import Deploy

from local.lake import Lake
from local.pipeline import Answer, Pipeline

EXPORT, CATALOG, MAINTENANCE = "ExportFunctionName", "CatalogFunctionName", "MaintenanceFunctionName"
NOTIFIED = (".parquet", "/_manifest.json")


@dataclass(frozen=True)
class Step:
    name: str
    do: Callable[[Pipeline], Answer]


def events() -> Iterator[dict[str, Any]]:
    """Two hours of a day with two events, and two days with a property more."""
    for hour in (1, 2):
        yield from (event(10, hour, number, name) for name in ("Sign Up", "Purchase") for number in range(3))
    for day in (11, 12):
        yield from (event(day, 1, number, "Purchase", currency="EUR") for number in range(3))


def event(day: int, hour: int, number: int, name: str, **more: Any) -> dict[str, Any]:
    time = round(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp()) + number
    properties = {"time": time, "distinct_id": f"u{number}", "$insert_id": f"{day}-{hour}-{name}-{number}"}
    return {"event": name, "properties": properties | more}


def deploy_quietly(deploy: Deploy, stack: str, folder: Path, **parameters: str) -> Pipeline:
    data = folder / f"{stack}.jsonl"
    data.write_text("".join(json.dumps(one) + "\n" for one in events()))
    # Replaced files can be deleted at once. Each compaction would replace more of them.
    maintenance = {"KeepReplacedHours": "0", "Compact": "false", "Identities": "false"}
    deployed = deploy(stack, data, CatchUpDays="1", **maintenance, **parameters)
    rules = deployed.cloud.client("events")
    [rule] = [one["Name"] for one in rules.list_rules()["Rules"] if one["Name"].startswith(f"{stack}-")]
    rules.disable_rule(Name=rule)
    return deployed


def exported(payload: dict[str, Any]) -> Callable[[Pipeline], Answer]:
    return lambda deployed: deployed.invoke(payload, EXPORT)


def exported_with_fewer_events(deployed: Pipeline) -> Answer:
    """The first hour again: its file is replaced, and the file of the second hour is copied beside the new one."""
    set_variables(deployed, EXPORT, EVENTS="Purchase")
    return deployed.invoke({"hour": "2026-11-10T01", "force": True}, EXPORT)


def set_variables(deployed: Pipeline, function: str, **changed: str) -> None:
    """Changes settings of a function. That takes less time than a new deployment."""
    functions, name = deployed.cloud.client("lambda"), deployed.outputs[function]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables | changed})


def maintained(deployed: Pipeline) -> Answer:
    return deployed.invoke({}, MAINTENANCE)


def cataloged(deployed: Pipeline) -> Answer:
    keys = [item["Key"] for item in deployed.lake.objects() if item["Key"].endswith(NOTIFIED)]
    return deployed.invoke(notification(deployed.lake, keys), CATALOG)


def cataloged_without(*days: str) -> Callable[[Pipeline], Answer]:
    """The files of some days are deleted, and the catalog is notified of it."""

    def do(deployed: Pipeline) -> Answer:
        lake = deployed.lake
        live = [key for manifest in lake.manifests().items() for key in live_keys(*manifest)]
        gone = [key for key in live if key.split("/")[-3] in days]
        for key in gone:
            lake.cloud.client("s3").delete_object(Bucket=lake.bucket, Key=key)
        return deployed.invoke(notification(lake, gone), CATALOG)

    return do


def live_keys(key: str, manifest: dict[str, Any]) -> list[str]:
    """The live files that a manifest names."""
    folder = f"{key.rpartition('/')[0]}/{manifest['generation']}"
    return [f"{folder}/{file['name']}" for file in manifest["files"]]


def notification(lake: Lake, keys: list[str]) -> dict[str, Any]:
    """A notification of S3, as it comes without a queue: then the answer says what failed."""
    bucket = {"name": lake.bucket, "arn": f"arn:aws:s3:::{lake.bucket}"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "awsRegion": "us-east-1",
        "eventVersion": "2.1",
        "eventTime": "2026-11-10T14:10:09.123Z",
        "userIdentity": {"principalId": "test"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {},
    }
    objects = [{"s3SchemaVersion": "1.0", "bucket": bucket, "object": {"key": key, "size": 1}} for key in keys]
    return {"Records": [record | {"s3": one} for one in objects]}


FIRST_HOUR = Step("the first hour", exported({"hour": "2026-11-10T01"}))
FIRST_TABLE = Step("the first table", cataloged)
SCHEDULED = Step("a scheduled hour", exported({"scheduled_time": "2026-11-10T05:10:00Z"}))
FIRST_HOUR_AGAIN = Step("the first hour with fewer events", exported_with_fewer_events)
MOVED_DAY = Step("a day in another folder", cataloged)
OLD_FOLDER = Step("the folder before is deleted", maintained)
TWO_DAYS = Step("two days", exported({"from_date": "2026-11-11", "to_date": "2026-11-12"}))
NEW_COLUMN = Step("a new column", cataloged)
DELETED_DAY = Step("a deleted day", cataloged_without("10"))
DELETED_DAYS = Step("two deleted days", cataloged_without("11", "12"))

STEPS = (
    FIRST_HOUR,
    FIRST_TABLE,
    SCHEDULED,
    FIRST_HOUR_AGAIN,
    MOVED_DAY,
    OLD_FOLDER,
    TWO_DAYS,
    NEW_COLUMN,
    DELETED_DAY,
    DELETED_DAYS,
)
