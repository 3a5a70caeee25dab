"""What parameters cannot say together is refused before anything is made, with the words of the template's rule."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cfnlint.decode import cfn_yaml
from conftest import STOREFRONT, Deploy

from local import names
from local.ministack import ARTIFACTS, MiniStack
from local.pipeline import Pipeline

ROLE = "arn:aws:iam::210987654321:role/lake"
KEY = "arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUCKET = {"CreateBucket": "false", "BucketName": "their-lake"}
BY_ROLE = BUCKET | {"S3Role": ROLE}

Given = dict[str, str]
REFUSED: list[tuple[str, Given, str]] = [
    ("ExistingBucketHasAName", {"CreateBucket": "false"}, "BucketName must name"),
    ("AKeyNeedsKms", {"S3KmsKeyArn": KEY}, "need S3Encryption=kms"),
    ("AKeyNeedsKms", {"S3KmsKeyArn": KEY, "S3Encryption": "aes"}, "need S3Encryption=kms"),
    ("AKeyNeedsKms", {"CreateKmsKey": "true"}, "need S3Encryption=kms"),
    (
        "ACreatedKeyIsTheOnlyKey",
        {"CreateKmsKey": "true", "S3Encryption": "kms", "S3KmsKeyArn": KEY},
        "S3KmsKeyArn must be empty",
    ),
    (
        "ACreatedKeyIsTheOnlyKey",
        BY_ROLE | {"CreateKmsKey": "true", "S3Encryption": "kms"},
        "name it in S3KmsKeyArn",
    ),
    ("ARoleForTheBucketNeedsItsBucket", {"S3Role": ROLE}, "needs CreateBucket=false"),
    ("ARoleForTheBucketNeedsItsBucket", BY_ROLE | {"FormerKmsKeyArn": KEY}, "FormerKmsKeyArn must be empty"),
    ("ARoleForGlueNeedsItsDatabase", {"GlueRole": ROLE}, "needs CreateDatabase=false"),
    (
        "ARoleForGlueNeedsItsDatabase",
        {"GlueRole": ROLE, "CreateDatabase": "false", "Catalog": "crawler"},
        "needs Catalog=direct",
    ),
    ("AnExternalIdForTheBucketNeedsItsRole", {"S3ExternalId": "ours"}, "S3ExternalId needs S3Role"),
    ("AnExternalIdForGlueNeedsItsRole", {"GlueExternalId": "ours"}, "GlueExternalId needs GlueRole"),
    (
        "ACrawlerOfAnotherAccountHasItsDatabaseThere",
        BY_ROLE | {"Catalog": "crawler"},
        "CreateDatabase must be false",
    ),
    ("ViewsAreOfTheCatalogFunction", {"Views": "true", "Catalog": "crawler"}, "needs Catalog=direct"),
    ("SlicesOfIngestionNeedAStart", {"LateData": "ingestion_cursor"}, "needs IngestionStart"),
    ("AStartIsForSlicesOfIngestion", {"IngestionStart": "2026-11-10"}, "needs LateData=ingestion_cursor"),
    ("APlaceOfAPipelineNeedsItsBucket", {"RawPipelinePrefix": "raw"}, "need RawPipelineBucket"),
    ("APlaceOfAPipelineNeedsItsBucket", {"RawPipelineRegion": "eu-central-1"}, "need RawPipelineBucket"),
    (
        "AlarmsHaveOneTopic",
        {"AlarmEmail": "a@example.com", "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:trouble"},
        "AlarmTopicArn must be empty",
    ),
]
MISSPELLED: list[tuple[str, str, Given]] = [
    ("S3KmsKeyArn", "alias/lake", {"S3Encryption": "kms"}),
    ("S3KmsKeyArn", "1234abcd-12ab-34cd-56ef-1234567890ab", {"S3Encryption": "kms"}),
    ("S3KmsKeyArn", KEY.replace(":key/", ":alias/"), {"S3Encryption": "kms"}),
    ("FormerKmsKeyArn", "alias/lake", {}),
    ("S3Encryption", "sse", {}),
    ("S3Role", "lake", BUCKET),
    ("S3Role", ROLE.replace(":role/", ":user/"), BUCKET),
    ("S3Role", ROLE.replace("210987654321", "2109"), BUCKET),
    ("S3ExternalId", "1", BY_ROLE),
    ("S3ExternalId", "two words", BY_ROLE),
    ("GlueRole", "lake", {"CreateDatabase": "false"}),
    ("GlueExternalId", "é" * 2, {"GlueRole": ROLE, "CreateDatabase": "false"}),
    ("ProjectToken", "no token", {}),
    ("AlarmEmail", "nobody", {}),
    ("QueryBytesLimit", "9999999", {}),
]


@pytest.fixture(scope="module")
def packaged(cloud: MiniStack, kolkata: Pipeline) -> str:
    """The template as `sam deploy` has uploaded it."""
    found = cloud.client("cloudformation").get_template(StackName=kolkata.stack, TemplateStage="Original")
    cloud.client("s3").put_object(Bucket=ARTIFACTS, Key="refusals.yaml", Body=str(found["TemplateBody"]).encode())
    return f"{cloud.endpoint}/{ARTIFACTS}/refusals.yaml"


def ask(cloud: MiniStack, packaged: str, given: Given) -> None:
    """What `sam deploy` asks for first."""
    secret = f"arn:aws:secretsmanager:{names.REGION}:000000000000:secret:mixpanel-Ab1Cd2"
    parameters = {"ProjectId": names.PROJECT_ID, "MixpanelSecretArn": secret, "ScheduleState": "DISABLED"} | given
    cloud.client("cloudformation").create_change_set(
        StackName="refused",
        ChangeSetName="refused",
        ChangeSetType="CREATE",
        TemplateURL=packaged,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": text} for name, text in parameters.items()],
    )


def stacks(cloud: MiniStack) -> set[str]:
    return {stack["StackName"] for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]}


@pytest.mark.parametrize(("rule", "given", "words"), REFUSED, ids=lambda case: case if isinstance(case, str) else "")
def test_what_excludes_each_other_is_refused(
    cloud: MiniStack, packaged: str, rule: str, given: Given, words: str
) -> None:
    with pytest.raises(ClientError, match=words) as refusal:
        ask(cloud, packaged, given)
    assert rule in str(refusal.value)
    assert "refused" not in stacks(cloud)


def test_each_rule_has_refused_something() -> None:
    template: Any = cfn_yaml.load(str(names.TEMPLATE))
    assert {rule for rule, _, _ in REFUSED} == set(template["Rules"])


@pytest.mark.parametrize(("name", "text", "given"), MISSPELLED)
def test_what_is_no_such_thing_is_refused(cloud: MiniStack, packaged: str, name: str, text: str, given: Given) -> None:
    with pytest.raises(ClientError, match=rf"ValidationError.*\b{name}\b"):
        ask(cloud, packaged, given | {name: text})
    assert "refused" not in stacks(cloud)


def test_sam_shows_the_words_of_the_rule(cloud: MiniStack, deploy: Deploy) -> None:
    with pytest.raises(Exception, match="need S3Encryption=kms"):
        deploy("refusedbysam", STOREFRONT, CreateKmsKey="true")
    assert "refusedbysam" not in stacks(cloud)


def test_what_fits_together_is_accepted(cloud: MiniStack, packaged: str) -> None:
    """Otherwise the refusals above could come from anything."""
    whole = BY_ROLE | {"S3ExternalId": "ours", "S3Encryption": "kms", "S3KmsKeyArn": KEY}
    whole |= {"GlueRole": ROLE, "GlueExternalId": "theirs", "CreateDatabase": "false", "AlarmEmail": "a@example.com"}
    ask(cloud, packaged, whole)
    cloud.client("cloudformation").delete_stack(StackName="refused")
