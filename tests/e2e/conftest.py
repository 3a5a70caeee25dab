"""One local AWS for all tests; each pipeline is a stack of its own in it, so that none sees another's lake."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from local import names, package, pipeline
from local.ministack import MiniStack
from local.mixpanel import MixpanelStandIn
from local.pipeline import Pipeline
from local.process import end_on_signals
from local.query import Engine, Result

HOME = names.HOME / "e2e"
STOREFRONT = names.DATA / "storefront-events.jsonl.gz"
STOREFRONT_PROFILES = names.DATA / "storefront-profiles.jsonl.gz"
QUIRKS = names.DATA / "quirks.jsonl"

Deploy = Callable[..., Pipeline]


@dataclass(frozen=True)
class Exported:
    """A pipeline after its first export, with the report of that export."""

    pipeline: Pipeline
    report: Any

    def query(self, sql: str) -> Result:
        return Engine(self.pipeline.lake).query(sql)


LAST = ("test_rights.py", "test_secrets.py")
"""They look at what all others have done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name in LAST)


@pytest.fixture(scope="session")
def cloud() -> Iterator[MiniStack]:
    end_on_signals()
    with MiniStack(HOME) as running:
        running.create_artifact_bucket()
        yield running


@pytest.fixture(scope="session")
def deploy(cloud: MiniStack) -> Iterator[Deploy]:
    """Deploys the template with a Mixpanel of its own; everything else is the template's default."""
    template = package.prepare()
    with ExitStack() as running:

        def deploy_one(
            stack: str,
            data: Path,
            secret: str = names.SECRET,
            people: Mapping[str, Any] | None = None,
            **parameters: str,
        ) -> Pipeline:
            """`people` is what the stand-in of Mixpanel knows about profiles."""
            log = cloud.logs / f"mixpanel-{stack}.log"
            mixpanel = running.enter_context(MixpanelStandIn(log, data, **people or {}))
            arn = cloud.create_secret(names.USERNAME, secret, f"mixlake/{stack}")
            settings = {
                "ProjectId": names.PROJECT_ID,
                "MixpanelSecretArn": arn,
                "MixpanelEndpoint": mixpanel.endpoint,
                "GlueDatabase": stack,
                # There, but off: a full hour that passes during the tests must not join in.
                "ScheduleState": "DISABLED",
            }
            return Pipeline.deploy(cloud, template, stack, **settings | parameters)

        yield deploy_one


def export(deployed: Pipeline, payload: Any) -> Exported:
    report = deployed.export(payload)
    deployed.wait_for_catalog()
    return Exported(deployed, report)


@pytest.fixture(scope="session")
def storefront(deploy: Deploy) -> Exported:
    return export(deploy("storefront", STOREFRONT), pipeline.payload("backfill"))


def ends_with_an_event(file: Path) -> Path:
    """The same lines with the last event at the end: an export that ends with half a line is incomplete."""
    lines = file.read_bytes().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if b'"$insert_id":"q8"' in line)
    copy = HOME / file.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"".join([*lines[:last], *lines[last + 1 :], lines[last]]))
    return copy


@pytest.fixture(scope="session")
def quirks(deploy: Deploy) -> Exported:
    return export(deploy("quirks", ends_with_an_event(QUIRKS)), {"date": "2025-11-12"})


@pytest.fixture(scope="session")
def kolkata(deploy: Deploy) -> Pipeline:
    """A project half an hour off UTC, in a folder of the bucket, with a prefix before its tables."""
    return deploy("kolkata", STOREFRONT, Timezone="Asia/Kolkata", S3Prefix="exports/mixpanel", GlueTablePrefix="raw_")
