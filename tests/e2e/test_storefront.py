"""Four days of a shop: nothing lost, nothing doubled, every cell as an independent reading has it."""

import io
from collections import Counter

import pyarrow.parquet as pq
import pytest
from conftest import STOREFRONT, Exported
from source import Event, cell, cleaned, day, read_events, readable, without_repeats

from local import names, pipeline

PARQUET_TYPES = {
    "string": ("BYTE_ARRAY", "UTF8"),
    "double": ("DOUBLE", "NONE"),
    "boolean": ("BOOLEAN", "NONE"),
    "timestamp": ("INT64", "TIMESTAMP_MILLIS"),
}


@pytest.fixture(scope="module")
def received() -> list[Event]:
    return read_events(STOREFRONT)


@pytest.fixture(scope="module")
def wanted(received: list[Event]) -> list[Event]:
    return without_repeats(received)


def test_sums_are_those_of_the_source(storefront: Exported) -> None:
    totals = storefront.report["totals"]
    counts = {name: totals[name] for name in ("received", "written", "duplicates", "quarantined")}
    assert counts == {"received": 5277, "written": 5237, "duplicates": 40, "quarantined": 0}


def test_each_slice_is_a_day_and_accounts_for_its_lines(
    storefront: Exported, received: list[Event], wanted: list[Event]
) -> None:
    lines, rows = Counter(map(day, received)), Counter(map(day, wanted))
    assert [
        (s["slice"], s["received"], s["written"], s["duplicates"], s["quarantined"])
        for s in storefront.report["slices"]
    ] == [(d, lines[d], rows[d], lines[d] - rows[d], 0) for d in sorted(lines)]
    assert {s["status"] for s in storefront.report["slices"]} == {"published"}


def test_counts_per_day_and_event(storefront: Exported, wanted: list[Event]) -> None:
    answer = storefront.query("SELECT mp_date, mp_event_name, count(*) FROM storefront.mp_master_event GROUP BY 1, 2")
    assert {(d, name): count for d, name, count in answer.rows} == Counter(
        (day(e), cleaned(e["event"])) for e in wanted
    )


def test_every_cell_is_what_the_source_says(storefront: Exported, wanted: list[Event]) -> None:
    columns = storefront.pipeline.lake.tables()[names.MASTER_TABLE].columns
    listed = ", ".join(f'"{c.name}"' for c in columns)
    answer = storefront.query(f"SELECT {listed} FROM storefront.mp_master_event ORDER BY mp_insert_id")
    ordered = sorted(wanted, key=lambda event: event["properties"]["$insert_id"])
    assert len(answer.rows) == len(ordered)
    for row, event in zip(answer.rows, ordered, strict=True):
        expected = {c.name: cell(event, c) for c in columns}
        assert {c.name: readable(v, expected[c.name]) for c, v in zip(columns, row, strict=True)} == expected


def test_every_value_of_the_source_has_a_column(storefront: Exported, wanted: list[Event]) -> None:
    """The other direction: a value whose property or type got no column would go unnoticed above."""
    columns = storefront.pipeline.lake.tables()[names.MASTER_TABLE].columns
    for event in wanted:
        held = {c.property for c in columns if cell(event, c) is not None}
        assert {name for name, value in event["properties"].items() if value is not None} - held == set()


def test_parquet_types_fit_the_table(storefront: Exported) -> None:
    """What Athena and Spectrum refuse to read, our own SQL engine would quietly convert."""
    lake = storefront.pipeline.lake
    types = {c.name: PARQUET_TYPES[c.type] for c in lake.tables()[names.MASTER_TABLE].columns}
    for key in [o["Key"] for o in lake.objects(f"{names.MASTER_TABLE}/") if o["Key"].endswith(".parquet")]:
        schema = pq.ParquetFile(io.BytesIO(lake.read(key))).schema
        columns = [schema.column(number) for number in range(len(schema))]
        found = {c.name: (c.physical_type, c.converted_type) for c in columns}
        assert found == {name: types.get(name) for name in found}, key


def test_second_run_changes_no_object_no_manifest_no_table_version(storefront: Exported) -> None:
    deployed = storefront.pipeline
    before = deployed.lake.snapshot()
    for payload, status in [({}, "existing"), ({"force": True}, "unchanged")]:
        report = deployed.export(pipeline.payload("backfill") | payload)
        deployed.wait_for_catalog()
        assert before.changes(deployed.lake.snapshot()) == []
        assert {s["status"] for s in report["slices"]} == {status}


def test_secret_is_in_no_log(storefront: Exported) -> None:
    for group in ("ExportLogGroup", "CatalogLogGroup"):
        assert names.SECRET not in storefront.pipeline.save_log(group).read_text()
