"""`make demo`: the whole way of an event, on one machine, for a person to watch."""

import signal
import textwrap
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local import names, package, pipeline
from local.cloud import Cloud
from local.console import Steps, heading, print_answer, print_table
from local.failure import Failure
from local.lake import Lake, Table
from local.ministack import MiniStack
from local.mixpanel import MixpanelStandIn
from local.pipeline import Pipeline
from local.query import Engine, Result
from local.running import Owner, running_endpoint, stop_owner

HOME = names.HOME / "demo"
LOGS = HOME / "logs"
DEPLOYED = HOME / "deployed"
"""There once there is something to look at; the next demo starts without it."""
DATA = names.DATA / "storefront-events.jsonl.gz"
PROFILES = names.DATA / "storefront-profiles.jsonl.gz"
COUNT = "SELECT count(*) FROM mixpanel.mp_master_event WHERE mp_event_name = 'add_to_cart'"
PER_DAY = (
    "SELECT mp_date, count(*) AS events, count(DISTINCT distinct_id) AS people, min(time) AS first, max(time) AS last"
    " FROM mixpanel.mp_master_event GROUP BY mp_date ORDER BY mp_date"
)
PER_RUN = (
    "SELECT slice, why, status, received, written, duplicates, queries, round(seconds, 1) AS seconds"
    f" FROM mixpanel.{names.RUNS_TABLE} ORDER BY began"
)
OF_A_PERSON = (
    f"FROM mixpanel.mp_master_event e LEFT JOIN mixpanel.{names.IDENTITIES_TABLE} m ON e.distinct_id = m.distinct_id"
)
PEOPLE = (
    "SELECT count(DISTINCT e.distinct_id) AS distinct_ids,"
    f" count(DISTINCT coalesce(m.resolved_distinct_id, e.distinct_id)) AS people {OF_A_PERSON}"
)
PER_PERSON = (
    f"SELECT p.mp_name AS name, p.title, count(*) AS added {OF_A_PERSON}"
    f" JOIN mixpanel.{names.PEOPLE_TABLE} p ON p.distinct_id = coalesce(m.resolved_distinct_id, e.distinct_id)"
    " WHERE e.mp_event_name = 'add_to_cart' GROUP BY p.mp_name, p.title ORDER BY added DESC, name LIMIT 5"
)
COUNTS = ("received", "written", "duplicates", "quarantined", "bytes")


def run() -> None:
    """Deploys, exports, catalogs, queries, and exports again. Leaves files, and no process."""
    owner = Owner(HOME)
    steps = Steps(10, LOGS / "error.log")
    print("Mixpanel events and profiles become tables that one can query. Everything happens on this machine.\n")
    with steps.step("packing the functions"):
        template = package.prepare()
    with ExitStack() as running:
        with steps.step("starting the stand-ins of AWS and Mixpanel"):
            cloud = running.enter_context(MiniStack(HOME))
            mixpanel = running.enter_context(MixpanelStandIn(LOGS / "mixpanel.log", DATA, profiles=PROFILES))
            owner.announce(cloud.endpoint)
        with steps.step("deploying template.yaml"):
            stack = deploy(cloud, template, mixpanel)
            DEPLOYED.touch()
        show_pipeline(stack, steps)
    show_way_on(stack.lake)


def deploy(cloud: MiniStack, template: Path, mixpanel: MixpanelStandIn) -> Pipeline:
    """What a user does by hand: a secret, a bucket for the code, `sam deploy`."""
    cloud.create_artifact_bucket()
    secret = cloud.create_secret(names.USERNAME, names.SECRET)
    # The schedule is there but off: a full hour that passes during the demo must not join in.
    return Pipeline.deploy(
        cloud,
        template,
        ProjectId=names.PROJECT_ID,
        MixpanelSecretArn=secret,
        MixpanelEndpoint=mixpanel.endpoint,
        ScheduleState="DISABLED",
    )


def show_pipeline(stack: Pipeline, steps: Steps) -> None:
    payload = pipeline.payload("backfill")
    days = f"{payload['from_date']} to {payload['to_date']}"
    with steps.step(f"exporting {days}"):
        report = stack.export(payload)
    show_slices(report)
    with steps.step("letting the S3 notifications bring the Glue catalog up to date"):
        stack.wait_for_catalog()
        table = stack.lake.tables()[names.MASTER_TABLE]
    show_table(stack.lake, table)
    ask(stack.lake, steps, "asking three questions, with schema and places from the catalog", COUNT, PER_DAY, PER_RUN)
    with steps.step(f"fetching and exporting {days} again"):
        again = repeat(stack, payload)
    show_repeat(again)
    show_people(stack, steps)


def show_people(stack: Pipeline, steps: Steps) -> None:
    """The other tables: who the people are, and which identifiers belong to one of them."""
    with steps.step("exporting the profiles of all people"):
        report = stack.call({}, "ProfilesFunctionName")
    show_profiles(report)
    with steps.step("finding the identifiers of one person, by what the events carry"):
        stack.call({}, "MaintenanceFunctionName")
        stack.wait_for_catalog()
    ask(stack.lake, steps, "asking two questions about people", PEOPLE, PER_PERSON)


