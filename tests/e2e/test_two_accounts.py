"""The functions in one account, bucket and catalog in another: both templates deployed, and an export between them.

What the stand-in cannot show:

- Lake Formation, Redshift and the runs of a crawler: it has none of them. cfn-lint checks the resources.
- Time: IAM takes some seconds until a new role or policy counts, and a role's session ends after an hour.
- The principal of a trust policy that goes stale when its role is deleted: here only names count.
- The 24 hours in which EventBridge tries again to deliver an event: here it tries once.
- GetTables leaves out tables that its caller may not see: here it lists all.
- TLS: every request counts as encrypted, unless it says otherwise.
- The endpoints of STS in each region, and service control policies.
"""

import json
import subprocess
from collections.abc import Callable, Iterator

import machine
import pytest
from accounts import EXPORTER, OWNER, PARAMETERS, TOKEN, act_as, without_policy
from botocore.exceptions import ClientError
from conftest import STOREFRONT
from replaced import maintain, replaced_files
from source import read_events, without_repeats
from test_drift import created

from local import names, package
from local.cloud import Cloud
from local.lake import Lake
from local.ministack import MiniStack
from local.mixpanel import MixpanelStandIn
from local.pipeline import Answer, Pipeline, deploy_owner
from local.query import Engine

STACK = "across"
OPERATOR = "people/operator"
NOBODY = "http://127.0.0.1:9"
"""An export that asks Mixpanel before it asks for the role fails with another error."""

Settings = dict[str, str]
Deploy = Callable[..., Pipeline]


@pytest.fixture(scope="module")
def owner(cloud: MiniStack) -> Cloud:
    return cloud.account(OWNER)


@pytest.fixture(scope="module")
def given(cloud: MiniStack, owner: Cloud) -> Settings:
    """The outputs of the owner's stack."""
    place = {"S3Prefix": "shared/lake", "GlueDatabase": STACK, "GlueTablePrefix": "raw_"}
    key = {"S3Encryption": "kms", "CreateKmsKey": "true"}
    people = {"ExporterStack": STACK, "OperatorRole": OPERATOR}
    return deploy_owner(cloud, owner, "across-owner", **PARAMETERS | people, **place, **key)


@pytest.fixture(scope="module")
def settings(cloud: MiniStack, given: Settings) -> Iterator[Settings]:
    """The parameters of the exporter's stack: the outputs of the owner's, as they are, and its own."""
    with MixpanelStandIn(cloud.logs / f"mixpanel-{STACK}.log", STOREFRONT) as mixpanel:
        secret = cloud.create_secret(names.USERNAME, names.SECRET, f"mixlake/{STACK}")
        yield given | {
            "MixpanelSecretArn": secret,
            "MixpanelEndpoint": mixpanel.endpoint,
            "ScheduleState": "DISABLED",
        }


@pytest.fixture(scope="module")
def deploy(cloud: MiniStack, owner: Cloud, settings: Settings) -> Deploy:
    """The exporter's stack, with these parameters instead of those that the owner's gives."""
    Pipeline.deploy(cloud, package.prepare(), STACK, **settings)

    def update(**changed: str) -> Pipeline:
        change_parameters(cloud, STACK, settings | {"ProjectToken": ""} | changed)
        deployed = Pipeline.of_stack(cloud, cloud.logs, STACK)
        lake = deployed.lake
        deployed.lake = Lake(owner, lake.bucket, lake.folder, lake.database, lake.table_prefix)
        return deployed

    return update


def change_parameters(cloud: Cloud, stack: str, parameters: Settings) -> None:
    """Without `sam`, which takes some seconds to find that the template is the same."""
    formation = cloud.client("cloudformation")
    given = [{"ParameterKey": name, "ParameterValue": text} for name, text in parameters.items()]
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    try:
        formation.update_stack(StackName=stack, UsePreviousTemplate=True, Parameters=given, Capabilities=capabilities)
    except ClientError as problem:
        if "No updates are to be performed" in str(problem):
            return
        raise
    formation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def stored(deployed: Pipeline) -> dict[str, str]:
    """Each object of the project with its etag, also those of the query budget."""
    pages = deployed.lake.cloud.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=deployed.lake.bucket, Prefix=deployed.lake.folder)
    return {item["Key"]: item["ETag"] for page in found for item in page.get("Contents", [])}


