"""Every kind of object that an export writes has the encryption of the settings, with the function's own role."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import QUIRKS, Deploy, ends_with_an_event
from replaced import maintain
from small_run import events

from local.pipeline import Pipeline

DATE = "2025-11-12"
OWN_KEY = {"S3Encryption": "kms", "CreateKmsKey": "true"}
# Only with late data, which starts in a day to come, an export keeps the identities of its rows.
KEEPS_IDENTITIES = {"LateData": "ingestion_cursor", "IngestionStart": "2099-01-01"}
KINDS = {"mp_master_event", "mp_export_runs", "schema", "_slices", "_budget", "_quarantine", "_identities", "_reports"}
"""The folders of a project, each with objects of its own kind."""


def encryption(deployed: Pipeline) -> dict[str, tuple[str, str]]:
    """Each object of the project, with the algorithm and the key of its encryption."""
    lake = deployed.lake
    s3 = lake.cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=lake.bucket, Prefix=lake.folder)["Contents"]
    heads: dict[str, Any] = {o["Key"]: s3.head_object(Bucket=lake.bucket, Key=o["Key"]) for o in listed}
    return {
        key.removeprefix(lake.folder): (head["ServerSideEncryption"], head.get("SSEKMSKeyId", ""))
        for key, head in heads.items()
    }


@pytest.mark.parametrize(
    ("stack", "chosen", "algorithm"),
    [
        ("encnone", {}, "AES256"),
        ("encaes", {"S3Encryption": "aes"}, "AES256"),
        ("enckms", {"S3Encryption": "kms"}, "aws:kms"),
        ("enckey", OWN_KEY, "aws:kms"),
    ],
)
def test_every_kind_of_object_is_encrypted(deploy: Deploy, stack: str, chosen: dict[str, str], algorithm: str) -> None:
    deployed = deploy(stack, ends_with_an_event(QUIRKS), **chosen, **KEEPS_IDENTITIES)
    deployed.export({"date": DATE})
    deployed.wait_for_catalog()
    found = encryption(deployed)
    assert {key.split("/")[0] for key in found} == KINDS
    assert {used for used, _ in found.values()} == {algorithm}, found
    keys = Counter(key for _, key in found.values())
    assert len(keys) == 1, keys
    own = deployed.outputs.get("KmsKeyArn", "")
    (key,) = keys
    assert (key == own) if chosen == OWN_KEY or algorithm == "AES256" else (key and key != own)


def test_a_compacted_day_is_encrypted_with_the_key(deploy: Deploy, tmp_path: Path) -> None:
    data = tmp_path / "events.jsonl"
    data.write_text("".join(json.dumps(event) + "\n" for event in events()))
    deployed = deploy("enccompact", data, **OWN_KEY)
    for hour in ("2026-11-10T01", "2026-11-10T02"):
        deployed.export({"hour": hour})
    deployed.wait_for_catalog()
    before = encryption(deployed)
    answer = maintain(deployed)
    assert not answer.error, answer.message
    after = encryption(deployed)
    assert {key for key in after.keys() - before.keys() if key.endswith(".parquet")}, "the merged file"
    assert set(after.values()) == {("aws:kms", deployed.outputs["KmsKeyArn"])}
