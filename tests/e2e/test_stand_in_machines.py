"""The stand-in of Step Functions ends an execution where AWS ends it: else a test of a state machine proves nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from local.ministack import MiniStack
from local.process import poll

ROLE = "machines-of-a-test"
TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
START = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(cloud: MiniStack) -> Run:
    """Runs a definition in JSONata with a role that may run maps, and returns the ended execution."""
    iam, machines = cloud.client("iam"), cloud.client("stepfunctions")
    made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Statement": [TRUST]}))
    iam.put_role_policy(RoleName=ROLE, PolicyName="maps", PolicyDocument=json.dumps({"Statement": [START]}))
    number = 0

    def run_one(first: dict[str, Any], given: Any = None) -> dict[str, Any]:
        nonlocal number
        number += 1
        states = {"First": first, "Last": {"Type": "Pass", "Output": "{% $states.input %}", "End": True}}
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "First", "States": states})
        arn = machines.create_state_machine(
            name=f"machine-{number}", definition=definition, roleArn=made["Role"]["Arn"]
        )["stateMachineArn"]
        started = machines.start_execution(stateMachineArn=arn, input=json.dumps(given or {}))["executionArn"]
        for _ in poll(30):
            if (found := machines.describe_execution(executionArn=started))["status"] != "RUNNING":
                return dict(found)
        raise AssertionError(f"it still runs: {found}")

    return run_one


def mapped(each: dict[str, Any], **more: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Each"}
    return {
        "Type": "Map",
        "Label": "each",
        "Items": "{% $states.input.items %}",
        "MaxConcurrency": 2,
        "ItemProcessor": processor | {"States": {"Each": each}},
        "Next": "Last",
    } | more


ITEMS = {"items": [1, 2, 3, 4]}


def test_an_item_has_an_execution_of_its_own(run: Run) -> None:
    each = {"Type": "Pass", "Output": "{% $states.context.Execution.Input * 10 %}", "End": True}
    assert json.loads(run(mapped(each), ITEMS)["output"]) == [10, 20, 30, 40]


def test_a_failed_item_fails_the_map_unless_it_is_tolerated(run: Run) -> None:
    each = {"Type": "Pass", "Output": "{% $states.input.missing %}", "End": True}
    ended = run(mapped(each), ITEMS)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    ended = run(mapped(each, ToleratedFailurePercentage=100), ITEMS)
    assert ended["status"] == "SUCCEEDED"
    assert {one["Error"] for one in json.loads(ended["output"])} == {"States.QueryEvaluationError"}


def test_an_item_does_not_see_the_variables_outside(run: Run) -> None:
    each = {"Type": "Pass", "Output": "{% $outside %}", "End": True}
    outside = {"Type": "Pass", "Assign": {"outside": 1}, "Next": "Last"}
    assert run(outside)["status"] == "SUCCEEDED"
    assert run(mapped(each), ITEMS)["status"] == "FAILED"


@pytest.mark.parametrize("field", ["Items", "MaxConcurrency"])
def test_a_field_of_another_type_fails(run: Run, field: str) -> None:
    each = {"Type": "Pass", "Output": 1, "End": True}
    ended = run(mapped(each, **{field: "{% 'text' %}"}), ITEMS)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")


LARGE = "{% $pad('', 300000, 'x') %}"


@pytest.mark.parametrize(
    "first",
    [
        {"Type": "Pass", "Output": LARGE, "Next": "Last"},
        mapped({"Type": "Pass", "Output": "{% $pad('', 100000, 'x') %}", "End": True}),
        mapped({"Type": "Pass", "Output": 1, "End": True}, ItemSelector={"text": LARGE}),
    ],
    ids=["a state", "the results of a map", "the input of an item"],
)
def test_data_of_more_than_256_kb_fails(run: Run, first: dict[str, Any]) -> None:
    ended = run(first, ITEMS)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_map_needs_the_right_to_start_its_machine(run: Run, cloud: MiniStack) -> None:
    iam = cloud.client("iam")
    iam.delete_role_policy(RoleName=ROLE, PolicyName="maps")
    try:
        ended = run(mapped({"Type": "Pass", "Output": 1, "End": True}), ITEMS)
    finally:
        iam.put_role_policy(RoleName=ROLE, PolicyName="maps", PolicyDocument=json.dumps({"Statement": [START]}))
    assert "is not authorized to perform: states:StartExecution" in ended["cause"]


def test_a_stack_with_an_expression_that_is_no_jsonata_is_refused(cloud: MiniStack) -> None:
    wrong = {"Type": "Pass", "Output": "{% $states.( %}", "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Wrong", "States": {"Wrong": wrong}}
    role = f"arn:aws:iam::000000000000:role/{ROLE}"
    properties = {"RoleArn": role, "Definition": definition}
    template = {"Resources": {"It": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="no-jsonata", TemplateBody=json.dumps(template))
    with pytest.raises((WaiterError, ClientError)):
        stacks.get_waiter("stack_create_complete").wait(
            StackName="no-jsonata", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    events = stacks.describe_stack_events(StackName="no-jsonata")["StackEvents"]
    assert "INVALID_JSONATA_EXPRESSION" in json.dumps(events, default=str)
    stacks.delete_stack(StackName="no-jsonata")
