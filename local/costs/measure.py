"""Counts what a day of scheduled runs calls: all functions, notifications and queues take part."""

import base64
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local import names, package
from local.failure import Failure
from local.ministack import MiniStack
from local.mixpanel import MixpanelStandIn
from local.pipeline import Pipeline
from local.rights import calls
from local.rights.calls import Call

HOME = names.HOME / "costs"
FILE = Path(__file__).with_name("measured.json")
STACK = "costs"
EXPORT, PROFILES, MAINTENANCE = "ExportFunctionName", "ProfilesFunctionName", "MaintenanceFunctionName"
EVENTS = names.DATA / "storefront-events.jsonl.gz"
PEOPLE = names.DATA / "storefront-profiles.jsonl.gz"
BEGIN = datetime(2026, 11, 12, 2, 10, tzinfo=UTC)
"""The run before the measured ones: it exports all that is missing, so that those after it are like any other."""
SLICES = 24
CLOSED_DAY = "2026-11-12"
"""The day that is fetched again: first it has hours, and then equal rows."""
NOTHING_IS_DUE = "2026-11-11T03:40:00Z"
"""A run of the sync that finds nothing to do: there are no slices of the days before."""
LARGE_HOUR = "2026-11-20T05"
LARGE_EVENTS = 24_000
LARGE_VALUE = 12_000
"""Bytes of a value that no codec makes smaller: enough events for several files of 48 MiB in one slice."""
GROUPS = {name: f"{name.capitalize()}LogGroup" for name in ("export", "profiles", "catalog", "maintenance")}
PARTS = {
    "day": "a slice",
    "closed_day": "a day of hours fetched again",
    "equal_day": "a day of equal rows fetched again",
    "idle_sync": "a sync without a day that is due",
    "profiles": "an export of profiles",
    "idle_profiles": "a run without profiles that are due",
    "maintenance": "a maintenance",
    "large_hour": "a slice of several files",
}
"""What is measured, in words."""
PAID_RESOURCES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::KMS::Key")
NOTIFIED = (*names.EXTENSIONS, names.MANIFEST)
WRITES = ("PutObject", "CopyObject", "CompleteMultipartUpload")


def measure() -> dict[str, Any]:
    """What a day of hourly slices needs, what its sync and maintenance need, and one hour that has several files."""
    with (
        TemporaryDirectory() as folder,
        MiniStack(HOME) as cloud,
        MixpanelStandIn(HOME / "logs" / "mixpanel.log", EVENTS, large_file(Path(folder)), profiles=PEOPLE) as mixpanel,
    ):
        cloud.create_artifact_bucket()
        settings = {
            "ProjectId": names.PROJECT_ID,
            "MixpanelSecretArn": cloud.create_secret(names.USERNAME, names.SECRET),
            "MixpanelEndpoint": mixpanel.endpoint,
            # Else nothing would be deleted until tomorrow.
            "KeepReplacedHours": "0",
        }
        deployed = Pipeline.deploy(cloud, package.prepare(), STACK, **settings, ScheduleState="DISABLED")
        run(deployed, {"scheduled_time": scheduled(0)})
        day = watched(deployed, [{"scheduled_time": scheduled(number)} for number in range(1, SLICES + 1)])
        again = {"date": CLOSED_DAY, "sync": True}
        found = {
            "day": {"slices": SLICES} | day,
            "closed_day": watched(deployed, [again]),
            "equal_day": watched(deployed, [again]),
            "idle_sync": watched(deployed, [{"sync_time": NOTHING_IS_DUE}]),
            "profiles": watched(deployed, [{}], PROFILES),
            "idle_profiles": watched(deployed, [{"people_time": now()}], PROFILES),
            "maintenance": watched(deployed, [{}], MAINTENANCE),
        }
        hour = watched(deployed, [{"hour": LARGE_HOUR}])
        files = sum(o["Key"].endswith(names.EXTENSIONS) for o in deployed.lake.objects("mp_master_event/2026/11/20/"))
        # With a schedule that runs, there are more alarms. It is on for a moment, after all is counted.
        Pipeline.deploy(cloud, package.prepare(), STACK, **settings, ScheduleState="ENABLED")
        return found | {"large_hour": {"files": files} | hour, "stack": standing(deployed)}


