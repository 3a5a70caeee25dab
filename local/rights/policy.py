"""Evaluates policy documents of IAM: whether they allow a right.

It knows what the policies of this repository use. Anything else in a policy (an operator, a condition key, a policy
variable) is an error: a policy that is half understood allows nothing and denies nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.rights.right import Right

Document = Mapping[str, Any]

CONTEXT_KEYS = frozenset(
    [
        "aws:principalarn",
        "aws:principalaccount",
        "aws:securetransport",
        "aws:resourceaccount",
        "s3:prefix",
        "s3:delimiter",
        "s3:max-keys",
        "s3:if-match",
        "s3:if-none-match",
        "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "sts:externalid",
        "sts:rolesessionname",
        "kms:viaservice",
        "kms:calleraccount",
        "kms:encryptioncontext:aws:s3:arn",
    ]
)
"""The condition keys that are recorded where a request has them. For any other, "absent" would be a guess."""


class UnknownPolicyError(Exception):
    """A policy has something that this module cannot evaluate. Teach it, with a test."""


@dataclass(frozen=True)
class Statement:
    """One statement of a document, with lists where a document may have single values."""

    sid: str
    effect: str
    raw: Document

    @property
    def actions(self) -> list[str]:
        return listed(self.raw.get("Action", []))

    def covers(self, right: Right, context: Mapping[str, str]) -> bool:
        return (
            matches(self.raw, "Action", right.action.lower(), str.lower)
            and matches(self.raw, "Resource", right.resource, str)
            and all(self._holds(*condition, context) for condition in self.raw.get("Condition", {}).items())
        )

    def _holds(self, operator: str, keys: Document, context: Mapping[str, str]) -> bool:
        return all(holds(operator, key, listed(wanted), context) for key, wanted in keys.items())


def statements(document: Document) -> list[Statement]:
    found = document["Statement"]
    found = [found] if isinstance(found, Mapping) else found
    return [Statement(raw.get("Sid", ""), raw["Effect"], raw) for raw in found]


def listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def matches(raw: Document, element: str, text: str, fold: Callable[[str], str]) -> bool:
    """Whether `Action` or `Resource`, or its opposite with `Not`, covers a text. A policy of a resource has neither."""
    if element in raw:
        return any(like(fold(pattern), text) for pattern in listed(raw[element]))
    if f"Not{element}" in raw:
        return not any(like(fold(pattern), text) for pattern in listed(raw[f"Not{element}"]))
    if element == "Resource" and "Principal" in raw:
        # The trust policy of a role: it is about the role itself.
        return True
    raise UnknownPolicyError(f"a statement without {element}: {raw}")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    if "${" in pattern:
        raise UnknownPolicyError(f"a policy variable: {pattern}")
    parts = [{"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern)]
    return re.compile("".join(parts), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """`*` is any text, colons and slashes included; `?` is one character."""
    return compiled(pattern).fullmatch(text) is not None


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
}
"""Each has an opposite (`StringNotEquals`, but no `BoolNot`), and all may end with `IfExists`."""
OPPOSITES = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike"} | {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    if key.lower() not in CONTEXT_KEYS:
        raise UnknownPolicyError(f"the condition key {key}")
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return (found is None) == (wanted == ["true"])
    name, if_exists, _ = operator.partition("IfExists")
    negated = name in OPPOSITES
    compare = OPERATORS.get(OPPOSITES.get(name, name))
    if compare is None:
        raise UnknownPolicyError(f"the condition operator {operator}")
    if found is None:
        return bool(if_exists) or negated
    return any(compare(one, found) for one in wanted) != negated


@dataclass(frozen=True)
class Decision:
    allowed: bool
    by: tuple[Statement, ...]
    """The statements that allow, or those that deny."""

    def __bool__(self) -> bool:
        return self.allowed


def decide(documents: Iterable[Document], right: Right, context: Mapping[str, str]) -> Decision:
    """One `Deny` outweighs all that allow; what nothing allows is denied."""
    covering = [one for document in documents for one in statements(document) if one.covers(right, context)]
    denying = tuple(one for one in covering if one.effect == "Deny")
    return Decision(allowed=bool(covering) and not denying, by=denying or tuple(covering))


def decide_for(document: Document, right: Right, context: Mapping[str, str], principal: str) -> Decision:
    """The same for the policy of a resource, which names those that it is about."""
    about = [one.raw for one in statements(document) if names(one.raw, principal)]
    return decide([{"Statement": about}], right, context)


def names(raw: Document, principal: str) -> bool:
    """Whether a statement is about a role session: named by session, by role, by account, or by `*`."""
    if "NotPrincipal" in raw:
        raise UnknownPolicyError("NotPrincipal")
    named = raw["Principal"]
    if named == "*":
        return True
    return any(one in principal_names(principal) for one in listed(named.get("AWS", [])))


def principal_names(session: str) -> Iterator[str]:
    account = session.split(":")[4]
    yield from ("*", session, role_arn(session), account, f"arn:aws:iam::{account}:root")


def role_arn(session: str) -> str:
    """The role of a session, if the role has no path."""
    account, name = session.split(":")[4], session.split("/")[1]
    return f"arn:aws:iam::{account}:role/{name}"
