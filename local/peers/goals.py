"""The goals of performance, each as a number of a run beside its bound."""

import operator
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from local import names
from local.peers import cold
from local.peers.compare import NARROW, WIDE, Result
from local.peers.systems import OURS, PLAIN

Found = tuple[float | None, str]
"""The number, and what it was taken from; or no number, and why."""

LEAST, MOST = ">=", "<="


class Goal(NamedTuple):
    text: str
    sign: str
    bound: float
    find: Callable[[Result], Found]
    unit: str = "x"

    def row(self, result: Result) -> list[str]:
        value, reason = self.find(result)
        wanted = f"{self.sign} {self.bound:g}{self.unit}"
        if value is None:
            return [self.text, wanted, "", "not measured", reason]
        is_met = {LEAST: operator.ge, MOST: operator.le}[self.sign](value, self.bound)
        return [self.text, wanted, f"{value:.2f}{self.unit}", "met" if is_met else "not met", reason]


def less_cpu(peer: str, result: Result) -> Found:
    job = result.of(peer)
    return (result.cpu_ratio(job), "") if job else (None, "it gave no output")


def over_limits(result: Result) -> Found:
    """What is between the stages that nobody can do without: rows, repeats, tables."""
    whole, limits = result.stages["whole"], [result.stages[name] for name in ("gunzip", "decode", "encode")]
    return whole / sum(limits), f"{whole:.2f} s to {' + '.join(f'{limit:.2f}' for limit in limits)} s"


def smaller(result: Result) -> Found:
    """Against the smaller of DuckDB's two files."""
    jobs = [result.of(name) for name in (OURS, "duckdb_given", "duckdb_inferred")]
    ours, *theirs = (job.bytes_per_event if job else 0 for job in jobs)
    if not ours or not any(theirs):
        return None, "one of the two gave no output"
    return ours / min(filter(None, theirs)), ""


def wider(result: Result) -> Found:
    narrow, wide = result.own["narrow"], result.own["wide"]
    if not (narrow.checked and wide.checked):
        return None, narrow.problem or wide.problem or "no output"
    reason = f"{wide.checked['columns']:,} and {narrow.checked['columns']:,} columns"
    if wide.checked["columns"] < WIDE:
        return None, f"the data gave {reason} only"
    return wide.taken.cpu_s / narrow.taken.cpu_s, reason


def threads(result: Result) -> Found:
    one, two = result.own["one-thread"], result.own["two-threads"]
    if not (one.is_complete and two.is_complete):
        return None, one.problem or two.problem
    reason = f"two processes at once: {2 * one.taken.wall_s / result.side_by_side_s:.2f}x the work of one"
    return one.taken.wall_s / two.taken.wall_s, reason


def reading(result: Result) -> Found:
    if not all(result.reads):
        return None, "one of the two files is missing"
    ours, plain = result.reads
    reason = f"{ours['bytes']:,} and {plain['bytes']:,} bytes for {ours['rows']:,} rows"
    return ours["bytes"] / plain["bytes"], reason


def starting(function: str, result: Result) -> Found:
    (ours, _), (least, _) = result.starts[function], result.starts[cold.HELLO]
    return ours / least, f"{ours * 1e3:.1f} and {least * 1e3:.1f} ms"


START = "start of {} to its first request for work, to the least function's"

ALL = (
    Goal("processor time, DuckDB, schema inferred to ours", LEAST, 12, partial(less_cpu, "duckdb_inferred")),
    Goal("processor time, plain arrow-json to ours", LEAST, 7, partial(less_cpu, PLAIN)),
    Goal("processor time, dlt to ours", LEAST, 40, partial(less_cpu, "dlt_files")),
    Goal("processor time, all of it to gunzip, reading and encoding alone", MOST, 1.5, over_limits),
    Goal("bytes of the output, ours to DuckDB's, both zstd", MOST, 0.95, smaller),
    Goal(f"processor time, {WIDE:,} columns to {NARROW:,}, same values", MOST, 1.3, wider),
    Goal(
        "peak memory, the idle process's included", MOST, 256, lambda result: (result.of(OURS).taken.peak_mb, ""), " MB"
    ),
    Goal("elapsed time, one thread to two", LEAST, 1.7, threads),
    Goal("bytes read by a query for one event name, ours to a file in order of arrival", MOST, 0.25, reading),
    *(Goal(START.format(function), MOST, 1.3, partial(starting, function)) for function in names.FUNCTIONS),
)


def rows(result: Result) -> list[list[str]]:
    """Each is about ours: without it there are none."""
    return [goal.row(result) for goal in ALL] if result.of(OURS) else []
