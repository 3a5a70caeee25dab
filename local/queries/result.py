"""What a run has found."""

from collections import Counter
from dataclasses import dataclass, field

from local.queries.events import Events
from local.queries.files import File
from local.queries.questions import Question


@dataclass(frozen=True)
class Reading:
    """What an engine read of a lake for a question."""

    engine: str
    lake: str
    question: str
    rows: int
    requests: Counter[str]
    """By their kind."""
    parts: Counter[str]
    """The bytes, by what they belong to."""

    @property
    def bytes(self) -> int:
        return self.parts.total()


@dataclass
class Result:
    events: Events
    questions: list[Question]
    readings: list[Reading] = field(default_factory=list)
    alone: int = 0
    """The bytes that the cells of the one event take by themselves."""
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    """By lake and question: the bytes of all column chunks that were asked for, on the days asked for."""
    days: dict[str, list[File]] = field(default_factory=dict)
    """The files of all days of each lake."""
