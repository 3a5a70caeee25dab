"""Where events come from, besides a healthy API: a used-up query budget, and the files of a JSON pipeline."""

import gzip
import json
import time
from collections import defaultdict

from conftest import STOREFRONT, Deploy, Exported
from source import Event, day, read_events, without_repeats

from local import names
from local.ministack import ARTIFACTS, MiniStack

DAY = "2026-11-11"


def as_pipeline(event: Event) -> bytes:
    """An event as a JSON pipeline of Mixpanel writes it."""
    properties = dict(event["properties"])
    line = {
        "event_name": event["event"],
        "time": properties.pop("time"),
        "distinct_id": properties.pop("distinct_id", None),
        "insert_id": properties.pop("$insert_id", None),
        "properties": properties,
    }
    return json.dumps(line).encode() + b"\n"


def test_files_of_a_json_pipeline_give_the_rows_of_the_api(
    cloud: MiniStack, deploy: Deploy, storefront: Exported
) -> None:
    days: dict[str, list[Event]] = defaultdict(list)
    for event in read_events(STOREFRONT):
        days[day(event)].append(event)
    for date, events in days.items():
        key = f"pipeline/{names.PROJECT_ID}/mp_master_event/{date.replace('-', '/')}/part-0.json.gz"
        body = gzip.compress(b"".join(map(as_pipeline, events)))
        cloud.client("s3").put_object(Bucket=ARTIFACTS, Key=key, Body=body)
    deployed = deploy(
        "files",
        STOREFRONT,
        RawPipelineBucket=ARTIFACTS,
        RawPipelinePrefix="pipeline",
        RawPipelineDelayHours="0",
        # Nobody listens there: the API must not be asked.
        MixpanelEndpoint="http://127.0.0.1:9",
    )
    report = deployed.export({"date": DAY})
    deployed.wait_for_catalog()
    counts = report["totals"]
    assert counts["received"] == len(days[DAY])
    assert counts["written"] == len(without_repeats(days[DAY]))
    query = (
        f"SELECT distinct_id, time, mp_insert_id, mp_event_name FROM {{}} WHERE mp_date = '{DAY}' ORDER BY 1, 2, 3, 4"
    )
    of_files = Exported(deployed, report).query(query.format(f"{deployed.lake.database}.{names.MASTER_TABLE}"))
    of_api = storefront.query(query.format(f"{storefront.pipeline.lake.database}.{names.MASTER_TABLE}"))
    assert of_files.rows == of_api.rows


def test_a_used_up_query_budget_is_answered_at_once_with_the_time_to_come_back(deploy: Deploy) -> None:
    deployed = deploy("limited", STOREFRONT)
    now = round(time.time() * 1000)
    budget = {"format": 1, "started": [], "closed": {"since": now, "until": now + 1_800_000}}
    key = deployed.lake.folder + names.BUDGET + "queries.json"
    s3 = deployed.cloud.client("s3")
    s3.put_object(Bucket=deployed.lake.bucket, Key=key, Body=json.dumps(budget).encode())
    answer = deployed.invoke({"date": DAY})
    assert answer.payload["errorType"] == "RateLimited"
    said = json.loads(answer.message)
    # The source would wait for an hour; the function's time ends before.
    assert 1_200 < said["retry_after_seconds"] <= 1_800
    assert said["report"]["slices"][0]["status"] == "failed"
    assert [o["Key"] for o in deployed.lake.objects() if not deployed.lake.about_runs(o["Key"])] == []

    s3.delete_object(Bucket=deployed.lake.bucket, Key=key)
    assert deployed.export({"date": DAY})["totals"]["written"] > 0
    assert len(json.loads(deployed.lake.read(key))["started"]) == 1
