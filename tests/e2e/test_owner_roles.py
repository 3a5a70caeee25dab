"""The roles of account.yaml: what they let the exporter's account do, and what they refuse.

The roles of the exporter's functions are played by roles of the same names, because only Lambda may assume the real
ones.
"""

from typing import Any

import pytest
from accounts import EXPORTER, OWNER, PARAMETERS, STRANGER, TOKEN, act_as, refused, without_policy

from local import names
from local.cloud import Cloud
from local.ministack import MiniStack
from local.pipeline import deploy_owner

FOLDER = f"shared/lake/{names.PROJECT_ID}"


@pytest.fixture(scope="module")
def owner(cloud: MiniStack) -> Cloud:
    return cloud.account(OWNER)


@pytest.fixture(scope="module")
def given(cloud: MiniStack, owner: Cloud) -> dict[str, str]:
    """What the owner's stack gives to the exporter's, with everything that can be limited."""
    limits = {"S3Prefix": "shared/lake", "GlueDatabase": "owned", "GlueTablePrefix": "raw_"}
    key = {"S3Encryption": "kms", "CreateKmsKey": "true"}
    return deploy_owner(cloud, owner, "owner", **PARAMETERS, **limits, **key, GlueExternalId="for-glue")


@pytest.fixture(scope="module")
def export(cloud: MiniStack) -> Cloud:
    return act_as(cloud, "exporter-ExportRole-1A2B3C")


@pytest.fixture(scope="module")
def catalog(cloud: MiniStack) -> Cloud:
    return act_as(cloud, "exporter-CatalogRole-1A2B3C")


@pytest.fixture(scope="module")
def s3(given: dict[str, str], export: Cloud) -> Any:
    return export.assume(given["S3Role"], ExternalId=TOKEN).client("s3")


@pytest.fixture(scope="module")
def glue(given: dict[str, str], catalog: Cloud) -> Any:
    return catalog.assume(given["GlueRole"], ExternalId="for-glue").client("glue")


# --- who may assume the roles ----------------------------------------------------------------------


def test_all_functions_assume_the_bucket_role_and_all_but_the_export_the_glue_role(
    cloud: MiniStack, given: dict[str, str], export: Cloud, catalog: Cloud
) -> None:
    maintenance = act_as(cloud, "exporter-MaintenanceRole-1A2B3C")
    for caller, role, external_id in (
        (export, "S3Role", TOKEN),
        (catalog, "S3Role", TOKEN),
        (catalog, "GlueRole", "for-glue"),
        (maintenance, "S3Role", TOKEN),
        (maintenance, "GlueRole", "for-glue"),
    ):
        session = caller.assume(given[role], ExternalId=external_id)
        assert session.client("sts").get_caller_identity()["Account"] == OWNER
    with refused(text="AssumeRole"):
        export.assume(given["GlueRole"], ExternalId="for-glue")


@pytest.mark.parametrize("request_", [{"ExternalId": "another"}, {"ExternalId": TOKEN.upper()}, {}])
def test_a_wrong_or_absent_external_id_is_refused(
    given: dict[str, str], catalog: Cloud, request_: dict[str, str]
) -> None:
    for role in ("S3Role", "GlueRole"):
        with refused(text="AssumeRole"):
            catalog.assume(given[role], **request_)


def test_the_external_id_of_one_role_does_not_open_the_other(given: dict[str, str], catalog: Cloud) -> None:
    with refused(text="AssumeRole"):
        catalog.assume(given["GlueRole"], ExternalId=TOKEN)


@pytest.mark.parametrize(
    ("role", "account"),
    [("other-ExportRole-1A2B3C", EXPORTER), ("Administrator", EXPORTER), ("exporter-ExportRole-1A2B3C", STRANGER)],
)
def test_another_role_with_the_right_external_id_is_refused(
    cloud: MiniStack, given: dict[str, str], role: str, account: str
) -> None:
    with refused(text="AssumeRole"):
        act_as(cloud, role, account).assume(given["S3Role"], ExternalId=TOKEN)


def test_a_role_of_the_exporter_that_was_made_again_is_still_trusted(cloud: MiniStack, given: dict[str, str]) -> None:
    """Its name counts. A trust policy that names it as principal would keep the id of the deleted one on AWS, which
    the stand-in does not do."""
    name = "exporter-ExportRole-SHORTLIVED"
    for _ in range(2):
        act_as(cloud, name).assume(given["S3Role"], ExternalId=TOKEN)
        cloud.client("iam").delete_role_policy(RoleName=name, PolicyName="assume")
        cloud.client("iam").delete_role(RoleName=name)


