"""The AWS command line, version 2, as far as docs/DEPLOY.md uses it: `python aws_command.py SERVICE OPERATION ...`.

The real one does not come from a package registry. This one takes each operation and option from botocore's model, so
that a misspelled one fails here as it does there. To a service of CHECK_ONLY it sends nothing: the words are checked.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import jmespath
from botocore import xform_name
from botocore.validate import ParamValidator

GLOBAL = ("profile", "region", "output", "query", "cli-binary-format")
PATIENCE_SECONDS = 120
"""`logs tail --follow` ends with Ctrl-C. This one ends after this time, or when an invocation of a function has."""

Options = dict[str, list[str]]


class UsageError(Exception):
    """As the AWS command line refuses words: exit code 252."""


def main(words: list[str]) -> None:
    service, operation, *rest = words
    positional, options = parse(rest)
    session = boto3.Session(profile_name=first(options, "profile"), region_name=first(options, "region"))
    match service, operation:
        case "logs", "tail":
            tail(session.client("logs"), positional, options)
        case "s3", "rm":
            remove(session.client("s3"), positional, options)
        case _, "wait":
            (waiter,) = positional[:1]
            client = session.client(service)
            client.get_waiter(waiter.replace("-", "_")).wait(**parameters_of_waiter(client, options))
        case _:
            call(session.client("s3" if service == "s3api" else service), operation, positional, options)


def parse(words: list[str]) -> tuple[list[str], Options]:
    positional: list[str] = []
    options: Options = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--")
            if name in options:
                raise UsageError(f"--{name} is given twice")
            options[name] = []
        elif name and not (options[name] and name in GLOBAL):
            options[name].append(word)
        else:
            positional.append(word)
    return positional, options


def first(options: Options, name: str) -> str | None:
    return options.get(name, [None])[0]


# --- an operation of botocore's model ----------------------------------------------------------------


def call(client: Any, operation: str, positional: list[str], options: Options) -> None:
    model = operation_model(client, operation)
    given = {name: words for name, words in options.items() if name not in GLOBAL}
    streamed = [name for name, shape in members(model.output_shape) if shape is model.get_streaming_output()]
    if streamed and not positional:
        # The last word is the file of the answer, and looks like a value of the last option.
        positional = [given[list(given)[-1]].pop()]
    request = dict(parameter(model, *item) for item in given.items())
    check(model, request)
    if client.meta.service_model.service_name in os.environ.get("CHECK_ONLY", "").split():
        return
    answer = getattr(client, xform_name(model.name))(**request)
    answer.pop("ResponseMetadata", None)
    for name in streamed:
        Path(positional[0]).write_bytes(answer.pop(name).read())
    show(answer, first(options, "query"), first(options, "output"))


def members(shape: Any) -> Iterator[tuple[str, Any]]:
    """None where the operation has no answer, or takes nothing."""
    yield from shape.members.items() if shape else ()


def operation_model(client: Any, operation: str) -> Any:
    for name in client.meta.service_model.operation_names:
        if xform_name(name, "-") == operation:
            return client.meta.service_model.operation_model(name)
    raise UsageError(f"{client.meta.service_model.service_name} has no operation {operation}")


def parameter(model: Any, option: str, words: list[str]) -> tuple[str, Any]:
    for member, shape in members(model.input_shape):
        name = xform_name(member, "-")
        if shape.type_name == "boolean" and option in (name, f"no-{name}"):
            return member, option == name
        if option == name:
            return member, value(shape, words)
    raise UsageError(f"{model.name} has no option --{option}")


def value(shape: Any, words: list[str]) -> Any:
    if shape.type_name in ("list", "structure", "map") and words and words[0][:1] in ("{", "["):
        return json.loads(words[0])
    match shape.type_name:
        case "list":
            return [value(shape.member, [word]) for word in words]
        case "structure" | "map":
            return dict(pair.split("=", 1) for pair in words[0].split(","))
        case kind:
            (word,) = words
            return {"integer": int, "long": int, "blob": str.encode}.get(kind, str)(word)


def check(model: Any, request: dict[str, Any]) -> None:
    found = ParamValidator().validate(request, model.input_shape)
    if found.has_errors():
        raise UsageError(found.generate_report())


def show(answer: Any, query: str | None, output: str | None) -> None:
    found = jmespath.search(query, answer) if query else answer
    if output == "text":
        print("\n".join("\t".join(line) for line in lines(found)))
    elif found:
        print(json.dumps(found, indent=4, default=str))


def lines(found: Any) -> Iterator[list[str]]:
    """A list of lists is a table, any other list one line."""
    if isinstance(found, list) and any(isinstance(item, list) for item in found):
        for item in found:
            yield from lines(item)
    elif isinstance(found, list):
        yield [str(item) for item in found]
    else:
        yield [str(found)]


# --- commands that are no operation ------------------------------------------------------------------


def parameters_of_waiter(client: Any, options: Options) -> dict[str, str]:
    model = operation_model(client, "describe-stacks")
    return dict(parameter(model, name, words) for name, words in options.items() if name not in GLOBAL)


def tail(client: Any, positional: list[str], options: Options) -> None:
    (group,) = positional
    unknown = options.keys() - {"since", "format", "follow", *GLOBAL}
    if unknown:
        raise UsageError(f"logs tail has no option --{unknown.pop()}")
    seen: set[tuple[int, str]] = set()
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        for event in client.filter_log_events(logGroupName=group)["events"]:
            if (event["timestamp"], event["message"]) not in seen:
                seen.add((event["timestamp"], event["message"]))
                print(event["message"].rstrip())
        # Lambda's last line of an invocation.
        ended = any(message.startswith("REPORT") for _time, message in seen)
        if "follow" not in options or ended or time.monotonic() > end:
            return
        time.sleep(0.5)


def remove(client: Any, positional: list[str], options: Options) -> None:
    (place,) = positional
    if not place.startswith("s3://") or options.keys() != {"recursive"}:
        raise UsageError("s3 rm takes s3://bucket and --recursive here")
    bucket = place.removeprefix("s3://")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            client.delete_object(Bucket=bucket, Key=item["Key"])
            print(f"delete: s3://{bucket}/{item['Key']}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UsageError as problem:
        sys.exit(f"aws: {problem}")
