"""The lakes of the other tools, in the same bucket and catalog."""

import io
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from local import names
from local.cloud import Cloud
from local.failure import Failure, tail
from local.lake import Lake
from local.process import clean_environment
from local.queries import BUCKET, LOGS, PEERS_PYTHON, ours
from local.queries.events import Events
from local.queries.traffic import CountingStack

NAMES = ("duckdb", "dlt", "awswrangler")
IN_BUCKET = ("awswrangler",)
"""It writes to S3 only."""

HIVE = "org.apache.hadoop.hive.ql.io.parquet"


def make(events: Events, work: Path) -> dict[str, Path]:
    """The folders of those that write to folders, made if they are not there."""
    folders = {name: work / name for name in NAMES if name not in IN_BUCKET}
    for name, folder in folders.items():
        if not folder.is_dir():
            print(f"  {name} writes", flush=True)
            ours.whole(folder, lambda part, name=name: write(name, database(events), str(part), events))
    return folders


def database(events: Events) -> Path:
    """All events in a database of DuckDB, read once."""
    file = events.folder / "events.duckdb"
    if not file.is_file():
        print("  DuckDB reads the events", flush=True)
        part = file.with_name("part.duckdb")
        part.unlink(missing_ok=True)
        run("read", str(part), str(events.types), *map(str, events.hours))
        part.rename(file)
    return file


def write(name: str, source: Path, out: str, events: Events, cloud: Cloud | None = None) -> None:
    run(name, str(source), out, *events.dates, env=cloud.client_environment() if cloud else {})


def run(name: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"writer-{name}.log"
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "PYTHONPATH": str(names.ROOT)}
    command = [str(PEERS_PYTHON), "-m", "local.queries.writers", name, *arguments]
    with log.open("w") as out:
        done = subprocess.run(
            command, stdout=out, stderr=out, env=clean_environment(**(env or {}), **quiet), check=False
        )
    if done.returncode:
        raise Failure(f"{name} did not write:\n{tail(log)}", log=log)


def publish(cloud: CountingStack, name: str, folder: Path | None, events: Events) -> Lake:
    """Puts the files into the bucket, and a table with a partition for each day into the catalog."""
    prefix = f"{name}/events/"
    if folder is None:
        print(f"  {name} writes", flush=True)
        write(name, database(events), f"s3://{BUCKET}/{prefix}", events, cloud)
    else:
        ours.upload(cloud, folder, prefix.rstrip("/"))
    lake = Lake(cloud, BUCKET, prefix, name)
    register(lake, name)
    return lake


def register(lake: Lake, name: str) -> None:
    glue, files = lake.cloud.client("glue"), [o["Key"] for o in lake.objects() if o["Key"].endswith(".parquet")]
    schema = pq.read_schema(io.BytesIO(lake.read(files[0])))
    place = {
        "Columns": [{"Name": field.name, "Type": glue_type(field)} for field in schema],
        "Location": f"s3://{BUCKET}/{lake.folder}",
        "InputFormat": f"{HIVE}.MapredParquetInputFormat",
        "OutputFormat": f"{HIVE}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{HIVE}.serde.ParquetHiveSerDe"},
    }
    glue.create_database(DatabaseInput={"Name": name})
    table = {
        "Name": names.MASTER_TABLE,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "PartitionKeys": [{"Name": names.PARTITION_KEY, "Type": "string"}],
        "StorageDescriptor": place,
    }
    glue.create_table(DatabaseName=name, TableInput=table)
    folders = sorted({key.rpartition("/")[0] for key in files})
    partitions: list[Any] = [
        {
            "Values": [folder.rpartition(f"{names.PARTITION_KEY}=")[2]],
            "StorageDescriptor": place | {"Location": f"s3://{BUCKET}/{folder}"},
        }
        for folder in folders
    ]
    glue.batch_create_partition(DatabaseName=name, TableName=names.MASTER_TABLE, PartitionInputList=partitions)


def glue_type(field: pa.Field) -> str:
    kind = field.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "string"
    known = {pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean"}
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if kind not in known:
        raise Failure(f"column {field.name} has the type {kind}, for which there is no type in the catalog here")
    return known[kind]
