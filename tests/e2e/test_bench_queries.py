"""What `make bench-queries` says is only worth what it counts, so each part of the counting is shown."""

import io
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.failure import Failure
from local.queries import cells, events, goals, report
from local.queries.answers import same
from local.queries.files import ASKED, BLOOM, FOOTER, INDEX, OTHER, File
from local.queries.questions import EVENT, Question
from local.queries.result import Reading, Result
from local.queries.traffic import CountingStack

ROWS = 1_000


@pytest.fixture
def body() -> bytes:
    out = io.BytesIO()
    table = pa.table({"event": ["a", "b"] * (ROWS // 2), "value": list(range(ROWS))})
    pq.write_table(table, out, row_group_size=ROWS // 2, write_page_index=True)
    return out.getvalue()


def test_each_byte_of_a_file_belongs_to_one_part(body: bytes) -> None:
    file = File.of(body)
    parts = file.read(0, len(body), ("value",))
    assert parts.total() == len(body)
    metadata = pq.read_metadata(io.BytesIO(body))
    chunks = [[metadata.row_group(g).column(c).total_compressed_size for g in range(2)] for c in range(2)]
    assert (parts[OTHER], parts[ASKED]) == tuple(map(sum, chunks))
    assert parts[FOOTER] == metadata.serialized_size + 8
    assert parts[INDEX] > 0
    assert parts[BLOOM] == 0


def test_a_range_is_split_where_a_part_ends(body: bytes) -> None:
    file = File.of(body)
    footer = file.footer()
    parts = file.read(len(body) - footer - 10, len(body) - 3, ())
    assert parts == {FOOTER: footer - 3, INDEX: 10}


def test_cells_take_the_smaller_of_two_encodings_and_no_footer() -> None:
    same_values = cells.alone(["time", "word"], [(n, "the same word") for n in range(ROWS)])
    only_times = cells.alone(["time"], [(n,) for n in range(ROWS)])
    assert only_times < ROWS * 8 + 100
    assert same_values - only_times < 200


def test_lakes_that_answer_differently_are_told() -> None:
    same([[("a", 1), ("b", 2)], [("b", 2), ("a", 1)]])
    with pytest.raises(Failure, match="different answers"):
        same([[("a", 1)], [("a", 2)]])
    with pytest.raises(Failure, match="no answer"):
        same([[], []])


def test_a_line_goes_into_the_file_of_its_hour(tmp_path: Path) -> None:
    whole, hours = tmp_path / "all.gz", [tmp_path / f"{hour}.gz" for hour in events.HOURS]
    lines = [json.dumps({"event": "a", "properties": {"time": ms}}, separators=(",", ":")) for ms in (0, 3_600_000)]
    with events.gzip.open(whole, "wt") as out:
        out.writelines(line + "\n" for line in lines)
    events.split(whole, hours)
    assert [events.gzip.open(hour, "rt").read() for hour in hours[:3]] == [lines[0] + "\n", lines[1] + "\n", ""]


def test_the_stand_in_counts_ranges_heads_and_lists(tmp_path: Path) -> None:
    with CountingStack(tmp_path) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="lake")
        s3.put_object(Bucket="lake", Key="a b/file", Body=b"0123456789")

        def query() -> None:
            s3.get_object(Bucket="lake", Key="a b/file", Range="bytes=2-4")["Body"].read()
            s3.get_object(Bucket="lake", Key="a b/file", Range="bytes=-4")["Body"].read()
            s3.head_object(Bucket="lake", Key="a b/file")
            s3.list_objects_v2(Bucket="lake")

        _, requests = cloud.watch(query)
    seen = [(r.method, r.key, r.start, r.length) for r in requests]
    assert seen[:3] == [("GET", "a b/file", 2, 3), ("GET", "a b/file", 6, 4), ("HEAD", "a b/file", 0, 0)]
    assert seen[3][:2] == ("GET", "")


def found() -> Result:
    """A run in which every engine reads the same of every lake, but half as much of the compacted one."""
    lakes = ("hourly", "compacted", "duckdb", "dlt", "awswrangler")
    names = goals.QUESTIONS
    result = Result(events.Events(100, 2), [Question(name, ("time",), ("2026-11-10",), "x = 1") for name in names])
    for engine in goals.ENGINES:
        for lake in lakes:
            share = 1 if lake == "compacted" else 2
            parts = Counter({ASKED: 100 * share, FOOTER: 20 * share})
            requests = Counter({"GET": 10 * share})
            result.readings += [Reading(engine, lake, name, 5, requests, parts) for name in names]
    result.alone = 100
    result.asked = {("compacted", name): 4_000 for name in names}
    result.days = {lake: [File(900 if lake == "compacted" else 1_000, 1, 3)] for lake in lakes}
    return result


def test_a_goal_is_reached_only_within_its_bound() -> None:
    rows = {(row[0], row[1]): row[3:5] for row in goals.rows(found())}
    texts = [goal.text for goal in goals.ALL]
    assert rows[texts[0], "Trino"] == ["1.20x", "reached"], "footers count"
    assert rows[texts[1], "Trino"] == ["1.00x", "reached"]
    assert rows[texts[2], "DuckDB"] == ["2.40x", "not reached"]
    assert rows[texts[4], "Trino"] == ["0.03x", "reached"]
    assert rows[f"{EVENT}: requests to S3, compacted to hourly", "Trino"] == ["0.50x", "not reached"]
    assert rows[f"{EVENT}: bytes read, ours compacted to the best of the others", "Trino"] == ["0.50x", "reached"]
    assert rows[texts[-1], ""] == ["0.90x", "reached"]


def test_the_report_names_its_command_and_its_questions() -> None:
    text = report.markdown(found())
    assert text.startswith("    make bench-queries ROWS=100 DAYS=2\n")
    assert "one event: `SELECT time FROM mp_master_event WHERE x = 1`, 2026-11-10" in text
    assert "| one event | Trino | compacted | 10 GET | 120 | 100 | 0 | 0 | 0 | 20 |" in text


def test_the_document_has_a_place_for_the_result() -> None:
    text = report.DOCUMENT.read_text()
    assert text.index(report.BEGIN) < text.index(report.END)
