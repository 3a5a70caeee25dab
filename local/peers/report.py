"""The result for people: tables on the terminal, and the same as Markdown in docs/PERFORMANCE.md."""

import datetime as dt
import os
import platform
from importlib.metadata import version
from pathlib import Path

from local.console import heading, print_table
from local.peers import goals
from local.peers.compare import TURNS, Wish
from local.peers.outcomes import KEPT, SAMPLE
from local.peers.place import DOCUMENT, RESULT
from local.peers.result import Checked, Measured, Result
from local.peers.systems import COMPRESSION

BEGIN = "<!-- bench-peers: written by `make bench-peers` -->"
END = "<!-- bench-peers: end -->"

PEERS = ("duckdb", "pyarrow", "polars", "dlt", "pandas", "chdb")

SYSTEMS = (
    "system",
    "events",
    "CPU s per million",
    "to ours",
    "wall s",
    "peak MB",
    "bytes per event",
    "GB-s per million",
    "sampled values kept?",
)
GOALS = ("goal", "wanted", "this run", "", "from")

Row = list[str]


def show(result: Result, wish: Wish) -> None:
    heading(about(wish))
    print_table(SYSTEMS, [system_row(result, measured) for measured in result.systems])
    heading("Goals, in this run")
    print_table(GOALS, [goal_row(goal) for goal in goals.of(result)])


def write(result: Result, wish: Wish) -> str:
    """Writes the Markdown and says where. A run of fewer events than usual leaves the document alone."""
    text = markdown(result, wish)
    RESULT.write_text(text)
    if wish.rows < Wish.rows or wish.only:
        return f"Written to {RESULT}; {DOCUMENT.name} shows only runs of all systems on {Wish.rows:,} events or more."
    if not replace(DOCUMENT, text):
        return f"Written to {RESULT}; {DOCUMENT} has no lines {BEGIN!r} and {END!r} to put it between."
    return f"Written to {DOCUMENT}."


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
    systems = [system_row(result, measured) for measured in result.systems]
    wanted = [goal_row(goal) for goal in goals.of(result)]
    return "\n".join(
        [f"    {command(wish)}", "", about(wish), "", *table(SYSTEMS, systems), "", *table(GOALS, wanted), ""]
    )


def table(header: tuple[str, ...], rows: list[Row]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


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


def system_row(result: Result, measured: Measured) -> Row:
    title, events = measured.system.title, f"{measured.events:,}"
    if not measured.is_complete:
        return [title, events, *[""] * (len(SYSTEMS) - 3), f"fails: {measured.problem}"]
    ratio = result.cpu_ratio(measured)
    return [
        title,
        events,
        f"{measured.cpu_s_per_million:.1f}",
        f"{ratio:.1f}x" if ratio else "",
        f"{measured.wall_s:.1f}",
        f"{measured.peak_mb:,.0f}",
        f"{measured.bytes_per_event:.0f}" if measured.checked else "",
        f"{measured.gb_s_per_million:.1f}",
        kept(measured.checked, measured.events),
    ]


def kept(checked: Checked | None, events: int) -> str:
    if checked is None:
        return "its output could not be read"
    values = sum(checked.outcomes.values())
    flaws = [f"{share(n, values)} {what}" for what, n in checked.outcomes.items() if what != KEPT]
    if checked.rows != events:
        flaws.insert(0, f"{checked.rows:,} rows of {events:,}")
    return f"no: {', '.join(flaws)}" if flaws else f"yes, all {values:,} of {checked.events:,} events"


def share(part: int, whole: int) -> str:
    """A small loss must not read as none."""
    return f"{part / whole:.0%}" if part * 100 >= whole else f"{part:,} of {whole:,}"


def goal_row(goal: goals.Goal) -> Row:
    value = "" if goal.value is None else f"{goal.value:.2f}{goal.unit}"
    return [goal.text, goal.wanted, value, goal.verdict, goal.reason]
