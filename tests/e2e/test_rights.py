"""Least privilege: what the functions did, their roles allow, and their roles allow nothing else.

These tests run last (conftest.py). They look at the calls of all tests of the session, besides those of a run of their
own, in which each right is taken away once.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from conftest import Deploy
from small_run import (
    DELETED_DAY,
    DELETED_DAYS,
    FIRST_HOUR,
    FIRST_TABLE,
    MOVED_DAY,
    NEW_COLUMN,
    OLD_FOLDER,
    STEPS,
    Step,
    deploy_quietly,
)

from local import names
from local.ministack import MiniStack
from local.pipeline import Pipeline
from local.rights import calls
from local.rights.calls import Call, Judge
from local.rights.policy import Document, decide, like, listed, statements
from local.rights.right import Right
from local.rights.roles import HOME_ACCOUNT, Account, Role

TEMPLATES = sorted(names.ROOT.glob("*.yaml"))
Allowed = tuple[str, str, str]
"""A role by its name in the template, a statement by its Sid, and an action of it."""

TRIALS: dict[Allowed, Step] = {
    ("ExportRole", "ReadTheMixpanelAccount", "secretsmanager:GetSecretValue"): FIRST_HOUR,
    ("ExportRole", "WriteTheLake", "s3:GetObject"): FIRST_HOUR,
    ("ExportRole", "TellMissingFromDenied", "s3:ListBucket"): FIRST_HOUR,
    ("ExportRole", "WriteTheLake", "s3:PutObject"): FIRST_HOUR,
    ("CatalogRole", "ReadTheLake", "s3:GetObject"): FIRST_TABLE,
    ("CatalogRole", "TellMissingFromDenied", "s3:ListBucket"): DELETED_DAY,
    ("CatalogRole", "KeepTheTables", "glue:GetTable"): FIRST_TABLE,
    ("CatalogRole", "KeepTheTables", "glue:CreateTable"): FIRST_TABLE,
    ("CatalogRole", "KeepTheTables", "glue:BatchGetPartition"): FIRST_TABLE,
    ("CatalogRole", "KeepTheTables", "glue:BatchCreatePartition"): FIRST_TABLE,
    ("CatalogRole", "KeepTheTables", "glue:BatchUpdatePartition"): MOVED_DAY,
    ("MaintenanceRole", "ListObjectsAndUploads", "s3:ListBucket"): OLD_FOLDER,
    ("MaintenanceRole", "WriteTheLake", "s3:GetObject"): OLD_FOLDER,
    ("MaintenanceRole", "ReadTheTables", "glue:GetTables"): OLD_FOLDER,
    ("MaintenanceRole", "ReadTheTables", "glue:GetTable"): OLD_FOLDER,
    ("MaintenanceRole", "ReadTheTables", "glue:GetPartitions"): OLD_FOLDER,
    ("MaintenanceRole", "ReadTheTables", "glue:BatchGetPartition"): OLD_FOLDER,
    ("MaintenanceRole", "WriteTheLake", "s3:PutObject"): OLD_FOLDER,
    ("MaintenanceRole", "DeleteReplacedFiles", "s3:DeleteObject"): OLD_FOLDER,
    ("MaintenanceRole", "ListObjectsAndUploads", "s3:ListBucketMultipartUploads"): OLD_FOLDER,
    ("CatalogRole", "KeepTheTables", "glue:UpdateTable"): NEW_COLUMN,
    ("CatalogRole", "KeepTheTables", "glue:DeletePartition"): DELETED_DAY,
    ("CatalogRole", "KeepTheTables", "glue:BatchDeletePartition"): DELETED_DAYS,
}
"""The step that fails without the right. The order is that in which a step comes to need them."""

BY_LAMBDA = "Lambda does this with the role of the function; the stand-in does it without asking"
BY_SCHEDULER = "the Scheduler does this with its role; the stand-in does it without asking"
BY_STEP_FUNCTIONS = "Step Functions does this with its role; tests/e2e/test_backfill_machine.py takes it away"
BY_EVENTBRIDGE = "EventBridge does this with the role; tests/e2e/test_owner_stack.py takes it away"
OF_A_MAP = "AWS documents that a distributed map needs it; the stand-in does it without asking"
TRACES_OF_A_MACHINE = "AWS documents that a machine that X-Ray traces needs it; the stand-in traces none"
SMALLER = "the functions call the same with their own roles in small_run.py; the run in two accounts is smaller"
FORMER_KEY = "only for objects of an earlier key; test_two_accounts.py reads such with the owner's role"
REASONS: dict[Allowed, str] = {
    ("ExportRole", "WriteTheLake", "s3:AbortMultipartUpload"): (
        "only for an upload of more than 16 MiB that fails; crates/store-s3 tests it"
    ),
    ("ExportRole", "ClearStagedFiles", "s3:DeleteObject"): (
        "only for a file of more than 48 MiB, which is staged first; crates/app tests it"
    ),
    ("ExportRole", "KeepFailedSlices", "sqs:SendMessage"): BY_LAMBDA,
    ("ExportRole", "WriteLogs", "logs:CreateLogStream"): BY_LAMBDA,
    ("ExportRole", "WriteLogs", "logs:PutLogEvents"): BY_LAMBDA,
    ("ExportRole", "WriteTraces", "xray:PutTraceSegments"): BY_LAMBDA,
    ("ExportRole", "WriteTraces", "xray:PutTelemetryRecords"): BY_LAMBDA,
    ("CatalogRole", "WriteTraces", "xray:PutTraceSegments"): BY_LAMBDA,
    ("CatalogRole", "WriteTraces", "xray:PutTelemetryRecords"): BY_LAMBDA,
    ("CatalogRole", "TakeFromTheQueue", "sqs:ReceiveMessage"): BY_LAMBDA,
    ("CatalogRole", "TakeFromTheQueue", "sqs:DeleteMessage"): BY_LAMBDA,
    ("CatalogRole", "TakeFromTheQueue", "sqs:ChangeMessageVisibility"): BY_LAMBDA,
    ("CatalogRole", "TakeFromTheQueue", "sqs:GetQueueAttributes"): BY_LAMBDA,
    ("CatalogRole", "WriteLogs", "logs:CreateLogStream"): BY_LAMBDA,
    ("CatalogRole", "WriteLogs", "logs:PutLogEvents"): BY_LAMBDA,
    ("CatalogRole", "KeepTheTables", "glue:GetPartition"): (
        "only if another writer adds a partition at the same moment; crates/catalog-glue tests that race"
    ),
    ("CatalogRole", "RemoveViews", "glue:DeleteTable"): (
        "to remove views; without it they stay as they are, and no object fails (crates/runtime/tests)"
    ),
    ("MaintenanceRole", "WriteTheLake", "s3:AbortMultipartUpload"): (
        "only for uploads of runs that were killed two days ago; crates/store-s3 tests it"
    ),
    ("MaintenanceRole", "ReadTheTables", "glue:GetPartition"): (
        "only for a day with replaced files that lost its partition at that moment; crates/catalog-glue tests it"
    ),
    ("MaintenanceRole", "WriteLogs", "logs:CreateLogStream"): BY_LAMBDA,
    ("MaintenanceRole", "WriteLogs", "logs:PutLogEvents"): BY_LAMBDA,
    ("MaintenanceRole", "WriteTraces", "xray:PutTraceSegments"): BY_LAMBDA,
    ("MaintenanceRole", "WriteTraces", "xray:PutTelemetryRecords"): BY_LAMBDA,
    ("MaintenanceRole", "DecryptFormerObjects", "kms:Decrypt"): FORMER_KEY,
    ("ScheduleRole", "", "lambda:InvokeFunction"): BY_SCHEDULER,
    ("ScheduleRole", "", "sqs:SendMessage"): BY_SCHEDULER,
    ("BackfillRole", "InvokeTheExport", "lambda:InvokeFunction"): BY_STEP_FUNCTIONS,
    ("BackfillRole", "StartSlices", "states:StartExecution"): BY_STEP_FUNCTIONS,
    ("BackfillRole", "FollowSlices", "states:DescribeExecution"): OF_A_MAP,
    ("BackfillRole", "FollowSlices", "states:StopExecution"): OF_A_MAP,
    ("BackfillRole", "WriteTraces", "xray:PutTraceSegments"): TRACES_OF_A_MACHINE,
    ("BackfillRole", "WriteTraces", "xray:PutTelemetryRecords"): TRACES_OF_A_MACHINE,
    ("BackfillRole", "WriteTraces", "xray:GetSamplingRules"): TRACES_OF_A_MACHINE,
    ("BackfillRole", "WriteTraces", "xray:GetSamplingTargets"): TRACES_OF_A_MACHINE,
    ("ExportRole", "DecryptFormerObjects", "kms:Decrypt"): FORMER_KEY,
    ("ExportRole", "DecryptTheMixpanelAccount", "kms:Decrypt"): (
        "Secrets Manager uses it for a secret with a key; the stand-in encrypts no secret"
    ),
    ("ForwardRole", "", "events:PutEvents"): BY_EVENTBRIDGE,
    ("GlueRole", "KeepTheTables", "glue:GetPartition"): SMALLER,
    ("GlueRole", "KeepTheTables", "glue:BatchUpdatePartition"): SMALLER,
    ("GlueRole", "RemoveViews", "glue:DeleteTable"): SMALLER,
    ("GlueRole", "KeepTheTables", "glue:DeletePartition"): SMALLER,
    ("GlueRole", "KeepTheTables", "glue:BatchDeletePartition"): SMALLER,
    ("S3Role", "WriteTheLake", "s3:AbortMultipartUpload"): SMALLER,
    ("SpectrumRole", "*", "*"): "Redshift uses it; the stand-in has no Redshift",
    ("CrawlerRole", "*", "*"): "AWS documents what a crawler needs (test_template.py); the stand-in has none that runs",
}
"""Why a right is there that no recorded call makes use of."""

WHAT_TO_DO = (
    "Take the right out of the template; or let tests/e2e/small_run.py use it, with a row in TRIALS;"
    " or say in REASONS why it is there."
)


@pytest.fixture(scope="module")
def deployed(deploy: Deploy, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return deploy_quietly(deploy, "rights", tmp_path_factory.mktemp("rights"))


@pytest.fixture(scope="module")
def told(deployed: Pipeline) -> dict[Allowed, str]:
    """The run, in which each step is first tried without each right that it needs. What was told each time."""
    found = {}
    for step in STEPS:
        for allowed in [one for one, needing in TRIALS.items() if needing is step]:
            with without(deployed, allowed):
                answer = step.do(deployed)
            found[allowed] = answer.message
        answer = step.do(deployed)
        assert not answer.error, f"{step.name}: {answer.message}"
    return found


def without(deployed: Pipeline, allowed: Allowed) -> Any:
    """Takes a right away for a while."""
    return Account(deployed.cloud).changed(role_of(deployed, allowed[0]), lambda document: less(document, allowed))


def role_of(deployed: Pipeline, logical_name: str) -> Role:
    [role] = [role for role in Account(deployed.cloud).roles(deployed.stack) if role.logical_name == logical_name]
    return role


def less(document: Document, allowed: Allowed) -> Document:
    _, sid, action = allowed
    kept = []
    for one in statements(document):
        left = [name for name in one.actions if (one.sid, name) != (sid, action)]
        kept += [{**one.raw, "Action": left}] if left else []
    return {**document, "Statement": kept}


@pytest.mark.parametrize("allowed", TRIALS, ids=lambda one: f"{one[0]}-{one[2]}")
def test_a_right_that_is_taken_away_makes_the_run_fail_with_an_error_that_names_it(
    told: dict[Allowed, str], allowed: Allowed
) -> None:
    assert re.search(rf"the (function's )?role needs .*\b{allowed[2]}\b", told[allowed])


@pytest.fixture(scope="module")
def roles(told: dict[Allowed, str], cloud: MiniStack) -> dict[str, Role]:
    """The roles of all stacks of the session that are still there, in all accounts that made a call."""
    assert told
    accounts = {HOME_ACCOUNT, *(call.principal.split(":")[4] for call in calls.read(cloud.record))}
    found = [Account(cloud, number) for number in accounts]
    return {role.name: role for account in found for stack in account.stacks() for role in account.roles(stack)}


@pytest.fixture(scope="module")
def recorded(roles: dict[str, Role], cloud: MiniStack) -> list[Call]:
    """The calls of the functions in the session so far. A role that a test made by itself is no function's."""
    made = calls.read(cloud.record)
    others = {call.role for call in made if call.role not in roles}
    tests_own = {name for name in others if Account(cloud).role(name) is not None}
    return [call for call in made if call.role not in tests_own]


