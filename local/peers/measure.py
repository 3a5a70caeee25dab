"""Runs one command and says what it took, as the kernel counted it for the process and its descendants.

    python -m local.peers.measure REPORT PROCESSORS COMMAND [ARGUMENT...]

It is a small process of its own: what a process has in memory when it starts another counts as the other's peak.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from local import names
from local.process import Process, clean_environment

PATIENCE_S = 900
"""A system that takes longer has shown enough."""


class Run(NamedTuple):
    """One run of a command."""

    exit_code: int
    cpu_s: float
    wall_s: float
    peak_mb: float


def run(command: list[str], log: Path, processors: int) -> Run:
    report = log.with_suffix(".json")
    report.unlink(missing_ok=True)
    # The pools of Arrow and of numeric libraries hear of their number of threads in no other way.
    environment = clean_environment(OMP_NUM_THREADS=str(processors), PYTHONPATH=str(names.ROOT))
    measure = [sys.executable, "-m", "local.peers.measure", str(report), str(processors), *command]
    Process("the run", measure, log=log, env=environment).wait(PATIENCE_S)
    return Run(**json.loads(report.read_text()))


def main(report: str, processors: str, *command: str) -> None:
    # Each system is told its number of threads. On Linux, the other processors are also taken away.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(processors) :])
    start = time.monotonic()
    exit_code = subprocess.run(command, check=False).returncode
    wall_s = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Linux counts kilobytes, macOS bytes.
    peak_mb = used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    Path(report).write_text(json.dumps(Run(exit_code, used.ru_utime + used.ru_stime, wall_s, peak_mb)._asdict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
