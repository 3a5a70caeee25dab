"""The template repeats the table of settings: parameters, defaults, values, bounds and environments."""

import json
import re
import subprocess
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from local import names

Row = dict[str, Any]
FUNCTIONS = {f"{name.capitalize()}Function": name for name in ("export", "profiles", "catalog", "maintenance")}
CONSTANTS = {"ProfilesFunction": {"DATA_SOURCE": "people"}}
"""What makes the binary of the export function the profiles function."""
NOTHING_TO_SET = ("only",)
"""Types of settings that have one value: a parameter would have no choice."""
MADE_HERE = {
    "S3_BUCKET": ("MakeBucket", {"Ref": "LakeBucket"}),
    "S3_KMS_KEY_ID": ("MakeKey", {"Fn::GetAtt": ["LakeKey", "Arn"]}),
}
"""Settings whose parameter names what exists, with the condition on which the stack makes it."""
PARAMETERS = {"MIXPANEL_SECRET": "MixpanelSecretArn", "S3_BUCKET": "BucketName", "S3_KMS_KEY_ID": "S3KmsKeyArn"}
"""Parameters that have another name than their setting."""
LOCATION = ["HasRawPipeline", {"Fn::Sub": "s3://${RawPipelineBucket}/${RawPipelinePrefix}"}, ""]
DERIVED = {
    "EVENT_SOURCE": {"Fn::If": ["HasRawPipeline", "raw_pipeline", "export_api"]},
    "RAW_PIPELINE_LOCATION": {"Fn::If": LOCATION},
}
"""Settings that follow from parameters of others: a deployment with a pipeline's bucket reads it."""


@pytest.fixture(scope="module")
def template() -> Any:
    return cfn_yaml.load(str(names.TEMPLATE))


@pytest.fixture(scope="module")
def table() -> list[Row]:
    command = [str(names.binary(names.COMMAND_LINE)), "settings", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def deployed(table: list[Row]) -> list[Row]:
    """The settings that a deployment can set."""
    return [row for row in table if row["scope"] != "command line" and row["type"] not in NOTHING_TO_SET]


def with_parameter(table: list[Row]) -> list[tuple[Row, str]]:
    """The settings that a parameter carries, with its name."""
    rows = [row for row in deployed(table) if row["variable"] not in DERIVED]
    return [(row, PARAMETERS.get(row["variable"], camel_case(row["name"]))) for row in rows]


def camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def environment(template: Any, function: str) -> dict[str, Any]:
    own = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    return template["Globals"]["Function"]["Environment"]["Variables"] | own


@pytest.mark.parametrize(("function", "reader"), FUNCTIONS.items())
def test_the_environment_of_a_function_has_the_settings_that_it_reads(
    template: Any, table: list[Row], function: str, reader: str
) -> None:
    read = {row["variable"] for row in deployed(table) if reader in row["functions"]}
    found, constants = environment(template, function), CONSTANTS.get(function, {})
    assert set(found) == read | constants.keys()
    assert constants.items() <= found.items()


def test_a_variable_is_its_parameter_or_empty(template: Any, table: list[Row]) -> None:
    environments = [environment(template, function) for function in FUNCTIONS]
    variables = {name: found for variables in environments for name, found in variables.items()}
    for found in environments:
        assert found.items() <= variables.items(), "one value for all functions"
    for row, parameter in with_parameter(table):
        found = variables[row["variable"]]
        reference = {"Ref": parameter}
        if row["variable"] in MADE_HERE:
            assert found == {"Fn::If": [*MADE_HERE[row["variable"]], reference]}
        elif "Ref" not in found:
            condition, given, otherwise = found["Fn::If"]
            assert (given, otherwise) == (reference, ""), row["name"]
            assert condition in template["Conditions"]
        else:
            assert found == reference, row["name"]
    for variable, derived in DERIVED.items():
        assert variables[variable] == derived


def test_a_parameter_has_the_default_of_its_setting(template: Any, table: list[Row]) -> None:
    for row, name in with_parameter(table):
        default = template["Parameters"][name].get("Default", "")
        assert str(default) == (row["default"] or ""), row["name"]


def test_a_parameter_accepts_what_its_setting_accepts(template: Any, table: list[Row]) -> None:
    for row, name in with_parameter(table):
        accepts(row, template["Parameters"][name])


def accepts(row: Row, parameter: Any) -> None:
    """Whether a parameter has the values and bounds of a setting. A pattern may be narrower."""
    match row:
        case {"type": "choice" | "flag", "values": values, "default": default}:
            empty = [] if default else [""]
            assert [str(value) for value in parameter["AllowedValues"]] == empty + values, row["name"]
        case {"type": "number", "least": least, "most": most}:
            bounds = (parameter["Type"], parameter["MinValue"], parameter["MaxValue"])
            assert bounds == ("Number", least, most), row["name"]
        case {"type": "share"}:
            takes = re.compile(parameter["AllowedPattern"]).fullmatch
            taken = [share for share in ("0.5", "1", "1.01", "2", "-0.5") if takes(share)]
            assert taken == ["0.5", "1"], row["name"]
        case {"type": "text", "most": int(most)}:
            assert parameter["MaxLength"] <= most, row["name"]
        case {"type": "text" | "list" | "date"}:
            assert parameter["Type"] == "String", row["name"]
        case _:
            raise AssertionError(f"this test does not know the type of {row}")


def test_what_a_deployment_cannot_set_says_why_and_has_no_parameter(template: Any, table: list[Row]) -> None:
    alone = [row for row in table if row["scope"] == "command line"]
    assert [row["name"] for row in alone] == ["data_source", "s3_region", "glue_region"]
    for row in alone:
        assert row["why"], row["name"]
        assert camel_case(row["name"]) not in template["Parameters"]
