"""The same four days in other shapes: a table for each event, JSON lines, and without some properties."""

import gzip
import json
from collections import Counter
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy, Exported, export
from source import Event, cell, cleaned, day, read_events, readable, without_repeats

from local import names, pipeline
from local.cloud import s3_parts
from local.lake import Table

EXCLUDED = ["$device_id", "description"]
INCLUDED = ["$insert_id", "company_id"]
CONTRACTS = {"*": {"exclude": EXCLUDED}, "checkout": {"include": INCLUDED}}


@pytest.fixture(scope="module")
def wanted() -> list[Event]:
    return without_repeats(read_events(STOREFRONT))


@pytest.fixture(scope="module")
def by_event(deploy: Deploy) -> Exported:
    deployed = deploy("byevent", STOREFRONT, SchemaType="multischema", Contracts=json.dumps(CONTRACTS))
    return export(deployed, pipeline.payload("backfill"))


@pytest.fixture(scope="module")
def lines(deploy: Deploy) -> Exported:
    return export(deploy("lines", STOREFRONT, DataFormat="json"), pipeline.payload("backfill"))


def kept(event: Event) -> set[str]:
    """The properties with values that the contracts leave."""
    held = {name for name, value in event["properties"].items() if value is not None} - set(EXCLUDED)
    return held & {"time", "distinct_id", *INCLUDED} if event["event"] == "checkout" else held


def rows(of: Exported, table: Table) -> list[dict[str, Any]]:
    listed = ", ".join(f'"{c.name}"' for c in table.columns)
    answer = of.query(f'SELECT {listed} FROM {table.database}."{table.name}"')
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def assert_cells(found: list[dict[str, Any]], table: Table, events: list[Event]) -> None:
    """Every cell of the table is what the source says."""
    assert len(found) == len(events)
    by_id = {row["mp_insert_id"]: row for row in found}
    for event in events:
        expected = {c.name: cell(event, c) for c in table.columns}
        row = by_id[event["properties"]["$insert_id"]]
        assert {name: readable(value, expected[name]) for name, value in row.items()} == expected


def test_each_event_has_a_table_of_its_own(by_event: Exported, wanted: list[Event]) -> None:
    tables = by_event.pipeline.lake.event_tables()
    counts = Counter(cleaned(e["event"]) for e in wanted)
    assert tables.keys() == counts.keys()
    for name, table in tables.items():
        of_event = [e for e in wanted if cleaned(e["event"]) == name]
        days = Counter(map(day, of_event))
        answer = by_event.query(f'SELECT mp_date, count(*) FROM {table.database}."{name}" GROUP BY 1')
        assert dict(answer.rows) == days
        assert {p.value for p in table.partitions} == days.keys()


def test_a_table_has_the_columns_that_its_event_and_its_contract_have(by_event: Exported, wanted: list[Event]) -> None:
    for name, table in by_event.pipeline.lake.event_tables().items():
        of_event = [e for e in wanted if cleaned(e["event"]) == name]
        assert {c.property for c in table.columns} == set().union(*map(kept, of_event))
        assert_cells(rows(by_event, table), table, of_event)


def test_a_table_of_json_has_the_cells_of_the_source(lines: Exported, wanted: list[Event]) -> None:
    table = lines.pipeline.lake.tables()[names.MASTER_TABLE]
    assert table.format == "json"
    assert_cells(rows(lines, table), table, wanted)


def test_files_of_json_are_lines_of_cells_that_are_not_null(lines: Exported, wanted: list[Event]) -> None:
    """As any program reads them that has no catalog."""
    lake = lines.pipeline.lake
    table = lake.tables()[names.MASTER_TABLE]
    columns = {c.name: c for c in table.columns}
    read = 0
    for partition in table.partitions:
        _, folder = s3_parts(partition.location.rstrip("/") + "/")
        for item in lake.objects(folder.removeprefix(lake.folder)):
            assert item["Key"].endswith(".json.gz")
            for line in gzip.decompress(lake.read(item["Key"])).splitlines():
                row = json.loads(line)
                assert row.keys() <= columns.keys()
                assert None not in row.values()
                assert row["time"].startswith(partition.value)
                read += 1
    assert read == len(wanted)


def test_json_again_changes_nothing(lines: Exported) -> None:
    deployed = lines.pipeline
    before = deployed.lake.snapshot()
    deployed.export(pipeline.payload("backfill"))
    deployed.wait_for_catalog()
    assert before.changes(deployed.lake.snapshot()) == []
