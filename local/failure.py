"""The one error that this package shows to people: what failed, where to read on, what to do."""

from pathlib import Path


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
