"""The alarms and the dashboard of the template: each trouble has one, and each metric is written by something."""

import json
import re
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from local import names

METRICS = names.ROOT / "crates" / "runtime" / "src" / "metrics.rs"
ANSWER = names.ROOT / "crates" / "runtime" / "src" / "answer.rs"
HANDLER = names.ROOT / "crates" / "runtime" / "src" / "handlers" / "export.rs"
OF_THE_LOG = {"Fn::Sub": "Mixlake/${ProjectId}"}
"""The namespace of metrics that come from a log."""


@pytest.fixture(scope="module")
def template() -> Any:
    return cfn_yaml.load(str(names.TEMPLATE))


def test_every_trouble_has_its_alarm(template: Any) -> None:
    alarms = {
        name: found["Properties"]
        for name, found in template["Resources"].items()
        if found["Type"] == "AWS::CloudWatch::Alarm"
    }
    told = {name: (*watched(a)[0], a["TreatMissingData"]) for name, a in alarms.items()}
    visible = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "notBreaching")
    assert told == {
        "FailedSlicesAlarm": visible,
        "FailedObjectsAlarm": visible,
        "OldestSliceAlarm": ("Mixlake", "OldestUnpublishedSliceHours", "breaching"),
        "ProfilesAgeAlarm": ("Mixlake", "ProfilesAgeHours", "breaching"),
        "QuarantineAlarm": ("Mixlake", "QuarantineShare", "notBreaching"),
        "ProfilesQuarantineAlarm": ("Mixlake", "ProfilesQuarantined", "notBreaching"),
        "ExportErrorsAlarm": ("AWS/Lambda", "Errors", "notBreaching"),
        "ProfilesErrorsAlarm": ("AWS/Lambda", "Errors", "notBreaching"),
        "CatalogErrorsAlarm": ("AWS/Lambda", "Errors", "notBreaching"),
        "ExportThrottlesAlarm": ("AWS/Lambda", "Throttles", "notBreaching"),
        "ProfilesThrottlesAlarm": ("AWS/Lambda", "Throttles", "notBreaching"),
        "CatalogThrottlesAlarm": ("AWS/Lambda", "Throttles", "notBreaching"),
        "PostponedSlicesAlarm": (OF_THE_LOG, "PostponedSlices", "notBreaching"),
        "CatalogLagAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "notBreaching"),
        "BackfillFailedAlarm": ("AWS/States", "ExecutionsFailed", "notBreaching"),
        "DaysToSyncAlarm": ("Mixlake", "DaysToSync", "breaching"),
        "MaintenanceFailedAlarm": ("AWS/Lambda", "AsyncEventsDropped", "notBreaching"),
    }
    topic = {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}
    to_the_topic = {"Fn::If": ["Notifies", [topic], {"Ref": "AWS::NoValue"}]}
    assert all(alarm["AlarmActions"] == to_the_topic for alarm in alarms.values())


def test_each_metric_of_the_alarms_and_the_dashboard_is_written_by_something(template: Any) -> None:
    """Lambda, SQS and Step Functions write theirs; the others are in the code of the functions or in a filter here."""
    written = set(re.findall(r'"([A-Z]\w+)", "(?:Count|Percent|Bytes)"', METRICS.read_text()))
    written |= set(re.findall(r'let name = "(\w+)"', METRICS.read_text()))
    assert len(written) == 12, "the metrics are not written as this test reads them"
    resources = template["Resources"]
    asked = {("Mixlake", name) for name in written}
    for made in resources.values():
        if made["Type"] == "AWS::Logs::MetricFilter":
            (filtered,) = made["Properties"]["MetricTransformations"]
            assert filtered["MetricNamespace"] == OF_THE_LOG
            asked.add(("Mixlake/1", filtered["MetricName"]))
    asked |= {("AWS/Lambda", name) for name in ("Errors", "Throttles", "Duration", "AsyncEventsDropped")}
    asked |= {("AWS/States", "ExecutionsFailed")}
    asked |= {("AWS/SQS", f"Approximate{name}") for name in ("AgeOfOldestMessage", "NumberOfMessagesVisible")}
    shown = {tuple(metric[:2]) for widget in widgets(template) for metric in widget["properties"]["metrics"]}
    assert shown <= asked
    alarms = [found["Properties"] for found in resources.values() if found["Type"] == "AWS::CloudWatch::Alarm"]
    of_alarms = [metric for alarm in alarms for metric in watched(alarm)]
    named = {(space if isinstance(space, str) else "Mixlake/1", name) for space, name in of_alarms}
    assert named <= shown, "unseen alarms"


def watched(alarm: Any) -> list[tuple[Any, str]]:
    """The metrics that an alarm watches: its own, or those of its expression."""
    parts = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return [(one["Namespace"], one["MetricName"]) for one in parts or [alarm]]


def widgets(template: Any) -> Any:
    """The dashboard of project 1."""
    text, _ = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return json.loads(text.replace("${ProjectId}", "1"))["widgets"]


def test_the_filter_of_postponed_slices_finds_what_the_function_logs(template: Any) -> None:
    (sentence,) = re.findall(
        r'message = "([^"]+)"', template["Resources"]["PostponedSlices"]["Properties"]["FilterPattern"]
    )
    assert f'tracing::warn!(slices, "{sentence}")' in HANDLER.read_text()


def test_what_a_backfill_tries_again_is_no_failure_of_the_function(template: Any) -> None:
    """The kinds of errors are those that the state machine waits for, as the function logs them."""
    failures, *parts = template["Resources"]["ExportErrorsAlarm"]["Properties"]["Metrics"]
    assert failures["Expression"] == "errors - FILL(postponed, 0)"
    assert {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in parts} == {
        "errors": "Errors",
        "postponed": "PostponedInvocations",
    }
    pattern = template["Resources"]["PostponedInvocations"]["Properties"]["FilterPattern"]
    (sentence,) = re.findall(r'message = "([^"]+)"', pattern)
    assert f'tracing::error!(kind = %failure.kind, error = failure.message, "{sentence}")' in ANSWER.read_text()
    states = template["Resources"]["Backfill"]["Properties"]["Definition"]["States"]
    caught = states["Slices"]["ItemProcessor"]["States"]["Export"]["Catch"]
    tried_again = {kind for one in caught if one["Next"] == "MayItTryAgain" for kind in one["ErrorEquals"]}
    assert set(re.findall(r'kind = "(\w+)"', pattern)) == tried_again
