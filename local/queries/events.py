"""Generated events: one file for each hour of the day, with that hour of all days. Made once for each amount."""

import datetime as dt
import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from local.failure import Failure
from local.peers.compare import KINDS, kind
from local.queries import BENCH, DATA, LAST_DAY

TIME = re.compile(rb'"time":(\d+)')
HOUR_MS = 3_600_000
HOURS = range(24)
PROPERTIES_SEEN_IN = 50_000
"""Events after which each property has shown its types."""


@dataclass(frozen=True)
class Events:
    """So many events a day, on so many days up to the last."""

    per_day: int
    days: int

    @property
    def folder(self) -> Path:
        return DATA / f"{self.per_day}-a-day-{self.days}-days"

    @property
    def dates(self) -> list[str]:
        last = dt.date.fromisoformat(LAST_DAY)
        return [str(last - dt.timedelta(days=before)) for before in reversed(range(self.days))]

    @property
    def rows(self) -> int:
        return self.per_day * self.days

    def hour(self, hour: int) -> Path:
        return self.folder / f"hour-{hour:02}.jsonl.gz"

    @property
    def hours(self) -> list[Path]:
        return [self.hour(hour) for hour in HOURS]

    @property
    def types(self) -> Path:
        """The types of the properties, as JSON."""
        return self.folder / "types.json"

    def make(self) -> None:
        """Generates what is not there. The folder is renamed when it is whole."""
        if self.folder.is_dir():
            return
        part = self.folder.with_name(f"part-{self.folder.name}")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        whole = part / "all.jsonl.gz"
        size = ["--rows", str(self.rows), "--days", str(self.days)]
        if subprocess.run([BENCH, "generate", *size, whole], check=False).returncode:
            raise Failure(f"{BENCH} generated no events", advice="the lines above say why")
        split(whole, [part / path.name for path in self.hours])
        (part / self.types.name).write_text(json.dumps(types([part / path.name for path in self.hours])))
        whole.unlink()
        part.rename(self.folder)


def split(whole: Path, hours: list[Path]) -> None:
    """Puts each line into the file of its hour."""
    with ExitStack() as opened:
        files = [opened.enter_context(gzip.open(path, "wb", compresslevel=1)) for path in hours]
        for line in lines(whole):
            found = TIME.search(line)
            if found is None:
                raise Failure(f"a generated event has no time: {line[:120]!r}")
            files[int(found[1]) // HOUR_MS % len(files)].write(line)


def types(sources: list[Path]) -> dict[str, str]:
    """The type of each property, in the words of `local.peers`."""
    kinds: dict[str, set[str]] = {}
    for line in islice(chain.from_iterable(map(lines, sources)), PROPERTIES_SEEN_IN):
        for name, value in json.loads(line)["properties"].items():
            kinds.setdefault(name, set()).update([KINDS[type(value).__name__]] if value is not None else [])
    return {name: kind(found) for name, found in kinds.items()}


def lines(source: Path) -> Iterator[bytes]:
    with gzip.open(source, "rb") as opened:
        yield from opened
