"""The statements of `mixlake sql` run on the engine that they are for, and give the answers of the source lines."""

import json
from collections import Counter

import pytest
from conftest import Written, command_line
from scenario import DAYS, Event
from source import cleaned, day

from local.engines import Reader, Row

ENGINES = {"athena": "Trino", "spark": "Spark"}
"""Athena is built on Trino."""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def asked() -> dict[tuple[str, str], dict[str, list[Row]]]:
    """What was answered before, by engine and database."""
    return {}


@pytest.fixture
def answers(
    engine: str,
    stack: Written,
    readers: dict[str, Reader],
    asked: dict[tuple[str, str], dict[str, list[Row]]],
) -> dict[str, list[Row]]:
    """The rows that each statement gives, by the statement."""
    place = (engine, stack.lake.database)
    if place not in asked:
        asked[place] = {sql: readers[ENGINES[engine]].rows(sql) for sql in printed(engine, stack)}
    return asked[place]


def printed(engine: str, stack: Written) -> list[str]:
    done = command_line(stack, "sql", engine)
    assert done.returncode == 0, done.stderr
    return [statement["sql"] for statement in json.loads(done.stdout)["statements"]]


def answer(answers: dict[str, list[Row]], *words: str) -> list[Row]:
    """That of the one statement with these words."""
    found = [rows for sql, rows in answers.items() if all(word in sql for word in words)]
    assert len(found) == 1, f"{len(found)} statements have {words}"
    return found[0]


def events_of(stack: Written) -> list[Event]:
    """The events of the table that the statements are about: the first that was exported."""
    return stack.events_of(stack.tables[stack.table_of("Sign Up")])


def test_every_statement_gives_rows(answers: dict[str, list[Row]]) -> None:
    assert len(answers) >= 6
    assert [sql for sql, rows in answers.items() if not rows] == []


def test_events_are_counted_by_name_and_day(answers: dict[str, list[Row]], stack: Written) -> None:
    (number,) = answer(answers, "SELECT count(*) AS events", "FROM")[0]
    counts = Counter(cleaned(e["event"]) for e in events_of(stack))
    newest = {cleaned(e["event"]) for e in events_of(stack) if day(e) == DAYS[-1]}
    assert number in {counts[name] for name in newest}
    days = Counter(day(e) for e in events_of(stack))
    assert sorted(days.items()) == answer(answers, "count(*)", "BETWEEN")
    users = {date: len({e["properties"]["distinct_id"] for e in events_of(stack) if day(e) == date}) for date in days}
    assert sorted(users.items()) == answer(answers, "count(DISTINCT", "BETWEEN")


def test_events_are_counted_by_hour(answers: dict[str, list[Row]], stack: Written) -> None:
    rows = answer(answers, "hour_start")
    newest = [e for e in events_of(stack) if day(e) == DAYS[-1]]
    hours = Counter(e["properties"]["time"] // 3600 % 24 for e in newest)
    assert [(start.hour, count) for start, count in rows] == sorted(hours.items())


def test_columns_are_told_in_their_order(engine: str, answers: dict[str, list[Row]], stack: Written) -> None:
    rows = answer(answers, "information_schema" if engine == "athena" else "DESCRIBE")
    columns = [column.name for column in stack.tables[stack.table_of("Sign Up")].columns]
    assert [row[0] for row in rows][: len(columns)] == columns


def test_lists_are_taken_apart(engine: str, answers: dict[str, list[Row]], stack: Written) -> None:
    """On the replaced day, one property of the scenario that has text elsewhere has only lists. Where each event
    has a table, its events are not those of the first.
    """
    if stack.multischema:
        assert [sql for sql in answers if "list_element" in sql] == []
        return
    amounts = [e["properties"].get("amount") for e in events_of(stack) if day(e) == DAYS[1]]
    lists = [amount for amount in amounts if isinstance(amount, list)]
    assert lists
    shown = json.dumps if engine == "athena" else str
    elements = Counter(None if e is None and engine == "spark" else shown(e) for one in lists for e in one)
    assert dict(answer(answers, "list_element", "amount_string")) == elements
    rows = answer(answers, "first_element", "amount_string")
    assert Counter(rows) == Counter((len(one), str(one[0])) for one in lists)


def test_objects_are_taken_apart(answers: dict[str, list[Row]], stack: Written) -> None:
    """On the newest day all objects are those of the properties that have no column of their own."""
    rows = [rows for sql, rows in answers.items() if "key_name" in sql]
    assert (len(rows) == 1) == ("mp_properties" in {c.name for c in stack.tables[stack.table_of("Sign Up")].columns})
    properties = {name for e in events_of(stack) if day(e) == DAYS[-1] for name in e["properties"]}
    assert {name for found in rows for name, _ in found} <= properties
