"""docs/DEPLOY.md: its commands run, in their order, as far as the stand-in goes."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from accounts import EXPORTER, OWNER, TOKEN
from botocore.exceptions import ClientError
from conftest import STOREFRONT, STOREFRONT_PROFILES
from document import Terminal, checkout, sections, with_values
from scripted import Script, play
from source import read_events, without_repeats
from test_drift import created

from local import names
from local.cloud import Cloud
from local.lake import Lake
from local.ministack import MiniStack
from local.mixpanel import MixpanelStandIn
from local.pipeline import Pipeline
from local.process import end_on_signals, poll
from local.query import Engine

HOME = names.HOME / "document"
PAGE = sections()
ONE_ACCOUNT = "One account, in ten commands"
VALUES = {
    "AWS_REGION": names.REGION,
    "AWS_DEFAULT_REGION": names.REGION,
    "PROJECT_ID": names.PROJECT_ID,
    "MIXPANEL_USERNAME": names.USERNAME,
    "TIMEZONE": "UTC",
    "RESIDENCY": "us",
}
VARIABLES, TYPE_SECRET, STORE_SECRET, BUILD, DEPLOY, BACKFILL, LOG, DAYS, QUERY, RESULT, ALARMS = PAGE[
    ONE_ACCOUNT
].blocks

GROUP, GROUP_TABLE = "company_id:8372645", "mp_group_company_id_data"

Open = Callable[[str], Terminal]


@pytest.fixture(scope="module")
def cloud() -> Iterator[MiniStack]:
    """One of its own: stacks are removed here, and test_rights.py reads the policies of all stacks at the end."""
    end_on_signals()
    shutil.rmtree(HOME, ignore_errors=True)
    with MiniStack(HOME / "aws") as running:
        yield running


@pytest.fixture(scope="module")
def open_terminal(cloud: MiniStack) -> Iterator[Open]:
    """Opens a terminal in a checkout, with the variables of the page for a stack of its own."""
    with ExitStack() as running:
        log, of_groups = cloud.logs / "mixpanel-document.log", {GROUP.partition(":")[2]: STOREFRONT_PROFILES}
        standin = MixpanelStandIn(log, STOREFRONT, profiles=STOREFRONT_PROFILES, groups=of_groups)
        mixpanel = running.enter_context(standin)
        place = checkout(HOME / "checkout", mixpanel.endpoint)

        def open_one(stack: str) -> Terminal:
            profiles = {"lake-owner": OWNER, "lake-exporter": EXPORTER}
            terminal = running.enter_context(Terminal(cloud, place, HOME / stack, profiles))
            terminal.run(with_values(VARIABLES, VALUES | {"STACK": stack, "DATABASE": stack}))
            return terminal

        yield open_one


def run(terminal: Terminal, heading: str) -> list[str]:
    return [terminal.run(block) for block in PAGE[heading].blocks]


def parameters(cloud: Cloud, stack: str) -> dict[str, str]:
    (found,) = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {given["ParameterKey"]: given["ParameterValue"] for given in found["Parameters"]}


def encryptions(lake: Lake) -> dict[str, str]:
    s3 = lake.cloud.client("s3")
    heads = {item["Key"]: s3.head_object(Bucket=lake.bucket, Key=item["Key"]) for item in lake.objects()}
    return {key: head.get("SSEKMSKeyId", head["ServerSideEncryption"]) for key, head in heads.items()}


# --- one account, from nothing to nothing: each test goes on where the last one ended -----------------


@pytest.fixture(scope="module")
def terminal(open_terminal: Open) -> Terminal:
    return open_terminal("document")


@pytest.fixture(scope="module")
def first_query(cloud: MiniStack, terminal: Terminal) -> Pipeline:
    """The stack after the ten commands."""
    terminal.run(TYPE_SECRET, typed=names.SECRET)
    assert "arn:aws:secretsmanager:" in terminal.run(STORE_SECRET)
    terminal.run(BUILD)
    assert "Successfully created/updated stack" in terminal.run(DEPLOY)
    assert '"StatusCode": 202' in terminal.run(BACKFILL)
    assert terminal.run(LOG).count('"the slice is published"') == 4
    deployed = Pipeline.of_stack(cloud, cloud.logs, "document")
    deployed.wait_for_catalog()
    return deployed


def test_ten_commands_lead_from_nothing_to_the_first_query(terminal: Terminal, first_query: Pipeline) -> None:
    assert terminal.run(DAYS).split() == ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"]
    terminal.run(QUERY)
    asked = first_query.cloud.client("athena").get_query_execution(QueryExecutionId=terminal["QUERY"])["QueryExecution"]
    assert asked["WorkGroup"] == first_query.outputs["WorkgroupName"]
    rows = Engine(first_query.lake).query(asked["Query"]).rows
    assert sum(events for _day, events in rows) == len(without_repeats(read_events(STOREFRONT)))
    terminal.run(RESULT)
    assert len(terminal.run(ALARMS).split()) == 2 * 17


def test_a_changed_encryption_reaches_every_object(terminal: Terminal, first_query: Pipeline) -> None:
    assert set(encryptions(first_query.lake).values()) == {"AES256"}
    _deployed, told, repaired = run(terminal, "Change the encryption of a lake")
    assert "objects are encrypted with aes, not as the settings say" in told
    assert "nothing is wrong" in repaired
    key = Pipeline.of_stack(first_query.cloud, first_query.logs, "document").outputs["KmsKeyArn"]
    assert set(encryptions(first_query.lake).values()) == {key}


def test_lake_formation_is_asked_in_its_own_words(terminal: Terminal, first_query: Pipeline) -> None:
    run(terminal, "Lake Formation")
    assert terminal["CATALOG_ROLE"] == first_query.outputs["CatalogRoleArn"]
    assert terminal["MAINTENANCE_ROLE"] == first_query.outputs["MaintenanceRoleArn"]


def test_days_are_fetched_again_by_hand(terminal: Terminal, first_query: Pipeline) -> None:
    (told,) = run(terminal, "Sync")
    assert '"StatusCode": 202' in told
    times = first_query.lake.folder + "_sync/days.json"
    for _ in poll(60):
        if times in {item["Key"] for item in first_query.lake.objects()}:
            break
    assert list(json.loads(first_query.lake.read(times))["days"]) == terminal.run(DAYS).split()


def test_profiles_are_exported_by_hand(cloud: MiniStack, terminal: Terminal, first_query: Pipeline) -> None:
    group, now = PAGE["Profiles"].blocks
    terminal.run(group)
    assert parameters(cloud, first_query.stack)["DataGroupId"] == GROUP
    assert '"StatusCode": 202' in terminal.run(now)
    wanted = {f"{first_query.lake.folder}{table}/{names.MANIFEST}" for table in (names.PEOPLE_TABLE, GROUP_TABLE)}
    for _ in poll(60):
        if wanted <= {item["Key"] for item in first_query.lake.objects()}:
            break
    assert wanted <= {item["Key"] for item in first_query.lake.objects()}


def test_maintenance_runs_by_hand_and_can_be_paused(
    cloud: MiniStack, terminal: Terminal, first_query: Pipeline
) -> None:
    now, pause = PAGE["Maintenance"].blocks
    assert '"StatusCode": 202' in terminal.run(now)
    for _ in poll(60):
        if "maintenance begins" in (said := first_query.save_log("MaintenanceLogGroup").read_text()):
            break
    assert "maintenance begins" in said
    before = parameters(cloud, first_query.stack)
    terminal.run(pause)
    paused = {"Compact": "false", "Identities": "false", "KeepReplacedHours": "8760"}
    assert parameters(cloud, first_query.stack) == before | paused


def test_an_upgrade_keeps_all_parameters(cloud: MiniStack, terminal: Terminal, first_query: Pipeline) -> None:
    before = parameters(cloud, first_query.stack)
    run(terminal, "Upgrade")
    assert parameters(cloud, first_query.stack) == before
    assert (before["S3Encryption"], before["AlarmEmail"]) == ("kms", "data@example.com")


def test_a_pause_stops_the_schedule_and_nothing_else(
    cloud: MiniStack, terminal: Terminal, first_query: Pipeline
) -> None:
    before = parameters(cloud, first_query.stack)
    pause, resume, disable, enable = PAGE["Pause and resume"].blocks
    for block, state in ((pause, "DISABLED"), (resume, "ENABLED")):
        terminal.run(block)
        assert first_query.schedule()["State"] == state
        assert parameters(cloud, first_query.stack) == before
    for block, state in ((disable, "DISABLED"), (enable, "ENABLED")):
        terminal.run(block)
        assert first_query.schedule()["State"] == state
        assert parameters(cloud, first_query.stack) == before | {"ScheduleState": state}
        told = terminal.run(ALARMS)
        of_silence = ("OldestSliceAlarm", "DaysToSyncAlarm", "ProfilesAgeAlarm")
        assert {alarm in told for alarm in of_silence} == {state == "ENABLED"}
        for schedule in first_query.outputs["ScheduleNames"].split(","):
            found = cloud.client("scheduler").get_schedule(Name=schedule.rpartition("/")[2])
            assert found["State"] == state, schedule


def test_dead_letters_are_seen_and_come_back(terminal: Terminal, first_query: Pipeline) -> None:
    sqs = first_query.cloud.client("sqs")
    request = {"date": "2026-11-10", "force": True}
    failed = json.dumps({"requestPayload": request, "responsePayload": {"errorMessage": "Mixpanel was away"}})
    key = next(
        item["Key"] for item in first_query.lake.objects(f"{names.MASTER_TABLE}/") if item["Key"].endswith(".parquet")
    )
    sqs.send_message(QueueUrl=first_query.queue("FailedSlicesUrl"), MessageBody=failed)
    sqs.send_message(QueueUrl=first_query.queue("FailedObjectsUrl"), MessageBody=created(first_query, key))

    (seen,) = run(terminal, "When an alarm fires")
    assert "Mixpanel was away" in seen
    assert key in seen
    for _ in poll(60):
        if hidden(first_query) == 0:
            break
    started, moved = run(terminal, "Dead letters")
    assert "1 requests are started again" in started
    assert "TaskHandle" in moved
    for _ in poll(60):
        if '"the slice is unchanged"' in log(first_query):
            break
    assert '"the slice is unchanged"' in log(first_query), "the failed slice is exported again"
    first_query.wait_for_catalog()


def log(deployed: Pipeline) -> str:
    return deployed.save_log("ExportLogGroup").read_text()


def hidden(deployed: Pipeline) -> int:
    """Messages that were looked at, and cannot be seen for some seconds."""
    kind = "ApproximateNumberOfMessagesNotVisible"
    queues = [deployed.queue(name) for name in ("FailedSlicesUrl", "FailedObjectsUrl")]
    sqs = deployed.cloud.client("sqs")
    found = [sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[kind]) for queue in queues]
    return sum(int(answer["Attributes"][kind]) for answer in found)


def test_a_backfill_is_started_looked_at_and_stopped(terminal: Terminal, first_query: Pipeline) -> None:
    """A script is in the place of the function, so that a day takes as long as the test wants."""
    variables, start, done, how, stop = PAGE["Backfill"].blocks
    go_on = threading.Event()

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        if "plan" in payload:
            return {"slices": [{"date": "2026-11-10"}, {"date": "2026-11-11"}], "concurrency": 1}
        if payload.get("date") == "2026-11-11":
            go_on.wait(60)
        return {}

    with Script(answer) as script:
        play(first_query, script)
        terminal.run(with_values(variables, {"FIRST": "2026-11-10", "LAST": "2026-11-11"}))
        assert ":execution:" in terminal.run(start)
        for _ in poll(30):
            if len(script.payloads("date")) == 2:
                break
        counts = json.loads(terminal.run(done))
        assert (counts["total"], counts["succeeded"], counts["running"]) == (2, 1, 1)
        assert terminal.run(how).split() == ["RUNNING", "None", "None"]
        terminal.run(stop)
        assert "ABORTED" in terminal.run(how)
        go_on.set()
    assert script.payloads("plan") == [{"from_date": "2026-11-10", "to_date": "2026-11-11"}]


def test_removal_leaves_the_data_until_it_is_deleted_too(terminal: Terminal, first_query: Pipeline) -> None:
    without_stack, without_data, without_key = PAGE["Remove"].blocks
    cloud, lake = first_query.cloud, first_query.lake
    key = terminal.run("output KmsKeyArn").strip()
    assert lake.bucket in terminal.run(without_stack)
    with pytest.raises(ClientError, match="does not exist"):
        parameters(cloud, first_query.stack)
    rows = Engine(lake).query(f"SELECT count(*) FROM {lake.database}.{names.MASTER_TABLE}").rows
    assert rows == ((len(without_repeats(read_events(STOREFRONT))),),)

    terminal.run(without_data)
    left = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    assert not {name for name in left if name.startswith("document-")}
    assert lake.database not in {found["Name"] for found in cloud.client("glue").get_databases()["DatabaseList"]}
    terminal.run(without_key)
    assert cloud.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


# --- choices ------------------------------------------------------------------------------------------


def ready(cloud: MiniStack, open_terminal: Open, stack: str) -> Terminal:
    """A terminal after the commands 1 to 3, and with the parameters of command 4."""
    terminal = open_terminal(stack)
    secret = cloud.create_secret(names.USERNAME, names.SECRET, f"{stack}/mixpanel")
    terminal.run(f"MIXPANEL_SECRET_ARN={secret}")
    terminal.run(DEPLOY.removesuffix('deploy "${PARAMETERS[@]}"'))
    return terminal


def exported(cloud: MiniStack, terminal: Terminal, stack: str, owner: Cloud | None = None) -> Pipeline:
    """The stack after a backfill, when the catalog has what was exported."""
    assert '"StatusCode": 202' in terminal.run(BACKFILL)
    assert terminal.run(LOG).count('"the slice is published"') == 4
    deployed = Pipeline.of_stack(cloud, cloud.logs, stack)
    lake = deployed.lake
    deployed.lake = Lake(owner or cloud, lake.bucket, lake.folder, lake.database, lake.table_prefix)
    return deployed


def test_two_accounts(cloud: MiniStack, open_terminal: Open) -> None:
    terminal = ready(cloud, open_terminal, "twodocument")
    names_of_both, owners, given, exporters = PAGE["Two accounts"].blocks
    terminal.run(with_values(names_of_both, {"PROJECT_TOKEN": TOKEN}))
    terminal.run(owners)
    assert "S3Role=arn:aws:iam::" in terminal.run(given)
    terminal.run(exporters)
    owner = cloud.account(OWNER)
    deployed = exported(cloud, terminal, "twodocument", owner)
    deployed.wait_for_catalog()
    assert deployed.lake.bucket in {bucket["Name"] for bucket in owner.client("s3").list_buckets()["Buckets"]}
    assert deployed.lake.tables().keys() == {names.RUNS_TABLE, names.MASTER_TABLE}


def test_an_existing_bucket(cloud: MiniStack, open_terminal: Open) -> None:
    terminal = ready(cloud, open_terminal, "bucketdocument")
    cloud.client("s3").create_bucket(Bucket="bucket-of-the-document")
    look, notify = PAGE["An existing bucket"].blocks
    terminal.run(with_values(look, {"BUCKET": "bucket-of-the-document"}))
    terminal.run(notify)
    deployed = exported(cloud, terminal, "bucketdocument")
    deployed.wait_for_catalog()
    assert deployed.lake.bucket == "bucket-of-the-document"


def test_a_key_of_its_own(cloud: MiniStack, open_terminal: Open) -> None:
    terminal = ready(cloud, open_terminal, "keydocument")
    run(terminal, "A key of your own")
    deployed = exported(cloud, terminal, "keydocument")
    deployed.wait_for_catalog()
    assert set(encryptions(deployed.lake).values()) == {deployed.outputs["KmsKeyArn"]}


def test_a_crawler(cloud: MiniStack, open_terminal: Open) -> None:
    terminal = ready(cloud, open_terminal, "crawldocument")
    run(terminal, "A crawler")
    deployed = exported(cloud, terminal, "crawldocument")
    crawlers = cloud.client("glue").get_crawlers()["Crawlers"]
    assert deployed.outputs["LakeLocation"] in [c["Targets"]["S3Targets"][0]["Path"] for c in crawlers]
    assert deployed.pending() == 0
    assert deployed.lake.tables() == {}


def test_files_of_a_pipeline_and_late_data(cloud: MiniStack, open_terminal: Open) -> None:
    terminal = ready(cloud, open_terminal, "sourcedocument")
    run(terminal, "Files of a JSON pipeline")
    (late,) = PAGE["Late data"].blocks
    terminal.run(with_values(late, {"START": "2099-01-01"}))
    deployed = Pipeline.of_stack(cloud, cloud.logs, "sourcedocument")
    function = deployed.outputs["ExportFunctionName"]
    found = cloud.client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    assert found["RAW_PIPELINE_LOCATION"] == "s3://my-pipeline/raw"
    assert (found["LATE_DATA"], found["INGESTION_START"]) == ("ingestion_cursor", "2099-01-01")
