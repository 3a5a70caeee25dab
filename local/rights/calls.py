"""The recorded calls, and whether the policies that their roles had allow them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.cloud import Cloud
from local.rights.policy import Decision, Document, Statement, decide, decide_for, role_arn
from local.rights.request import account
from local.rights.right import Right
from local.rights.roles import Account


@dataclass(frozen=True)
class Call:
    """A line of the recorder."""

    time: str
    principal: str
    service: str
    operation: str
    status: int
    error: str
    unknown: str
    rights: tuple[Right, ...]
    documents: tuple[Document, ...]
    """The policies that the role had at that time."""

    @property
    def role(self) -> str:
        return self.principal.split("/")[1]

    @property
    def refused(self) -> bool:
        """The stand-in's own IAM refused it: what it may do was not needed for it."""
        return self.error.startswith(("AccessDenied", "UnauthorizedOperation"))


def read(record: Path) -> list[Call]:
    """The calls in their order, each with the policies that its role had."""
    found, documents = [], {}
    for raw in map(json.loads, record.read_text().splitlines()):
        if "role" in raw:
            documents[raw["role"]] = tuple(raw["documents"])
        else:
            rights = tuple(Right(**right) for right in raw["rights"])
            found.append(Call(**raw | {"rights": rights, "documents": documents[role_arn(raw["principal"])]}))
    return found


def allows(one: Call, right: Right) -> Decision:
    return decide(one.documents, right, context(one, right))


def users(one: Call) -> Iterator[tuple[Statement, Right]]:
    """The statements that a call makes use of."""
    for right in one.rights:
        for statement in allows(one, right).by:
            yield statement, right


@dataclass
class Judge:
    """Says what of a call is not allowed. It asks the stand-in for each policy of a resource once."""

    cloud: Cloud
    _accounts: dict[str, Account] = field(default_factory=dict)
    _policies: dict[str, Document | None] = field(default_factory=dict)
    _keys: dict[str, bool] = field(default_factory=dict)

    def denied(self, one: Call) -> Iterator[str]:
        """What of a call is not allowed, in words."""
        for right in one.rights:
            if right.action.startswith("kms:") and not self._has_key(right.resource):
                continue
            if not allows(one, right):
                yield f"{one.role} may not {right} ({one.operation})"
            elif not self.resource_allows(one, right):
                yield f"the policy of {right.resource} refuses {right.action} to {one.role} ({one.operation})"

    def resource_allows(self, one: Call, right: Right) -> bool:
        """A bucket may deny; the trust of a role and the policy of a key must allow."""
        match right.action.partition(":")[0]:
            case "s3":
                policy = self._policy(right.resource.split("/")[0], account(one.principal))
                if policy is None:
                    return True
                refusing = decide_for(policy, right, context(one, right), one.principal)
                return refusing.allowed or not refusing.by
            case "sts" | "kms":
                policy = self._policy(right.resource, account(right.resource))
                return policy is not None and bool(decide_for(policy, right, context(one, right), one.principal))
        return True

    def _has_key(self, key: str) -> bool:
        if key not in self._keys:
            self._keys[key] = self._account(account(key)).has_key(key)
        return self._keys[key]

    def _policy(self, resource: str, owner: str) -> Document | None:
        if resource not in self._policies:
            self._policies[resource] = self._read(resource, self._account(owner))
        return self._policies[resource]

    def _read(self, resource: str, owner: Account) -> Document | None:
        name = resource.rpartition(":")[2]
        if resource.startswith("arn:aws:s3:::"):
            return owner.bucket_policy(name)
        if ":role/" in resource:
            role = owner.role(name.rpartition("/")[2])
            return role.trust if role else None
        return owner.key_policy(resource)

    def _account(self, number: str) -> Account:
        return self._accounts.setdefault(number, Account(self.cloud, number))


def context(one: Call, right: Right) -> dict[str, str]:
    """The keys of the request, and those that every request has. The functions use TLS wherever they run on AWS."""
    owner = account(right.resource) or account(one.principal)
    return {
        **right.keys,
        "aws:PrincipalArn": role_arn(one.principal),
        "aws:PrincipalAccount": account(one.principal),
        "aws:ResourceAccount": owner,
        "aws:SecureTransport": "true",
    }
