"""One deployed template: deployed, invoked and watched from the outside, as its user would."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from local import names
from local.cloud import Cloud, s3_parts
from local.failure import Failure, errors, tail
from local.lake import Lake
from local.ministack import ARTIFACTS, MiniStack
from local.process import Process, poll

STACK = "mixlake"


@dataclass(frozen=True)
class Answer:
    """What an invocation gave back."""

    payload: Any
    error: bool

    @property
    def message(self) -> str:
        return str(self.payload.get("errorMessage", self.payload)) if self.error else ""


class Pipeline:
    """A stack of the template in a `Cloud`."""

    def __init__(self, cloud: Cloud, outputs: dict[str, str], *, stack: str, logs: Path) -> None:
        self.cloud = cloud
        self.stack = stack
        self.logs = logs
        self.outputs = outputs
        bucket, folder = s3_parts(outputs["LakeLocation"])
        database, table = outputs["Table"].split(".")
        prefix = table.removesuffix(names.MASTER_TABLE)
        self.lake = Lake(cloud, bucket, folder, database, prefix)

    @classmethod
    def deploy(cls, cloud: MiniStack, template: Path, stack: str = STACK, **parameters: str) -> Self:
        """Runs `sam deploy` on the template."""
        command = [*deploy_command(template, stack, parameters), "--s3-bucket", ARTIFACTS]
        sam_deploy(command, log=cloud.logs / f"sam-deploy-{stack}.log", env=sam_environment(cloud, cloud.home))
        return cls.of_stack(cloud, cloud.logs, stack)

    @classmethod
    def of_stack(cls, cloud: Cloud, logs: Path, stack: str = STACK) -> Self:
        """A stack that is there already."""
        return cls(cloud, outputs_of(cloud, stack), stack=stack, logs=logs)

    def invoke(self, payload: Any, function: str = "ExportFunctionName") -> Answer:
        """Invokes a function and waits for its answer, be it an error."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.outputs[function], Payload=json.dumps(payload).encode()
        )
        said = answer["Payload"].read()
        with (self.logs / f"{self.stack}-answers.jsonl").open("ab") as log:
            log.write(said + b"\n")
        return Answer(json.loads(said or b"null"), "FunctionError" in answer)

    def export(self, payload: Any) -> Any:
        """Invokes the export; an error answer is a failure of ours too."""
        return self.call(payload, "ExportFunctionName")

    def call(self, payload: Any, function: str) -> Any:
        """Invokes a function; an error answer is a failure of ours too."""
        answer = self.invoke(payload, function)
        if answer.error:
            name = function.removesuffix("FunctionName")
            raise Failure(
                f"the {name.lower()} function failed with {json.dumps(payload)}: {answer.message}",
                log=self.save_log(f"{name}LogGroup"),
                advice="the function's log has the whole chain of causes",
            )
        return answer.payload

    def wait_for_catalog(self, seconds: float = 60) -> None:
        """Until every notification is dealt with and the catalog says what the manifests say."""
        for _ in poll(seconds):
            if self.pending() == 0 and not self.lake.differences():
                return
        log = self.save_log("CatalogLogGroup")
        problems = [f"{self.pending()} notifications are not dealt with", *self.lake.differences()[:3], *errors(log)]
        what = f"after {seconds:.0f} s the Glue catalog does not show the lake:\n  " + "\n  ".join(problems)
        raise Failure(what, log=log, advice="the catalog function's log says why")

    def pending(self) -> int:
        """Messages that wait, are being worked on, or were given up."""
        return sum(self._messages(queue) for queue in ("CatalogQueueUrl", "FailedObjectsUrl"))

    def save_log(self, group: str) -> Path:
        """Writes a function's log where a person can read it."""
        path = self.logs / f"{self.stack}-{group}.log"
        events: list[dict[str, Any]] = []
        for page in (
            self.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=self.outputs[group])
        ):
            events += page["events"]
        path.write_text("".join(f"{event['message'].rstrip()}\n" for event in events))
        return path

    def schedule(self) -> dict[str, Any]:
        return dict(self.cloud.client("scheduler").get_schedule(Name=self.outputs["ScheduleName"]))

    def _messages(self, queue: str) -> int:
        kinds = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        answer = self.cloud.client("sqs").get_queue_attributes(QueueUrl=self.queue(queue), AttributeNames=kinds)
        return sum(int(answer["Attributes"][kind]) for kind in kinds)

    def queue(self, output: str) -> str:
        """A queue's address holds the port of the stand-in that made it; a restarted one has another."""
        return self.cloud.endpoint + urlsplit(self.outputs[output]).path


def deploy_owner(cloud: MiniStack, owner: Cloud, stack: str, **parameters: str) -> dict[str, str]:
    """Runs `sam deploy` on account.yaml in the owner's account. The outputs are parameters of the other template."""
    command = deploy_command(names.OWNER_TEMPLATE, stack, parameters)
    sam_deploy(command, log=cloud.logs / f"sam-deploy-{stack}.log", env=sam_environment(owner, cloud.home))
    return outputs_of(owner, stack)


def sam_deploy(command: list[str], log: Path, env: dict[str, str]) -> None:
    if Process("sam deploy", command, log=log, env=env).wait(seconds=300) != 0:
        what = f"`sam deploy` of {Path(command[command.index('--template-file') + 1]).name} failed:\n{tail(log)}"
        raise Failure(what, log=log, advice="read the log; `make check` lints the template")


def outputs_of(cloud: Cloud, stack: str) -> dict[str, str]:
    found = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def deploy_command(template: Path, stack: str, parameters: dict[str, str]) -> list[str]:
    return [
        str(Path(sys.executable).with_name("sam")),
        "deploy",
        "--template-file",
        str(template),
        "--stack-name",
        stack,
        "--capabilities",
        "CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        *overrides(parameters),
    ]


def overrides(parameters: dict[str, str]) -> list[str]:
    """Without any, `sam` takes those of the samconfig.toml beside the template."""
    given = [f"{name}={quoted(value)}" for name, value in parameters.items()]
    return ["--parameter-overrides", *given] if given else []


def quoted(value: str) -> str:
    """As `sam` takes a value that may have blanks or quotation marks in it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def sam_environment(cloud: Cloud, home: Path) -> dict[str, str]:
    """`sam` asks a registry for newer versions of itself once a week, unless it did so lately."""
    folder = home / "sam"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"telemetryEnabled": False, "lastVersionCheck": time.time()})
    (folder / "metadata.json").write_text(text)
    return cloud.client_environment(SAM_CLI_TELEMETRY="0", SAM_CLI_POLL_DELAY="0.5", __SAM_CLI_APP_DIR=str(folder))


def payload(name: str) -> Any:
    """A payload of `events/`."""
    return json.loads((names.EVENTS / f"{name}.json").read_text())
