"""The stack of account.yaml: its variants, the parameters that it refuses, and the notifications that it forwards."""

import json

import pytest
from accounts import OWNER, PARAMETERS, STRANGER, TOKEN, act_as, refused, without_policy

from local import names
from local.cloud import Cloud
from local.failure import Failure
from local.ministack import MiniStack
from local.pipeline import deploy_owner


@pytest.fixture(scope="module")
def owner(cloud: MiniStack) -> Cloud:
    return cloud.account(OWNER)


@pytest.fixture(scope="module")
def export(cloud: MiniStack) -> Cloud:
    return act_as(cloud, "exporter-ExportRole-4D5E6F")


def test_the_crawler_variant_has_a_crawler_and_no_glue_role(cloud: MiniStack, owner: Cloud) -> None:
    settings = {"GlueDatabase": "crawled", "Catalog": "crawler", "CreateSpectrumRole": "true"}
    outputs = deploy_owner(cloud, owner, "crawled", **PARAMETERS, **settings)
    assert "GlueRole" not in outputs
    crawlers = owner.client("glue").get_crawlers()["Crawlers"]
    found = next(crawler for crawler in crawlers if crawler["DatabaseName"] == "crawled")
    assert found["Targets"]["S3Targets"][0]["Path"] == f"s3://{outputs['BucketName']}/{names.PROJECT_ID}/"
    rules = owner.client("events").list_rules()["Rules"]
    assert not [rule["Name"] for rule in rules if rule["Name"].startswith("crawled-")]
    role = owner.client("iam").get_role(RoleName=outputs["SpectrumRole"].rsplit("/", 1)[-1])["Role"]
    services = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    assert services == ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]


def test_the_stack_takes_a_bucket_a_key_and_a_database_that_exist(
    cloud: MiniStack, owner: Cloud, export: Cloud
) -> None:
    owner.client("s3").create_bucket(Bucket="owned-before")
    owner.client("glue").create_database(DatabaseInput={"Name": "ownedbefore"})
    key = owner.client("kms").create_key()["KeyMetadata"]["Arn"]
    former = owner.client("kms").create_key()["KeyMetadata"]["Arn"]
    there = {"CreateBucket": "false", "BucketName": "owned-before", "CreateDatabase": "false"}
    keys = {"S3Encryption": "kms", "S3KmsKeyArn": key, "FormerKmsKeyArn": former}
    place = {"Bucket": "owned-before", "Key": f"{names.PROJECT_ID}/a"}
    by_former = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": former}
    owner.client("s3").put_object(**place, Body=b"old", **by_former)

    outputs = deploy_owner(cloud, owner, "before", **PARAMETERS, **there, **keys, GlueDatabase="ownedbefore")
    s3 = export.assume(outputs["S3Role"], ExternalId=TOKEN).client("s3")
    assert s3.get_object(**place)["Body"].read() == b"old"
    with refused(text="kms:GenerateDataKey"):
        s3.put_object(**place, Body=b"new", **by_former)
    s3.put_object(**place, Body=b"new", ServerSideEncryption="aws:kms", SSEKMSKeyId=outputs["S3KmsKeyArn"])
    assert s3.head_object(**place)["SSEKMSKeyId"] == key


def test_an_operators_role_is_trusted_under_its_path(cloud: MiniStack, owner: Cloud) -> None:
    settings = {"GlueDatabase": "operated", "OperatorRole": "people/*/DataEngineer_*"}
    outputs = deploy_owner(cloud, owner, "operated", **PARAMETERS | settings)
    operator = act_as(cloud, "people/eu/DataEngineer_1A2B")
    other = act_as(cloud, "others/DataEngineer_3C4D")
    for role in ("S3Role", "GlueRole"):
        operator.assume(outputs[role], ExternalId=TOKEN)
        with refused(text="AssumeRole"):
            operator.assume(outputs[role])
        with refused(text="AssumeRole"):
            other.assume(outputs[role], ExternalId=TOKEN)
    glue = operator.assume(outputs["GlueRole"], ExternalId=TOKEN).client("glue")
    assert glue.get_tables(DatabaseName="operated")["TableList"] == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"CreateBucket": "false"}, "BucketName"),
        ({"CreateKmsKey": "true"}, "S3Encryption=kms"),
        ({"S3Encryption": "kms", "CreateKmsKey": "true", "S3KmsKeyArn": "arn:aws:kms:x:111122223333:key/a"}, "empty"),
        ({"S3KmsKeyArn": "alias/lake"}, "ARN of a KMS key"),
        ({"ExternalId": "x"}, "ExternalId"),
        ({"ExternalId": "with a blank"}, "2 to 64"),
        ({"ExporterAccountId": "12"}, "12 digits"),
        ({"OperatorRole": "*"}, "name of a role"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_is_made(
    cloud: MiniStack, owner: Cloud, wrong: dict[str, str], why: str
) -> None:
    with pytest.raises(Failure, match=why):
        deploy_owner(cloud, owner, "wrong", **PARAMETERS | {"GlueDatabase": "wrong"} | wrong)


def watch(account: Cloud, source: str) -> str:
    """A queue of what another account sends to the default bus."""
    queue = account.client("sqs").create_queue(QueueName="watch")["QueueUrl"]
    arn = account.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    account.client("events").put_rule(Name="watch", EventPattern=json.dumps({"account": [source]}))
    account.client("events").put_targets(Rule="watch", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    return str(queue)


def test_notifications_reach_the_bus_of_the_exporter_once_both_accounts_allow_it(
    cloud: MiniStack, owner: Cloud
) -> None:
    exporter = cloud.account(STRANGER)
    queue = watch(exporter, OWNER)
    settings = {"ExporterAccountId": STRANGER, "GlueDatabase": "forwarded"}
    bucket = deploy_owner(cloud, owner, "forwarded", **PARAMETERS | settings)["BucketName"]

    def sent(name: str) -> list[str]:
        """What arrives of a file that is written."""
        owner.client("s3").put_object(Bucket=bucket, Key=f"{names.PROJECT_ID}/{name}", Body=b"x")
        found = exporter.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
        return [json.loads(message["Body"])["detail"]["object"]["key"] for message in found]

    data = "mp_master_event/2026/11/10/g/a.parquet"
    assert sent(data) == [], "the bus lets nobody in"
    exporter.client("events").put_permission(StatementId="owner", Action="events:PutEvents", Principal=OWNER)
    assert sent(data) == [f"{names.PROJECT_ID}/{data}"]
    assert sent("mp_master_event/2026/11/10/_manifest.json") != []
    assert sent("schema/registry.json") == [], "no data and no manifest"
    role = next(
        role["Arn"]
        for role in owner.client("iam").list_roles()["Roles"]
        if role["RoleName"].startswith("forwarded-ForwardRole-")
    )
    with without_policy(owner, role, "forward"):
        assert sent(data) == [], "the role of the rule may put no events"
