"""The first query of README.md, pasted as it stands, and the views that it goes through."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local import names

START = 1_794_268_800
"""2026-11-10T00:00:00Z"""

DAY = 86_400


def lines_of_readme() -> list[str]:
    """The three lines below the words that announce them."""
    text = (names.ROOT / "README.md").read_text()
    block = text.split("`catalog --sql` prints one view per table:\n\n")[1].split("\n\n")[0]
    lines = [line.removeprefix("    ") for line in block.splitlines()]
    assert len(lines) == 3
    return lines


def write_events(path: Path, events: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps({"event": "e", "properties": event}) + "\n" for event in events))
    return path


def mixlake(*arguments: str | Path) -> str:
    command = [names.binary(names.COMMAND_LINE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def export(lake: Path, file: Path, *settings: str, to: str = "2026-11-10") -> None:
    given = [word for setting in settings for word in ("--set", setting)]
    dates = ["--from-date", "2026-11-10", "--to-date", to]
    mixlake("export", "--input", file, "--lake", lake, *dates, "--replace", *given)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout after `cargo build --release`, with a lake one of whose days was replaced."""
    program = tmp_path / "target" / "release" / "mixlake"
    program.parent.mkdir(parents=True)
    program.symlink_to(names.binary(names.COMMAND_LINE))
    for rows in (4, 10):
        events = ({"time": START + n, "rows": rows} for n in range(rows))
        export(tmp_path / "lake", write_events(tmp_path / "events.jsonl", events))
    return tmp_path


def test_readme_counts_live_rows_where_the_folder_has_more(place: Path) -> None:
    everything = duckdb.sql(f"SELECT count(*) FROM read_parquet('{place}/lake/**/*.parquet')").fetchall()
    assert everything == [(14,)]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    shell = ["sh", "-e", "-c", "\n".join(lines_of_readme())]
    done = subprocess.run(shell, cwd=place, env=environment, capture_output=True, text=True, check=True)
    cells = [[cell.strip() for cell in row.split("│")[1:-1]] for row in done.stdout.splitlines()]
    assert ["2026-11-10", "10"] in cells


def views(lake: Path, *settings: str) -> duckdb.DuckDBPyConnection:
    given = [word for setting in settings for word in ("--set", setting)]
    database = duckdb.connect()
    database.execute(mixlake("catalog", "--lake", lake, "--sql", *given))
    return database


EVENTS = [
    {"time": START, "distinct_id": "a", "price": 1.5, "vip": True},
    {"time": START + DAY, "distinct_id": "b", "price": 2, 'odd\'s "name"': "x"},
]


@pytest.mark.parametrize("data_format", ["parquet", "json"])
def test_views_have_every_column_whatever_the_folder_is_called(tmp_path: Path, data_format: str) -> None:
    lake = tmp_path / "it's [a] lake*?"
    export(lake, write_events(tmp_path / "events.jsonl", EVENTS), f"data_format={data_format}", to="2026-11-11")
    database = views(lake)
    columns = [name for name, *_ in database.execute("DESCRIBE mp_master_event").fetchall()]
    table = json.loads(mixlake("catalog", "--lake", lake, "--json"))["tables"][0]
    assert columns == [*(column["name"] for column in table["columns"]), names.PARTITION_KEY]
    asked = "SELECT mp_date::VARCHAR, epoch(time)::BIGINT, distinct_id, price, vip FROM mp_master_event ORDER BY time"
    assert database.execute(asked).fetchall() == [
        ("2026-11-10", START, "a", 1.5, True),
        ("2026-11-11", START + DAY, "b", 2.0, None),
    ]


def test_a_table_without_rows_is_an_empty_view(tmp_path: Path) -> None:
    """Its only day is replaced by one with another event."""
    lake, file, tables = tmp_path / "lake", tmp_path / "events.jsonl", "schema_type=multischema"
    export(lake, write_events(file, EVENTS[:1]), tables)
    views(lake, tables)
    other = file.read_text().replace('"e"', '"other"')
    file.write_text(other)
    export(lake, file, tables)
    database = views(lake, tables)
    counts = [database.execute(f"SELECT count(*) FROM {name}").fetchall() for name in ("e", "other")]
    assert counts == [[(0,)], [(1,)]]
