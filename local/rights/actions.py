"""What a request needs from IAM: actions, resources and condition keys, by AWS's Service Authorization Reference.

A request that is not known here is an error of the test that reads the record, never a pass.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from local.rights import s3
from local.rights.request import Request, Response
from local.rights.right import Right


class UnknownRequestError(Exception):
    """A function calls what this module does not know. Add the operation with its rights."""


@dataclass(frozen=True)
class Needs:
    operation: str
    """As the SDK names it, such as `CopyObject`."""
    rights: list[Right] = field(default_factory=list)


GLUE_TABLES = frozenset(
    [
        "GetTable",
        "CreateTable",
        "UpdateTable",
        "DeleteTable",
        "GetTableVersions",
        "GetPartitionIndexes",
        "GetPartition",
        "GetPartitions",
        "BatchGetPartition",
        "CreatePartition",
        "UpdatePartition",
        "BatchCreatePartition",
        "BatchUpdatePartition",
        "DeletePartition",
        "BatchDeletePartition",
    ]
)
"""Operations on one table or its partitions. IAM has no resource for a partition."""
GLUE_DATABASES = frozenset(("GetDatabase", "GetTables"))
"""Operations on one database. GetTables leaves out the tables that the role may not see, and does not fail."""


def needs(request: Request, response: Response) -> Needs:
    reader = SERVICES.get(request.service)
    found = reader(request, response) if reader else None
    if found is None:
        what = request.target or request.form.get("Action") or f"{request.method} with {sorted(request.query)}"
        raise UnknownRequestError(f"{request.service}: {what}; local/rights/actions.py does not know this request")
    return found


def of_s3(request: Request, response: Response) -> Needs | None:
    operation = s3.operation(request)
    return Needs(operation, s3.rights(operation, request, response)) if operation else None


def of_glue(request: Request, _: Response) -> Needs | None:
    """A call needs its action on the table, and on the database and the catalog above it."""
    operation, given = request.target, request.document
    if operation not in GLUE_TABLES | GLUE_DATABASES:
        return None
    base = f"arn:aws:glue:{request.region}:{given.get('CatalogId', request.account)}"
    database = given["Name"] if operation == "GetDatabase" else given["DatabaseName"]
    resources = [f"{base}:catalog", f"{base}:database/{database}"]
    if operation in GLUE_TABLES:
        resources.append(f"{base}:table/{database}/{table_name(given)}")
    return Needs(operation, [Right(f"glue:{operation}", resource) for resource in resources])


def table_name(given: dict) -> str:
    return str(given.get("TableName") or given.get("Name") or given["TableInput"]["Name"])


def of_secrets(request: Request, _: Response) -> Needs | None:
    if request.target != "GetSecretValue":
        return None
    return Needs(request.target, [Right("secretsmanager:GetSecretValue", request.document["SecretId"])])


def of_sts(request: Request, _: Response) -> Needs | None:
    """An assumed role needs the right of the caller, and the trust of the role (`policy.trusts`)."""
    match request.form.get("Action"):
        case "GetCallerIdentity":
            # IAM never denies it.
            return Needs("GetCallerIdentity")
        case "AssumeRole":
            names = {"ExternalId": "sts:ExternalId", "RoleSessionName": "sts:RoleSessionName"}
            keys = {key: request.form[name] for name, key in names.items() if name in request.form}
            return Needs("AssumeRole", [Right("sts:AssumeRole", request.form["RoleArn"], keys)])
    return None


SERVICES: dict[str, Callable[[Request, Response], Needs | None]] = {
    "s3": of_s3,
    "glue": of_glue,
    "secretsmanager": of_secrets,
    "sts": of_sts,
}