@pytest.fixture(scope="module")
def judge(cloud: MiniStack) -> Judge:
    return Judge(cloud)


def test_every_call_is_known(recorded: list[Call]) -> None:
    assert {call.unknown for call in recorded} == {""}


def test_every_call_is_allowed_by_the_policies_of_its_role(recorded: list[Call], judge: Judge) -> None:
    """The stand-in lets more pass than AWS does: of Glue, it looks at the action only."""
    assert sorted({said for call in recorded if not call.refused for said in judge.denied(call)}) == []


def test_a_call_that_a_policy_leaves_out_is_found(recorded: list[Call], deployed: Pipeline) -> None:
    """What proves the test above: with each right taken away, the record has a call that needed it."""
    for allowed in TRIALS:
        role = role_of(deployed, allowed[0])
        left = [less(document, allowed) for document in role.documents]
        own = [call for call in recorded if call.role == role.name and not call.refused]
        needed = [right for call in own for right in call.rights if not decide(left, right, calls.context(call, right))]
        assert {right.action for right in needed} == {allowed[2]}, allowed


def rights_of(role: Role) -> set[Allowed]:
    found = [one for document in role.documents for one in statements(document) if one.effect == "Allow"]
    return {(role.logical_name, one.sid, action) for one in found for action in one.actions}