# --- what works --------------------------------------------------------------------------------------


def owned(account: Cloud) -> tuple[set[str], set[str]]:
    """The buckets and the databases of an account."""
    buckets = account.client("s3").list_buckets()["Buckets"]
    databases = account.client("glue").get_databases()["DatabaseList"]
    return {bucket["Name"] for bucket in buckets}, {database["Name"] for database in databases}


def encryption(deployed: Pipeline, key: str, own: str) -> tuple[str, str]:
    """An object's encryption, and which key it is."""
    head = deployed.lake.cloud.client("s3").head_object(Bucket=deployed.lake.bucket, Key=key)
    return head["ServerSideEncryption"], {own: "own", "": ""}.get(head.get("SSEKMSKeyId", ""), "aws/s3")


@pytest.mark.parametrize(
    ("day", "chosen", "expected"),
    [
        ("2026-11-10", {"S3Encryption": "kms"}, ("aws:kms", "own")),
        ("2026-11-11", {"S3Encryption": "kms", "S3KmsKeyArn": ""}, ("aws:kms", "aws/s3")),
        ("2026-11-12", {"S3Encryption": "aes", "S3KmsKeyArn": ""}, ("AES256", "")),
        # The bucket's default is the owner's.
        ("2026-11-13", {"S3Encryption": "none", "S3KmsKeyArn": ""}, ("aws:kms", "own")),
    ],
    ids=["own-key", "aws-s3", "aes", "none"],
)
def test_each_encryption_is_read_back_from_every_object(
    deploy: Deploy, settings: Settings, day: str, chosen: Settings, expected: tuple[str, str]
) -> None:
    deployed = deploy(**chosen)
    before = stored(deployed)
    deployed.export({"date": day})
    deployed.wait_for_catalog()
    written = [key for key, etag in stored(deployed).items() if before.get(key) != etag]
    assert {names.MANIFEST, "queries.json"} < {key.rsplit("/", 1)[-1] for key in written}
    own = settings["S3KmsKeyArn"]
    assert {key: encryption(deployed, key, own) for key in written} == dict.fromkeys(written, expected)


def test_an_export_fills_the_owners_bucket_and_its_notifications_the_owners_tables(
    deploy: Deploy, owner: Cloud, cloud: MiniStack
) -> None:
    deployed = deploy()
    deployed.export({"from_date": "2026-11-10", "to_date": "2026-11-13"})
    deployed.wait_for_catalog()
    answer = Engine(deployed.lake).query(f"SELECT count(*) FROM {STACK}.raw_mp_master_event")
    assert answer.rows == ((len(without_repeats(read_events(STOREFRONT))),),)
    for account, owns in ((owner, True), (cloud.account(EXPORTER), False)):
        buckets, databases = owned(account)
        assert (deployed.lake.bucket in buckets, STACK in databases) == (owns, owns)


def test_maintenance_deletes_replaced_files_of_the_owners_bucket(deploy: Deploy) -> None:
    day = {"date": "2026-11-10", "force": True}
    deploy(Events="page view").export(day)
    # All events again, so that later tests find them.
    deployed = deploy(KeepReplacedHours="0", Compact="false")
    deployed.export(day)
    deployed.wait_for_catalog()
    before, were_replaced = stored(deployed), replaced_files(deployed.lake)
    assert len(were_replaced) > 1
    answer = maintain(deployed)
    assert not answer.error, answer.message
    assert before.keys() - stored(deployed).keys() == were_replaced


def test_a_backfill_fills_the_owners_bucket_though_its_machine_cannot_reach_it(deploy: Deploy) -> None:
    deployed = deploy()
    ended = machine.start(deployed, "2026-11-10", "2026-11-11", force=True).end()
    assert ended["status"] == "SUCCEEDED", ended
    answer = json.loads(ended["output"])
    assert (answer["published"], answer["missing"]) == (2, 0)
    report = json.loads(deployed.lake.read(answer["report"].removeprefix(f"s3://{deployed.lake.bucket}/")))
    assert (report["kind"], report["missing"], report["failed"]) == ("backfill", [], [])


