"""The one error that this package shows to people: what failed, where to read on, what to do."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from local import names


class Failure(Exception):
    """Something failed in a way that a person can act on. Shown without a stack trace."""

    def __init__(self, what: str, *, log: Path | None = None, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.log = log
        self.advice = advice

    def __str__(self) -> str:
        lines = [self.what]
        if self.log is not None:
            lines.append(f"log:        {self.log}")
        if self.advice:
            lines.append(f"what to do: {self.advice}")
        return "\n".join(lines)


def exit_code(program: Callable[[], None]) -> int:
    """Runs a program. What fails is a sentence for people; an error of our own has its trace in the log."""
    try:
        program()
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except Exception as problem:  # noqa: BLE001 - a person gets a sentence, the log gets the trace
        log = names.HOME / "error.log"
        log.write_text("".join(traceback.format_exception(problem)))
        print(f"\n{Failure(str(problem), log=log)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def tail(path: Path, lines: int = 12) -> str:
    """The end of a log, for a message; a log that is not there is empty."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def errors(path: Path, lines: int = 3) -> list[str]:
    """The last lines of a log that speak of an error, cut to what fits a message."""
    spoken = [line for line in path.read_text(errors="replace").splitlines() if "error" in line.lower()]
    return [line[:300] for line in spoken[-lines:]]