def has_reason(allowed: Allowed) -> bool:
    return allowed in REASONS or (allowed[0], "*", "*") in REASONS


def test_every_allowed_action_is_used_or_has_a_reason(roles: dict[str, Role], recorded: list[Call]) -> None:
    used = {one for call in recorded if call.role in roles for one in uses(roles[call.role], call)}
    allowed = set().union(*map(rights_of, roles.values()))
    idle = sorted(one for one in allowed - used if not has_reason(one))
    assert idle == [], WHAT_TO_DO


def uses(role: Role, call: Call) -> Iterator[Allowed]:
    for statement, right in () if call.refused else calls.users(call):
        for action in statement.actions:
            if like(action.lower(), right.action.lower()):
                yield role.logical_name, statement.sid, action


def test_every_reason_is_of_a_right_that_no_call_uses(deployed: Pipeline, recorded: list[Call]) -> None:
    """A reason that is out of date would hide what is too much."""
    own = {role.name: role for role in Account(deployed.cloud).roles(deployed.stack)}
    used = {one for call in recorded if call.role in own for one in uses(own[call.role], call)}
    assert used & REASONS.keys() == set()
    assert TRIALS.keys() <= used


def test_every_reason_is_of_a_right_that_a_template_gives() -> None:
    given = {one for template in TEMPLATES for one in written(cfn_yaml.load(str(template)))}
    whole = {(role, "*", "*") for role, _, _ in given}
    assert REASONS.keys() - given - whole == set()


