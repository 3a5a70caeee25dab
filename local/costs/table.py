"""Prints the costs as Markdown, or writes them into docs/DEPLOY.md."""

import re
from typing import Any

from local import names
from local.costs import bill, measure, prices

ABOUT = (
    f"Dollars a month in us-east-1, at list prices of {prices.TAKEN} (below), without free allowances. Storage is that"
    " of one month's events: what is kept is paid each month. A crawler, Athena and Redshift are not in it."
)
ASSUMED = (
    f"From: {bill.SOURCES} The events of a day are fetched again on {bill.SYNC_DAYS} days, which is most of the Lambda"
    " duration; SyncDays and Sync change it. Assumed, not measured: each export, and each day that is fetched again,"
    f" waits {bill.WAIT_EXPORT} s for Mixpanel and S3, each catalog invocation {bill.WAIT_CATALOG} s, each maintenance"
    f" {bill.WAIT_MAINTENANCE} s; the lake has {bill.LAKE_DAYS} days; compaction takes as long as the export; Lambda"
    f" asks an empty queue {bill.POLLS:,} times a month. Each further second of waiting in each export costs"
    f" {bill.HOURS * bill.EXPORT_GB * prices.LAMBDA_X86.dollars:.2f} a month. Profiles of users are exported once a"
    f" day; a million of them add {bill.million_profiles():.2f} a month, because Mixpanel gives"
    f" {bill.PAGES_PER_SECOND} pages of 1,000 profiles a second."
)
SMALLEST = 0.005
"""Dollars that are a cent when rounded."""
VOLUMES = {"1 M": 1_000_000, "100 M": 100_000_000, "10 B": 10_000_000_000}


DOCUMENT = names.ROOT / "docs" / "DEPLOY.md"
PLACE = re.compile(r"(?<=<!-- costs -->\n\n).*(?=\n\n<!-- end of costs -->)", re.DOTALL)


def show() -> None:
    print(markdown(measure.read()))


def write() -> None:
    text = markdown(measure.read())
    DOCUMENT.write_text(PLACE.sub(lambda _: text, DOCUMENT.read_text()))


def markdown(measured: dict[str, Any]) -> str:
    return "\n\n".join((costs(measured), requests(measured), price_list()))


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def costs(measured: dict[str, Any]) -> str:
    """A row for each price, a column for each volume."""
    bills = [bill.bill(measured, events) for events in VOLUMES.values()]
    rows = [[lines[0].price.what, *(dollars(line.dollars) for line in lines)] for lines in zip(*bills, strict=True)]
    sums = [sum(line.dollars for line in lines) for lines in bills]
    rows.append(["**sum**", *(f"**{dollars(total)}**" for total in sums)])
    arm = [bill.bill(measured, events, prices.LAMBDA_ARM)[0].dollars for events in VOLUMES.values()]
    saved = [arm_cost - lines[0].dollars for arm_cost, lines in zip(arm, bills, strict=True)]
    rows.append(["with Architecture=arm64, if it is as fast", *map(dollars, saved)])
    keys = [sum(line.dollars for line in bill.key_of_ones_own(measured, events)) for events in VOLUMES.values()]
    rows.append(["with a KMS key of one's own, at most", *(f"+{dollars(key)}" for key in keys)])
    return "\n\n".join((ABOUT, table(["", *(f"{volume} events" for volume in VOLUMES)], rows), ASSUMED))


def dollars(amount: float) -> str:
    return f"{amount:,.2f}" if abs(amount) >= SMALLEST or amount == 0 else "< 0.01"


def requests(measured: dict[str, Any]) -> str:
    """The calls of the functions in each part that was measured."""
    parts = [measured[part] for part in measure.PARTS]
    rows = [
        [f"{function}: {name}", *(number(part["calls"][function].get(name, 0), part) for part in parts)]
        for function in measure.GROUPS
        for name in sorted({name for part in parts for name in part["calls"][function]})
    ]
    others = ("written_objects", "notifications")
    rows += [[what.replace("_", " "), *(number(part[what], part) for part in parts)] for what in others]
    day, large = measured["day"], measured["large_hour"]
    numbers = {"day": f"a slice, mean of {day['slices']}", "large_hour": f"a slice of {large['files']} files"}
    header = ["calls", *(measure.PARTS | numbers).values()]
    return "What is called, as `python -m local costs measure` recorded it:\n\n" + table(header, rows)


def number(calls: int, part: dict[str, Any]) -> str:
    return f"{calls / part['slices']:.1f}" if "slices" in part else str(calls)


def price_list() -> str:
    rows = [[price.what, f"{shortest(price.dollars)} per {price.unit}"] for price in prices.ALL]
    return f"List prices of us-east-1, {prices.TAKEN}:\n\n" + table(["price", "dollars"], rows)


def shortest(amount: float) -> str:
    """Two decimals, and more where they say something."""
    text = f"{amount:.10f}".rstrip("0")
    return text if len(text.partition(".")[2]) > 1 else f"{amount:.2f}"
