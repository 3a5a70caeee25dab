"""EventBridge between accounts: the role of a rule's target and the policy of the bus must both allow an event.

MiniStack drops an event for the bus of another account.
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, request_scope
from ministack.services import eventbridge, iam

Context = iam_evaluator.EvalContext
Inner = Callable[..., Any]

EVENTS = "events.amazonaws.com"


def install() -> None:
    eventbridge._dispatch_to_event_bus = across_accounts(eventbridge._dispatch_to_event_bus)


def across_accounts(inner: Inner) -> Inner:
    def dispatch(spec: Any, event: dict[str, Any], rule: dict[str, Any], *rest: Any) -> None:
        sender = get_account_id()
        if spec.account_id == sender:
            return inner(spec, event, rule, *rest)
        role = role_of_target(rule, str(spec))
        with request_scope(spec.account_id, spec.region):
            eventbridge._ensure_default_bus()
            if not may_put(sender, role, spec):
                eventbridge.logger.warning("EventBridge: %s may not send events to %s", role or rule["Arn"], spec)
                return None
            return inner(spec, event, rule, *rest)

    return dispatch


def role_of_target(rule: dict[str, Any], bus: str) -> str:
    targets = eventbridge._targets.get(eventbridge._rule_key(rule["Name"], rule["EventBusName"]), [])
    return next((target.get("RoleArn", "") for target in targets if target["Arn"] == bus), "")


def may_put(sender: str, role_arn: str, bus: Any) -> bool:
    """Whether EventBridge may assume the role, the role may put events on the bus, and the bus lets it in."""
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(sender, None, name)
    if not role:
        return False
    assume = Context(EVENTS, "Service", sender, "sts:AssumeRole", role_arn, bus.region)
    assume.service_context = {"aws:sourceaccount": sender}
    trusted = iam_evaluator.evaluate_resource_policy(role["AssumeRolePolicyDocument"], assume, service=EVENTS)
    session = f"arn:aws:sts::{sender}:assumed-role/{name}/events"
    put = Context(session, "AssumedRole", sender, "events:PutEvents", str(bus), bus.region)
    own = iam_evaluator.evaluate(put, iam_evaluator._gather_role_policies(name, sender))
    theirs = iam_evaluator.evaluate_resource_policy(policy_of(bus.resource.split("/", 1)[1]), put)
    return all(result.decision == "Allow" for result in (trusted, own, theirs))


def policy_of(bus: str) -> dict[str, Any]:
    """PutPermission takes the number of an account for a principal."""
    statements = eventbridge._event_bus_policies.get(bus, {}).get("Statement", [])
    named = [s | {"Principal": {"AWS": s["Principal"]}} if isinstance(s["Principal"], str) else s for s in statements]
    return {"Statement": named}
