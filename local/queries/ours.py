"""Our lakes: exported hour by hour, and the same compacted. Made in folders, and put into the bucket as they are."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from local import names
from local.failure import Failure
from local.lake import Lake
from local.process import clean_environment
from local.queries import BUCKET, COMMAND_LINE, COMPRESSION, LOGS
from local.queries.events import HOURS, Events
from local.queries.traffic import CountingStack

HOURLY, COMPACTED = "hourly", "compacted"


def mixlake(log: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
    """What a command reports as JSON."""
    LOGS.mkdir(parents=True, exist_ok=True)
    errors = LOGS / f"{log}.log"
    command = [str(COMMAND_LINE), *arguments, "--json"]
    with errors.open("w") as out:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=out, env=env or clean_environment(), check=False)
    if done.returncode:
        raise Failure(f"mixlake {arguments[0]} ended with {done.returncode}: {errors.read_text()[-800:]}", log=errors)
    return json.loads(done.stdout)


def settings(*more: str) -> list[str]:
    given = (f"project_id={names.PROJECT_ID}", f"compression={COMPRESSION}", *more)
    return [word for setting in given for word in ("--set", setting)]


def days(events: Events) -> list[str]:
    return ["--from-date", events.dates[0], "--to-date", events.dates[-1]]


def export(events: Events, folder: Path) -> None:
    """One slice for each hour of each day."""
    for hour in HOURS:
        print(f"\r  exporting hour {hour:02} of {events.days} days", end="", flush=True)
        given = ["--input", str(events.hour(hour)), "--hour", f"{hour:02}", "--lake", str(folder)]
        mixlake("export", "export", *given, *days(events), *settings())
    print(flush=True)


def compact(events: Events, hourly: Path, folder: Path) -> None:
    """A copy of the lake, compacted: readers of it get nothing else."""
    shutil.copytree(hourly, folder)
    mixlake("compact", "compact", "--lake", str(folder), *days(events), *settings())


def make(events: Events, work: Path) -> dict[str, Path]:
    """The folders of our lakes, made if they are not there."""
    lakes = {HOURLY: work / HOURLY, COMPACTED: work / COMPACTED}
    if not lakes[HOURLY].is_dir():
        whole(lakes[HOURLY], lambda part: export(events, part))
    if not lakes[COMPACTED].is_dir():
        whole(lakes[COMPACTED], lambda part: compact(events, lakes[HOURLY], part))
    return lakes


def whole(folder: Path, make_it: Any) -> None:
    """A folder that is renamed when it is whole."""
    part = folder.with_name(f"part-{folder.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    make_it(part)
    part.rename(folder)


def publish(cloud: CountingStack, folder: Path, database: str) -> Lake:
    """Puts a lake into the bucket, and its tables into the catalog."""
    cloud.client("glue").create_database(DatabaseInput={"Name": database})
    upload(cloud, folder, database)
    place = ["--lake", f"s3://{BUCKET}/{database}"]
    glue = settings(f"glue_database={database}", f"s3_region={names.REGION}", f"glue_region={names.REGION}")
    mixlake("catalog", "catalog", *place, *glue, env=cloud.client_environment())
    return Lake(cloud, BUCKET, f"{database}/{names.PROJECT_ID}/", database)


def upload(cloud: CountingStack, folder: Path, prefix: str) -> None:
    """All but hidden files, and the files of replaced generations, which no reader looks at."""
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if file.is_file() and not hidden and not is_replaced(file):
            cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}/{inside.as_posix()}", Body=file.read_bytes())


def is_replaced(file: Path) -> bool:
    manifest = file.parent.with_name(names.MANIFEST)
    return manifest.is_file() and json.loads(manifest.read_text())["generation"] != file.parent.name
