"""What `make check` makes of checkov's findings: each is repaired or has a reason, and no reason is out of date."""

import tomllib
from typing import Any

import pytest

from local import security

CHECK = "CKV_AWS_18"


def report(*resources: str, passed: int = 1) -> Any:
    failed = [
        {"check_id": CHECK, "check_name": "logs", "resource": f"AWS::S3::Bucket.{name}", "file_line_range": [7, 9]}
        for name in resources
    ]
    return {"summary": {"parsing_errors": 0, "passed": passed}, "results": {"failed_checks": failed}}


def test_a_finding_without_a_reason_is_told_with_its_place() -> None:
    found = security.findings(report("Lake", "Other"), "template.yaml")
    assert security.complaints(found, {(CHECK, "Lake")}) == [
        "template.yaml:7: CKV_AWS_18 AWS::S3::Bucket.Other: logs",
    ]


def test_a_reason_for_nothing_is_told() -> None:
    found = security.findings(report("Lake"), "template.yaml")
    assert security.complaints(found, {(CHECK, "Lake"), (CHECK, "Gone")}) == [
        "security.toml: CKV_AWS_18 is no longer found in Gone",
    ]


def test_a_template_of_which_nothing_was_read_is_not_taken_for_a_good_one() -> None:
    with pytest.raises(SystemExit, match="cannot read"):
        security.findings(report(passed=0), "template.yaml")


def test_an_exception_without_a_reason_is_refused() -> None:
    with pytest.raises(SystemExit, match="has no reason"):
        security.exceptions({"exception": [{"check": CHECK, "resources": ["Lake"], "why": " "}]})


def test_each_exception_of_the_file_has_one() -> None:
    assert security.exceptions(tomllib.loads(security.EXCEPTIONS.read_text()))
