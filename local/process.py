"""Processes that end when we do, however we end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from local.failure import Failure, tail

GUARD = Path(__file__).with_name("guard.py")
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "RUST_LOG", "RUST_BACKTRACE", "LD_LIBRARY_PATH")


class Process:
    """A guarded process that writes to a log file."""

    def __init__(self, name: str, command: list[str], *, log: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._guard = subprocess.Popen(
                [sys.executable, str(GUARD), *command],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(env),
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Fails as soon as the process ends, not only when the time is over. Who fails here leaves no process."""
        with ExitStack() as failing:
            failing.callback(self.stop)
            for _ in poll(seconds, every=0.05):
                if ready():
                    failing.pop_all()
                    return
                if self._guard.poll() is not None:
                    raise Failure(f"{self.name} ended at its start:\n{tail(self.log)}", log=self.log)
            raise Failure(f"{self.name} was not ready after {seconds:.0f} s", log=self.log)

    def wait(self, seconds: float) -> int:
        """Waits for the end of a process that ends by itself, and returns its exit code."""
        try:
            return self._guard.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds:.0f} s", log=self.log) from None
        finally:
            self.stop()

    def stop(self) -> None:
        """Closing the pipe is the sign for the guard; it takes the whole group along."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()


def clean_environment(**extra: str) -> dict[str, str]:
    """Nothing of the developer's AWS profile, proxies or settings may reach a stand-in or a function."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} | extra


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def poll(seconds: float, every: float = 0.1) -> Iterator[None]:
    """Yields until the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(every)


def end_on_signals() -> None:
    """Turns the signals that end a program into an exit that runs every `finally`."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
