"""The backfill of a deployed stack: starts its state machine, and waits for what becomes of it."""

import json
from dataclasses import dataclass
from typing import Any

from local.pipeline import Pipeline
from local.process import poll


@dataclass(frozen=True)
class Execution:
    deployed: Pipeline
    arn: str

    @property
    def client(self) -> Any:
        return self.deployed.cloud.client("stepfunctions")

    def now(self) -> dict[str, Any]:
        return dict(self.client.describe_execution(executionArn=self.arn))

    def end(self, seconds: float = 60) -> dict[str, Any]:
        """The execution when it has ended."""
        for _ in poll(seconds):
            if (found := self.now())["status"] != "RUNNING":
                return found
        raise AssertionError(f"after {seconds} s the backfill still runs: {self.now()}")

    def stop(self) -> None:
        self.client.stop_execution(executionArn=self.arn, cause="a test")

    def map_run(self) -> dict[str, Any]:
        [run] = self.client.list_map_runs(executionArn=self.arn)["mapRuns"]
        return dict(self.client.describe_map_run(mapRunArn=run["mapRunArn"]))

    def slices(self) -> list[dict[str, Any]]:
        """The executions of the slices."""
        runs = self.client.list_map_runs(executionArn=self.arn)["mapRuns"]
        pages = [self.client.list_executions(mapRunArn=run["mapRunArn"])["executions"] for run in runs]
        arns = [one["executionArn"] for page in pages for one in page]
        return [dict(self.client.describe_execution(executionArn=arn)) for arn in arns]

    def errors(self) -> list[str]:
        """The errors of the tasks, but for those of the slices."""
        events = self.client.get_execution_history(executionArn=self.arn, maxResults=1000)["events"]
        return [event["taskFailedEventDetails"]["error"] for event in events if "taskFailedEventDetails" in event]

    def entered(self, state: str) -> list[Any]:
        """What a state of the slices was given, each time."""
        found = []
        for one in self.slices():
            events = self.client.get_execution_history(executionArn=one["executionArn"], maxResults=1000)["events"]
            details = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
            found += [json.loads(detail["input"]) for detail in details if detail["name"] == state]
        return found


def start(deployed: Pipeline, from_date: str, to_date: str, **more: Any) -> Execution:
    asked = json.dumps({"from_date": from_date, "to_date": to_date} | more)
    machine = deployed.outputs["BackfillStateMachineArn"]
    started = deployed.cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=asked)
    return Execution(deployed, started["executionArn"])
