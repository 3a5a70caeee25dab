"""The tables, as the functions leave them in Glue and S3 over several exports, and their readers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import scenario
from scenario import Event
from source import cleaned

from local import names, package
from local.engines import HOME, LOGS, Reader
from local.engines.duck import Duck
from local.engines.fusion import Fusion
from local.engines.spark import Spark
from local.engines.trino import Trino
from local.lake import Lake, Table
from local.ministack import MiniStack
from local.mixpanel import MixpanelStandIn
from local.pipeline import Pipeline
from local.process import end_on_signals

STACKS: dict[str, dict[str, str]] = {
    "mixpanel": {},
    "events": {"SchemaType": "multischema"},
    "lines": {"DataFormat": "json"},
}
"""Each is the whole scenario in a database of its own, with these parameters of the template."""
GROUP = "company_id:8372645"
EXPORTS_OF_PROFILES = (0, 1)
"""The chapters in which profiles are exported: the second export replaces the tables of the first."""
PROFILES = {
    names.PEOPLE_TABLE: [scenario.people(chapter) for chapter in EXPORTS_OF_PROFILES],
    "mp_group_company_id_data": [scenario.companies() for _ in EXPORTS_OF_PROFILES],
}
"""The tables of profiles, with what their exports find."""


@dataclass(frozen=True)
class Written:
    """A pipeline after the last export."""

    pipeline: Pipeline
    lake: Lake
    tables: dict[str, Table]
    profiles: dict[str, Table]
    multischema: bool

    def table_of(self, event_name: str) -> str:
        return cleaned(event_name) if self.multischema else names.MASTER_TABLE

    def events_of(self, table: Table) -> list[Event]:
        """What a table should hold."""
        return [event for event in scenario.truth() if self.table_of(event["event"]) == table.name]


@pytest.fixture(scope="session")
def cloud() -> Iterator[MiniStack]:
    end_on_signals()
    with MiniStack(HOME / "aws") as running:
        running.create_artifact_bucket()
        yield running


@pytest.fixture(scope="session")
def written(cloud: MiniStack) -> dict[str, Written]:
    """Every stack's lake, written before an engine looks at any."""
    template = package.prepare()
    return {stack: write(cloud, template, stack, parameters) for stack, parameters in STACKS.items()}


def write(cloud: MiniStack, template: Path, stack: str, parameters: dict[str, str]) -> Written:
    secret = cloud.create_secret(names.USERNAME, names.SECRET, f"mixlake/{stack}")
    pipeline = None
    for number, chapter in enumerate(scenario.chapters()):
        source = HOME / "work" / "source"
        data = scenario.write(chapter.events, source / f"{number}.jsonl")
        people = scenario.write(scenario.people(min(number, 1)), source / f"people-{number}.jsonl")
        groups = {GROUP.partition(":")[2]: scenario.write(scenario.companies(), source / "companies.jsonl")}
        log = LOGS / f"mixpanel-{stack}-{number}.log"
        with MixpanelStandIn(log, data, profiles=people, groups=groups) as mixpanel:
            settings = {
                "ProjectId": names.PROJECT_ID,
                "MixpanelSecretArn": secret,
                "MixpanelEndpoint": mixpanel.endpoint,
                "GlueDatabase": stack,
                "ScheduleState": "DISABLED",
                "DataGroupId": GROUP,
            }
            pipeline = Pipeline.deploy(cloud, template, stack, **settings | parameters)
            for day in chapter.exported:
                pipeline.export({"date": day, "force": True})
            if number < len(EXPORTS_OF_PROFILES):
                pipeline.call({}, "ProfilesFunctionName")
        pipeline.wait_for_catalog()
    assert pipeline is not None
    tables = pipeline.lake.tables()
    profiles = {name: tables[name] for name in PROFILES}
    return Written(pipeline, pipeline.lake, pipeline.lake.event_tables(), profiles, "SchemaType" in parameters)


@pytest.fixture(scope="session")
def readers(cloud: MiniStack, written: dict[str, Written]) -> Iterator[dict[str, Reader]]:
    """All engines at once, over every database: a missing Java is told before any test has run."""
    with ExitStack() as running:
        lakes = [one.lake for one in written.values()]
        engines = (Trino(cloud), Spark(lakes), Duck(lakes), Fusion(lakes))
        yield {engine.name: running.enter_context(engine) for engine in engines}


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, written: dict[str, Written]) -> Written:
    return written[request.param]


@pytest.fixture(params=["Trino", "Spark", "DuckDB", "DataFusion"])
def reader(request: pytest.FixtureRequest, readers: dict[str, Reader]) -> Reader:
    return readers[request.param]


def command_line(written: Written, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the lake, which prints JSON."""
    prefix = written.lake.folder.removesuffix(f"{names.PROJECT_ID}/")
    command = [
        str(names.binary(names.COMMAND_LINE)),
        verb,
        *arguments,
        "--json",
        f"--lake=s3://{written.lake.bucket}/{prefix}",
        f"--set=project_id={names.PROJECT_ID}",
        f"--set=glue_database={written.lake.database}",
    ]
    environment = written.lake.cloud.client_environment()
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def doctor(written: Written, *arguments: str) -> tuple[int, Any]:
    """What the command line's doctor says of the lake: exit code and report."""
    done = command_line(written, "doctor", *arguments)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)