def ask(lake: Lake, steps: Steps, what: str, *queries: str) -> None:
    with steps.step(what):
        engine = Engine(lake)
        answers = [(sql, engine.query(sql)) for sql in queries]
    for sql, answer in answers:
        show_answer(sql, answer)


def show_slices(report: Mapping[str, Any]) -> None:
    heading("Slices, as the export function reports them")
    header = ("slice", "status", *COUNTS, "new columns", "objects")
    print_table(
        header,
        [slice_row(part["slice"], part["status"], part) for part in report["slices"]]
        + [slice_row("sum", "", report["totals"])],
    )
    sums = report["totals"]
    print(
        f"\n  {sums['received']:,} received = {sums['written']:,} written + {sums['duplicates']:,} duplicates removed"
        f" + {sums['quarantined']:,} quarantined\n"
    )


def show_profiles(report: Mapping[str, Any]) -> None:
    heading("Profiles, as the profiles function reports them")
    rows = [(one["table"], one["status"], *(one[count] for count in COUNTS)) for one in report["tables"]]
    print_table(("table", "status", *COUNTS), rows)
    print()


def slice_row(name: str, status: str, counts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Slices list their columns and objects; the sum only counts them."""
    sizes = [value if isinstance(value, int) else len(value) for value in (counts["new_columns"], counts["objects"])]
    return (name, status, *(counts[count] for count in COUNTS), *sizes)


def show_table(lake: Lake, table: Table) -> None:
    heading(f"Glue table {lake.database}.{table.name}: {len(table.columns)} columns")
    print_table(("column", "type", "property in Mixpanel"), [(c.name, c.type, c.property) for c in table.columns])
    heading(f"Its partitions by {names.PARTITION_KEY}")
    rows = [(p.value, lake.file_count(p), p.location) for p in table.partitions]
    print_table((names.PARTITION_KEY, "files", "location"), rows)
    print()


def show_answer(sql: str, answer: Result) -> None:
    heading("> " + "\n    ".join(textwrap.wrap(sql, 110)))
    print_table(answer.columns, answer.rows)
    print()


def repeat(stack: Pipeline, payload: Any) -> Any:
    """Runs the same export once more; nothing that a reader could notice may have changed."""
    before = stack.lake.snapshot()
    report = stack.export(payload | {"force": True})
    stack.wait_for_catalog()
    changes = before.changes(stack.lake.snapshot())
    if changes:
        raise Failure("the second export changed the lake:\n  " + "\n  ".join(changes[:8]), log=LOGS)
    return report


def show_repeat(report: Mapping[str, Any]) -> None:
    statuses = sorted({part["status"] for part in report["slices"]})
    print(
        f"\n  {len(report['slices'])} slices {' and '.join(statuses)}: the same objects, the same manifests,"
        " the same version of the table\n"
    )


def show_way_on(lake: Lake) -> None:
    print(f"""Nothing is left running. To look around:

  the objects    {(HOME / "s3").relative_to(names.ROOT)}/ (Parquet files, manifests, schema/events.json)
  ask again      make demo-query SQL="SELECT DISTINCT mp_event_name FROM {lake.database}.{names.MASTER_TABLE}"
  keep it up     make demo-up    (for AWS tools, until Ctrl-C or make demo-stop)
  the logs       {LOGS.relative_to(names.ROOT)}/
  start afresh   make demo""")


def query(sql: str) -> None:
    """Answers from the stand-ins that run, or starts the demo's state for a moment."""
    if not sql.strip():
        raise Failure("there is no query", advice=f'make demo-query SQL="{COUNT}"')
    endpoint = running_endpoint(HOME)
    if endpoint is not None:
        show_query(Cloud(endpoint), sql)
        return
    owner = Owner(HOME)
    with kept_state() as cloud:
        owner.announce(cloud.endpoint)
        show_query(cloud, sql)


def show_query(cloud: Cloud, sql: str) -> None:
    answer = Engine(Pipeline.of_stack(cloud, LOGS).lake).query(sql)
    print_answer(answer.columns, answer.rows)


def up() -> None:
    """Runs the stand-ins in the foreground: who wants them gone presses Ctrl-C."""
    owner = Owner(HOME)
    with kept_state() as cloud:
        owner.announce(cloud.endpoint)
        lake = Pipeline.of_stack(cloud, LOGS).lake
        print(
            f"""The demo's AWS answers on {cloud.endpoint} until Ctrl-C. For AWS tools in another terminal:

  export AWS_ENDPOINT_URL={cloud.endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION={names.REGION}
  aws s3 ls --recursive s3://{lake.bucket}/
  aws glue get-table --database-name {lake.database} --name {names.MASTER_TABLE}""",
            flush=True,
        )
        signal.pause()


def kept_state() -> MiniStack:
    if not DEPLOYED.is_file():
        raise Failure("there is no demo to look at yet", advice="make demo")
    return MiniStack(HOME, keep=True)


def stop() -> None:
    ended = stop_owner(HOME)
    print("The stand-ins have ended." if ended else "Nothing is running.")
