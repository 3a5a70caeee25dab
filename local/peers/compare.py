"""Runs the systems in turn, several rounds, so that a busy minute of the machine hits them all."""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from local import names
from local.failure import Failure, errors, tail
from local.peers import cold, data, measure
from local.peers.place import BENCH, LOGS, OUTPUT
from local.peers.result import Checked, Measured, Read, Result
from local.peers.systems import ALL, OURS, System

FILE = "out.parquet"

TURNS = 5
"""Runs of ours that are compared with each other are short: in each round they take so many turns."""


@dataclass(frozen=True)
class Wish:
    """What is to be compared."""

    rows: int = 300_000
    rounds: int = 3
    threads: int = 1
    only: tuple[str, ...] = ()
    """Names of systems; none: all."""


@dataclass
class Job:
    """One system on one file."""

    measured: Measured
    source: Path
    command: list[str]
    output: Path
    """A folder of its own: some write one file, some several."""
    threads: int


def compare(wish: Wish) -> Result:
    usual = data.events(wish.rows, data.USUAL)
    jobs = usual_jobs(wish, usual)
    own = [
        our_job("one-thread", usual, wish.rows, threads=1),
        our_job("two-threads", usual, wish.rows, threads=2),
        our_job("narrow", data.events(wish.rows, data.NARROW), wish.rows, wish.threads),
        our_job("wide", data.events(wish.rows, data.WIDE), wish.rows, wish.threads),
    ]
    for number in range(1, wish.rounds + 1):
        ours = {job.source: job for job in jobs if job.measured.system.name == OURS}
        for job in jobs:
            # Before each of the others once more: a busy minute of the machine hits both.
            for each in [job] if job is ours[job.source] else [ours[job.source], job]:
                run(each, is_last=number == wish.rounds)
        for turn in range(1, TURNS + 1):
            for job in own:
                run(job, is_last=number == wish.rounds and turn == TURNS)
    result = Result([job.measured for job in jobs], *(job.measured for job in own))
    result.clustered, result.unclustered = queried(usual, wish)
    result.side_by_side_s = side_by_side(usual, wish)
    result.stages = stages(wish)
    say("cold starts")
    result.starts = cold.starts()
    print("done", flush=True)
    return result


def side_by_side(usual: Path, wish: Wish) -> float:
    """Two processes of one thread each, at once: what they do is what the machine has for two threads."""
    jobs = [our_job(f"beside-{number}", usual, wish.rows, threads=1) for number in (1, 2)]
    say("two of ours side by side")
    taken = []
    for _ in range(wish.rounds * TURNS):
        for job in jobs:
            job.output.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        processes = [subprocess.Popen(job.command, cwd=names.ROOT) for job in jobs]
        try:
            exit_codes = [process.wait() for process in processes]
        finally:
            for process in processes:
                process.kill()
        if any(exit_codes):
            raise Failure("one of two processes side by side failed")
        taken.append(time.monotonic() - start)
    print(f"{median(taken):.1f} s", flush=True)
    return median(taken)


def stages(wish: Wish) -> dict[str, float]:
    say("the stages of ours, one by one")
    command = [str(BENCH), "stages", "--rows", str(wish.rows), "--rounds", str(wish.rounds), "--json"]
    done = subprocess.run(command, cwd=names.ROOT, capture_output=True, text=True, check=True)
    print("done", flush=True)
    return json.loads(done.stdout)


def usual_jobs(wish: Wish, usual: Path) -> list[Job]:
    """The systems on the usual file or the first part of it, ours on each."""
    jobs = []
    for system in ALL:
        if wish.only and system.name not in {*wish.only, OURS}:
            continue
        rows = wish.rows // system.divisor
        source = usual if system.divisor == 1 else data.share(usual, rows)
        if source != usual and not any(job.source == source for job in jobs):
            jobs.append(job_of(System(OURS, "Mixlake, on the same part"), source, rows, wish.threads))
        jobs.append(job_of(system, source, rows, wish.threads))
    return jobs


def job_of(system: System, source: Path, rows: int, threads: int) -> Job:
    output = OUTPUT / f"{system.name}-{rows}"
    command = system.command(source, output / FILE, data.schema(source), threads)
    return Job(Measured(system, rows), source, command, output, threads)


def our_job(name: str, source: Path, rows: int, threads: int) -> Job:
    output = OUTPUT / f"{OURS}-{name}"
    system = System(OURS, f"Mixlake, {name}")
    return Job(Measured(system, rows), source, system.command(source, output / FILE, source, threads), output, threads)


def run(job: Job, *, is_last: bool) -> None:
    """One run; after one of the last round, the output is looked at."""
    if job.measured.problem:
        return
    log = LOGS / f"{job.output.name}.log"
    say(f"{job.measured.system.title}, {job.measured.events:,} events")
    shutil.rmtree(job.output, ignore_errors=True)
    job.output.mkdir(parents=True)
    once = measure.run(job.command, log, job.threads)
    if once.exit_code or not any(job.output.iterdir()):
        job.measured.problem = ending(once, log)
        print("failed", flush=True)
        return
    job.measured.runs.append(once)
    print(f"{once.cpu_s:.1f} s", flush=True)
    if is_last and not job.measured.checked:
        found = asked("check", job.source, job.output, log=log)
        job.measured.checked = Checked(**found) if found else None


def queried(usual: Path, wish: Wish) -> tuple[Read | None, Read | None]:
    """The same query on our file and on one in the order of arrival."""
    plain = our_job("unclustered", usual, wish.rows, wish.threads)
    plain.command.append("--unclustered")
    run(plain, is_last=False)
    outputs = [OUTPUT / f"{OURS}-{wish.rows}", plain.output]
    first, second = (asked("query", usual, output, log=LOGS / f"query-{output.name}.log") for output in outputs)
    return Read(**first) if first else None, Read(**second) if second else None


def asked(program: str, source: Path, output: Path, *, log: Path) -> dict | None:
    """The answer of a program of this package that reads an output."""
    if not any(output.iterdir()):
        return None
    command = [sys.executable, "-m", f"local.peers.{program}", str(source), str(output)]
    done = subprocess.run(command, cwd=names.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        log.write_text(done.stderr)
        print(f"  the output of {output.name} could not be read: {reason(log)}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def ending(once: measure.Run, log: Path) -> str:
    """Why a run gave nothing."""
    if once.wall_s > measure.PATIENCE_S:
        return f"it took longer than {measure.PATIENCE_S} s"
    return reason(log) or f"ended with {once.exit_code} and no word"


def reason(log: Path) -> str:
    """The end of a log in one line; a mention of an error is better than what comes last."""
    words = errors(log, lines=1) or [tail(log, lines=1)]
    return " ".join(words[0].split())[:160]


def say(text: str) -> None:
    print(f"  {text} ... ", end="", flush=True)
