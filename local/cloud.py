"""The clients of one AWS stand-in. They can reach nothing else, whatever the developer has set up."""

import os
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from local import names
from local.process import clean_environment

ACCESS_KEY = "test"
SECRET_KEY = "test"


class Cloud:
    """An endpoint that answers as AWS does, with the credentials of one caller."""

    def __init__(
        self, endpoint: str, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY, token: str | None = None
    ) -> None:
        self.endpoint = endpoint
        self.access_key = access_key
        self.secret_key = secret_key
        self.token = token
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client of one service; the credentials are the stand-in's and open nothing else."""
        if service not in self._clients:
            isolate()
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=names.REGION,
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                aws_session_token=self.token,
                config=Config(read_timeout=900, retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def assume(self, role: str, **request: str) -> "Cloud":
        """The same endpoint with the rights of a role."""
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName="local", **request)["Credentials"]
        return Cloud(self.endpoint, answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])

    def client_environment(self, **extra: str) -> dict[str, str]:
        """What a program needs to talk to this stand-in and to nothing else."""
        return clean_environment(
            AWS_ENDPOINT_URL=self.endpoint,
            AWS_ACCESS_KEY_ID=self.access_key,
            AWS_SECRET_ACCESS_KEY=self.secret_key,
            AWS_REGION=names.REGION,
            AWS_DEFAULT_REGION=names.REGION,
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            **extra,
        )


def isolate() -> None:
    """Takes the developer's AWS settings out of this process: a profile would win over our arguments."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


def s3_parts(location: str) -> tuple[str, str]:
    """`s3://bucket/a/b/` is `bucket` and `a/b/`."""
    parts = urlsplit(location)
    return parts.netloc, parts.path.lstrip("/")
