"""Step Functions: a distributed map in JSONata, with an execution for each item, which ends when the map does.

MiniStack runs such a map in JSONPath only. Here is what template.yaml uses of it: items from the data of the execution,
and results that are not written to S3.
"""

import contextvars
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for_all
from typing import Any

from ministack.core.responses import new_uuid, now_iso
from ministack.services import stepfunctions

from local.strict.machines import Failed, Stopped, execution_here, require, within_limit

NOT_KNOWN = ("ItemReader", "ItemBatcher", "ResultWriter")


def install() -> None:
    stepfunctions._run_distributed_map = run_map


def run_map(
    state: dict[str, Any], given: Any, _effective: Any, processor: dict[str, Any], execution: Any, context: Any
) -> Any:
    unknown = [field for field in NOT_KNOWN if field in state]
    if unknown or stepfunctions._state_query_language(state, context) != "JSONata":
        raise Failed("States.Runtime", f"local/strict/maps.py does not know this map: {unknown}")
    items = stepfunctions._jsonata_state_field(state, "Items", "array", given, context)
    most = stepfunctions._jsonata_state_field(state, "MaxConcurrency", "number", given, context)
    if most != int(most) or most < 0:
        raise Failed("States.QueryEvaluationError", f"MaxConcurrency must be 0 or more, and whole, but was {most}")
    machine = execution["stateMachineArn"]
    require("states:StartExecution", machine)
    run = MapRun(state, processor, execution, machine)
    results = run.all(items, lambda number, item: selected(state, given, context, number, item), int(most))
    if run.record["status"] == "ABORTED":
        raise Stopped
    if 100 * run.failed > state.get("ToleratedFailurePercentage", 0) * len(items):
        text = "The specified tolerated failure threshold was exceeded"
        raise Failed("States.ExceedToleratedFailureThreshold", text)
    within_limit(results)
    output = stepfunctions._apply_jsonata_output(state, given, context, result=results, default=results)
    stepfunctions._apply_state_assign(state, given, context, result=results)
    return output, stepfunctions._next_or_end(state)


def selected(state: dict[str, Any], given: Any, context: Any, number: int, item: Any) -> Any:
    own = context | {"Map": {"Item": {"Index": number, "Value": item}}}
    return stepfunctions._apply_jsonata_template(state.get("ItemSelector", item), given, own)


class MapRun:
    """A map with an execution of its own for each item, which sees nothing of the variables outside."""

    COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")

    def __init__(self, state: Any, processor: Any, execution: Any, machine: str) -> None:
        self.processor = processor
        self.machine = f"{machine}/{state['Label']}"
        self.changing = threading.Lock()
        zero = dict.fromkeys((*self.COUNTS, "failuresNotRedrivable", "pendingRedrive"), 0)
        self.record = {
            "mapRunArn": f"{self.machine.replace(':stateMachine:', ':mapRun:')}:{new_uuid()}",
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": now_iso(),
            "maxConcurrency": 0,
            "toleratedFailurePercentage": float(state.get("ToleratedFailurePercentage", 0)),
            "toleratedFailureCount": 0,
            "itemCounts": dict(zero),
            "executionCounts": dict(zero),
            "redriveCount": 0,
            "_stateMachineArn": self.machine,
        }
        stepfunctions._map_runs[self.record["mapRunArn"]] = self.record

    @property
    def failed(self) -> int:
        return int(self.record["itemCounts"]["failed"])

    def all(self, items: list[Any], select: Callable[[int, Any], Any], most: int) -> list[Any]:
        self.record["maxConcurrency"] = most
        self._count(total=len(items), pending=len(items))
        inputs = [within_limit(select(number, item)) for number, item in enumerate(items)]
        with ThreadPoolExecutor(max_workers=most or len(items) or 1) as pool:
            slices = [pool.submit(contextvars.copy_context().run, self._one, given) for given in inputs]
            wait_for_all(slices)
        if self.record["status"] == "RUNNING":
            self.record.update(status="SUCCEEDED", stopDate=now_iso())
        return [one.result() for one in slices]

    def _one(self, given: Any) -> Any:
        """The output of an item. One that failed is described, as AWS does without a ResultWriter."""
        if self.record["status"] != "RUNNING":
            self._count(pending=-1, aborted=1)
            return None
        execution = self._execution(given)
        execution_here.set(execution)
        self._count(pending=-1, running=1)
        outcome, result = self._outcome(execution, given)
        self._count(running=-1, **{outcome: 1})
        return result

    def _outcome(self, execution: dict[str, Any], given: Any) -> tuple[str, Any]:
        context = {
            "QueryLanguage": "JSONata",
            "Execution": {"Id": execution["executionArn"], "Input": given, "Name": execution["name"]},
            "StateMachine": {"Id": self.machine},
            "variables": {},
        }
        try:
            states, first = self.processor["States"], self.processor["StartAt"]
            output = stepfunctions._run_sub_machine(states, first, given, execution, context)
        except Stopped:
            return "aborted", None
        except Failed as problem:
            execution.update(status="FAILED", stopDate=now_iso(), error=problem.error, cause=problem.cause)
            described = {"ExecutionArn": execution["executionArn"], "Input": execution["input"], "Status": "FAILED"}
            return "failed", described | {"Error": problem.error, "Cause": problem.cause}
        execution.update(status="SUCCEEDED", stopDate=now_iso(), output=json.dumps(output))
        return "succeeded", output

    def _execution(self, given: Any) -> dict[str, Any]:
        name = new_uuid()
        record = {
            "executionArn": f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}",
            "stateMachineArn": self.machine,
            "mapRunArn": self.record["mapRunArn"],
            "name": name,
            "status": "RUNNING",
            "startDate": now_iso(),
            "stopDate": None,
            "input": json.dumps(given),
            "output": None,
            "events": [],
        }
        stepfunctions._executions[record["executionArn"]] = record
        return record

    def _count(self, **changes: int) -> None:
        with self.changing:
            for counts in (self.record["itemCounts"], self.record["executionCounts"]):
                for name, change in changes.items():
                    counts[name] += change
