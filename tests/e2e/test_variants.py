"""The template deployed in other ways: with a key of its own, with a crawler, with the roles of another account."""

import json
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy

from local import names
from local.cloud import s3_parts
from local.pipeline import Pipeline

THEIRS = "210987654321"
S3_ROLE = f"arn:aws:iam::{THEIRS}:role/mixlake-lake"
GLUE_ROLE = f"arn:aws:iam::{THEIRS}:role/mixlake-tables"
THROUGH_S3 = {"StringEquals": {"kms:ViaService": f"s3.{names.REGION}.amazonaws.com"}}
"""The condition of each right on a key."""


def resources(deployed: Pipeline) -> dict[str, str]:
    """What a stack has made: the names in the template with the ids."""
    found = deployed.cloud.client("cloudformation").describe_stack_resources(StackName=deployed.stack)
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found["StackResources"]}


def rights(deployed: Pipeline, role: str) -> dict[str, list[Any]]:
    """The statements of a role's policies."""
    iam, name = deployed.cloud.client("iam"), resources(deployed)[role]
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
        for policy in policies
    }


def environment(deployed: Pipeline, function: str) -> dict[str, str]:
    found = deployed.cloud.client("lambda").get_function_configuration(FunctionName=deployed.outputs[function])
    return dict(found["Environment"]["Variables"])


def default_encryption(deployed: Pipeline, bucket: str) -> Any:
    found = deployed.cloud.client("s3").get_bucket_encryption(Bucket=bucket)
    (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]
    return rule["ApplyServerSideEncryptionByDefault"]


def secured(key: str | None) -> Any:
    return {"SSEAlgorithm": "aws:kms"} | ({"KMSMasterKeyID": key} if key else {})


@pytest.fixture(scope="module")
def keyed(deploy: Deploy) -> Pipeline:
    return deploy("keyed", STOREFRONT, S3Encryption="kms", CreateKmsKey="true")


def test_the_stack_makes_a_key_that_rotates(keyed: Pipeline) -> None:
    kms = keyed.cloud.client("kms")
    key = kms.describe_key(KeyId=keyed.outputs["KmsKeyArn"])["KeyMetadata"]
    assert (key["Enabled"], key["KeySpec"], key["Arn"]) == (True, "SYMMETRIC_DEFAULT", keyed.outputs["KmsKeyArn"])
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]


def test_both_buckets_and_the_functions_that_write_use_the_key(keyed: Pipeline) -> None:
    key = keyed.outputs["KmsKeyArn"]
    for bucket in (keyed.outputs["Bucket"], resources(keyed)["QueryResults"]):
        assert default_encryption(keyed, bucket) == secured(key), bucket
    for function in ("ExportFunctionName", "ProfilesFunctionName", "MaintenanceFunctionName"):
        found = environment(keyed, function)
        assert (found["S3_ENCRYPTION"], found["S3_KMS_KEY_ID"]) == ("kms", key), function


def test_the_roles_may_use_this_key_through_s3_only(keyed: Pipeline) -> None:
    key = [keyed.outputs["KmsKeyArn"]]
    both = ["kms:GenerateDataKey", "kms:Decrypt"]
    for role, allowed in (("ExportRole", both), ("CatalogRole", "kms:Decrypt"), ("MaintenanceRole", both)):
        (found,) = [s for s in rights(keyed, role)["lake"] if "kms:" in str(s["Action"])]
        assert (found["Action"], found["Resource"], found["Condition"]) == (allowed, key, THROUGH_S3), role