def written(template: Any) -> Iterator[Allowed]:
    """The rights in a template, whatever their conditions are. A policy of its own belongs to one role."""
    for name, resource in template["Resources"].items():
        given = resource["Properties"]
        match resource["Type"]:
            case "AWS::IAM::Role":
                role, policies = name, given["Policies"]
            case "AWS::IAM::Policy":
                [role], policies = (one["Ref"] for one in given["Roles"]), given["PolicyDocument"]
            case _:
                continue
        for one in nested(policies):
            yield from ((role, one.get("Sid", ""), action) for action in listed(one["Action"]))


def nested(found: Any) -> Iterator[Any]:
    """The statements inside of anything."""
    if isinstance(found, dict) and "Effect" in found:
        yield found
    elif isinstance(found, dict | list):
        for inside in found.values() if isinstance(found, dict) else found:
            yield from nested(inside)


FORBIDDEN = {
    "an export may not delete what it has published": ("ExportRole", "s3:DeleteObject", "mp_master_event/2026/11/10/a"),
    "the catalog may not write": ("CatalogRole", "s3:PutObject", "mp_master_event/2026/11/10/a"),
    "the catalog may not delete": ("CatalogRole", "s3:DeleteObject", "mp_master_event/2026/11/10/a"),
    "maintenance may not leave the folder of its project": ("MaintenanceRole", "s3:DeleteObject", "../other/a"),
    "an export may not leave the folder of its project": ("ExportRole", "s3:PutObject", "../other/a"),
}


@pytest.mark.parametrize("claim", FORBIDDEN)
def test_what_no_role_may_do(deployed: Pipeline, claim: str) -> None:
    role, action, key = FORBIDDEN[claim]
    folder = deployed.lake.folder
    key = key.replace("../", "") if key.startswith("../") else folder + key
    right = Right(action, f"arn:aws:s3:::{deployed.lake.bucket}/{key}")
    assert not decide(role_of(deployed, role).documents, right, {})
