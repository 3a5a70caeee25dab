"""What every program is told: input, output, the types of each property, and how many threads it may use."""

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True)
class Task:
    source: Path
    target: Path
    schema_file: Path
    threads: int

    def schema(self) -> dict[str, str]:
        """The type of each property: string, integer, number, boolean or nested; `mixed` has no common one."""
        return json.loads(self.schema_file.read_text())

    def batches(self, rows: int) -> Iterator[list[dict[str, Any]]]:
        """The events as Python objects, for tools that have no JSON reader for such data."""
        with gzip.open(self.source, "rb") as lines:
            while batch := [orjson.loads(line) for line in islice(lines, rows)]:
                yield batch


def task() -> Task:
    source, target, schema_file, threads = sys.argv[1:]
    return Task(Path(source), Path(target), Path(schema_file), int(threads))


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """One column for each property."""
    return {"event": event["event"], **event["properties"]}


def as_text(value: Any) -> str | None:
    """A value for a column of text: text stays, anything else becomes its JSON."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
