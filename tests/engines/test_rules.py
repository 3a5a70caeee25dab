"""What Trino forgives and Athena does not, and what Spectrum cannot read: checks of our own."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Written, doctor

from local import names
from local.cloud import s3_parts
from local.engines import Reader
from local.lake import Partition, Table


@pytest.fixture
def lake(written: dict[str, Written]) -> Written:
    return written["mixpanel"]


def problems(report: Any) -> list[tuple[str, str]]:
    return [(f["kind"], f["subject"]) for f in report["findings"] if f["severity"] == "problem"]


def glue_partition(lake: Written, partition: Partition) -> dict[str, Any]:
    """A partition's input, as a tool reads it to write it back."""
    answer = lake.lake.cloud.client("glue").get_partition(
        DatabaseName=lake.lake.database, TableName=names.MASTER_TABLE, PartitionValues=[partition.value]
    )["Partition"]
    return {key: answer[key] for key in ("Values", "StorageDescriptor", "Parameters") if key in answer}


def set_partition(lake: Written, given: dict[str, Any]) -> None:
    answer = lake.lake.cloud.client("glue").batch_update_partition(
        DatabaseName=lake.lake.database,
        TableName=names.MASTER_TABLE,
        Entries=[{"PartitionValueList": given["Values"], "PartitionInput": given}],
    )
    assert answer.get("Errors", []) == []


def table(lake: Written) -> Table:
    return lake.lake.tables()[names.MASTER_TABLE]


def test_nothing_is_wrong_with_what_the_functions_left(stack: Written) -> None:
    code, report = doctor(stack, "--deep")
    assert (code, problems(report)) == (0, [])


def test_a_partition_with_columns_of_another_type_is_found_and_put_right(
    lake: Written, readers: dict[str, Reader]
) -> None:
    partition = table(lake).partitions[0]
    before = glue_partition(lake, partition)
    storage = before["StorageDescriptor"] | {"Columns": [{"Name": "wide_1", "Type": "bigint"}]}
    set_partition(lake, before | {"StorageDescriptor": storage})
    try:
        sql = f"SELECT count(wide_1), count(*) FROM mixpanel.mp_master_event WHERE mp_date = '{partition.value}'"
        assert readers["Trino"].rows(sql) == [(0, 140)], "Trino forgives it"
        code, report = doctor(lake)
        assert (code, problems(report)) == (1, [("partition_column", partition.value)])
        assert any("Athena refuses" in finding["text"] for finding in report["findings"])
        code, report = doctor(lake, "--repair")
        assert (code, problems(report)) == (0, [])
        assert glue_partition(lake, partition)["StorageDescriptor"].get("Columns", []) == []
    finally:
        set_partition(lake, before)


def test_whole_numbers_under_a_double_are_found(lake: Written, readers: dict[str, Reader]) -> None:
    partition = table(lake).partitions[2]
    bucket, prefix = s3_parts(partition.location.rstrip("/") + "/")
    key = next(o["Key"] for o in lake.lake.objects(prefix.removeprefix(lake.lake.folder)))
    before = lake.lake.read(key)
    read = pq.read_table(io.BytesIO(before))
    place = read.schema.get_field_index("late")
    whole = read.set_column(place, "late", read.column("late").cast(pa.int64()))
    body = io.BytesIO()
    pq.write_table(whole, body, coerce_timestamps="ms")
    s3 = lake.lake.cloud.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=body.getvalue())
    try:
        sql = f"SELECT sum(late) FROM mixpanel.mp_master_event WHERE mp_date = '{partition.value}'"
        assert readers["Trino"].rows(sql) == [(sum(range(90)),)], "Trino forgives it"
        code, report = doctor(lake)
        assert code == 1
        assert ("file_type", "late") in problems(report)
        assert ("several_types", "late") in problems(report)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=before)
    assert doctor(lake)[0] == 0
