"""The goals of performance, each as a number of this run beside its bound."""

from dataclasses import dataclass

from local import names
from local.peers import cold
from local.peers.data import NARROW, WIDE
from local.peers.result import Measured, Read, Result
from local.peers.systems import OURS, PLAIN


@dataclass(frozen=True)
class Goal:
    text: str
    bound: float
    is_floor: bool
    value: float | None
    unit: str = "x"
    reason: str = ""
    """Why there is no value, or what it was taken from."""

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return "met" if (self.value >= self.bound if self.is_floor else self.value <= self.bound) else "not met"

    @property
    def wanted(self) -> str:
        return f"{'>=' if self.is_floor else '<='} {self.bound:g}{self.unit}"


def of(result: Result) -> list[Goal]:
    ours = result.of(OURS)
    if ours is None:
        return []
    return [
        less_cpu(result, "DuckDB, schema inferred", "duckdb_inferred", 12),
        less_cpu(result, "plain arrow-json", PLAIN, 7),
        less_cpu(result, "dlt", "dlt_files", 40),
        over_limits(result),
        smaller(result, ours),
        wider(result),
        Goal("peak memory, the idle process's included", 256, is_floor=False, value=ours.peak_mb, unit=" MB"),
        threads(result),
        reading(result.clustered, result.unclustered),
        *(starting(result, function) for function in names.FUNCTIONS),
    ]


def less_cpu(result: Result, title: str, name: str, bound: float) -> Goal:
    peer = result.of(name)
    ratio = result.cpu_ratio(peer) if peer else None
    reason = "" if peer else "it gave no output"
    return Goal(f"processor time, {title} to ours", bound, is_floor=True, value=ratio, reason=reason)


def over_limits(result: Result) -> Goal:
    """What is between the stages that nobody can do without: rows, repeats, tables."""
    text, stages = "processor time, all of it to gunzip, reading and encoding alone", result.stages
    if not stages:
        return Goal(text, 1.5, is_floor=False, value=None, reason="the stages did not run")
    limits = [stages[name] for name in ("gunzip", "decode", "encode")]
    reason = f"{stages['whole']:.2f} s to {' + '.join(f'{limit:.2f}' for limit in limits)} s"
    return Goal(text, 1.5, is_floor=False, value=stages["whole"] / sum(limits), reason=reason)


def smaller(result: Result, ours: Measured) -> Goal:
    """Against the smaller of DuckDB's two files."""
    text = "bytes of the output, ours to DuckDB's, both zstd"
    peers = [result.of(name, ours.events) for name in ("duckdb_given", "duckdb_inferred")]
    sizes = [peer.bytes_per_event for peer in peers if peer and peer.bytes_per_event]
    if not sizes or not ours.bytes_per_event:
        return Goal(text, 0.95, is_floor=False, value=None, reason="one of the two gave no output")
    return Goal(text, 0.95, is_floor=False, value=ours.bytes_per_event / min(sizes))


def wider(result: Result) -> Goal:
    text = f"processor time, {WIDE:,} columns to {NARROW:,}, same values"
    narrow, wide = result.narrow, result.wide
    if not (narrow.is_complete and wide.is_complete and narrow.checked and wide.checked):
        return Goal(text, 1.3, is_floor=False, value=None, reason=narrow.problem or wide.problem or "no output")
    reason = f"{wide.checked.columns:,} and {narrow.checked.columns:,} columns"
    if wide.checked.columns < WIDE:
        return Goal(text, 1.3, is_floor=False, value=None, reason=f"the data gave {reason} only")
    return Goal(text, 1.3, is_floor=False, value=wide.cpu_s / narrow.cpu_s, reason=reason)


def threads(result: Result) -> Goal:
    text, one, two = "elapsed time, one thread to two", result.one_thread, result.two_threads
    if not (one.is_complete and two.is_complete):
        return Goal(text, 1.7, is_floor=True, value=None, reason=one.problem or two.problem or "it did not run")
    reason = f"two processes at once: {2 * one.wall_s / result.side_by_side_s:.2f}x the work of one"
    return Goal(text, 1.7, is_floor=True, value=one.wall_s / two.wall_s, reason=reason)


def reading(clustered: Read | None, unclustered: Read | None) -> Goal:
    text = "bytes read by a query for one event name, ours to a file in order of arrival"
    if not clustered or not unclustered:
        return Goal(text, 0.25, is_floor=False, value=None, reason="one of the two files is missing")
    reason = f"{clustered.bytes:,} and {unclustered.bytes:,} bytes for {clustered.rows:,} rows"
    return Goal(text, 0.25, is_floor=False, value=clustered.bytes / unclustered.bytes, reason=reason)


def starting(result: Result, function: str) -> Goal:
    text, starts = f"start of {function} to its first request for work, to the least function's", result.starts
    if not starts:
        return Goal(text, 1.3, is_floor=False, value=None, reason="it did not run")
    ours, least = starts[function], starts[cold.HELLO]
    reason = f"{ours * 1e3:.1f} and {least * 1e3:.1f} ms"
    return Goal(text, 1.3, is_floor=False, value=ours / least, reason=reason)
