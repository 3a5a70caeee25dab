"""Everything that the runs of a session wrote: logs, answers, objects, messages, metrics, tables and stacks.

The stand-in's own log and state are left out: it keeps the secrets.
"""

import json
from collections.abc import Iterator
from typing import Any

from local.cloud import Cloud
from local.ministack import MiniStack
from local.rights.leaks import Secret

Written = Iterator[tuple[str, bytes]]
"""Where something is, and what."""

OWN = "ministack.log"
ZIP = b"PK\x03\x04"


def everything(cloud: MiniStack) -> Written:
    yield from files(cloud)
    yield from function_logs(cloud)
    yield from objects(cloud)
    yield from messages(cloud)
    yield from described(cloud)


def files(cloud: MiniStack) -> Written:
    """Logs of all processes, and the answers of all invocations (`Pipeline.invoke`)."""
    for path in sorted(cloud.logs.rglob("*")):
        if path.is_file() and path.name != OWN:
            yield f"the file {path.relative_to(cloud.home)}", path.read_bytes()
    yield "the record of calls", cloud.record.read_bytes()


def function_logs(cloud: Cloud) -> Written:
    logs = cloud.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            lines = [
                event["message"]
                for found in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
                for event in found["events"]
            ]
            yield f"the log group {name}", "\n".join(lines).encode()


def objects(cloud: Cloud) -> Written:
    """All objects but the code of the functions."""
    s3 = cloud.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for item in page.get("Contents", []):
                body = s3.get_object(Bucket=name, Key=item["Key"])["Body"].read()
                if not body.startswith(ZIP):
                    yield f"s3://{name}/{item['Key']}", item["Key"].encode() + b"\n" + body
                    yield f"s3://{name}/{item['Key']}", body


def messages(cloud: Cloud) -> Written:
    """What waits in the queues, dead letters included. It stays there."""
    sqs = cloud.client("sqs")
    for queue in sqs.list_queues().get("QueueUrls", []):
        found: dict[str, Any] = {}
        while True:
            options = {"VisibilityTimeout": 0, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
            received = sqs.receive_message(QueueUrl=queue, **options).get("Messages", [])
            new = {message["MessageId"]: message for message in received if message["MessageId"] not in found}
            if not new:
                break
            found |= new
        yield f"the queue {queue.rpartition('/')[2]}", as_json(found)


def described(cloud: Cloud) -> Written:
    """What AWS shows of stacks, functions, tables and metrics to those who may describe them."""
    for service, operation in (
        ("cloudformation", "describe_stacks"),
        ("lambda", "list_functions"),
        ("scheduler", "list_schedules"),
        ("cloudwatch", "list_metrics"),
        ("cloudwatch", "describe_alarms"),
        ("secretsmanager", "list_secrets"),
    ):
        pages = cloud.client(service).get_paginator(operation).paginate()
        yield f"{service}: {operation}", as_json(list(pages))
    glue = cloud.client("glue")
    for database in glue.get_databases()["DatabaseList"]:
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=database["Name"])
        yield f"the tables of {database['Name']}", as_json(list(pages))
    for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]:
        events = cloud.client("cloudformation").describe_stack_events(StackName=stack["StackName"])
        yield f"the events of the stack {stack['StackName']}", as_json(events)


def as_json(found: Any) -> bytes:
    return json.dumps(found, default=str).encode()


def all_secrets(cloud: MiniStack) -> list[Secret]:
    """The secrets of all Mixpanel accounts, and the keys and tokens of all sessions of roles."""
    secrets, found = cloud.client("secretsmanager"), []
    for page in secrets.get_paginator("list_secrets").paginate():
        for one in page["SecretList"]:
            value = json.loads(secrets.get_secret_value(SecretId=one["ARN"])["SecretString"])
            found += [Secret(f"{one['Name']} ({name})", text) for name, text in value.items() if name != "username"]
    for line in cloud.sessions.read_text().splitlines():
        session = json.loads(line)
        found += [
            Secret(f"the {name} of {session['Arn']}", session[name]) for name in ("SecretAccessKey", "SessionToken")
        ]
    return found
