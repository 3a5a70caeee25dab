"""What a person sees: numbered steps with their time, and aligned tables."""

import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.failure import Failure

MOST_ROWS = 100
MOST_COLUMNS = 20
WIDTH = 40
"""What is shown of an answer: a table of a thousand columns fits no terminal."""


class Steps:
    """Prints `[3/7] deploying template.yaml ... 6.2 s`; a step that fails says so on its line."""

    def __init__(self, total: int, error_log: Path) -> None:
        self._error_log = error_log
        self._total = total
        self._number = 0

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self._number += 1
        start = time.monotonic()
        print(f"[{self._number}/{self._total}] {text} ... ", end="", flush=True)
        try:
            yield
        except Failure:
            print("failed", flush=True)
            raise
        except Exception as problem:
            print("failed", flush=True)
            self._error_log.parent.mkdir(parents=True, exist_ok=True)
            self._error_log.write_text("".join(traceback.format_exception(problem)))
            raise Failure(f"{text}: {problem}", log=self._error_log) from problem
        print(f"{time.monotonic() - start:.1f} s", flush=True)


def cell(value: Any) -> str:
    """Numbers with separators, so that millions can be read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def shortened(text: str, width: int) -> str:
    """One line of a terminal's text: no longer than the width, and nothing that a terminal obeys."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return shown if len(shown) <= width else shown[: width - 3] + "..."


def print_answer(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """The first rows and columns of an answer of any size, and how much more there is."""
    columns = header[:MOST_COLUMNS]
    shown = [
        [value if isinstance(value, int | float) else shortened(cell(value), WIDTH) for value in row[:MOST_COLUMNS]]
        for row in rows[:MOST_ROWS]
    ]
    print_table([shortened(name, WIDTH) for name in columns], shown)
    if len(rows) > MOST_ROWS:
        print(f"\n  {len(rows):,} rows; the first {MOST_ROWS} are shown. LIMIT and ORDER BY choose others.")
    if len(header) > MOST_COLUMNS:
        print(f"\n  {len(header):,} columns; the first {MOST_COLUMNS} are shown. Name those that you want.")


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Numbers to the right, text to the left."""
    texts = [[cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    right = [any(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        parts = [text.rjust(w) if r else text.ljust(w) for text, w, r in zip(cells, widths, right, strict=True)]
        return ("  " + "  ".join(parts)).rstrip()

    print(line(header))
    print("  " + "  ".join("-" * width for width in widths))
    for cells in texts:
        print(line(cells))
    sys.stdout.flush()


def heading(text: str) -> None:
    print(f"\n{text}\n")
