"""No secret is in anything that the runs of the session wrote. Runs last (conftest.py)."""

import base64
import gzip
import io
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Deploy
from small_run import EXPORT, FIRST_HOUR, FIRST_TABLE, deploy_quietly
from written import all_secrets, everything

from local import names
from local.ministack import MiniStack
from local.pipeline import Pipeline
from local.process import poll
from local.rights.leaks import Secret, leaks

WRONG = "a-wrong-secret-8d41b7"
PLANTED = Secret("the planted secret", "planted+secret/5c2e19=")
HEADER = base64.b64encode(f"somebody:{PLANTED.value}".encode())
DAY = "2026-11-10"
PATIENCE_SECONDS = 5
"""Mixpanel is asked again for minutes where nobody answers."""
STOPPED = -signal.SIGTERM


@pytest.fixture(scope="module")
def good(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline after a run that went well."""
    deployed = deploy_quietly(deploy, "secretgood", tmp_path_factory.mktemp("secrets"))
    for step in (FIRST_HOUR, FIRST_TABLE):
        answer = step.do(deployed)
        assert not answer.error, answer.message
    return deployed


@pytest.fixture(scope="module")
def refused(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline whose secret Mixpanel refuses. Its dead letter has the error."""
    deployed = deploy_quietly(deploy, "secretbad", tmp_path_factory.mktemp("secrets"), secret=WRONG)
    for payload, function in (({"date": DAY}, EXPORT), ({}, "ProfilesFunctionName")):
        assert deployed.invoke(payload, function).error
    functions, name = deployed.cloud.client("lambda"), deployed.outputs[EXPORT]
    latest = {"FunctionName": name, "Qualifier": "$LATEST"}
    destination = functions.get_function_event_invoke_config(**latest)["DestinationConfig"]
    functions.put_function_event_invoke_config(**latest, DestinationConfig=destination, MaximumRetryAttempts=0)
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"date": DAY}).encode())
    sqs, queue = deployed.cloud.client("sqs"), deployed.queue("FailedSlicesUrl")
    for _ in poll(30):
        if sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0).get("Messages"):
            return deployed
    raise AssertionError("no dead letter came")