def test_every_object_of_the_lake_is_encrypted_with_the_key(keyed: Pipeline) -> None:
    keyed.export({"date": "2026-11-10"})
    keyed.wait_for_catalog()
    s3, bucket = keyed.cloud.client("s3"), keyed.outputs["Bucket"]
    heads = {
        o["Key"]: s3.head_object(Bucket=bucket, Key=o["Key"]) for o in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert len(heads) > 4, "data, manifest, ledger, registry, budget"
    used = {key: (head["ServerSideEncryption"], head["SSEKMSKeyId"]) for key, head in heads.items()}
    assert set(used.values()) == {("aws:kms", keyed.outputs["KmsKeyArn"])}, used


def test_a_key_outlives_its_stack_as_the_lake_does(deploy: Deploy) -> None:
    deployed = deploy("shortlived", STOREFRONT, S3Encryption="kms", CreateKmsKey="true")
    cloudformation = deployed.cloud.client("cloudformation")
    cloudformation.delete_stack(StackName=deployed.stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=deployed.stack)
    key = deployed.cloud.client("kms").describe_key(KeyId=deployed.outputs["KmsKeyArn"])["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    assert default_encryption(deployed, deployed.outputs["Bucket"]) == secured(key["Arn"])


def test_kms_without_a_key_takes_that_of_the_account(deploy: Deploy) -> None:
    deployed = deploy("accountkey", STOREFRONT, S3Encryption="kms")
    assert "KmsKeyArn" not in deployed.outputs
    assert environment(deployed, "ExportFunctionName").get("S3_KMS_KEY_ID", "") == ""
    assert default_encryption(deployed, deployed.outputs["Bucket"]) == secured(None)
    for role in ("ExportRole", "CatalogRole", "MaintenanceRole"):
        assert "kms:" not in json.dumps(rights(deployed, role)), "the key aws/s3 admits who may use the bucket"


def test_a_key_of_earlier_objects_can_still_be_read_with(deploy: Deploy) -> None:
    former = f"arn:aws:kms:{names.REGION}:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    deployed = deploy("rekeyed", STOREFRONT, S3Encryption="aes", FormerKmsKeyArn=former)
    for role, resource in (("ExportRole", former), ("CatalogRole", [former]), ("MaintenanceRole", former)):
        (found,) = [s for s in rights(deployed, role)["lake"] if "kms:" in str(s["Action"])]
        assert (found["Action"], found["Resource"], found["Condition"]) == ("kms:Decrypt", resource, THROUGH_S3)


def test_a_secret_with_a_key_can_be_decrypted_through_secrets_manager_only(deploy: Deploy) -> None:
    key = f"arn:aws:kms:{names.REGION}:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    deployed = deploy("secretkey", STOREFRONT, SecretKmsKeyArn=key)
    (found,) = [s for s in rights(deployed, "ExportRole")["export"] if "kms:" in str(s["Action"])]
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{names.REGION}.amazonaws.com"}}
    assert (found["Action"], found["Resource"], found["Condition"]) == ("kms:Decrypt", key, through)


@pytest.fixture(scope="module")
def crawled(deploy: Deploy) -> Pipeline:
    deployed = deploy("crawled", STOREFRONT, Catalog="crawler", S3Prefix="raw/mixpanel", CrawlerTableLevel="5")
    deployed.export({"date": "2026-11-10"})
    return deployed


def test_a_crawler_looks_at_the_project_of_the_lake_only(crawled: Pipeline) -> None:
    found = crawled.cloud.client("glue").get_crawler(Name=resources(crawled)["Crawler"])["Crawler"]
    (target,) = found["Targets"]["S3Targets"]
    assert target["Path"] == crawled.outputs["LakeLocation"]
    assert "_*/**" in target["Exclusions"]
    # The bucket is level 1, then raw, mixpanel, the project, and the table.
    level = json.loads(found["Configuration"])["Grouping"]["TableLevelConfiguration"]
    bucket, folder = s3_parts(target["Path"])
    assert level == len([bucket, *folder.strip("/").split("/"), names.MASTER_TABLE])
    assert found["DatabaseName"] == "crawled"


def test_with_a_crawler_no_notification_reaches_the_catalog_function(crawled: Pipeline) -> None:
    rule = crawled.cloud.client("events").describe_rule(Name=resources(crawled)["NewObjects"])
    assert rule["State"] == "DISABLED"
    assert crawled.lake.manifests(), "the export has worked"
    assert crawled.pending() == 0
    assert crawled.lake.tables() == {}


@pytest.fixture(scope="module")
def apart(deploy: Deploy) -> Pipeline:
    """The exporting half: the bucket and the tables belong to another account."""
    return deploy(
        "apart",
        STOREFRONT,
        CreateBucket="false",
        BucketName="their-lake",
        S3Role=S3_ROLE,
        CreateDatabase="false",
        GlueRole=GLUE_ROLE,
        GlueExternalId="tables-of-mixlake",
        ProjectToken="0123456789abcdef0123456789abcdef",
    )


def test_the_exporting_half_may_only_assume_the_roles(apart: Pipeline) -> None:
    export, catalog = rights(apart, "ExportRole"), rights(apart, "CatalogRole")
    maintenance = rights(apart, "MaintenanceRole")
    for found, policy, role in (
        (export, "lake", S3_ROLE),
        (catalog, "lake", S3_ROLE),
        (catalog, "tables", GLUE_ROLE),
        (maintenance, "lake", S3_ROLE),
        (maintenance, "tables", GLUE_ROLE),
    ):
        (only,) = found[policy]
        assert (only["Action"], only["Resource"]) == ("sts:AssumeRole", role)
    assert '"s3:' not in json.dumps([export, catalog, maintenance])
    assert '"glue:' not in json.dumps([export, catalog, maintenance])


def test_the_exporting_half_makes_nothing_that_belongs_to_the_other(apart: Pipeline) -> None:
    made = resources(apart)
    absent = {"LakeBucket", "LakeDatabase", "LakeKey", "Crawler", "Workgroup", "QueryResults"}
    assert absent & made.keys() == set()


def test_only_events_of_the_bucket_s_account_reach_the_catalog(apart: Pipeline) -> None:
    events = apart.cloud.client("events")
    policy = json.loads(events.describe_event_bus(Name="default")["Policy"])
    (admitted,) = [s for s in policy["Statement"] if s["Sid"] == resources(apart)["LakeAccountMaySendEvents"]]
    assert admitted["Principal"] == {"AWS": f"arn:aws:iam::{THEIRS}:root"}
    assert admitted["Action"] == "events:PutEvents"
    pattern = events.describe_rule(Name=resources(apart)["NewObjects"])["EventPattern"]
    assert matches(apart, pattern, account=THEIRS)
    assert not matches(apart, pattern, account="000000000000")
    assert not matches(apart, pattern, account="111111111111")
    assert not matches(apart, pattern, account=THEIRS, bucket="another")
    assert not matches(apart, pattern, account=THEIRS, source="made.up")


def matches(
    deployed: Pipeline, pattern: str, *, account: str, bucket: str = "their-lake", source: str = "aws.s3"
) -> bool:
    key = f"{names.PROJECT_ID}/{names.MASTER_TABLE}/2026/11/10/g1/2026-11-10-0.parquet"
    event = {
        "id": "1",
        "account": account,
        "source": source,
        "time": "2026-11-10T14:10:09Z",
        "region": names.REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
    }
    found = deployed.cloud.client("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
    return bool(found["Result"])


def test_the_functions_get_the_roles_and_what_makes_their_external_ids(apart: Pipeline) -> None:
    export, catalog = environment(apart, "ExportFunctionName"), environment(apart, "CatalogFunctionName")
    profiles, maintenance = (environment(apart, f"{name}FunctionName") for name in ("Profiles", "Maintenance"))
    for found in (export, profiles, catalog, maintenance):
        assert (found["S3_ROLE"], found["PROJECT_TOKEN"]) == (S3_ROLE, "0123456789abcdef0123456789abcdef")
        assert found.get("S3_EXTERNAL_ID", "") == ""
    for found in (catalog, maintenance):
        assert (found["GLUE_ROLE"], found["GLUE_EXTERNAL_ID"]) == (GLUE_ROLE, "tables-of-mixlake")
    assert "GLUE_ROLE" not in export.keys() | profiles.keys()


def test_an_existing_lake_s_crawler_is_left_to_its_account(deploy: Deploy) -> None:
    deployed = deploy(
        "crawledapart",
        STOREFRONT,
        CreateBucket="false",
        BucketName="their-lake",
        S3Role=S3_ROLE,
        CreateDatabase="false",
        Catalog="crawler",
    )
    assert {"Crawler", "CrawlerRole", "Workgroup"} & resources(deployed).keys() == set()
