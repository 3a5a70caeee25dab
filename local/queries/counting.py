"""MiniStack that also writes down each request to S3 before it answers, a line of JSON for each:

    {"method": "GET", "bucket": ..., "key": ..., "query": ..., "status": 206, "start": 4, "length": 1000}

`start` and `length` are the bytes of the object that the answer holds. The line is written before the answer is sent:
who has the answer finds it in the record. It takes the place of `strict_ministack.py`, which it runs in turn:

    python -P counting.py
"""

import json
import os
import runpy
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ministack import app

sys.path.append(str(Path(__file__).resolve().parents[2]))

from local.ministack import PROGRAM
from local.rights.request import scope

App = Callable[..., Awaitable[None]]


def counted(inner: App, record: Path) -> App:
    """The same ASGI application, which also writes to the record."""
    lines = record.open("a", buffering=1)

    async def watched(request: dict[str, Any], receive: Any, send: Any) -> None:
        if service(request) != "s3":
            await inner(request, receive, send)
            return

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start":
                lines.write(json.dumps(line(request, message)) + "\n")
            await send(message)

        await inner(request, receive, say)

    return watched


def service(request: dict[str, Any]) -> str:
    return scope(pairs(request.get("headers", [])))[2]


def pairs(headers: Any) -> dict[str, str]:
    return {bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1") for name, value in headers}


def line(request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    bucket, _, key = unquote(request["path"]).lstrip("/").partition("/")
    headers = pairs(answer["headers"])
    start = headers.get("content-range", "bytes 0-").removeprefix("bytes ").partition("-")[0]
    return {
        "method": request["method"],
        "bucket": bucket,
        "key": key,
        "query": request["query_string"].decode(),
        "status": answer["status"],
        "start": int(start) if start.isdecimal() else 0,
        "length": 0 if request["method"] == "HEAD" else int(headers["content-length"]),
    }


if __name__ == "__main__":
    app.app = counted(app.app, Path(os.environ["COUNTS"]))
    runpy.run_path(str(PROGRAM), run_name="__main__")
