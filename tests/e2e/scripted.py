"""The export function of a stack, played by a test: each invocation asks the test what to answer."""

import io
import json
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from local.pipeline import Pipeline

BOOTSTRAP = f"""#!{sys.executable}
import json, os, sys, urllib.request

def post(url, document):
    request = urllib.request.Request(url, json.dumps(document).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")

runtime = f"http://{{os.environ['AWS_LAMBDA_RUNTIME_API']}}/2018-06-01/runtime/invocation"
while True:
    with urllib.request.urlopen(f"{{runtime}}/next") as given:
        request, payload = given.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(given.read())
    said = post(os.environ["MIXPANEL_ENDPOINT"], payload)
    if "crash" in said:
        sys.exit(1)
    kind = "error" if "errorType" in said else "response"
    post(f"{{runtime}}/{{request}}/{{kind}}", said)
"""
"""A Lambda function. What answers it is where the setting MIXPANEL_ENDPOINT says."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Invocation:
    payload: dict[str, Any]
    at: float


@dataclass
class Script:
    """Answers invocations, and remembers them."""

    answer: Callable[[dict[str, Any]], Answer]
    invocations: list[Invocation] = field(default_factory=list)
    endpoint: str = ""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def payloads(self, kind: str) -> list[Any]:
        """What was asked for so far: plans, reports, dates."""
        return [invocation.payload[kind] for invocation in list(self.invocations) if kind in invocation.payload]


def handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.invocations.append(Invocation(payload, time.monotonic()))
            body = json.dumps(script.answer(payload)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test says what was asked."""

    return Handler


def play(deployed: Pipeline, script: Script, **configuration: Any) -> None:
    """Puts the script in the place of the export function. All else of the stack stays."""
    functions, name = deployed.cloud.client("lambda"), deployed.outputs["ExportFunctionName"]
    functions.update_function_code(FunctionName=name, ZipFile=zipped(BOOTSTRAP))
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {"Variables": variables | {"MIXPANEL_ENDPOINT": script.endpoint}}
    functions.update_function_configuration(FunctionName=name, Environment=changed, **configuration)


def zipped(program: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        out.writestr(entry, program)
    return archive.getvalue()
