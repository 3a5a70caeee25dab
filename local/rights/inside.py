"""The part that runs inside of the stand-in: it knows MiniStack's sessions, roles and buckets.

MiniStack tells everybody that an object is missing. S3 tells only those who may list the bucket, and so does the
stand-in with this.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import iam, s3, sts

from local.rights.policy import Document
from local.rights.recorder import Record, recorded

NOT_FOUND = 404


def install() -> None:
    """Records to the files that the environment names, and hides missing objects."""
    record = Record(Path(os.environ["RECORD"]), Path(os.environ["SESSIONS"]), policies)
    app.app = recorded(app.app, record, sts._sessions.get)
    s3._get_object = strict_read(s3._get_object)
    s3._head_object = strict_read(s3._head_object)


def policies(role_arn: str) -> list[Document]:
    """The policies of a role, the managed ones included."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name) or {"InlinePolicies": {}, "AttachedPolicies": []}
    managed = [iam_evaluator._resolve_managed_policy_document(arn, account) for arn in role["AttachedPolicies"]]
    found = [*role["InlinePolicies"].values(), *filter(None, managed)]
    return [json.loads(document) if isinstance(document, str) else document for document in found]


def strict_read(inner: Callable[..., Any]) -> Callable[..., Any]:
    def read(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None) -> Any:
        answer = inner(bucket, key, headers, query)
        hidden = answer[0] == NOT_FOUND and app.AUTH and not may_list(bucket, headers, query or {})
        return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}") if hidden else answer

    return read


def may_list(bucket: str, headers: dict[str, str], query: dict[str, Any]) -> bool:
    caller, arn = extract_access_key_id(headers, query), f"arn:aws:s3:::{bucket}"
    return iam_evaluator.enforce(caller, "s3:ListBucket", "s3", get_region(), resource_arn=arn) is None
