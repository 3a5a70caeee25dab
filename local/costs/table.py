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
    f"From: {bill.SOURCES} Assumed, not measured: each export waits {bill.WAIT_EXPORT} s for Mixpanel and S3, and each"
    f" catalog invocation {bill.WAIT_CATALOG} s; Lambda asks an empty queue {bill.POLLS:,} times a month. Each further"
    f" second of waiting in each export costs {bill.HOURS * bill.EXPORT_GB * prices.LAMBDA_X86.dollars:.2f} a month."
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
    """The calls of the functions: in a usual slice, and in one with several files."""
    day, large = measured["day"], measured["large_hour"]
    rows = [
        [f"{function}: {name}", mean(calls.get(name, 0), day), str(large["calls"][function].get(name, 0))]
        for function, calls in day["calls"].items()
        for name in all_names(measured, function)
    ]
    others = ("written_objects", "notifications")
    rows += [[what.replace("_", " "), mean(day[what], day), str(large[what])] for what in others]
    header = ["calls", f"a slice, mean of {day['slices']}", f"a slice of {large['files']} files"]
    return "What one hourly slice calls, as `python -m local costs measure` recorded it:\n\n" + table(header, rows)


def mean(number: int, day: dict[str, Any]) -> str:
    return f"{number / day['slices']:.1f}"


def all_names(measured: dict[str, Any], function: str) -> list[str]:
    return sorted({name for part in ("day", "large_hour") for name in measured[part]["calls"][function]})


def price_list() -> str:
    rows = [[price.what, f"{shortest(price.dollars)} per {price.unit}"] for price in prices.ALL]
    return f"List prices of us-east-1, {prices.TAKEN}:\n\n" + table(["price", "dollars"], rows)


def shortest(amount: float) -> str:
    """Two decimals, and more where they say something."""
    text = f"{amount:.10f}".rstrip("0")
    return text if len(text.partition(".")[2]) > 1 else f"{amount:.2f}"
