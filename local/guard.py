"""Runs one command and ends it, with all that it started, when the one who asked for it is gone.

A killed parent runs no `finally`. So nobody starts a stand-in directly: this program does, in a
process group of its own, and watches its standard input. The pipe closes however the parent ends,
SIGKILL included, and then the whole group goes. It imports nothing of this package: it must start
fast and work everywhere.

    python guard.py COMMAND [ARGUMENT...]
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

PATIENCE_SECONDS = 15
"""MiniStack saves its state when it is asked to stop; it gets this long."""


def end_group(child: "subprocess.Popen[bytes]") -> None:
    """Asks the group to stop, then makes it."""
    signal_group(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE_SECONDS)
    signal_group(child, signal.SIGKILL)


def signal_group(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """The group can outlive its leader (Lambda workers do), so its absence is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def main(command: list[str]) -> int:
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as problem:
        print(f"cannot start {command[0]}: {problem.strerror}", flush=True)
        return 127

    def stop(*_: object) -> None:
        # In a thread: the handler interrupts `child.wait()` below, which holds the lock of the wait.
        threading.Thread(target=end_group, args=(child,)).start()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)

    def watch() -> None:
        while os.read(0, 4096):
            pass
        end_group(child)

    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    signal_group(child, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
