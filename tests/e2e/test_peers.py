"""What `make bench-peers` says is only worth what its check sees, so the check is shown every way to lose a value."""

import gzip
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.peers import compare, measure, report
from local.peers.check import CHANGED, KEPT, LOST, QUOTED, TEXT, Columns, check, judged, query
from local.peers.compare import Job, Result, Wish
from local.peers.systems import System


@pytest.mark.parametrize(
    ("value", "cells", "outcome"),
    [
        pytest.param("a", ["a"], KEPT, id="same text"),
        pytest.param("a", ['"a"'], QUOTED, id="text as JSON"),
        pytest.param("1", [1.0], CHANGED, id="text of digits as number"),
        pytest.param(1, [1.0], KEPT, id="integer as double"),
        pytest.param(9_007_199_254_740_993, [9_007_199_254_740_992.0], CHANGED, id="integer past a double"),
        pytest.param(1, ["1"], TEXT, id="number as text"),
        pytest.param(1, [True], CHANGED, id="number as boolean"),
        pytest.param(True, ["True"], CHANGED, id="boolean in words of Python"),
        pytest.param(True, [None, "true"], TEXT, id="boolean as text in another column"),
        pytest.param(False, [None], LOST, id="null"),
        pytest.param(0, [], LOST, id="no column"),
        pytest.param(None, [], KEPT, id="null stays null"),
        pytest.param({"a": [1]}, ['{"a": [1]}'], KEPT, id="object as its JSON"),
        pytest.param({"a": [1]}, [{"a": [1], "b": None}], KEPT, id="object as struct"),
        pytest.param({"a": [1]}, [{"a": [1.5], "b": None}], CHANGED, id="another object"),
    ],
)
def test_a_value_is_kept_only_as_itself(value: object, cells: list, outcome: str) -> None:
    assert judged(value, cells) == outcome


def test_a_property_is_found_under_every_name_that_a_system_gives_it() -> None:
    columns = Columns(["mp_insert_id", "total_price", "total_price_string", "total_price__v_text", "Total Price 2"])
    assert columns.of_property("$insert_id") == ["mp_insert_id"]
    assert columns.of_property("Total Price") == ["total_price", "total_price_string", "total_price__v_text"]


def test_rows_and_values_that_are_missing_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "events.jsonl.gz"
    lines = [{"event": "A b", "properties": {"$insert_id": str(n), "x": n}} for n in range(3)]
    source.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    rows = {"event": ["A b", "a_b"], "$insert_id": ["0", "1"], "x": [0, None]}
    pq.write_table(pa.table(rows), tmp_path / "out.parquet")

    found = check(compare.read(source), tmp_path)

    assert (found["rows"], found["events"]) == (2, 3)
    # The row of event 2 is missing with its three values; event 1 lacks `x`.
    assert found["outcomes"] == {KEPT: 5, LOST: 4}


def test_a_query_is_for_the_event_in_the_middle_of_all_row_groups(tmp_path: Path) -> None:
    """Each group is in the order of its events, as ours are; the file is not."""
    file, names = tmp_path / "out.parquet", ["a", "b", "b", "c", "c", "c", "b", "b"]
    common = {"mp_event_name": names, "time": range(8), "distinct_id": ["p"] * 8}
    own = {f"of_{letter}": [1 if name == letter else None for name in names] for letter in "bc"}
    pq.write_table(pa.table(common | own), file, row_group_size=3, sorting_columns=[pq.SortingColumn(0)])
    found = query(tmp_path)
    assert found["rows"] == names.count("c")
    assert 0 < found["bytes"] < file.stat().st_size


def test_what_a_process_takes_is_its_own(tmp_path: Path) -> None:
    hungry = "x = bytearray(100 << 20)\nfor _ in range(3_000_000): pass\nraise SystemExit(3)"
    took = measure.run([sys.executable, "-c", hungry], tmp_path / "log", processors=1)
    assert took.exit_code == 3
    assert 0 < took.cpu_s <= took.wall_s
    assert took.peak_mb > 100
    # Who starts it has more in memory by then.
    ballast = bytearray(100 << 20)
    assert measure.run([sys.executable, "-c", ""], tmp_path / "log", processors=1).peak_mb * 1e6 < len(ballast)


def test_a_system_that_fails_says_why_and_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "OUTPUT", tmp_path / "out")
    monkeypatch.setattr(compare, "LOGS", tmp_path / "logs")
    ran = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('x'); sys.exit('error: it is too wide')"
    broken = System("broken", "A broken one", (sys.executable, "-c", ran, str(tmp_path / "ran")))
    job = Job(broken, tmp_path / "events", 10, threads=1)
    for _ in range(2):
        compare.run(job, is_last=True)
    assert (tmp_path / "ran").read_text() == "x"
    assert report.system_row(Result([job]), job)[-1] == "fails: error: it is too wide"


def test_an_output_without_events_is_not_taken_for_a_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compare, "OUTPUT", tmp_path)
    monkeypatch.setattr(compare, "LOGS", tmp_path / "logs")
    (tmp_path / "events").write_bytes(gzip.compress(b'{"event": "a", "properties": {"$insert_id": "1"}}'))
    writes = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('no Parquet')"
    job = Job(
        System("odd", "An odd one", (sys.executable, "-c", writes, "{target}")), tmp_path / "events", 1, threads=1
    )
    compare.run(job, is_last=True)
    assert "the output of odd-1 could not be read: " in capsys.readouterr().err
    assert report.system_row(Result([job]), job)[-1] == "its output could not be read"


def test_what_is_kept_is_said_of_the_sample_and_not_of_all() -> None:
    checked = {"rows": 300_000, "events": 5_000, "outcomes": {KEPT: 120_000}}
    assert report.kept(checked, 300_000) == "yes, all 120,000 of 5,000 events"
    checked["outcomes"][LOST] = 3
    assert report.kept(checked, 300_000) == "no: 3 of 120,003 lost"


def test_the_numbers_have_the_command_that_makes_them_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "version", lambda _: "1.0")
    text = report.markdown(Result([]), Wish(rows=300_000, rounds=5))
    assert text.startswith("    make bench-peers ROWS=300000 ROUNDS=5 THREADS=1\n\n")
    assert "each value of about 5,000 events" in text


def test_the_document_keeps_what_is_around_the_table(tmp_path: Path) -> None:
    document = tmp_path / "PERFORMANCE.md"
    assert not report.replace(document, "new")
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    assert report.replace(document, "new")
    assert report.replace(document, "newer")
    assert document.read_text() == f"before\n{report.BEGIN}\n\nnewer\n{report.END}\nafter\n"
