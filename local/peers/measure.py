"""Runs one command and says what it took, as the kernel counted it for the process and its descendants."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import names

PATIENCE_S = 900
"""A system that takes longer has shown enough."""


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    exit_code: int
    cpu_s: float
    wall_s: float
    peak_mb: float


def run(command: list[str], log: Path, threads: int) -> Run:
    """This process must stay small: what it has in memory when it forks counts as the child's peak."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out, limited(threads):
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=names.ROOT,
            env=environment(threads),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _, status, usage = wait(process.pid)
        wall_s = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(process.returncode, usage.ru_utime + usage.ru_stime, wall_s, megabytes(usage.ru_maxrss))


def wait(pid: int) -> tuple[int, int, "os.struct_rusage"]:
    """Ends the whole group, whatever interrupts the wait."""
    timer = threading.Timer(PATIENCE_S, end, [pid])
    timer.start()
    try:
        return os.wait4(pid, 0)
    except BaseException:
        end(pid)
        os.waitpid(pid, 0)
        raise
    finally:
        timer.cancel()


def end(group: int) -> None:
    os.killpg(group, signal.SIGKILL)


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Each system is told its number of threads; on Linux the processors are also taken away."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(processors)[-threads:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def environment(threads: int) -> dict[str, str]:
    """The pools of Arrow and of numeric libraries hear no other way."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {"OMP_NUM_THREADS": str(threads), "PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": "1"}


def megabytes(peak: int) -> float:
    """Linux counts kilobytes, macOS bytes."""
    return peak / (1 if sys.platform != "darwin" else 1024) / 1024
