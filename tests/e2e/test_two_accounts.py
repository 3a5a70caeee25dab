"""The functions in one account, bucket and catalog in another: both templates deployed, and an export between them."""

import json
from collections.abc import Callable, Iterator

import pytest
from accounts import EXPORTER, OWNER, PARAMETERS, TOKEN, without_policy
from conftest import STOREFRONT
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
    return deploy_owner(cloud, owner, "across-owner", **PARAMETERS | {"ExporterStack": STACK}, **place, **key)


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
    """Deploys or updates the exporter's stack, with these parameters instead of those that the owner's gives."""

    def deploy_one(**changed: str) -> Pipeline:
        deployed = Pipeline.deploy(cloud, package.prepare(), STACK, **settings | changed)
        lake = deployed.lake
        deployed.lake = Lake(owner, lake.bucket, lake.folder, lake.database, lake.table_prefix)
        return deployed

    return deploy_one


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


def test_without_external_ids_of_their_own_the_roles_get_the_project_token(deploy: Deploy) -> None:
    deployed = deploy(S3ExternalId="", GlueExternalId="", ProjectToken=TOKEN)
    deployed.export({"date": "2026-11-10"})
    assert not catalog(deployed).error


# --- what is refused ---------------------------------------------------------------------------------


def catalog(deployed: Pipeline) -> Answer:
    """What the catalog function says to a notification of a file."""
    key = next(item["Key"] for item in deployed.lake.objects() if item["Key"].endswith(".parquet"))
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
