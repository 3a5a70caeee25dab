"""What the templates use, and MiniStack lacks: two kinds of resources, an alarm on two metrics, and one call of SQS.

An `AWS::Events::EventBusPolicy` becomes a statement of the bus's policy, and an `AWS::Athena::NamedQuery` a named
query. An alarm on several metrics watches only the first of them. `StartMessageMoveTask` moves the messages of a
dead-letter queue back, as botocore's model of SQS describes: it refuses a queue that is no dead-letter queue of another
queue, and so one that Lambda fills.
"""

import json
from typing import Any

from ministack.services import athena, eventbridge, sqs
from ministack.services.cloudformation import provisioners

Created = tuple[str, dict[str, Any]]
"""The physical id of a resource, and its attributes."""


def widen() -> None:
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = handlers(permit, forbid)
    provisioners._RESOURCE_HANDLERS["AWS::Athena::NamedQuery"] = handlers(name_query, forget_query)
    alarms = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    alarms |= {name: with_one_metric(handler) for name, handler in alarms.items() if callable(handler)}
    sqs._HANDLERS["StartMessageMoveTask"] = move_messages


def handlers(create: Any, delete: Any) -> dict[str, Any]:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Created:
        delete(physical_id, old)
        return create("", new, stack)

    return {"create": create, "update": update, "delete": delete}


def with_one_metric(inner: Any) -> Any:
    def handle(*given: Any, **named: Any) -> Any:
        return inner(*(one_metric(one) if isinstance(one, dict) else one for one in given), **named)

    return handle


def one_metric(given: dict[str, Any]) -> dict[str, Any]:
    """An alarm whose metrics are an expression of others, as an alarm on the first of these."""
    if "Metrics" not in given:
        return given
    first = next(one["MetricStat"] for one in given["Metrics"] if "MetricStat" in one)
    alarm = {key: value for key, value in given.items() if key != "Metrics"}
    return alarm | first["Metric"] | {"Statistic": first["Stat"], "Period": first["Period"]}


def permit(_logical_id: str, given: dict[str, Any], _stack: str) -> Created:
    policies, bus = eventbridge._event_bus_policies, given.get("EventBusName", "default")
    if bus not in policies:
        policies[bus] = {"Version": "2012-10-17", "Statement": []}
    policies[bus]["Statement"].append({"Sid": given["StatementId"], **given["Statement"]})
    return given["StatementId"], {}


def forbid(physical_id: str, given: dict[str, Any]) -> None:
    eventbridge._remove_permission({"EventBusName": given.get("EventBusName", "default"), "StatementId": physical_id})


def name_query(_logical_id: str, given: dict[str, Any], _stack: str) -> Created:
    _status, _headers, body = athena._create_named_query(given)
    query = json.loads(body)["NamedQueryId"]
    return query, {"NamedQueryId": query}


def forget_query(physical_id: str, _given: dict[str, Any]) -> None:
    athena._delete_named_query({"NamedQueryId": physical_id})


def move_messages(asked: dict[str, Any], _url: str) -> dict[str, Any]:
    """At once, where SQS takes its time."""
    source = sqs._queue_by_arn(asked["SourceArn"])
    if source is None:
        raise sqs._Err("ResourceNotFoundException", "The resource that you specified for the SourceArn does not exist.")
    origins = [q for q in sqs._queues.values() if asked["SourceArn"] in q["attributes"].get("RedrivePolicy", "")]
    if not origins:
        raise sqs._Err("UnsupportedOperation", "Source queue must be configured as a Dead Letter Queue.")
    for message in source["messages"]:
        origins[0]["messages"].append(message | {"receive_count": 0, "visible_at": 0.0, "receipt_handle": None})
    source["messages"].clear()
    sqs.esm_wake.set()
    return {"TaskHandle": "moved"}
