"""The names that this package shares with the Rust side and with `template.yaml`, in one place."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

HOME = ROOT / ".local"
"""Everything that this package writes: virtual environment, state, logs. Git ignores it."""

TEMPLATE = ROOT / "template.yaml"
OWNER_TEMPLATE = ROOT / "account.yaml"
"""For the account that owns bucket and catalog, if the functions run in another one."""
SAM_CONFIG = ROOT / "samconfig.toml"
"""What `sam deploy` takes for granted. `make build` keeps the processor in it."""
ZIPS = Path("target") / "lambda"
"""Where `template.yaml` looks for the zip files, from its own folder."""
RUNTIME = "provided.al2023"
EVENTS = ROOT / "events"
DATA = ROOT / "tests" / "data"

FUNCTIONS = ("export-lambda", "catalog-lambda", "maintenance-lambda")
"""Cargo binaries that are Lambda functions."""

STAND_IN = "mixpanel-standin"
COMMAND_LINE = "mixlake"

PROJECT_ID = "2195193"
USERNAME = "mixlake-demo"
SECRET = "not-a-secret-3f9a61"
"""The stand-in's password; it guards nothing. No other text has it, so that a test can look for it everywhere."""

REGION = "us-east-1"
MASTER_TABLE = "mp_master_event"
PARTITION_KEY = "mp_date"
MANIFEST = "_manifest.json"
EXTENSIONS = (".parquet", ".json.gz")
"""How the names of data files end."""
RUNS_TABLE = "mp_export_runs"
"""What each run records about itself, without the catalog's prefix."""
PEOPLE_TABLE = "mp_people_data"
GROUP_TABLES = "mp_group_"
"""How the names of tables of group profiles begin."""
IDENTITIES_TABLE = "mp_identity_mappings_data"
NOT_OF_EVENTS = (RUNS_TABLE, PEOPLE_TABLE, GROUP_TABLES, IDENTITIES_TABLE)
"""How the names of all tables begin that hold no events, without the catalog's prefix."""
ABOUT_RUNS = (f"{RUNS_TABLE}/", "schema/runs.json", "_reports/")
"""Where it does so. Each run adds to it, also one that changes nothing else."""
BUDGET = "_budget/"
"""The folder of the project's query budget, which every query changes: it is no content of the lake."""


def target_folder() -> Path:
    """Where cargo puts what it builds."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def binary(name: str) -> Path:
    """A binary of `cargo build`. The debug profile: the demo must not wait for a release build."""
    return target_folder() / "debug" / name
