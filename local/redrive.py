"""Exports failed slices again: `python -m local.redrive STACK`, with the AWS settings of the environment.

The queue FailedSlices holds the requests that Lambda and the Scheduler have given up. SQS cannot send them back,
because they did not come from a queue (`start-message-move-task` refuses this queue). So each message's request starts
its function once more: the export function, or the profiles function. A message is deleted when Lambda has taken its
request. A slice that is published in the meantime is not exported again. If a request fails once more, the queue gets
a new message.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3

ENOUGH_SECONDS = 120
"""For how long a message is hidden: longer than an invocation takes to be accepted."""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m local.redrive STACK", file=sys.stderr)
        return 2
    outputs = outputs_of(boto3.client("cloudformation"), arguments[0])
    number = redrive(boto3.client("sqs"), boto3.client("lambda"), outputs)
    logs = f"{outputs['ExportLogGroup']} and {outputs['ProfilesLogGroup']}"
    print(f"{number} requests are started again; the logs {logs} have what becomes of them")
    return 0


def outputs_of(cloudformation: Any, stack: str) -> dict[str, str]:
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def redrive(sqs: Any, functions: Any, outputs: dict[str, str]) -> int:
    """Starts the request of each message again. Returns how many."""
    number = 0
    for message in messages(sqs, outputs["FailedSlicesUrl"]):
        body = json.loads(message["Body"])
        request = request_of(body)
        print(f"again: {json.dumps(request)}")
        functions.invoke(
            FunctionName=outputs[function_of(body, outputs)],
            InvocationType="Event",
            Payload=json.dumps(request).encode(),
        )
        sqs.delete_message(QueueUrl=outputs["FailedSlicesUrl"], ReceiptHandle=message["ReceiptHandle"])
        number += 1
    return number


def messages(sqs: Any, queue: str) -> Iterator[Any]:
    while found := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=ENOUGH_SECONDS, WaitTimeSeconds=2
    ).get("Messages"):
        yield from found


def request_of(body: dict[str, Any]) -> Any:
    """Lambda wraps the request in a record of the failure; the Scheduler keeps it as it is."""
    return body.get("requestPayload", body)


def function_of(body: dict[str, Any], outputs: dict[str, str]) -> str:
    """The output with the function's name. Lambda records the function; the Scheduler's requests say whose they are."""
    failed = body.get("requestContext", {}).get("functionArn", "").split(":")
    of_profiles = outputs["ProfilesFunctionName"] in failed or "people_time" in body
    return "ProfilesFunctionName" if of_profiles else "ExportFunctionName"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
