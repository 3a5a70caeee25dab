"""The goals, each as a number of a run beside its bound, for each engine."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from local.queries.files import ASKED, OTHER
from local.queries.others import NAMES
from local.queries.ours import COMPACTED, HOURLY
from local.queries.questions import EVENT, PERSON, PERSON_ALL
from local.queries.result import Reading, Result

ENGINES = ("Trino", "DuckDB")
QUESTIONS = (EVENT, PERSON, PERSON_ALL)


class Found(NamedTuple):
    value: float
    reason: str
    """What the number was taken from."""


class Goal(NamedTuple):
    text: str
    bound: float
    find: Callable[[Result, str], Found]
    engines: tuple[str, ...] = ENGINES

    def rows(self, result: Result) -> Iterator[list[str]]:
        for engine in self.engines:
            value, reason = self.find(result, engine)
            reached = "reached" if value <= self.bound else "not reached"
            yield [self.text, engine, f"<= {self.bound:g}x", f"{value:.2f}x", reached, reason]


def of(result: Result, engine: str, lake: str, question: str) -> Reading:
    return next(r for r in result.readings if (r.engine, r.lake, r.question) == (engine, lake, question))


def to_cells(lake: str, result: Result, engine: str) -> Found:
    reading = of(result, engine, lake, EVENT)
    return Found(reading.bytes / result.alone, f"{reading.bytes:,} bytes read, {result.alone:,} bytes of cells")


def chunks_to_cells(lake: str, result: Result, engine: str) -> Found:
    reading = of(result, engine, lake, EVENT)
    chunks = reading.parts[ASKED] + reading.parts[OTHER]
    return Found(chunks / result.alone, f"{chunks:,} bytes of column chunks, {result.alone:,} bytes of cells")


def to_columns(question: str, result: Result, engine: str) -> Found:
    reading, asked = of(result, engine, COMPACTED, question), result.asked[COMPACTED, question]
    return Found(reading.bytes / asked, f"{reading.bytes:,} bytes read of {asked:,}")


def to_hourly(question: str, result: Result, engine: str) -> Found:
    ours, hourly = (of(result, engine, lake, question).requests.total() for lake in (COMPACTED, HOURLY))
    return Found(ours / hourly, f"{ours:,} and {hourly:,} requests")


def to_best(question: str, result: Result, engine: str) -> Found:
    ours, *theirs = (of(result, engine, lake, question) for lake in (COMPACTED, *NAMES))
    best = min(theirs, key=lambda reading: reading.bytes)
    return Found(ours.bytes / best.bytes, f"{ours.bytes:,} bytes; {best.lake}, the best of them: {best.bytes:,}")


def size(result: Result, _engine: str) -> Found:
    compacted, hourly = (sum(file.size for file in result.days[lake]) for lake in (COMPACTED, HOURLY))
    return Found(compacted / hourly, f"{compacted:,} and {hourly:,} bytes of {result.events.days} days")


ALL = (
    Goal(
        "one event, three columns, one day, compacted: bytes read to those of the cells",
        1.25,
        partial(to_cells, COMPACTED),
    ),
    Goal("the same without footers, indexes and filters", 1.25, partial(chunks_to_cells, COMPACTED)),
    Goal("the same, hourly", 2, partial(to_cells, HOURLY)),
    Goal("the same, hourly, without footers, indexes and filters", 2, partial(chunks_to_cells, HOURLY)),
    Goal(f"{PERSON}, 30 days, compacted: bytes read to the whole of the columns", 0.05, partial(to_columns, PERSON)),
    Goal(f"{PERSON_ALL}: the same", 0.05, partial(to_columns, PERSON_ALL)),
    *(Goal(f"{name}: requests to S3, compacted to hourly", 0.1, partial(to_hourly, name)) for name in QUESTIONS),
    *(
        Goal(f"{name}: bytes read, ours compacted to the best of the others", 0.5, partial(to_best, name))
        for name in QUESTIONS
    ),
    Goal("bytes of compacted days to their hourly files", 0.9, size, ("",)),
)


def rows(result: Result) -> list[list[str]]:
    return [row for goal in ALL for row in goal.rows(result)]
