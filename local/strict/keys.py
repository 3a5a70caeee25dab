"""S3 and the KMS keys: S3 calls KMS with the rights of its caller, and only for a key that exists and is enabled.

Without a key, SSE-KMS means the account's key aws/s3. A bucket has the default encryption that its template says.
S3 also refuses a bucket of another account than the header `x-amz-expected-bucket-owner` says.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import kms, s3
from ministack.services.cloudformation import provisioners

Inner = Callable[..., Any]

SSE = "x-amz-server-side-encryption"
KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id"


def install() -> None:
    s3._apply_bucket_scope = with_owner_and_key(s3._apply_bucket_scope)
    s3._resolve_sse_write_headers = with_key_to_write(s3._resolve_sse_write_headers)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    handlers["create"] = with_default_encryption(handlers["create"])


def with_owner_and_key(inner: Inner) -> Inner:
    def scope(method: str, bucket: str, key: str, headers: Any, query: Any, *rest: Any, **more: Any) -> Any:
        refused = inner(method, bucket, key, headers, query, *rest, **more)
        if refused or not bucket:
            return refused
        # A copy stays in its bucket, so both headers are about the same one.
        for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
            if headers.get(name, owner := s3._bucket_owner_account(bucket)) != owner:
                return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}")
        access_key = extract_access_key_id(headers, query)
        for used in keys_to_read(method, bucket, key, headers, query):
            if refused := refusal_of_key(access_key, "kms:Decrypt", used):
                return refused
        return None

    return scope


def keys_to_read(method: str, bucket: str, key: str, headers: Any, query: Any) -> list[str]:
    """The keys that decrypt what a request reads: an object, the source of a copy, the parts of an upload."""
    if upload := s3._multipart_uploads.get((query.get("uploadId") or [""])[0]):
        return keys_of(upload)
    if source := headers.get("x-amz-copy-source"):
        return keys_of(record(*unquote(source).lstrip("/").split("/", 1)))
    is_read = method == "GET" and key and not set(query) & {"tagging", "acl", "attributes"}
    return keys_of(record(bucket, key)) if is_read else []


def record(bucket: str, key: str) -> dict[str, Any]:
    found = s3._buckets.get_scoped(s3._bucket_owner_account(bucket), None, bucket) or {}
    return found.get("objects", {}).get(key) or {}


def keys_of(stored: dict[str, Any]) -> list[str]:
    key = s3._stored_sse_headers(stored).get(KEY_ID)
    return [key] if key else []


def with_key_to_write(inner: Inner) -> Inner:
    def resolve(headers: Any, bucket: str) -> Any:
        default = {KEY_ID: aws_s3()} if headers.get(SSE) == "aws:kms" else {}
        found, refused = inner(default | headers, bucket)
        if refused or found.get(SSE) != "aws:kms":
            return found, refused
        key = found.setdefault(KEY_ID, aws_s3())
        refused = refusal_of_key(extract_access_key_id(headers), "kms:GenerateDataKey", key)
        return (None, refused) if refused else (found, None)

    return resolve


def aws_s3() -> str:
    """The key that S3 keeps for an account. Its policy admits whoever may use the bucket."""
    return f"arn:aws:kms:{get_region()}:{get_account_id()}:key/00000000-0000-0000-0000-000000000053"


def refusal_of_key(access_key: str, action: str, key: str) -> Any:
    """What S3 answers if its caller may not use the key, or nobody can; nothing if all is well."""
    if key == aws_s3():
        return None
    arn = parse_arn(key)
    with request_scope(arn.account_id, arn.region):
        found = kms._resolve_key(key)
    if not found:
        return s3._error("KMS.NotFoundException", f"Key '{key}' does not exist", 400)
    if found["KeyState"] != "Enabled":
        return s3._error("KMS.DisabledException", f"{key} is disabled.", 400)
    principal = iam_evaluator.resolve_principal(access_key, get_account_id())
    if principal.policies is None or may_use(principal, action, key, found["Policy"], arn.account_id):
        return None
    text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {key}"
    return s3._error("AccessDenied", f"{text} because no identity-based policy allows the {action} action", 403)


def may_use(principal: Any, action: str, key: str, policy: str, owner: str) -> bool:
    via = {"kms:viaservice": f"s3.{get_region()}.amazonaws.com"}
    who = (principal.arn, principal.type, principal.account)
    context = iam_evaluator.EvalContext(*who, action, key, get_region(), service_context=via)
    own = iam_evaluator.evaluate(context, principal.policies, *principal.limits)
    limits = principal.limits
    both = iam_evaluator.combine_resource_policy(own, context, policy, owner, required=True, limits=limits)
    return bool(both.decision == "Allow")


def with_default_encryption(inner: Inner) -> Inner:
    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = inner(logical_id, properties, stack)
        for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", []):
            default = rule["ServerSideEncryptionByDefault"]
            inside = "".join(f"<{name}>{text}</{name}>" for name, text in default.items())
            applied = f"<ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault>"
            document = f"<ServerSideEncryptionConfiguration><Rule>{applied}</Rule></ServerSideEncryptionConfiguration>"
            s3._put_bucket_encryption(made[0], document.encode())
        return made

    return create
