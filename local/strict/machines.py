"""Step Functions: an execution has the rights of its machine's role, and ends where AWS ends it.

MiniStack invokes functions without asking the role, passes on data of any size, and goes on with the items of an
execution that was stopped.
"""

import contextvars
import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import iam, stepfunctions
from ministack.services.cloudformation import provisioners

Inner = Callable[..., Any]
Failed = stepfunctions._ExecutionError

STATES = "states.amazonaws.com"
LARGEST = 256 * 1024
"""Bytes that a state can pass on."""

execution_here: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("execution_here")
role_here: contextvars.ContextVar[str] = contextvars.ContextVar("role_here")


class Stopped(Exception):
    """The execution was stopped: nothing of it begins any more. No `Catch` of the machine catches this."""


def install() -> None:
    stepfunctions._run_execution = as_its_role(stepfunctions._run_execution)
    stepfunctions._call_lambda = with_rights(stepfunctions._call_lambda)
    stepfunctions._stop_execution = with_slices(stepfunctions._stop_execution)
    stepfunctions._fail_execution = if_running(stepfunctions._fail_execution)
    stepfunctions._scaled_sleep = sleep
    for kind in ("Task", "Wait", "Choice", "Pass"):
        name = f"_execute_{kind.lower()}"
        setattr(stepfunctions, name, in_history(kind, getattr(stepfunctions, name)))
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    handlers["create"] = with_valid_expressions(handlers["create"])


# --- the role ----------------------------------------------------------------------------------------


def as_its_role(inner: Inner) -> Inner:
    def run(arn: str) -> None:
        execution = stepfunctions._executions[arn]
        execution_here.set(execution)
        role_here.set(stepfunctions._state_machines[execution["stateMachineArn"]]["roleArn"])
        inner(arn)

    return run


def require(action: str, resource: str) -> None:
    if may(role_here.get(), action, resource):
        return
    role = role_here.get().rsplit("/", 1)[-1]
    session = f"arn:aws:sts::{get_account_id()}:assumed-role/{role}/{new_uuid()}"
    raise Failed(
        "Lambda.AWSLambdaException" if action.startswith("lambda:") else "States.Runtime",
        f"User: {session} is not authorized to perform: {action} on resource: {resource}"
        f" because no identity-based policy allows the {action} action",
    )


def may(role_arn: str, action: str, resource: str) -> bool:
    account, name = get_account_id(), role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(account, None, name)
    if not role:
        return False
    assume = iam_evaluator.EvalContext(STATES, "Service", account, "sts:AssumeRole", role_arn, get_region())
    assume.service_context = {"aws:sourceaccount": account}
    trusted = iam_evaluator.evaluate_resource_policy(role["AssumeRolePolicyDocument"], assume, service=STATES)
    session = f"arn:aws:sts::{account}:assumed-role/{name}/states"
    call = iam_evaluator.EvalContext(session, "AssumedRole", account, action, resource, get_region())
    own = iam_evaluator.evaluate(call, iam_evaluator._gather_role_policies(name, account))
    return trusted.decision == "Allow" and own.decision == "Allow"


def with_rights(inner: Inner) -> Inner:
    """Invokes a function as the role. One that Lambda does not start is an error with the name that AWS gives it."""

    def call(function: str, event: Any) -> Any:
        require("lambda:InvokeFunction", function)
        try:
            return within_limit(inner(function, within_limit(event)))
        except Failed as problem:
            if problem.error == "Lambda.Unknown" and '"TooManyRequestsException"' in problem.cause:
                raise Failed("Lambda.TooManyRequestsException", json.loads(problem.cause)["message"]) from None
            raise

    return call


def within_limit(data: Any) -> Any:
    size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())
    if size > LARGEST:
        text = f"The data of the state has {size} bytes, which exceeds the maximum number of bytes service limit."
        raise Failed("States.DataLimitExceeded", text)
    return data


# --- the end of an execution -------------------------------------------------------------------------


def go_on() -> None:
    if execution_here.get()["status"] != "RUNNING":
        raise Stopped


def sleep(seconds: float) -> None:
    """A wait that ends when its execution does."""
    until = time.monotonic() + seconds * stepfunctions._SFN_WAIT_SCALE
    while (left := until - time.monotonic()) > 0:
        go_on()
        time.sleep(min(left, 0.05))


def with_slices(inner: Inner) -> Inner:
    """What stops a map ends its slices too. A function that runs at that moment goes on."""

    def stop(asked: dict[str, Any]) -> Any:
        answer = inner(asked)
        for run in list(stepfunctions._map_runs.values()):
            if run["executionArn"] == asked.get("executionArn") and run["status"] == "RUNNING":
                run.update(status="ABORTED", stopDate=now_iso())
                for one in list(stepfunctions._executions.values()):
                    if one.get("mapRunArn") == run["mapRunArn"] and one["status"] == "RUNNING":
                        one.update(status="ABORTED", stopDate=now_iso())
        return answer

    return stop


def if_running(inner: Inner) -> Inner:
    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            inner(execution, error, cause)

    return fail


def in_history(kind: str, inner: Inner) -> Inner:
    """A state of a slice: it begins only while its execution runs, and is in the history, as every state is in AWS."""

    def execute(state: dict[str, Any], given: Any, *rest: Any) -> Any:
        go_on()
        execution, context = execution_here.get(), rest[-1]
        if "mapRunArn" in execution:
            details = {"name": context["State"]["Name"], "input": json.dumps(given)}
            stepfunctions._add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": details})
        output, following = inner(state, given, *rest)
        go_on()
        return within_limit(output), following

    return execute


# --- the definition ----------------------------------------------------------------------------------


def with_valid_expressions(inner: Inner) -> Inner:
    """AWS refuses a machine with an expression that is no JSONata. MiniStack does so only outside of a stack."""

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        problem = stepfunctions._validate_definition_jsonata(provisioners._sfn_definition(properties))
        if problem:
            raise provisioners._sfn_handler_error(problem)
        return inner(logical_id, properties, stack)

    return create
