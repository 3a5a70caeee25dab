"""How long functions take from their start to their first request for work, beside the least function there is.

Alone, on release builds that are there: python3 -m local.peers.cold
"""

import resource
import socket
import subprocess
import time
from pathlib import Path
from statistics import median

from local import names
from local.failure import Failure, tail
from local.peers import LOGS, RELEASE

HELLO = "hello-lambda"
ROUNDS = 21
PATIENCE_S = 30

NEXT = b"GET /2018-06-01/runtime/invocation/next "
"""What a function asks the Lambda runtime when it is ready."""

SETTINGS = {
    "PROJECT_ID": names.PROJECT_ID,
    "S3_BUCKET": "a-bucket",
    "MIXPANEL_SECRET": "a-secret",
    "AWS_REGION": names.REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
}


def starts() -> dict[str, tuple[float, int]]:
    """Seconds and page faults of each function, medians of rounds in turn."""
    LOGS.mkdir(parents=True, exist_ok=True)
    taken: dict[str, list[tuple[float, int]]] = {function: [] for function in (HELLO, *names.FUNCTIONS)}
    for _ in range(ROUNDS):
        for function, starts in taken.items():
            starts.append(start(RELEASE / function, LOGS / f"cold-{function}.log"))
    return {function: tuple(map(median, zip(*starts, strict=True))) for function, starts in taken.items()}


def start(binary: Path, log: Path) -> tuple[float, int]:
    """One start, from the new process to its request, and how many pages it touches for the first time."""
    with socket.create_server(("127.0.0.1", 0)) as runtime, log.open("wb") as out:
        runtime.settimeout(PATIENCE_S)
        environment = SETTINGS | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.getsockname()[1]}"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
        process = subprocess.Popen([binary], env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        # The call returns when the new process runs the binary.
        began = time.monotonic()
        try:
            with runtime.accept()[0] as connection:
                asked = connection.recv(1 << 12)
                took = time.monotonic() - began
        except TimeoutError:
            raise Failure(f"{binary.name} asked for no work:\n{tail(log)}", log=log) from None
        finally:
            process.kill()
            process.wait()
    if not asked.startswith(NEXT):
        raise Failure(f"{binary.name} asked for something else than work: {asked[:80]!r}", log=log)
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before


if __name__ == "__main__":
    for function, (seconds, faults) in starts().items():
        print(f"{function:16} {seconds * 1e3:6.1f} ms {faults:6.0f} page faults")