@pytest.fixture(scope="module")
def command_line(good: Pipeline, cloud: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What it prints of a run that goes well, of one that is refused, of one that waits, and one that cannot begin."""
    functions = cloud.client("lambda")
    variables = functions.get_function_configuration(FunctionName=good.outputs[EXPORT])["Environment"]["Variables"]
    mixpanel, lake = variables["MIXPANEL_ENDPOINT"], tmp_path_factory.mktemp("lake")
    account = f"{names.USERNAME}:{names.SECRET}"
    return [
        printed(cloud, lake / "good", account, mixpanel, 0),
        printed(cloud, lake / "refused", f"{names.USERNAME}:{WRONG}", mixpanel, 1),
        printed(cloud, lake / "waits", account, "http://127.0.0.1:9", STOPPED),
        printed(cloud, lake / "impossible", account, f"ftp://{account}@example.com", 2),
    ]


def printed(cloud: MiniStack, lake: Path, account: str, endpoint: str, code: int) -> Path:
    """Runs an export of a day, and keeps all that it prints where the logs are."""
    command = [str(names.binary(names.COMMAND_LINE)), "export", "--verbose", "--json", "--lake", str(lake)]
    command += ["--from-date", DAY, "--to-date", DAY, "--set", f"project_id={names.PROJECT_ID}"]
    command += ["--set", f"mixpanel_endpoint={endpoint}"]
    log = cloud.logs / f"mixlake-{lake.name}.log"
    env = cloud.client_environment(MIXPANEL_SERVICE_ACCOUNT=account)
    with log.open("wb") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as process:
        try:
            assert process.wait(PATIENCE_SECONDS) == code, log.read_text()
        except subprocess.TimeoutExpired:
            process.terminate()
            assert process.wait() == code, log.read_text()
    assert log.stat().st_size > 0
    return log


@pytest.mark.usefixtures("good", "refused", "command_line")
def test_no_secret_is_in_what_the_runs_wrote(cloud: MiniStack) -> None:
    secrets = all_secrets(cloud)
    assert {names.SECRET, WRONG} <= {secret.value for secret in secrets}
    assert any("assumed-role/secretgood-ExportRole" in secret.name for secret in secrets)
    assert leaks(secrets, everything(cloud)) == []


def parquet(text: str) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"words": [text] * 10}), out, compression="zstd")
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        PLANTED.value.encode(),
        b"Authorization: Basic " + HEADER,
        b'{"message": "planted%2Bsecret%2F5c2e19%3D"}',
        gzip.compress(b"a line\n" + HEADER),
        gzip.compress(gzip.compress(PLANTED.value.encode())),
        parquet(PLANTED.value),
    ],
    ids=["plain", "header", "query", "gzip", "gzip in gzip", "parquet"],
)
def test_a_secret_is_found_in_each_form(content: bytes) -> None:
    assert leaks([PLANTED], iter([("here", content)])) == ["the planted secret is in here"]


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
def test_a_secret_is_found_in_base64_wherever_it_begins(before: str) -> None:
    text = base64.b64encode(f"{before}{PLANTED.value}-and-more".encode())
    assert leaks([PLANTED], iter([("here", text)]))
    assert not leaks([PLANTED], iter([("here", base64.b64encode(b"nothing of the kind"))]))


def test_a_secret_that_is_too_short_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        Secret("a password", "1234567")


def plant_log(good: Pipeline) -> Any:
    logs, group = good.cloud.client("logs"), good.outputs["CatalogLogGroup"]
    logs.create_log_stream(logGroupName=group, logStreamName="planted")
    event = {"timestamp": 1794268800000, "message": PLANTED.value}
    logs.put_log_events(logGroupName=group, logStreamName="planted", logEvents=[event])
    return lambda: logs.delete_log_stream(logGroupName=group, logStreamName="planted")


def plant_object(good: Pipeline) -> Any:
    s3, place = (
        good.cloud.client("s3"),
        {"Bucket": good.lake.bucket, "Key": good.lake.folder + "schema/planted.parquet"},
    )
    s3.put_object(**place, Body=parquet(PLANTED.value))
    return lambda: s3.delete_object(**place)


def plant_message(good: Pipeline) -> Any:
    sqs, queue = good.cloud.client("sqs"), good.queue("FailedSlicesUrl")
    sqs.send_message(QueueUrl=queue, MessageBody=PLANTED.value)
    return lambda: sqs.purge_queue(QueueUrl=queue)


def plant_table(good: Pipeline) -> Any:
    glue, database = good.cloud.client("glue"), good.lake.database
    glue.create_table(DatabaseName=database, TableInput={"Name": "planted", "Description": PLANTED.value})
    return lambda: glue.delete_table(DatabaseName=database, Name="planted")


def plant_metric(good: Pipeline) -> Any:
    metrics = good.cloud.client("cloudwatch")
    dimension = {"Name": "Project", "Value": PLANTED.value}
    metrics.put_metric_data(
        Namespace="Mixlake", MetricData=[{"MetricName": "Bytes", "Dimensions": [dimension], "Value": 1}]
    )
    return lambda: None


def plant_answer(good: Pipeline) -> Any:
    log = good.cloud.logs / "planted-answers.jsonl"
    log.write_text(PLANTED.value)
    return log.unlink


PLACES = {
    plant_log: "the log group",
    plant_object: "s3://",
    plant_message: "the queue",
    plant_table: "the tables of",
    plant_answer: "the file",
    plant_metric: "cloudwatch: list_metrics",
}


@pytest.mark.parametrize("plant", PLACES)
def test_a_planted_secret_is_found(good: Pipeline, cloud: MiniStack, plant: Any) -> None:
    take_out = plant(good)
    try:
        found = leaks([PLANTED], everything(cloud))
    finally:
        take_out()
    assert len(found) == 1
    assert found[0].startswith(f"the planted secret is in {PLACES[plant]}")
