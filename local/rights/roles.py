"""The deployed roles with their policies, as the stand-in's IAM has them: all names resolved."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.exceptions import ClientError

from local import names
from local.cloud import SECRET_KEY, Cloud, isolate
from local.rights.policy import Document

HOME_ACCOUNT = "000000000000"
"""The account of the stand-in's usual keys. A key of twelve digits is one of the account with that number."""


@dataclass(frozen=True)
class Role:
    name: str
    logical_name: str
    """Its name in the template; empty if no stack made it."""
    policies: dict[str, Document]
    trust: Document

    @property
    def documents(self) -> list[Document]:
        return list(self.policies.values())


class Account:
    """What one account of the stand-in says of its roles, keys and buckets."""

    def __init__(self, cloud: Cloud, number: str = HOME_ACCOUNT) -> None:
        self._cloud = cloud
        self._number = number

    def client(self, service: str) -> Any:
        if self._number == HOME_ACCOUNT:
            return self._cloud.client(service)
        isolate()
        return boto3.client(
            service,
            endpoint_url=self._cloud.endpoint,
            region_name=names.REGION,
            aws_access_key_id=self._number,
            aws_secret_access_key=SECRET_KEY,
        )

    @cached_property
    def iam(self) -> Any:
        return self.client("iam")

    def role(self, name: str, logical_name: str = "") -> Role | None:
        """A role as it is now; none if it was deleted."""
        try:
            found = self.iam.get_role(RoleName=name)["Role"]
        except self.iam.exceptions.NoSuchEntityException:
            return None
        return Role(name, logical_name, self._policies(name), document(found["AssumeRolePolicyDocument"]))

    @contextmanager
    def changed(self, role: Role, change: Callable[[Document], Document]) -> Iterator[None]:
        """Changes the policies of a role for a while."""
        for name, policy in role.policies.items():
            self._put(role, name, change(policy))
        try:
            yield
        finally:
            for name, policy in role.policies.items():
                self._put(role, name, policy)

    def _put(self, role: Role, name: str, policy: Document) -> None:
        self.iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(policy))

    def stacks(self) -> list[str]:
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return [stack["StackName"] for page in pages for stack in page["Stacks"]]

    def roles(self, stack: str) -> list[Role]:
        """All roles that a stack made."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        made = [one for page in pages for one in page["StackResourceSummaries"]]
        found = [
            self.role(one["PhysicalResourceId"], one["LogicalResourceId"])
            for one in made
            if one["ResourceType"] == "AWS::IAM::Role" and one["ResourceStatus"] != "DELETE_COMPLETE"
        ]
        return [role for role in found if role is not None]

    def has_key(self, key: str) -> bool:
        """Whether a key is the account's own. AWS's key aws/s3 is not: whoever may use the bucket may use that one."""
        keys = self.client("kms")
        try:
            return bool(keys.describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "CUSTOMER")
        except keys.exceptions.NotFoundException:
            return False

    def key_policy(self, key: str) -> Document:
        return document(self.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])

    def bucket_policy(self, bucket: str) -> Document | None:
        try:
            return document(self.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        except ClientError as problem:
            if problem.response["Error"]["Code"] in ("NoSuchBucketPolicy", "NoSuchBucket"):
                return None
            raise

    def _policies(self, role: str) -> dict[str, Document]:
        inline = self.iam.list_role_policies(RoleName=role)["PolicyNames"]
        found = {
            name: document(self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
            for name in inline
        }
        for attached in self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            text = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            found[arn] = document(text)
        return found


def document(found: Any) -> Document:
    return json.loads(unquote(found)) if isinstance(found, str) else found
