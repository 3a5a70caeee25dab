"""Each engine, through the catalog, gives the answers of an independent reading of the source lines."""

from collections import Counter

import pytest
import rules
from conftest import Written
from reading import by_insert_id, described, expected, found, per_day_and_event
from scenario import DAYS, NAMES, truth
from source import cleaned, day

from local import names
from local.engines import Reader


def test_the_table_is_what_the_scenario_promises(written: dict[str, Written]) -> None:
    table = written["mixpanel"].tables[names.MASTER_TABLE]
    assert len(table.columns) == 1_597
    assert [p.value for p in table.partitions] == list(DAYS)
    types = {(c.name, c.type) for c in table.columns}
    kinds = {("amount", "double"), ("amount_string", "string"), ("paid", "boolean"), ("paid_string", "string")}
    cleaned = {("x_y", "string"), ("x_y_1", "double"), ("gr__e__cm_", "double"), ("mp_city", "string")}
    assert kinds | cleaned | {("res_select", "string"), ("mp_date_1", "string")} <= types
    folders = {o["Key"].rsplit("/", 2)[-2] for o in written["mixpanel"].lake.objects()}
    assert len([name for name in folders if name.startswith("g")]) > len(DAYS), "a day was replaced"


def test_the_columns_are_those_of_the_written_rules(stack: Written) -> None:
    """By their names and types; comments carry the original names, one by one."""
    for name, table in stack.tables.items():
        assert {c.name: c.type for c in table.columns} == described(name, multischema=stack.multischema)
        comments = {c.name: c.property for c in table.columns}
        given = rules.columns(multischema=stack.multischema)[name]
        assert {column: comments[column] for column in given.values()} == {c: p for (p, _), c in given.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_query_of_the_documentation(reader: Reader, stack: Written, name: str) -> None:
    sql = f"SELECT count(*) FROM {stack.lake.database}.{stack.table_of(name)}"
    if not stack.multischema:
        sql += f" WHERE mp_event_name = '{cleaned(name)}'"
    assert reader.rows(sql) == [(sum(e["event"] == name for e in truth()),)]


def test_counts_per_day_and_event(reader: Reader, stack: Written) -> None:
    for table in stack.tables.values():
        event = f"'{table.name}'" if stack.multischema else "mp_event_name"
        sql = f"SELECT mp_date, {event}, count(*) FROM {table.database}.{table.name} GROUP BY mp_date, {event}"
        counts = {(date, name): count for date, name, count in reader.rows(sql)}
        assert counts == per_day_and_event(stack.events_of(table))


@pytest.mark.parametrize("date", DAYS)
def test_a_day_is_its_partition(reader: Reader, stack: Written, date: str) -> None:
    for table in stack.tables.values():
        sql = f"SELECT count(*) FROM {table.database}.{table.name} WHERE mp_date = '{date}'"
        assert reader.rows(sql) == [(sum(day(e) == date for e in stack.events_of(table)),)]


def test_every_column_of_every_row(reader: Reader, stack: Written) -> None:
    """Spark reads JSON lines with a reader of its own: its wheel has neither of the Hive readers that a
    catalog can name for them. What it takes from the catalog there are the columns and the places.
    """
    for table in stack.tables.values():
        rows = by_insert_id(reader.every_column(table), table)
        events = {e["properties"]["$insert_id"]: e for e in stack.events_of(table)}
        assert rows.keys() == events.keys()
        for insert_id, event in events.items():
            wanted = expected(event, table.name, multischema=stack.multischema)
            assert found(rows[insert_id], table, wanted) == wanted, insert_id
            assert rows[insert_id][-1] == day(event)


def test_a_column_has_values_where_the_source_has(reader: Reader, stack: Written) -> None:
    """`count(column)` is answered from footers by some engines, and not from the values."""
    for table in stack.tables.values():
        events = stack.events_of(table)
        held = Counter(name for e in events for name in expected(e, table.name, multischema=stack.multischema))
        there = [column.name for column in table.columns]
        last = {"late", "late_string", "checked", "mp_properties"} & set(there)
        columns = sorted({*there[:40], *last})
        counts = ", ".join(f"count({name})" for name in columns)
        answer = reader.rows(f"SELECT {counts} FROM {table.database}.{table.name}")[0]
        assert dict(zip(columns, answer, strict=True)) == {name: held[name] for name in columns}
