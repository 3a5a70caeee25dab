"""What a month costs: the arithmetic, and counts that still are those of the functions."""

from collections.abc import Callable

import pytest
from conftest import STOREFRONT, Deploy

from local import names
from local.costs import bill, measure, prices, table
from local.costs.bill import Counts
from local.rights import s3

MEASURED = measure.read()


def test_a_bill_is_counts_times_prices() -> None:
    lines = {line.price: line for line in bill.bill(MEASURED, prices.MILLION)}
    writes = monthly(lambda part: bill.counts(MEASURED[part]).writes)
    assert lines[prices.S3_WRITE].quantity == pytest.approx(writes)
    assert lines[prices.S3_WRITE].dollars == pytest.approx(writes * 0.005 / 1000)
    assert lines[prices.S3_STORAGE].quantity == pytest.approx(0.148)
    assert lines[prices.SECRET].dollars == 0.40
    messages = monthly(lambda part: MEASURED[part]["notifications"])
    assert lines[prices.SQS].quantity == pytest.approx(messages * 3 + 657_000)
    assert lines[prices.SCHEDULER].quantity == pytest.approx(730 * 3 + 730 / 24)


def monthly(of: Callable[[str], float]) -> float:
    """Each hour a slice, a run of the sync and one of the profiles; each day a sync of a closed day and nine equal
    ones, an export of profiles, and maintenance.
    """
    closed, equal = (of(part) - of("idle_sync") for part in ("closed_day", "equal_day"))
    profiles = of("profiles") - of("idle_profiles")
    hours = of("day") + 24 * (of("idle_sync") + of("idle_profiles"))
    return 730 / 24 * (hours + closed + 9 * equal + profiles + of("maintenance"))


def test_each_event_is_exported_once_and_fetched_again_by_each_sync() -> None:
    small, large = (bill.bill(MEASURED, events)[0].quantity for events in (prices.MILLION, 2 * prices.MILLION))
    # The last one is its compaction.
    assert large - small == pytest.approx((1 + 10 + 1) * bill.GB_SECONDS_PER_MILLION)


def test_more_events_cost_more_only_where_they_need_more() -> None:
    one, hundred, many = (bill.bill(MEASURED, events) for events in table.VOLUMES.values())
    for small, middle, large in zip(one, hundred, many, strict=True):
        assert small.dollars <= middle.dollars <= large.dollars, small.price
    writes = [bill.month(MEASURED, events).writes for events in table.VOLUMES.values()]
    assert bill.further_files(table.VOLUMES["100 M"], bill.HOURS) == 0, "an hour has one file"
    assert writes[0] < writes[1], "a day has several, which are fetched again and compacted"
    assert writes[2] > 10 * writes[1]


def test_a_further_file_needs_what_the_large_hour_needs_more() -> None:
    large = MEASURED["large_hour"]
    parts = large["calls"]["export"]["s3:UploadPart"]
    assert large["files"] > 1
    assert bill.per_file(MEASURED).writes >= parts / large["files"]
    assert bill.per_file(MEASURED).messages >= 1


def test_every_recorded_call_is_counted_once() -> None:
    recorded = {name for part in measure.PARTS for calls in MEASURED[part]["calls"].values() for name in calls}
    of_s3 = {name.partition(":")[2] for name in recorded if name.startswith("s3:")}
    assert of_s3 <= set(s3.ACTIONS)
    assert {name.partition(":")[0] for name in recorded} <= {"s3", "glue", "secretsmanager"}
    day = bill.counts(MEASURED["day"])
    total = sum(number for calls in MEASURED["day"]["calls"].values() for number in calls.values())
    assert day.writes + day.reads + day.glue + day.secrets == total


def test_counts_add_up() -> None:
    assert Counts(writes=1, log_bytes=10).plus(Counts(writes=2), 3) == Counts(writes=7, log_bytes=10)


def test_the_table_has_each_volume_each_price_and_each_call() -> None:
    text = table.markdown(MEASURED)
    for volume in table.VOLUMES:
        assert f"{volume} events" in text
    for price in prices.ALL:
        assert price.what in text
    for part in measure.PARTS:
        for function, calls in MEASURED[part]["calls"].items():
            for name in calls:
                assert f"| {function}: {name} |" in text
    assert prices.TAKEN in text


def test_the_numbers_of_the_performance_page_are_there() -> None:
    page = (names.ROOT / "docs" / "PERFORMANCE.md").read_text()
    assert f"| snappy | 1.98 | {bill.BYTES_PER_EVENT} |" in page


COMPARED = ("writes", "reads", "glue", "secrets", "objects")


def test_a_slice_still_calls_about_what_was_measured(deploy: Deploy) -> None:
    """When this fails, run `python -m local costs measure`, and put the new table where the old one is.

    Hours differ, by what happened in them and by which notifications came together: two of them are no day.
    """
    deployed = deploy(measure.STACK, STOREFRONT)
    measure.run(deployed, {"scheduled_time": measure.scheduled(0)})
    found = measure.watched(deployed, [{"scheduled_time": measure.scheduled(number)} for number in (1, 2)])
    now, then = Counts().plus(bill.counts(found), 1 / 2), bill.per_slice(MEASURED)
    compared = {name: (getattr(now, name), getattr(then, name)) for name in COMPARED}
    assert {name: pair for name, pair in compared.items() if not pair[1] / 2 <= pair[0] <= pair[1] * 2} == {}
