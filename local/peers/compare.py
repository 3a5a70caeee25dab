"""Runs the systems in turn, several rounds, so that a busy minute of the machine hits them all."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from local.failure import Failure, errors, tail
from local.peers import BENCH, DATA, LOGS, OUTPUT, cold, measure
from local.peers.check import check, query
from local.peers.measure import Run
from local.peers.systems import ALL, OURS, WHOLE, System

USUAL, NARROW, WIDE = 388, 400, 4_000
"""Properties of the data: systems are compared on the usual; ours is compared with itself on the other two."""

SAMPLE = 5_000
"""About so many events of an input are looked for in an output."""

TURNS = 5
"""Runs of ours that are compared with each other are short: in each round they take so many turns."""

KINDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "dict": "nested", "list": "nested"}


@dataclass(frozen=True)
class Wish:
    """What is to be compared."""

    rows: int = 300_000
    rounds: int = 3
    threads: int = 1
    only: Sequence[str] = ()
    """Names of systems; none: all."""


@dataclass
class Job:
    """One system on one file of so many events, and what its runs have shown."""

    system: System
    source: Path
    events: int
    threads: int
    runs: list[Run] = field(default_factory=list)
    checked: dict[str, Any] = field(default_factory=dict)
    """What the check found; nothing, if it could not read the output."""
    problem: str = ""

    @property
    def output(self) -> Path:
        """A folder of its own: some write one file, some several."""
        return OUTPUT / f"{self.system.name}-{self.events}"

    @property
    def is_complete(self) -> bool:
        return bool(self.runs) and not self.problem

    @property
    def taken(self) -> Run:
        """The medians of all runs."""
        return Run(*map(median, zip(*self.runs, strict=True)))

    @property
    def bytes_per_event(self) -> float:
        return self.checked.get("bytes", 0) / self.events


@dataclass
class Result:
    """One comparison: every system on the usual data, and ours on data and settings of its own."""

    systems: list[Job]
    own: dict[str, Job] = field(default_factory=dict)
    reads: list[dict[str, int]] = field(default_factory=list)
    """What a query for one event name reads of our file, and of one in the order of arrival."""
    side_by_side_s: float = 0
    """Until two of our processes have ended that were started at once."""
    stages: dict[str, float] = field(default_factory=dict)
    """Processor seconds of each stage of ours alone, and of the whole."""
    starts: dict[str, tuple[float, int]] = field(default_factory=dict)

    def of(self, name: str, events: int | None = None) -> Job | None:
        """A system that is complete, on the file of so many events; on its largest if not told."""
        found = [job for job in self.systems if job.system.name == name and events in (None, job.events)]
        return max((job for job in found if job.is_complete), key=lambda job: job.events, default=None)

    def cpu_ratio(self, job: Job) -> float | None:
        """To ours on the same file."""
        ours = self.of(OURS, job.events)
        return job.taken.cpu_s / ours.taken.cpu_s if ours and job.is_complete else None


def compare(wish: Wish) -> Result:
    usual, narrow, wide = (events(wish.rows, properties) for properties in (USUAL, NARROW, WIDE))
    own = {
        "one-thread": our_job("one-thread", usual, wish.rows, 1),
        "two-threads": our_job("two-threads", usual, wish.rows, 2),
        "narrow": our_job("narrow", narrow, wish.rows, wish.threads),
        "wide": our_job("wide", wide, wish.rows, wish.threads),
    }
    chosen = [system for system in ALL if not wish.only or system.name in {*wish.only, OURS}]
    shares = [(system, wish.rows // system.divisor) for system in chosen]
    result = Result([Job(system, events(rows, USUAL), rows, wish.threads) for system, rows in shares], own)
    for number in range(1, wish.rounds + 1):
        for job in result.systems:
            # Ours runs before each of the others once more: a busy minute of the machine hits both.
            ours = next(other for other in result.systems if other.source == job.source)
            for each in [job] if job is ours else [ours, job]:
                run(each, is_last=number == wish.rounds)
        for turn in range(1, TURNS + 1):
            for job in own.values():
                run(job, is_last=number == wish.rounds and turn == TURNS)
    unclustered = our_job("unclustered", usual, wish.rows, wish.threads, "--unclustered")
    run(unclustered, is_last=False)
    result.reads = [readable(partial(query, job.output), job) for job in (result.systems[0], unclustered)]
    say("two of ours side by side, the stages of ours one by one, cold starts")
    result.side_by_side_s = side_by_side(usual, wish)
    stages = [BENCH, "stages", "--rows", str(wish.rows), "--rounds", str(wish.rounds), "--json"]
    result.stages = json.loads(subprocess.run(stages, stdout=subprocess.PIPE, check=True).stdout)
    result.starts = cold.starts()
    print("done", flush=True)
    return result


def our_job(name: str, source: Path, rows: int, threads: int, *more: str) -> Job:
    return Job(System(f"{OURS}-{name}", f"Mixlake, {name}", (*WHOLE, *more)), source, rows, threads)


def run(job: Job, *, is_last: bool) -> None:
    """One run, unless one has failed; after the last, the output is looked at."""
    if job.problem:
        return
    say(f"{job.system.title}, {job.events:,} events")
    try:
        job.runs.append(once(job, job.threads))
    except Failure as failure:
        job.problem = failure.what
    print(job.problem or f"{job.runs[-1].cpu_s:.1f} s", flush=True)
    if is_last and job.is_complete and not job.checked:
        job.checked = readable(lambda: check(read(job.source, max(1, job.events // SAMPLE)), job.output), job)


def once(job: Job, processors: int) -> Run:
    shutil.rmtree(job.output, ignore_errors=True)
    job.output.mkdir(parents=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    log, target = LOGS / f"{job.output.name}.log", job.output / "out.parquet"
    types = schema(job.source) if "{schema}" in job.system.template else ""
    command = job.system.command(source=job.source, target=target, schema=types, threads=job.threads)
    done = measure.run(command, log, processors)
    if done.exit_code or not any(job.output.iterdir()):
        # A mention of an error is better than what comes last.
        words = " ".join((errors(log, lines=1) or [tail(log, lines=1)])[0].split())[:160]
        raise Failure(words or f"ended with {done.exit_code} and no word", log=log)
    return done


def readable(look: Callable[[], dict[str, Any]], job: Job) -> dict[str, Any]:
    """What is seen of an output; nothing, if it cannot be read."""
    try:
        return look() if job.is_complete else {}
    except (ValueError, OSError, pa.ArrowException) as problem:
        print(f"  the output of {job.output.name} could not be read: {problem}", file=sys.stderr)
        return {}


def side_by_side(usual: Path, wish: Wish) -> float:
    """Two processes of one thread each, at once: what they do is what the machine has for two threads."""
    jobs = [our_job(f"beside-{number}", usual, wish.rows, 1) for number in (1, 2)]
    with ThreadPoolExecutor(len(jobs)) as both:
        rounds = [list(both.map(lambda job: once(job, len(jobs)), jobs)) for _ in range(wish.rounds * TURNS)]
    return median(max(run.wall_s for run in runs) for runs in rounds)


def events(rows: int, properties: int) -> Path:
    """Generated events. The same shape gives the same bytes."""
    shape = ["--rows", str(rows), "--properties", str(properties)]
    name = f"{rows}-rows-{properties}-properties-{int(BENCH.stat().st_mtime)}.jsonl.gz"
    return kept(name, lambda part: subprocess.run([BENCH, "generate", *shape, part], check=True))


def schema(source: Path) -> Path:
    """The types of each property in the file, for systems that are told them; found outside of their time."""

    def make(part: Path) -> None:
        kinds: dict[str, set[str]] = {}
        for event in read(source):
            for name, value in event["properties"].items():
                kinds.setdefault(name, set()).update([KINDS[type(value).__name__]] if value is not None else [])
        part.write_text(json.dumps({name: kind(found) for name, found in kinds.items()}))

    return kept(source.name.replace(".jsonl.gz", ".schema.json"), make)


def kind(found: set[str]) -> str:
    return "number" if found == {"integer", "number"} else "mixed" if len(found) != 1 else found.pop()


def read(source: Path, one_in: int = 1) -> Iterator[dict[str, Any]]:
    """One event in so many, spread evenly."""
    with gzip.open(source, "rb") as lines:
        yield from map(json.loads, islice(lines, 0, None, one_in))


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """A file that is made once. It is renamed when it is whole: an interrupted run leaves none that looks so."""
    path, part = DATA / name, DATA / f"part-{name}"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        make(part)
        part.rename(path)
    return path


def say(text: str) -> None:
    print(f"  {text} ... ", end="", flush=True)
