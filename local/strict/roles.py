"""Who calls, on what, and over which transport: the inputs of the policies' evaluation."""

import json
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.arn import parse_arn
from ministack.services import iam

Inner = Callable[..., Any]


def install() -> None:
    iam_evaluator._resolve_condition_key = with_role_arn(iam_evaluator._resolve_condition_key)
    iam_actions.extract_resource_arn = with_glue_ancestors(iam_actions.extract_resource_arn)
    iam_evaluator.enforce = on_each_resource(iam_evaluator.enforce)
    app.app = over_tls(app.app)


def with_role_arn(inner: Inner) -> Inner:
    def resolve(key: str, context: Any) -> Any:
        found = inner(key, context)
        return role_of(found) if key.lower() == "aws:principalarn" else found

    return resolve


def role_of(principal: str) -> str:
    """`arn:aws:sts::1:assumed-role/name/session` is the role that `name` names, with its path."""
    arn = parse_arn(principal)
    kind, _, rest = arn.resource.partition("/")
    if kind != "assumed-role":
        return principal
    role = iam._roles.get_scoped(arn.account_id, None, rest.split("/")[0])
    return role["Arn"] if role else principal


class Resources(str):
    """The ARN that MiniStack takes for the resource of a call, with all those that must be allowed."""

    __slots__ = ("all",)
    all: list[str]


def with_glue_ancestors(inner: Inner) -> Inner:
    def extract(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        found = inner(service, method, path, headers, body, *rest)
        if service != "glue":
            return found
        resources = Resources(found)
        resources.all = glue_resources(json.loads(body or b"{}"), found)
        return resources

    return extract


def glue_resources(call: dict[str, Any], found: str) -> list[str]:
    """The catalog, the database and the table of a call that names a database."""
    database = call.get("DatabaseName")
    if not database:
        return [found]
    root = found.split(":database/", maxsplit=1)[0]
    table = call.get("TableName") or call.get("TableInput", {}).get("Name") or call.get("Name")
    tables = [f"{root}:table/{database}/{table}"] if table else []
    return [f"{root}:catalog", f"{root}:database/{database}", *tables]


def on_each_resource(inner: Inner) -> Inner:
    def enforce(key: str, action: str, service: str, region: str, resource_arn: str = "*", **rest: Any) -> Any:
        for arn in resource_arn.all if isinstance(resource_arn, Resources) else [resource_arn]:
            if denied := inner(key, action, service, region, resource_arn=arn, **rest):
                return denied
        return None

    return enforce


def over_tls(inner: Inner) -> Inner:
    """This server stands for AWS's endpoints, which speak TLS. `x-forwarded-proto: http` stands for one without."""

    async def called(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = scope.get("headers", [])
        if scope["type"] == "http" and all(name != b"x-forwarded-proto" for name, _ in headers):
            scope = scope | {"headers": [*headers, (b"x-forwarded-proto", b"https")]}
        await inner(scope, receive, send)

    return called
