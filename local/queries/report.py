"""The result for people: Markdown, on the terminal and in docs/PERFORMANCE.md."""

import datetime as dt

import duckdb

from local import names
from local.engines import server
from local.peers.report import DOCUMENT, table
from local.queries import COMPRESSION, HOME, goals
from local.queries.events import Events
from local.queries.files import PARTS, File
from local.queries.questions import Question
from local.queries.result import Reading, Result

BEGIN = "<!-- bench-queries: written by `make bench-queries` -->"
END = "<!-- bench-queries: end -->"

GOALS = ("goal", "engine", "wanted", "this run", "", "from")
READINGS = ("question", "engine", "lake", "requests", "bytes read", *PARTS)
LAKES = ("lake", "files", "bytes", "row groups", "columns of a file", *PARTS[2:])

USUAL = Events(per_day=100_000, days=30)


def show(result: Result) -> None:
    """Prints the result and writes it. A run of fewer events than usual leaves the document alone."""
    text = markdown(result)
    print(f"\n{text}")
    file = HOME / "queries.md"
    file.write_text(text)
    if result.events.rows >= USUAL.rows and replace(text):
        print(f"Written to {DOCUMENT}.")
    else:
        print(f"Written to {file}; {DOCUMENT.name} shows only runs of {USUAL.rows:,} events or more.")


def replace(text: str) -> bool:
    """Puts the text between the two lines that mark its place."""
    before, begin, rest = DOCUMENT.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        DOCUMENT.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")
    return bool(begin and end)


def markdown(result: Result) -> str:
    events = result.events
    parts = (
        f"    make bench-queries ROWS={events.per_day} DAYS={events.days}",
        about(result),
        table(GOALS, *goals.rows(result)),
        "\n".join(f"- {asked(question)}" for question in result.questions),
        table(READINGS, *map(reading_row, result.readings)),
        table(LAKES, *(lake_row(name, files) for name, files in result.days.items())),
    )
    return "\n\n".join(parts) + "\n"


def about(result: Result) -> str:
    events = result.events
    today = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}"
    return (
        f"{today}: {events.per_day:,} events a day on {events.days} days ({events.rows:,}), seed 1, {COMPRESSION}."
        f" Trino {server.VERSION}, DuckDB {duckdb.__version__}, with their usual settings."
    )


def asked(question: Question) -> str:
    sql = question.sql(names.MASTER_TABLE, dated=False)
    days = question.dates[0] if len(question.dates) == 1 else f"{len(question.dates)} days"
    return f"{question.name}: `{sql}`, {days}"


def reading_row(reading: Reading) -> list[str]:
    requests = ", ".join(f"{count:,} {method}" for method, count in sorted(reading.requests.items()))
    parts = [f"{reading.parts[name]:,}" for name in PARTS]
    return [reading.question, reading.engine, reading.lake, requests, f"{reading.bytes:,}", *parts]


def lake_row(name: str, files: list[File]) -> list[str]:
    """Only columns take bytes, and what their readers need beside them."""
    size = sum(file.size for file in files)
    groups = sum(file.row_groups for file in files)
    columns = sorted(file.columns for file in files)
    overhead = [sum(map(of, files)) for of in (File.bloom, File.indexes, File.footer)]
    counts = [f"{len(files):,}", f"{size:,}", f"{groups:,}", f"{columns[0]} to {columns[-1]}"]
    return [name, *counts, *(f"{part:,}" for part in overhead)]
