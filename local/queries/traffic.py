"""The stand-in of AWS with a counter, and what a query asked of S3."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local.ministack import MiniStack
from local.queries import BUCKET

Answer = TypeVar("Answer")
FAILED = 400


@dataclass(frozen=True)
class Request:
    """One request, and the bytes of the object in its answer."""

    method: str
    bucket: str
    key: str
    query: str
    status: int
    start: int
    length: int

    @property
    def of_object(self) -> bool:
        return self.method == "GET" and bool(self.key) and self.status < FAILED


class CountingStack(MiniStack):
    """MiniStack that writes down the requests to S3."""

    program = Path(__file__).with_name("counting.py")

    @property
    def counts(self) -> Path:
        return self.home / "counts.jsonl"

    def watch(self, query: Callable[[], Answer]) -> tuple[Answer, list[Request]]:
        """What a query answers, and its requests to the bucket of the lakes."""
        before = self.counts.stat().st_size
        answer = query()
        with self.counts.open() as lines:
            lines.seek(before)
            requests = [Request(**json.loads(line)) for line in lines]
        return answer, [request for request in requests if request.bucket == BUCKET]

    def _server_environment(self) -> dict[str, str]:
        return super()._server_environment() | {"COUNTS": str(self.counts)}
