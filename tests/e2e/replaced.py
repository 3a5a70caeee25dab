"""Files that were replaced: those of tables that no manifest lists. Tests of maintenance share this."""

import json
from typing import Any

from small_run import MAINTENANCE, live_keys

from local import names
from local.lake import Lake
from local.pipeline import Pipeline

HIDDEN = "_"
"""How the names of folders begin that are no tables."""


def replaced_files(lake: Lake) -> set[str]:
    found = {item["Key"] for item in lake.objects() if item["Key"].endswith(names.EXTENSIONS)}
    tables = {key for key in found if not key.removeprefix(lake.folder).startswith(HIDDEN)}
    return tables - {key for manifest in lake.manifests().items() for key in live_keys(*manifest)}


def maintain(deployed: Pipeline) -> Any:
    """A run of the function, with the payload of its schedule."""
    schedule = deployed.cloud.client("scheduler").get_schedule(Name=deployed.outputs["MaintenanceScheduleName"])
    text = schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-14T04:50:00Z")
    return deployed.invoke(json.loads(text), MAINTENANCE)