# --- the bucket ------------------------------------------------------------------------------------


def test_the_bucket_role_writes_and_reads_the_folder_of_its_project(given: dict[str, str], s3: Any) -> None:
    place = {"Bucket": given["BucketName"], "Key": f"{FOLDER}/mp_master_event/a.parquet", "ExpectedBucketOwner": OWNER}
    s3.put_object(**place, Body=b"rows")
    assert s3.get_object(**place)["Body"].read() == b"rows"
    copy = place | {"Key": f"{FOLDER}/mp_master_event/b.parquet"}
    s3.copy_object(**copy, CopySource={"Bucket": place["Bucket"], "Key": place["Key"]}, IfNoneMatch="*")
    upload = place | {"UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    s3.upload_part(**upload, PartNumber=1, Body=b"rows")
    s3.abort_multipart_upload(**upload)
    listed = s3.list_objects_v2(Bucket=given["BucketName"], Prefix=FOLDER)["Contents"]
    assert {place["Key"], copy["Key"]} <= {found["Key"] for found in listed}


def test_a_missing_object_is_missing_and_not_denied(given: dict[str, str], s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=given["BucketName"], Key=f"{FOLDER}/none")


@pytest.mark.parametrize("key", ["shared/lake/99/a", "shared/other/a", "a", f"{names.PROJECT_ID}/a"])
def test_the_bucket_role_reaches_no_other_folder(given: dict[str, str], s3: Any, owner: Cloud, key: str) -> None:
    owner.client("s3").put_object(Bucket=given["BucketName"], Key=key, Body=b"theirs")
    with refused():
        s3.put_object(Bucket=given["BucketName"], Key=key, Body=b"ours")
    with refused():
        s3.get_object(Bucket=given["BucketName"], Key=key)


def test_the_bucket_role_deletes_objects_of_its_project_only(given: dict[str, str], s3: Any, owner: Cloud) -> None:
    bucket = given["BucketName"]
    for key in (f"{FOLDER}/_staging/a", f"{FOLDER}/mp_master_event/c.parquet"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"rows")
        s3.delete_object(Bucket=bucket, Key=key)
    theirs = "shared/lake/99/mp_master_event/c.parquet"
    owner.client("s3").put_object(Bucket=bucket, Key=theirs, Body=b"rows")
    with refused():
        s3.delete_object(Bucket=bucket, Key=theirs)


def test_the_bucket_role_ends_uploads_that_were_left_behind(given: dict[str, str], s3: Any) -> None:
    place = {"Bucket": given["BucketName"], "Key": f"{FOLDER}/mp_master_event/left.parquet"}
    s3.create_multipart_upload(**place)
    (left,) = s3.list_multipart_uploads(Bucket=place["Bucket"], Prefix=place["Key"])["Uploads"]
    s3.abort_multipart_upload(**place, UploadId=left["UploadId"])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=place["Bucket"], Prefix=place["Key"])


def test_a_bucket_of_another_account_than_expected_is_refused(given: dict[str, str], s3: Any) -> None:
    with refused():
        s3.put_object(Bucket=given["BucketName"], Key=f"{FOLDER}/a", Body=b"rows", ExpectedBucketOwner=STRANGER)


def test_a_request_without_tls_is_refused(given: dict[str, str], export: Cloud) -> None:
    plain = export.assume(given["S3Role"], ExternalId=TOKEN).client("s3")
    plain.meta.events.register("before-send.s3", without_tls)
    with refused():
        plain.put_object(Bucket=given["BucketName"], Key=f"{FOLDER}/a", Body=b"rows")


def without_tls(request: Any, **_: Any) -> None:
    request.headers["x-forwarded-proto"] = "http"


# --- the key ---------------------------------------------------------------------------------------


def test_every_write_takes_the_key_of_the_stack(given: dict[str, str], s3: Any) -> None:
    place = {"Bucket": given["BucketName"], "Key": f"{FOLDER}/encrypted"}
    named = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": given["S3KmsKeyArn"], "BucketKeyEnabled": True}
    for request in ({}, named):
        s3.put_object(**place, Body=b"rows", **request)
        found = s3.head_object(**place)
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", given["S3KmsKeyArn"])


