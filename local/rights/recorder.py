"""Writes down the calls of the functions' roles, from inside of the stand-in: a line of JSON for each.

    {"time": ..., "principal": <ARN of the session>, "service": "s3", "operation": "PutObject",
     "status": 200, "error": "", "unknown": "",
     "rights": [{"action": ..., "resource": ..., "keys": {...}}, ...]}

A line with the role's policies stands before its first call, and before the first call after each change of them:

    {"role": <ARN>, "documents": [...]}

Bodies are never written. The secrets of a session go to a file of their own, for the test that looks for them in all
that the runs wrote.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from local.rights.actions import Needs, UnknownRequestError, needs
from local.rights.policy import Document, role_arn
from local.rights.request import Request, Response, scope

App = Callable[..., Awaitable[None]]
ERROR = re.compile(rb'"__type":\s*"([^"]+)"|<Code>([^<]+)</Code>')
SDK = "aws-sdk-rust/"
"""What the functions call AWS with. A test may act as a role too, with another SDK; that is no call of a function."""
SECRETS = ("Arn", "SecretAccessKey", "SessionToken")
NO_RESPONSE = Response(0, {})
"""What a caller gets that has hung up."""
Sessions = Callable[[str], dict[str, str] | None]
"""The role session that an access key belongs to, if it belongs to one."""
Policies = Callable[[str], list[Document]]
"""The policies of a role, by its ARN."""


class Record:
    """The file of the calls, and the file of the secrets of the sessions that made them."""

    def __init__(self, calls: Path, secrets: Path, policies: Policies) -> None:
        self._calls, self._secrets = calls.open("a", buffering=1), secrets.open("a", buffering=1)
        self._policies = policies
        self._keys: set[str] = set()
        self._known: dict[str, list[Document]] = {}

    def begin(self, key: str, session: dict[str, str]) -> None:
        """Before a call: what the session may do, and what must be found nowhere."""
        if key not in self._keys:
            self._keys.add(key)
            self._secrets.write(json.dumps({name: session[name] for name in SECRETS}) + "\n")
        role = role_arn(session["Arn"])
        documents = self._policies(role)
        if documents != self._known.get(role):
            self._known[role] = documents
            self._calls.write(json.dumps({"role": role, "documents": documents}) + "\n")

    def end(self, request: Request, response: Response, body: bytes) -> None:
        self._calls.write(json.dumps(line(request, response) | {"error": error_code(body)}) + "\n")


def recorded(app: App, record: Record, sessions: Sessions) -> App:
    """The same ASGI application, which also writes to the record."""

    async def watched(scope_: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope_.get("headers", [])}
        key, _, service = scope(headers)
        session = sessions(key) if key and headers.get("user-agent", "").startswith(SDK) else None
        if session is None:
            await app(scope_, receive, send)
            return
        record.begin(key, session)
        body, said, head = bytearray(), bytearray(), []

        async def hear() -> Any:
            message = await receive()
            if service != "s3" or "delete" in query(scope_):
                body.extend(message.get("body", b""))
            return message

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start":
                head.append(response(message))
            elif head and head[-1].status >= HTTPStatus.BAD_REQUEST:
                said.extend(message.get("body", b""))
            await send(message)

        await app(scope_, hear, say)
        request = Request(scope_["method"], scope_["path"], query(scope_), headers, bytes(body), session["Arn"])
        record.end(request, head[-1] if head else NO_RESPONSE, bytes(said))

    return watched


def query(scope_: dict[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(scope_["query_string"].decode(), keep_blank_values=True))


def response(message: dict[str, Any]) -> Response:
    pairs = [
        (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")) for name, value in message["headers"]
    ]
    return Response(message["status"], dict(pairs))


def error_code(body: bytes) -> str:
    """The code of an error, as JSON protocols and XML protocols give it; empty for a success."""
    found = ERROR.search(body)
    return (found[1] or found[2]).decode().rpartition("#")[2] if found else ""


def line(request: Request, answer: Response) -> dict[str, Any]:
    try:
        found, unknown = needs(request, answer), ""
    except UnknownRequestError as problem:
        found, unknown = Needs(""), str(problem)
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "principal": request.principal,
        "service": request.service,
        "operation": found.operation,
        "status": answer.status,
        "rights": [asdict(right) for right in found.rights],
        "unknown": unknown,
    }
