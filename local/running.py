"""Which process owns a state folder: a lock that dies with its owner, and where the owner listens."""

import fcntl
import json
import os
import signal
from pathlib import Path
from typing import TextIO

from local.failure import Failure
from local.process import poll


class Owner:
    """Holds the lock of a folder while it lives. No stale file can ever lock anybody out."""

    def __init__(self, folder: Path) -> None:
        self._path = run_file(folder)
        lock = try_lock(folder)
        if lock is None:
            raise Failure("the demo's stand-ins are running in another terminal", advice="make demo-stop")
        self._lock: TextIO = lock

    def announce(self, endpoint: str) -> None:
        self._lock.seek(0)
        self._lock.truncate()
        json.dump({"pid": os.getpid(), "endpoint": endpoint}, self._lock)
        self._lock.flush()


def run_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.run")


def try_lock(folder: Path) -> TextIO | None:
    path = run_file(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def running_endpoint(folder: Path) -> str | None:
    """Where the folder's owner listens, if it has one."""
    lock = try_lock(folder)
    if lock is not None:
        lock.close()
        return None
    return str(json.loads(run_file(folder).read_text() or "{}").get("endpoint", "")) or None


def stop_owner(folder: Path, seconds: float = 30) -> bool:
    """Asks the owner to end and waits until it has. False when there is none."""
    lock = try_lock(folder)
    if lock is not None:
        lock.close()
        return False
    os.kill(int(json.loads(run_file(folder).read_text())["pid"]), signal.SIGTERM)
    for _ in poll(seconds):
        lock = try_lock(folder)
        if lock is not None:
            lock.close()
            return True
    raise Failure(f"the stand-ins did not end within {seconds:.0f} s")