def large_file(folder: Path) -> Path:
    file = folder / "large.jsonl"
    with file.open("w") as out:
        out.writelines(large_lines())
    return file


def large_lines() -> Iterator[str]:
    chance, start = random.Random(20), round(datetime(2026, 11, 20, 5, tzinfo=UTC).timestamp())
    for number in range(LARGE_EVENTS):
        noise = base64.b64encode(chance.randbytes(LARGE_VALUE)).decode()
        time = start + number * 3600 // LARGE_EVENTS
        properties = {"time": time, "distinct_id": str(number), "$insert_id": f"n{number}", "noise": noise}
        yield json.dumps({"event": "large", "properties": properties}) + "\n"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def scheduled(number: int) -> str:
    return (BEGIN + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def run(deployed: Pipeline, payload: dict[str, Any], function: str = EXPORT) -> None:
    answer = deployed.invoke(payload, function)
    if answer.error:
        raise Failure(f"{function} failed with {json.dumps(payload)}: {answer.message}", log=deployed.logs)
    deployed.wait_for_catalog()


def watched(deployed: Pipeline, payloads: list[dict[str, Any]], function: str = EXPORT) -> dict[str, Any]:
    """What these invocations called, wrote and logged, with all that followed from them."""
    record = deployed.logs.parent / "calls.jsonl"
    earlier, said = len(calls.read(record)), logs(deployed)
    for payload in payloads:
        run(deployed, payload, function)
    made = calls.read(record)[earlier:]
    new = {name: text[len(said[name]) :] for name, text in logs(deployed).items()}
    return {
        "invocations": {name: text.count("START RequestId") for name, text in new.items()},
        "log_bytes": {name: len(text.encode()) for name, text in new.items()},
        "written_objects": sum(call.operation in WRITES for call in made),
        "notifications": sum(call.operation in (*WRITES, "DeleteObject") and is_notified(call) for call in made),
        "calls": by_function(made, function),
    }


def is_notified(call: Call) -> bool:
    """Whether the rule of the stack sends a message for the object. A name that begins with `_` is hidden from it."""
    key = call.rights[0].resource
    return key.endswith(NOTIFIED) and "/_staging/" not in key


def by_function(made: list[Call], invoked: str) -> dict[str, dict[str, int]]:
    """The profiles function has the role of the export function."""
    found: dict[str, Counter[str]] = {function: Counter() for function in GROUPS}
    for call in made:
        role = call.role.removeprefix(f"{STACK}-").partition("Role-")[0].lower()
        function = "profiles" if role == "export" and invoked == PROFILES else role
        found[function][f"{call.service}:{call.operation}"] += 1
    return {function: dict(sorted(operations.items())) for function, operations in found.items()}


def logs(deployed: Pipeline) -> dict[str, str]:
    return {function: deployed.save_log(group).read_text() for function, group in GROUPS.items()}


def standing(deployed: Pipeline) -> dict[str, int]:
    """What a stack has that costs something by being there."""
    pages = deployed.cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    kinds = Counter(one["ResourceType"] for page in pages for one in page["StackResourceSummaries"])
    said = logs(deployed)
    written = said["export"].splitlines() + said["profiles"].splitlines()
    lines = [json.loads(line) for line in written if '"_aws"' in line]
    directives = [directive for line in lines for directive in line["_aws"]["CloudWatchMetrics"]]
    metrics = {metric["Name"] for directive in directives for metric in directive["Metrics"]}
    number = len(metrics) + kinds["AWS::Logs::MetricFilter"]
    return {kind: kinds[kind] for kind in PAID_RESOURCES} | {"metrics": number}


def write() -> None:
    FILE.write_text(json.dumps(measure(), indent=2) + "\n")
    print(f"{FILE.relative_to(names.ROOT)} is written")


def read() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text()))
