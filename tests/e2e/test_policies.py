"""Evaluating policy documents: what IAM's reference says of effects, wildcards, conditions and principals."""

from typing import Any

import pytest

from local.rights.policy import UnknownPolicyError, decide, decide_for, like
from local.rights.right import Right

KEY = "arn:aws:s3:::lake/1/a.parquet"
GET = Right("s3:GetObject", KEY)
SESSION = "arn:aws:sts::111111111111:assumed-role/exporter/mixlake-export-1"
PREFIX = {"s3:prefix": "1/"}


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": KEY} | more


def without(statement: dict[str, Any], element: str) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != element}


def allowed(*statements: dict[str, Any], right: Right = GET, context: dict[str, str] | None = None) -> bool:
    return bool(decide([{"Statement": list(statements)}], right, context or {}))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", KEY, True),
        ("arn:aws:s3:::lake/*", KEY, True),
        ("arn:aws:s3:::lake/1/?.parquet", KEY, True),
        ("arn:aws:s3:::lake", KEY, False),
        ("arn:aws:s3:::lake/1", KEY, False),
        ("arn:aws:s3:::LAKE/*", KEY, False),
        ("arn:aws:s3:::lake/1/a+parquet", KEY, False),
        ("arn:aws:s3:::*/a.parquet", KEY, True),
    ],
)
def test_a_wildcard_is_any_text_slashes_included(pattern: str, text: str, fits: object) -> None:
    assert like(pattern, text) == fits


def test_what_nothing_allows_is_denied() -> None:
    assert not decide([], GET, {})
    assert not allowed(allow(Action="s3:PutObject"))
    assert not allowed(allow(Resource="arn:aws:s3:::other/*"))


@pytest.mark.parametrize("action", ["s3:GetObject", "S3:getobject", "s3:Get*", ["s3:PutObject", "s3:Get*"], "*"])
def test_an_action_fits_in_any_case_and_by_wildcard(action: Any) -> None:
    assert allowed(allow(Action=action))


def test_a_denial_outweighs_what_allows() -> None:
    assert not allowed(allow(), allow(Effect="Deny"))
    assert not allowed(allow(Effect="Deny", Resource="*"), allow())
    assert allowed(allow(), allow(Effect="Deny", Resource="arn:aws:s3:::lake/2/*"))


def test_the_opposites_of_action_and_resource() -> None:
    assert not allowed(without(allow(NotAction="s3:Get*"), "Action"))
    assert allowed(without(allow(NotAction="s3:Put*"), "Action"))
    assert not allowed(without(allow(NotResource="arn:aws:s3:::lake/1/*"), "Resource"))
    assert allowed(without(allow(NotResource="arn:aws:s3:::lake/2/*"), "Resource"))


@pytest.mark.parametrize(
    ("condition", "context", "fits"),
    [
        ({"StringEquals": {"s3:prefix": "1/"}}, PREFIX, True),
        ({"StringEquals": {"S3:Prefix": ["2/", "1/"]}}, PREFIX, True),
        ({"StringEquals": {"s3:prefix": "1/*"}}, PREFIX, False),
        ({"StringEquals": {"s3:prefix": "1/"}}, {}, False),
        ({"StringEqualsIfExists": {"s3:prefix": "1/"}}, {}, True),
        ({"StringEqualsIfExists": {"s3:prefix": "2/"}}, PREFIX, False),
        ({"StringLike": {"s3:prefix": "1*"}}, PREFIX, True),
        ({"StringNotEquals": {"s3:prefix": ["1/", "2/"]}}, PREFIX, False),
        ({"StringNotEquals": {"s3:prefix": "2/"}}, PREFIX, True),
        ({"StringNotEquals": {"s3:prefix": "2/"}}, {}, True),
        (
            {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/*"}},
            {"aws:PrincipalArn": "arn:aws:iam::1:role/a"},
            True,
        ),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, {"aws:SecureTransport": "true"}, True),
        ({"Null": {"sts:ExternalId": "true"}}, {}, True),
        ({"Null": {"sts:ExternalId": "true"}}, {"sts:ExternalId": "t"}, False),
        ({"StringEquals": {"s3:prefix": "1/"}, "Bool": {"aws:SecureTransport": "true"}}, PREFIX, False),
        ({"StringEquals": {"s3:prefix": "1/", "s3:delimiter": "/"}}, PREFIX, False),
    ],
)
def test_a_condition_holds_where_the_request_has_its_keys(condition: Any, context: Any, fits: object) -> None:
    assert allowed(allow(Condition=condition), context=context) == fits


@pytest.mark.parametrize(
    "statement",
    [
        allow(Condition={"ForAllValues:StringEquals": {"s3:prefix": "1/"}}),
        allow(Condition={"IpAddress": {"s3:prefix": "1/"}}),
        allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
        allow(Resource="arn:aws:s3:::lake/${aws:username}/*"),
        without(allow(), "Action"),
        without(allow(), "Resource"),
    ],
    ids=["set operator", "operator", "key", "variable", "no action", "no resource"],
)
def test_what_is_not_known_is_an_error_and_not_a_pass(statement: Any) -> None:
    with pytest.raises(UnknownPolicyError):
        allowed(statement, context=PREFIX)


@pytest.mark.parametrize(
    ("principal", "fits"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::111111111111:role/exporter"]}, True),
        ({"AWS": SESSION}, True),
        ({"AWS": "111111111111"}, True),
        ({"AWS": "arn:aws:iam::111111111111:root"}, True),
        ({"AWS": "arn:aws:iam::111111111111:role/other"}, False),
        ({"AWS": "arn:aws:iam::111111111111:role/*"}, False),
        ({"AWS": "arn:aws:iam::222222222222:root"}, False),
        ({"Service": "lambda.amazonaws.com"}, False),
    ],
)
def test_a_role_trusts_those_that_its_policy_names(principal: Any, fits: object) -> None:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust |= {"Condition": {"StringEquals": {"sts:ExternalId": "token"}}}
    assume = Right("sts:AssumeRole", "arn:aws:iam::333333333333:role/lake", {"sts:ExternalId": "token"})
    document = {"Statement": [trust]}
    assert bool(decide_for(document, assume, assume.keys, SESSION)) == fits
    assert not decide_for(document, assume, {"sts:ExternalId": "wrong"}, SESSION)
    assert not decide_for(document, assume, {}, SESSION)