def test_without_external_ids_of_their_own_the_roles_get_the_project_token(deploy: Deploy) -> None:
    deployed = deploy(S3ExternalId="", GlueExternalId="", ProjectToken=TOKEN)
    deployed.export({"date": "2026-11-10"})
    assert not catalog(deployed).error


def test_the_command_line_of_the_operator_uses_the_same_roles(
    deploy: Deploy, cloud: MiniStack, settings: Settings
) -> None:
    lake = deploy().lake
    chosen = {"project_id": names.PROJECT_ID, "glue_database": STACK, "glue_table_prefix": "raw_"}
    roles = {"s3_role": settings["S3Role"], "glue_role": settings["GlueRole"], "project_token": TOKEN}
    given = [f"--set={name}={value}" for name, value in {**chosen, **roles}.items()]
    command = [str(names.binary(names.COMMAND_LINE)), "doctor", f"--lake=s3://{lake.bucket}/shared/lake", *given]
    env = act_as(cloud, OPERATOR).client_environment()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    without = [option for option in command if "project_token" not in option]
    done = subprocess.run(without, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "s3_external_id is not set" in done.stderr


# --- what is refused ---------------------------------------------------------------------------------


def catalog(deployed: Pipeline) -> Answer:
    """What the catalog function says to a notification of a file."""
    key = next(
        item["Key"] for item in deployed.lake.objects(f"{names.MASTER_TABLE}/") if item["Key"].endswith(".parquet")
    )
    return deployed.invoke(json.loads(created(deployed, key)), "CatalogFunctionName")


@pytest.mark.parametrize(
    ("external_id", "why"),
    [("another", 'does not expect the external id "another"'), ("", "s3_external_id is not set")],
    ids=["wrong", "absent"],
)
def test_an_export_with_a_wrong_or_no_external_id_fails_before_mixpanel_is_asked(
    deploy: Deploy, settings: Settings, external_id: str, why: str
) -> None:
    deployed = deploy(S3ExternalId=external_id, ProjectToken="", MixpanelEndpoint=NOBODY)
    before = stored(deployed)
    answer = deployed.invoke({"date": "2026-11-10"})
    assert f"cannot assume the role {settings['S3Role']} (s3_role)" in answer.message
    assert why in answer.message
    assert stored(deployed) == before, "something was written"


@pytest.mark.parametrize(
    ("external_id", "why"),
    [("another", 'does not expect the external id "another"'), ("", "glue_external_id is not set")],
    ids=["wrong", "absent"],
)
def test_a_catalog_with_a_wrong_or_no_external_id_changes_no_table(
    deploy: Deploy, settings: Settings, external_id: str, why: str
) -> None:
    deployed = deploy(GlueExternalId=external_id, ProjectToken="")
    before = deployed.lake.tables()
    answer = catalog(deployed)
    assert f"cannot assume the role {settings['GlueRole']} (glue_role)" in answer.message
    assert why in answer.message
    assert deployed.lake.tables() == before


def test_an_export_without_the_policy_of_the_key_names_the_key(
    deploy: Deploy, owner: Cloud, settings: Settings
) -> None:
    deployed = deploy()
    with without_policy(owner, settings["S3Role"], "custom-key"):
        answer = deployed.invoke({"date": "2026-11-10"})
    assert answer.error
    assert f"on resource: {settings['S3KmsKeyArn']}" in answer.message


def test_an_export_with_a_key_that_cannot_be_used_says_why(deploy: Deploy, owner: Cloud, settings: Settings) -> None:
    key, kms = settings["S3KmsKeyArn"], owner.client("kms")
    gone = f"{key.rpartition('/')[0]}/00000000-0000-0000-0000-000000000000"
    missing = deploy(S3KmsKeyArn=gone).invoke({"date": "2026-11-09"})
    assert f"Key '{gone}' does not exist" in missing.message
    deployed = deploy()
    kms.disable_key(KeyId=key)
    disabled = deployed.invoke({"date": "2026-11-09"})
    kms.enable_key(KeyId=key)
    assert f"{key} is disabled" in disabled.message
