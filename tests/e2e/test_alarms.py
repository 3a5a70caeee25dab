"""The alarms and the dashboard of the template: each trouble has one, and each metric is written by something."""

import json
import re
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from local import names

METRICS = names.ROOT / "crates" / "runtime" / "src" / "metrics.rs"
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
    told = {name: (a["Namespace"], a["MetricName"], a["TreatMissingData"]) for name, a in alarms.items()}
    visible = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "notBreaching")
    assert told == {
        "FailedSlicesAlarm": visible,
        "FailedObjectsAlarm": visible,
        "OldestSliceAlarm": ("Mixlake", "OldestUnpublishedSliceHours", "breaching"),
        "QuarantineAlarm": ("Mixlake", "QuarantineShare", "notBreaching"),
        "ExportErrorsAlarm": ("AWS/Lambda", "Errors", "notBreaching"),
        "CatalogErrorsAlarm": ("AWS/Lambda", "Errors", "notBreaching"),
        "ExportThrottlesAlarm": ("AWS/Lambda", "Throttles", "notBreaching"),
        "CatalogThrottlesAlarm": ("AWS/Lambda", "Throttles", "notBreaching"),
        "PostponedSlicesAlarm": (OF_THE_LOG, "PostponedSlices", "notBreaching"),
        "CatalogLagAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "notBreaching"),
    }
    topic = {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}
    to_the_topic = {"Fn::If": ["Notifies", [topic], {"Ref": "AWS::NoValue"}]}
    assert all(alarm["AlarmActions"] == to_the_topic for alarm in alarms.values())


def test_each_metric_of_the_alarms_and_the_dashboard_is_written_by_something(template: Any) -> None:
    """Lambda and SQS write theirs themselves; the others are in the code of the functions or in a filter here."""
    written = set(re.findall(r'"([A-Z]\w+)", "(?:Count|Percent|Bytes)"', METRICS.read_text()))
    written |= set(re.findall(r'let name = "(\w+)"', METRICS.read_text()))
    assert len(written) == 8, "the metrics are not written as this test reads them"
    resources = template["Resources"]
    (filtered,) = resources["PostponedSlices"]["Properties"]["MetricTransformations"]
    assert filtered["MetricNamespace"] == OF_THE_LOG
    asked = {("Mixlake", name) for name in written} | {("Mixlake/1", filtered["MetricName"])}
    asked |= {("AWS/Lambda", name) for name in ("Errors", "Throttles", "Duration")}
    asked |= {("AWS/SQS", f"Approximate{name}") for name in ("AgeOfOldestMessage", "NumberOfMessagesVisible")}
    shown = {tuple(metric[:2]) for widget in widgets(template) for metric in widget["properties"]["metrics"]}
    assert shown <= asked
    alarms = [found["Properties"] for found in resources.values() if found["Type"] == "AWS::CloudWatch::Alarm"]
    spaces = [a["Namespace"] if isinstance(a["Namespace"], str) else "Mixlake/1" for a in alarms]
    assert {(space, a["MetricName"]) for space, a in zip(spaces, alarms, strict=True)} <= shown, "unseen alarms"


def widgets(template: Any) -> Any:
    """The dashboard of project 1."""
    text, _ = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return json.loads(text.replace("${ProjectId}", "1"))["widgets"]


def test_the_filter_of_postponed_slices_finds_what_the_function_logs(template: Any) -> None:
    (sentence,) = re.findall(
        r'message = "([^"]+)"', template["Resources"]["PostponedSlices"]["Properties"]["FilterPattern"]
    )
    assert f'tracing::warn!(slices, "{sentence}")' in HANDLER.read_text()
