"""Each engine, through the catalog, gives the answers of an independent reading of the source lines."""

from collections import Counter

import pytest
from conftest import Written
from reading import by_insert_id, expected, found, per_day_and_event
from scenario import DAYS, NAMES, truth
from source import cleaned, day

from local import names
from local.engines import Reader
from local.lake import Table


@pytest.fixture(scope="session")
def table(written: dict[str, Written]) -> Table:
    return written["mixpanel"].tables[names.MASTER_TABLE]


def test_the_table_is_what_the_scenario_promises(written: dict[str, Written], table: Table) -> None:
    assert len(table.columns) == 1_597
    assert [p.value for p in table.partitions] == list(DAYS)
    types = {(c.property, c.type) for c in table.columns}
    assert {("amount", "double"), ("amount", "string"), ("paid", "boolean"), ("paid", "string")} <= types
    generations = {key.rsplit("/", 2)[-2] for o in written["mixpanel"].lake.objects() if (key := o["Key"])}
    assert len([name for name in generations if name.startswith("g")]) > len(DAYS), "a day was replaced"


@pytest.mark.parametrize("name", NAMES)
def test_the_query_of_the_documentation(reader: Reader, name: str) -> None:
    sql = f"SELECT count(*) FROM mixpanel.mp_master_event WHERE mp_event_name = '{cleaned(name)}'"
    assert reader.rows(sql) == [(sum(e["event"] == name for e in truth()),)]


def test_counts_per_day_and_event(reader: Reader) -> None:
    sql = "SELECT mp_date, mp_event_name, count(*) FROM mixpanel.mp_master_event GROUP BY mp_date, mp_event_name"
    counts = {(date, name): count for date, name, count in reader.rows(sql)}
    assert counts == per_day_and_event(truth())


@pytest.mark.parametrize("date", DAYS)
def test_a_day_is_its_partition(reader: Reader, date: str) -> None:
    sql = f"SELECT count(*) FROM mixpanel.mp_master_event WHERE mp_date = '{date}'"
    assert reader.rows(sql) == [(sum(day(e) == date for e in truth()),)]


def test_every_column_of_every_row(reader: Reader, table: Table) -> None:
    rows = by_insert_id(reader.every_column(table), table)
    events = {e["properties"]["$insert_id"]: e for e in truth()}
    assert rows.keys() == events.keys()
    for insert_id, event in events.items():
        wanted = expected(event, table)
        assert found(rows[insert_id], table, wanted) == wanted, insert_id
        assert rows[insert_id][-1] == day(event)


def test_a_column_has_values_where_the_source_has(reader: Reader, table: Table) -> None:
    """`count(column)` is answered from footers by some engines, and not from the values."""
    held = Counter(name for e in truth() for name in expected(e, table))
    some = [*[column.name for column in table.columns][:40], "late", "late_string", "checked", "mp_properties"]
    columns = sorted({name for name in some if name in {c.name for c in table.columns}})
    sql = f"SELECT {', '.join(f'count({name})' for name in columns)} FROM mixpanel.mp_master_event"
    assert dict(zip(columns, reader.rows(sql)[0], strict=True)) == {name: held[name] for name in columns}
