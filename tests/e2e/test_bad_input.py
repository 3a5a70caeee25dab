"""Bad input gets an answer that names what is wrong, and leaves the lake as it was."""

import pytest
from conftest import STOREFRONT, Deploy, Exported

from local import pipeline


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bad-reversed-range", ["from_date", "to_date"]),
        ("bad-unknown-field", ["form_date"]),
        ("bad-date", ["date", "2026-02-30"]),
        ("bad-future-range", ["to_date", "future"]),
    ],
)
def test_bad_payload_is_refused_by_name(storefront: Exported, name: str, words: list[str]) -> None:
    before = storefront.pipeline.lake.snapshot()
    answer = storefront.pipeline.invoke(pipeline.payload(name))
    assert answer.error
    assert [word for word in words if word not in answer.message] == []
    assert before.changes(storefront.pipeline.lake.snapshot()) == []


def test_wrong_secret_is_named_and_not_told(deploy: Deploy) -> None:
    deployed = deploy("wrongsecret", STOREFRONT, secret="not-the-password")
    answer = deployed.invoke(pipeline.payload("day"))
    assert answer.error
    assert "401" in answer.message
    assert "not-the-password" not in answer.message + deployed.save_log("ExportLogGroup").read_text()
    assert [o["Key"] for o in deployed.lake.objects() if not deployed.lake.about_runs(o["Key"])] == []


def test_missing_bucket_is_named(deploy: Deploy) -> None:
    deployed = deploy("nobucket", STOREFRONT, CreateBucket="false", BucketName="nobody-made-this")
    answer = deployed.invoke(pipeline.payload("day"))
    assert answer.error
    assert "nobody-made-this" in answer.message
