"""The Athena workgroup of a deployment, and its example queries.

MiniStack's Athena does not read the Glue tables, so DataFusion answers here. It does not know `?`: each test puts its
values into the text.
"""

from collections import Counter, defaultdict
from typing import Any

import pytest
from conftest import STOREFRONT, Deploy, Exported, export
from source import Event, cleaned, day, read_events, without_repeats

from local import names
from local.cloud import s3_parts
from local.pipeline import Pipeline

DAY = "2026-11-10"


def queries(deployed: Pipeline) -> dict[str, Any]:
    athena = deployed.cloud.client("athena")
    ids = athena.list_named_queries(WorkGroup=deployed.outputs["WorkgroupName"])["NamedQueryIds"]
    return {query["Name"]: query for query in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]}


def ask(exported: Exported, name: str, *values: str) -> Any:
    text = queries(exported.pipeline)[name]["QueryString"]
    assert text.count("?") == len(values)
    for value in values:
        text = text.replace("?", value, 1)
    return exported.query(text).rows


def test_a_workgroup_limits_its_queries_and_keeps_results_out_of_the_lake(storefront: Exported) -> None:
    deployed = storefront.pipeline
    found = deployed.cloud.client("athena").get_work_group(WorkGroup=deployed.outputs["WorkgroupName"])["WorkGroup"]
    configuration = found["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] in (True, "true")
    assert int(configuration["BytesScannedCutoffPerQuery"]) == 100_000_000_000
    bucket, folder = s3_parts(configuration["ResultConfiguration"]["OutputLocation"])
    assert (bucket != deployed.lake.bucket, folder) == (True, "")


def test_the_queries_say_which_values_they_need(storefront: Exported) -> None:
    found = queries(storefront.pipeline)
    assert set(found) == {"Count of an event", "Events of each day", "Unique users of each day", "Columns of a table"}
    for query in found.values():
        assert ("?" in query["QueryString"]) == ("Parameter" in query["Description"])
        assert query["Database"] == storefront.pipeline.lake.database


@pytest.fixture(scope="module")
def wanted() -> list[Event]:
    return without_repeats(read_events(STOREFRONT))


def test_an_event_is_counted_by_its_cleaned_name(storefront: Exported, wanted: list[Event]) -> None:
    counts = Counter(cleaned(event["event"]) for event in wanted)
    name = next(name for name in counts if "_" in name)
    assert ask(storefront, "Count of an event", f"'{name}'") == ((counts[name],),)


def test_each_day_has_its_events(storefront: Exported, wanted: list[Event]) -> None:
    counts = Counter(map(day, wanted))
    answer = ask(storefront, "Events of each day", "'2026-11-11'", "'2026-11-12'")
    assert answer == tuple((d, counts[d]) for d in ("2026-11-11", "2026-11-12"))


def test_each_day_has_its_users(storefront: Exported, wanted: list[Event]) -> None:
    users = defaultdict(set)
    for event in wanted:
        users[day(event)].add(event["properties"].get("distinct_id"))
    answer = ask(storefront, "Unique users of each day", "'2026-11-10'", "'2026-11-13'")
    assert answer == tuple((d, len(users[d] - {None})) for d in sorted(users))


def test_a_table_has_its_columns(storefront: Exported) -> None:
    table = storefront.pipeline.lake.tables()[names.MASTER_TABLE]
    answer = ask(storefront, "Columns of a table", f"'{names.MASTER_TABLE}'")
    assert [name for name, _ in answer] == [*(column.name for column in table.columns), names.PARTITION_KEY]


def test_with_a_table_for_each_event_the_table_is_what_to_replace(deploy: Deploy) -> None:
    """The seed's second query."""
    many = export(
        deploy("querymany", STOREFRONT, SchemaType="multischema", GlueTablePrefix="raw_"), {"date": "2026-11-10"}
    )
    found = queries(many.pipeline)
    assert set(found) == {"Count of an event", "Events of each day", "Unique users of each day", "Columns of a table"}
    counts = Counter(cleaned(event["event"]) for event in without_repeats(read_events(STOREFRONT)) if day(event) == DAY)
    for name in ("Count of an event", "Events of each day", "Unique users of each day"):
        query = found[name]
        assert "Replace sign_up" in query["Description"]
        assert '"querymany"."raw_sign_up"' in query["QueryString"]
    event, number = counts.most_common(1)[0]
    text = found["Count of an event"]["QueryString"].replace("sign_up", event)
    assert many.query(text).rows == ((number,),)


def test_a_workgroup_can_be_left_out(deploy: Deploy) -> None:
    plain = deploy("noworkgroup", STOREFRONT, CreateWorkgroup="false")
    assert "WorkgroupName" not in plain.outputs
    athena = plain.cloud.client("athena")
    assert plain.stack not in {group["Name"] for group in athena.list_work_groups()["WorkGroups"]}
    assert not [b for b in plain.cloud.client("s3").list_buckets()["Buckets"] if b["Name"].startswith("noworkgroup-q")]
