"""The result for people: Markdown in docs/PERFORMANCE.md, and the same on the terminal."""

import datetime as dt
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from local import names
from local.peers import HOME, goals
from local.peers.check import KEPT
from local.peers.compare import SAMPLE, TURNS, Job, Result, Wish
from local.peers.systems import COMPRESSION

DOCUMENT = names.ROOT / "docs" / "PERFORMANCE.md"
BEGIN = "<!-- bench-peers: written by `make bench-peers` -->"
END = "<!-- bench-peers: end -->"

PEERS = ("duckdb", "pyarrow", "polars", "dlt", "pandas", "chdb")

LAMBDA_GB = 1_769 / 1_024
"""Memory of a Lambda function that is given one processor."""

SYSTEMS = (
    *("system", "events", "CPU s per million", "to ours", "wall s", "peak MB", "bytes per event", "GB-s per million"),
    "sampled values kept?",
)
GOALS = ("goal", "wanted", "this run", "", "from")


def show(result: Result, wish: Wish) -> None:
    """Shows the result, writes it and says where. A run of fewer events than usual leaves the document alone."""
    text, file = markdown(result, wish), HOME / "peers.md"
    file.write_text(text)
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text)
    if wish.rows < Wish.rows or wish.only:
        print(f"Written to {file}; {DOCUMENT.name} shows only runs of all systems on {Wish.rows:,} events or more.")
    elif replace(DOCUMENT, text):
        print(f"Written to {DOCUMENT}.")
    else:
        print(f"Written to {file}; {DOCUMENT} has no lines {BEGIN!r} and {END!r} to put it between.")


def replace(document: Path, text: str) -> bool:
    """Puts the text between the two lines that mark its place."""
    old = document.read_text() if document.exists() else ""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    document.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")
    return True


def markdown(result: Result, wish: Wish) -> str:
    systems = table(SYSTEMS, *(system_row(result, job) for job in result.systems))
    return f"    {command(wish)}\n\n{about(wish)}\n\n{systems}\n\n{table(GOALS, *goals.rows(result))}\n"


def table(header: Sequence[str], *rows: Sequence[str]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def command(wish: Wish) -> str:
    """What makes these numbers again."""
    only = f" SYSTEMS={','.join(wish.only)}" if wish.only else ""
    return f"make bench-peers ROWS={wish.rows} ROUNDS={wish.rounds} THREADS={wish.threads}{only}"


def about(wish: Wish) -> str:
    peers = ", ".join(f"{name} {version(name)}" for name in PEERS)
    threads = "one thread" if wish.threads == 1 else f"{wish.threads} threads"
    rounds = "one round" if wish.rounds == 1 else f"{wish.rounds} rounds in turn, medians"
    return (
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, {os.cpu_count()} {platform.machine()} cores, {threads} each, "
        f"{rounds}; ours again before each of the others, and {TURNS} times in turn where it is compared with itself: "
        f"medians; whole processes, start included; all write Parquet in {COMPRESSION}. {peers}. "
        f"Kept: each value of about {SAMPLE:,} events, spread evenly over the input, is looked for in the output."
    )


def system_row(result: Result, job: Job) -> list[str]:
    title = [job.system.title, f"{job.events:,}"]
    if not job.is_complete:
        return [*title, *[""] * (len(SYSTEMS) - 3), f"fails: {job.problem}"]
    ratio, taken, cpu_s = result.cpu_ratio(job), job.taken, job.taken.cpu_s * 1e6 / job.events
    times = [f"{cpu_s:.1f}", f"{ratio:.1f}x" if ratio else "", f"{taken.wall_s:.1f}", f"{taken.peak_mb:,.0f}"]
    size = f"{job.bytes_per_event:.0f}" if job.checked else ""
    return [*title, *times, size, f"{cpu_s * LAMBDA_GB:.1f}", kept(job.checked, job.events)]


def kept(checked: dict, events: int) -> str:
    """What has become of the sampled values."""
    if not checked:
        return "its output could not be read"
    values = sum(checked["outcomes"].values())
    flaws = [f"{share(n, values)} {what}" for what, n in checked["outcomes"].items() if what != KEPT]
    if checked["rows"] != events:
        flaws.insert(0, f"{checked['rows']:,} rows of {events:,}")
    return f"no: {', '.join(flaws)}" if flaws else f"yes, all {values:,} of {checked['events']:,} events"


def share(part: int, whole: int) -> str:
    """A small loss must not read as none."""
    return f"{part / whole:.0%}" if part * 100 >= whole else f"{part:,} of {whole:,}"
