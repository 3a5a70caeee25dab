"""Two accounts on one stand-in: what the tests of account.yaml share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import names
from local.cloud import Cloud
from local.ministack import MiniStack

EXPORTER, OWNER, STRANGER = "000000000000", "111122223333", "444455556666"
TOKEN = "0123456789abcdef0123456789abcdef"
PARAMETERS = {
    "ExporterAccountId": EXPORTER,
    "ExporterStack": "exporter",
    "ExternalId": TOKEN,
    "ProjectId": names.PROJECT_ID,
}
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


def refused(code: str = "AccessDenied", text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


def act_as(cloud: MiniStack, role: str, account: str = EXPORTER) -> Cloud:
    """A session of a role that may assume whatever trusts it."""
    root = cloud.account(account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam = root.client("iam")
    try:
        made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName=role)["Role"]
    iam.put_role_policy(RoleName=role, PolicyName="assume", PolicyDocument=json.dumps({"Statement": [ASSUME]}))
    return root.assume(made["Arn"])


@contextmanager
def without_policy(owner: Cloud, role: str, policy: str) -> Iterator[None]:
    iam, name = owner.client("iam"), role.rsplit("/", 1)[-1]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    iam.delete_role_policy(RoleName=name, PolicyName=policy)
    yield
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
