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
    """An endpoint that answers as AWS does."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client of one service; the credentials are the stand-in's and open nothing else."""
        if service not in self._clients:
            isolate()
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=names.REGION,
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET_KEY,
                config=Config(read_timeout=900, retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def client_environment(self, **extra: str) -> dict[str, str]:
        """What a program needs to talk to this stand-in and to nothing else."""
        return clean_environment(
            AWS_ENDPOINT_URL=self.endpoint,
            AWS_ACCESS_KEY_ID=ACCESS_KEY,
            AWS_SECRET_ACCESS_KEY=SECRET_KEY,
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
