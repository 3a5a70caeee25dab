"""A signed request as it arrived, and the head of its response."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
"""The credential scope of a signature: access key, region and service."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    """Without percent encoding."""
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    principal: str
    """ARN of the role session that signed it."""

    @property
    def service(self) -> str:
        return scope(self.headers)[2]

    @property
    def region(self) -> str:
        return scope(self.headers)[1]

    @property
    def account(self) -> str:
        return account(self.principal)

    @property
    def target(self) -> str:
        """The operation that a JSON protocol names: `AWSGlue.GetTable` is `GetTable`."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    @cached_property
    def document(self) -> dict[str, Any]:
        """The body of a JSON protocol."""
        return json.loads(self.body or b"{}")

    @cached_property
    def form(self) -> dict[str, str]:
        """The body of a query protocol."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]


def scope(headers: dict[str, str]) -> tuple[str, str, str]:
    """Access key, region and service of a signature; empty without one."""
    found = SCOPE.search(headers.get("authorization", ""))
    return (found[1], found[2], found[3]) if found else ("", "", "")


def account(arn: str) -> str:
    return arn.split(":")[4]
