"""A file that is too large for one call of S3: its upload in parts is completed, under S3's rules."""

import base64
import json
import random
from pathlib import Path

from conftest import Deploy, export
from source import Event

from local import names

DATE = "2026-11-10"
MIDNIGHT = 1794268800
EVENTS = 2_000
BYTES = 12_000
"""Of a value that no codec makes smaller. So the file has more than the 16 MiB of one part."""


def event(number: int, chance: random.Random) -> Event:
    noise = base64.b64encode(chance.randbytes(BYTES)).decode()
    properties = {"time": MIDNIGHT + number, "distinct_id": str(number), "$insert_id": f"n{number}", "noise": noise}
    return {"event": "large", "properties": properties}


def test_a_file_of_several_parts_is_uploaded(deploy: Deploy, tmp_path: Path) -> None:
    chance = random.Random(18)
    data = tmp_path / "large.jsonl"
    data.write_text("".join(json.dumps(event(number, chance)) + "\n" for number in range(EVENTS)))
    deployed = deploy("large", data, S3Encryption="kms", CreateKmsKey="true")
    found = export(deployed, {"date": DATE})
    [file] = [o for o in found.pipeline.lake.objects(f"{names.MASTER_TABLE}/") if o["Key"].endswith(names.EXTENSIONS)]
    assert file["Size"] > 16 * 1024 * 1024
    assert file["ETag"].strip('"').rpartition("-")[2] == "2", "what went up in parts has their number in its ETag"
    head = deployed.cloud.client("s3").head_object(Bucket=deployed.lake.bucket, Key=file["Key"])
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", deployed.outputs["KmsKeyArn"])
    sql = f"SELECT count(*), count(DISTINCT noise) FROM large.{names.MASTER_TABLE}"
    assert found.query(sql).rows == ((EVENTS, EVENTS),)
