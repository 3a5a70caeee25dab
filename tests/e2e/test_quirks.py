"""The hard cases, through both functions and back through the catalog, against the exact result."""

import gzip
import json
import re
from typing import Any

from conftest import QUIRKS, Exported
from source import read_lines, readable

from local import names

GLUE_TYPES = {"string": "string", "number": "double", "boolean": "boolean", "timestamp": "timestamp"}
EXPECTED = json.loads((names.DATA / "quirks.expected.json").read_text())


def unwrap(value: Any) -> Any:
    """`{"json": ...}` stands for a text that parses to the value."""
    return value["json"] if isinstance(value, dict) else value


def test_columns_come_in_order_with_type_and_original_property(quirks: Exported) -> None:
    table = quirks.pipeline.lake.tables()[names.MASTER_TABLE]
    assert [(c.name, c.property, c.type) for c in table.columns] == [
        (c["name"], c["property"], GLUE_TYPES[c["type"]]) for c in EXPECTED["columns"]
    ]
    assert table.partition_keys == (names.PARTITION_KEY,)


def test_rows_are_exactly_the_expected_ones(quirks: Exported) -> None:
    columns = [c["name"] for c in EXPECTED["columns"]]
    listed = ", ".join(f'"{name}"' for name in columns)
    answer = quirks.query(f"SELECT {listed} FROM quirks.mp_master_event ORDER BY mp_insert_id")
    expected = [[unwrap(row.get(name)) for name in columns] for row in EXPECTED["rows"]]
    rows = [
        [readable(value, want) for value, want in zip(row, wanted, strict=True)]
        for row, wanted in zip(answer.rows, expected, strict=True)
    ]
    assert rows == expected


def test_every_line_is_accounted_for(quirks: Exported) -> None:
    totals = quirks.report["totals"]
    assert totals["quarantined"] == EXPECTED["quarantined"]
    assert totals["written"] == len(EXPECTED["rows"])
    assert (
        totals["received"]
        == totals["written"] + totals["duplicates"] + totals["quarantined"]
        == len(read_lines(QUIRKS))
    )


def test_quarantine_holds_the_bad_lines_as_received(quirks: Exported) -> None:
    lake = quirks.pipeline.lake
    keys = [o["Key"] for o in lake.objects("_quarantine/")]
    held = [text for key in keys for text in texts(lake.read(key))]
    bad = [in_milliseconds(line.decode()) for line in read_lines(QUIRKS)[len(EXPECTED["rows"]) :]]  # they come last
    assert len(bad) == EXPECTED["quarantined"]
    assert [line for line in bad if line not in held] == []


def in_milliseconds(line: str) -> str:
    """A line as the API answers it when it is asked for milliseconds, where it can read the time."""
    whole = line.endswith("}")
    return re.sub(r'"time":(\d{10})\b', r'"time":\g<1>000', line) if whole else line


def texts(body: bytes) -> list[str]:
    """Every line of a quarantine object, and every text in it where a line is a record around the bad one."""
    raw = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    lines = raw.decode().split("\n")
    found = list(lines)
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        found += [value for value in record.values() if isinstance(value, str)] if isinstance(record, dict) else []
    return found


def test_second_run_changes_nothing(quirks: Exported) -> None:
    before = quirks.pipeline.lake.snapshot()
    quirks.pipeline.export({"date": "2025-11-12"})
    quirks.pipeline.wait_for_catalog()
    assert before.changes(quirks.pipeline.lake.snapshot()) == []
