"""What the other tests stand on: nothing stays behind when the one who started it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local import names
from local.failure import Failure
from local.process import Process, clean_environment

PARENT = """
import sys, time
from collections.abc import Callable
from pathlib import Path
from local.process import Process, clean_environment
Process("sleeper", ["sh", "-c", "sleep 300 & echo $!; wait"], log=Path(sys.argv[1]), env=clean_environment())
time.sleep(300)
"""


def alive(pid: int) -> bool:
    """A zombie is dead, whether or not anybody collects it."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(shown) and not shown.startswith("Z")


def wait_until(holds: Callable[[], object], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_killed_parent_leaves_no_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log)], cwd=names.ROOT)
    assert wait_until(lambda: log.is_file() and log.read_text().strip())
    grandchild = int(log.read_text())
    assert alive(grandchild)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: not alive(grandchild))


@pytest.mark.parametrize(("script", "told"), [("exec sleep 300", "was not ready"), ("exit 3", "ended at its start")])
def test_a_process_that_is_not_ready_is_ended(tmp_path: Path, script: str, told: str) -> None:
    log = tmp_path / "log"
    process = Process("sleeper", ["sh", "-c", f"echo $$; {script}"], log=log, env=clean_environment())
    with pytest.raises(Failure, match=f"sleeper {told}"):
        process.wait_until(lambda: False, seconds=2)
    assert not alive(int(log.read_text()))