def test_without_the_policy_of_the_key_nothing_is_written_read_or_copied(
    given: dict[str, str], s3: Any, owner: Cloud
) -> None:
    place = {"Bucket": given["BucketName"], "Key": f"{FOLDER}/encrypted"}
    s3.put_object(**place, Body=b"rows")
    with without_policy(owner, given["S3Role"], "custom-key"):
        with refused(text="kms:GenerateDataKey"):
            s3.put_object(**place, Body=b"rows")
        with refused(text="kms:GenerateDataKey"):
            s3.create_multipart_upload(**place)
        with refused(text="kms:Decrypt"):
            s3.get_object(**place)
        with refused(text="kms:Decrypt"):
            s3.copy_object(**place | {"Key": f"{FOLDER}/copy"}, CopySource=place)
    assert s3.get_object(**place)["Body"].read() == b"rows"


def test_the_key_is_for_s3_only(given: dict[str, str], export: Cloud) -> None:
    kms = export.assume(given["S3Role"], ExternalId=TOKEN).client("kms")
    with refused("AccessDeniedException"):
        kms.generate_data_key(KeyId=given["S3KmsKeyArn"], KeySpec="AES_256")


# --- the catalog -----------------------------------------------------------------------------------


def table(name: str) -> dict[str, Any]:
    columns = [{"Name": "mp_event_name", "Type": "string"}]
    return {"Name": name, "StorageDescriptor": {"Columns": columns}, "PartitionKeys": [{"Name": "mp_date"}]}


DAY = {"Values": ["2026-11-10"], "StorageDescriptor": {"Location": "s3://b/2026/11/10/g/"}}


def test_the_glue_role_keeps_the_tables_with_its_prefix(glue: Any) -> None:
    ours = {"DatabaseName": "owned", "TableName": "raw_mp_master_event"}
    glue.create_table(DatabaseName="owned", TableInput=table("raw_mp_master_event"))
    glue.update_table(DatabaseName="owned", TableInput=table("raw_mp_master_event"))
    glue.batch_create_partition(**ours, PartitionInputList=[DAY])
    read = glue.batch_get_partition(**ours, PartitionsToGet=[{"Values": DAY["Values"]}])["Partitions"]
    assert [found["Values"] for found in read] == [DAY["Values"]]
    glue.batch_update_partition(**ours, Entries=[{"PartitionValueList": DAY["Values"], "PartitionInput": DAY}])
    glue.delete_partition(**ours, PartitionValues=DAY["Values"])
    assert glue.get_table(DatabaseName="owned", Name="raw_mp_master_event")["Table"]["VersionId"]


def test_the_glue_role_lists_the_tables_and_their_partitions(glue: Any) -> None:
    """The maintenance function looks at all of them."""
    glue.create_table(DatabaseName="owned", TableInput=table("raw_listed"))
    glue.batch_create_partition(DatabaseName="owned", TableName="raw_listed", PartitionInputList=[DAY])
    assert "raw_listed" in {found["Name"] for found in glue.get_tables(DatabaseName="owned")["TableList"]}
    found = glue.get_partitions(DatabaseName="owned", TableName="raw_listed")["Partitions"]
    assert [partition["Values"] for partition in found] == [DAY["Values"]]


def test_the_glue_role_refuses_another_table_and_another_database(glue: Any, owner: Cloud) -> None:
    root = owner.client("glue")
    root.create_table(DatabaseName="owned", TableInput=table("theirs"))
    root.create_database(DatabaseInput={"Name": "theirs"})
    root.create_table(DatabaseName="theirs", TableInput=table("raw_mp_master_event"))
    for database, name in (("owned", "theirs"), ("theirs", "raw_mp_master_event")):
        place = {"DatabaseName": database, "TableName": name}
        for call, request in (
            ("get_table", {"DatabaseName": database, "Name": name}),
            ("create_table", {"DatabaseName": database, "TableInput": table(name)}),
            ("update_table", {"DatabaseName": database, "TableInput": table(name)}),
            ("batch_get_partition", place | {"PartitionsToGet": [{"Values": DAY["Values"]}]}),
            ("batch_create_partition", place | {"PartitionInputList": [DAY]}),
            ("delete_partition", place | {"PartitionValues": DAY["Values"]}),
        ):
            with refused("AccessDeniedException", call.split("_", maxsplit=1)[0].capitalize()):
                getattr(glue, call)(**request)


def test_the_glue_role_deletes_no_table(glue: Any, owner: Cloud) -> None:
    owner.client("glue").create_table(DatabaseName="owned", TableInput=table("raw_kept"))
    with refused("AccessDeniedException", "DeleteTable"):
        glue.delete_table(DatabaseName="owned", Name="raw_kept")
