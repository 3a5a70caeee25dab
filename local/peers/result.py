"""What a comparison found, as values; nothing here runs or prints."""

from dataclasses import dataclass, field
from statistics import median

from local.peers.measure import Run
from local.peers.systems import OURS, System

LAMBDA_GB = 1_769 / 1_024
"""Memory of a Lambda function that is given one processor."""


@dataclass
class Checked:
    """The output of a system beside its input."""

    rows: int = 0
    columns: int = 0
    bytes: int = 0
    events: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)


@dataclass
class Measured:
    """All runs of one system on one file of so many events."""

    system: System
    events: int
    runs: list[Run] = field(default_factory=list)
    checked: Checked | None = None
    problem: str = ""

    @property
    def is_complete(self) -> bool:
        return bool(self.runs) and not self.problem

    @property
    def cpu_s(self) -> float:
        return median(run.cpu_s for run in self.runs)

    @property
    def wall_s(self) -> float:
        return median(run.wall_s for run in self.runs)

    @property
    def peak_mb(self) -> float:
        return median(run.peak_mb for run in self.runs)

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s * 1e6 / self.events

    @property
    def bytes_per_event(self) -> float:
        return self.checked.bytes / self.events if self.checked else 0

    @property
    def gb_s_per_million(self) -> float:
        return self.cpu_s_per_million * LAMBDA_GB


@dataclass
class Read:
    """What a query for one event name reads."""

    event: str
    columns: list[str]
    rows: int
    bytes: int


@dataclass
class Result:
    """One comparison: every system on the usual data, and ours on data and settings of its own."""

    systems: list[Measured]
    one_thread: Measured
    two_threads: Measured
    narrow: Measured
    wide: Measured
    clustered: Read | None = None
    unclustered: Read | None = None
    side_by_side_s: float = 0
    """Until two of our processes have ended that were started at once."""
    stages: dict[str, float] = field(default_factory=dict)
    """Processor seconds of each stage of ours alone, and of the whole."""
    starts: dict[str, float] = field(default_factory=dict)
    """Seconds from the start of each function to its first request for work."""

    def of(self, name: str, events: int | None = None) -> Measured | None:
        """A system, on the file of so many events; on its largest if not told."""
        found = [m for m in self.systems if m.system.name == name and events in (None, m.events) and m.is_complete]
        return max(found, key=lambda m: m.events, default=None)

    def cpu_ratio(self, measured: Measured) -> float | None:
        """To ours on the same file."""
        ours = self.of(OURS, measured.events)
        return measured.cpu_s / ours.cpu_s if ours and measured.is_complete else None
