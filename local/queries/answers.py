"""Compares the answers of all lakes to a question."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local.engines import Row
from local.failure import Failure


def same(answers: Sequence[list[Row]]) -> None:
    """All lakes must give the same rows: who reads little because it answers little is not quick."""
    first, *others = (sorted(map(plain, rows), key=repr) for rows in answers)
    if not first:
        raise Failure("the question has no answer: nothing is measured")
    if any(other != first for other in others):
        counts = ", ".join(f"{len(rows)}" for rows in answers)
        raise Failure(f"the lakes give different answers to the same question: {counts} rows")


def plain(row: Row) -> tuple[Any, ...]:
    """A row as any engine and any tool's types give it."""
    return tuple(plain_value(value) for value in row)


def plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(instant.timestamp() * 1000)
    return value
