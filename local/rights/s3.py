"""Which operation of S3 a request is, and the rights that it needs: those of S3, and those of KMS behind it."""

from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

from local.rights.request import Request, Response
from local.rights.right import Right

PLAIN = frozenset(
    [
        "x-id",
        "partNumber",
        "prefix",
        "delimiter",
        "continuation-token",
        "start-after",
        "max-keys",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "upload-id-marker",
        "max-uploads",
    ]
)
"""Parameters that do not choose an operation. Any other one does."""

OPERATIONS: dict[tuple[str, str, str], str] = {
    ("HEAD", "bucket", ""): "HeadBucket",
    ("GET", "bucket", "list-type"): "ListObjectsV2",
    ("GET", "bucket", "uploads"): "ListMultipartUploads",
    ("POST", "bucket", "delete"): "DeleteObjects",
    ("HEAD", "object", ""): "HeadObject",
    ("GET", "object", ""): "GetObject",
    ("PUT", "object", ""): "PutObject",
    ("DELETE", "object", ""): "DeleteObject",
    ("POST", "object", "uploads"): "CreateMultipartUpload",
    ("PUT", "object", "uploadId"): "UploadPart",
    ("POST", "object", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "object", "uploadId"): "AbortMultipartUpload",
}
"""By method, by what the path names, and by the parameter that chooses."""

COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}

ACTIONS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "DeleteObjects": "s3:DeleteObject",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "UploadPartCopy": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
"""The action of each operation on the bucket or the object that its path names."""

KMS = {
    "PutObject": ("kms:GenerateDataKey",),
    "CopyObject": ("kms:GenerateDataKey",),
    "CreateMultipartUpload": ("kms:GenerateDataKey",),
    "UploadPart": ("kms:GenerateDataKey", "kms:Decrypt"),
    "UploadPartCopy": ("kms:GenerateDataKey", "kms:Decrypt"),
    "CompleteMultipartUpload": ("kms:Decrypt",),
    "GetObject": ("kms:Decrypt",),
}
"""What an operation needs on the KMS key of the object. The two that need none here: HeadObject and deletes."""

HEADERS = {"x-amz-acl": "s3:PutObjectAcl", "x-amz-tagging": "s3:PutObjectTagging"}
"""Headers of a write that need a right of their own."""

KEYS = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "if-match", "if-none-match")
"""Headers that are condition keys, with `s3:` before their name."""
KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def operation(request: Request) -> str | None:
    bucket, key = place(request)
    chosen = [name for name in request.query if name not in PLAIN]
    level = "object" if key else "bucket"
    if not bucket or len(chosen) > 1:
        return None
    found = OPERATIONS.get((request.method, level, "".join(chosen)))
    return COPIES.get(found or "", found) if "x-amz-copy-source" in request.headers else found


def place(request: Request) -> tuple[str, str]:
    """Bucket and key of a path-style address, the only one that the stand-in gets."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    return bucket, key


def rights(name: str, request: Request, response: Response) -> list[Right]:
    bucket, key = place(request)
    keys = condition_keys(request)
    found = [Right(ACTIONS[name], arn(bucket, target), keys) for target in targets(name, key, request)]
    found += [Right(action, arn(bucket, key), keys) for header, action in HEADERS.items() if header in request.headers]
    if source := request.headers.get("x-amz-copy-source"):
        found.append(Right("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/')}"))
    if ACTIONS[name] == "s3:GetObject" and response.status == 404:
        # S3 says "no such key" only to those who may list the bucket; to others it says "denied".
        found.append(Right("s3:ListBucket", arn(bucket, "")))
    return found + list(kms_rights(name, request, response))


def arn(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def targets(name: str, key: str, request: Request) -> list[str]:
    if name != "DeleteObjects":
        return [key]
    elements = fromstring(request.body).iter()
    return [element.text or "" for element in elements if element.tag.rpartition("}")[2] == "Key"]


def condition_keys(request: Request) -> dict[str, str]:
    listing = {
        f"s3:{name}": request.query[name] for name in ("prefix", "delimiter", "max-keys") if name in request.query
    }
    return listing | {f"s3:{name}": request.headers[name] for name in KEYS if name in request.headers}


def kms_rights(name: str, request: Request, response: Response) -> Iterator[Right]:
    """The stand-in names the key of an object in its responses, as S3 does; a part has the key of its upload."""
    key = response.headers.get(KEY_HEADER) or request.headers.get(KEY_HEADER, "")
    if not key.startswith("arn:") or key.endswith(":alias/aws/s3"):
        # Everybody in the account may use the key aws/s3 through S3.
        return
    bucket, object_key = place(request)
    has_bucket_key = "true" in (
        response.headers.get("x-amz-server-side-encryption-bucket-key-enabled", ""),
        request.headers.get("x-amz-server-side-encryption-bucket-key-enabled", ""),
    )
    keys = {
        "kms:ViaService": f"s3.{request.region}.amazonaws.com",
        "kms:CallerAccount": request.account,
        "kms:EncryptionContext:aws:s3:arn": arn(bucket, "" if has_bucket_key else object_key),
    }
    for action in KMS.get(name, ()):
        yield Right(action, key, keys)
