"""The CDK package makes what template.yaml and account.yaml make, whatever their conditions are."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cdk_cases import CASES, Case
from settled import Settled

from local import cdk, cdk_package, names
from local.package import zip_function

APP = Path(__file__).with_name("cdk_app.cjs")
CLI = cdk.MODULES / "aws-cdk" / "bin" / "cdk"
TYPES = cdk.MODULES / "typescript" / "bin" / "tsc"
SECOND = {"logicalIdPrefix": "Second", "glueDatabase": "second"}
DIFFERENCES = {
    "ExportFunction": "Code: the zip file is an asset of the app",
    "ProfilesFunction": "Code: the zip file is an asset of the app",
    "CatalogFunction": "Code: the zip file is an asset of the app",
    "MaintenanceFunction": "Code: the zip file is an asset of the app",
}


def settings(case: Case, functions: Path) -> dict[str, Any]:
    """The parameters as properties: numbers and truths have their type."""
    types = cdk_package.read(case.template)["Parameters"]
    props = {cdk_package.camel(name): typed(value, types[name]) for name, value in case.parameters.items()}
    return props | ({"functionsFolder": str(functions)} if case.template == names.TEMPLATE else {})


def typed(value: str, parameter: Any) -> Any:
    if parameter["Type"] == "Number":
        return int(value)
    return value == "true" if parameter.get("AllowedValues") == cdk_package.BOOLEAN else value


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `make build` makes it. What is in the zip files is of no account here."""
    folder = tmp_path_factory.mktemp("functions")
    for name in names.FUNCTIONS:
        zip_function(APP, folder / name / "bootstrap.zip")
    return folder


@pytest.fixture(scope="module")
def built() -> Path:
    cdk.build()
    return cdk.FOLDER


def synth(folder: Path, out: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    quiet = ["--quiet", "--no-notices", "--no-version-reporting", "--no-path-metadata", "--no-asset-metadata"]
    return subprocess.run(
        [str(cdk.NODE / "node"), str(CLI), "synth", *quiet, "--output", str(out), *options],
        cwd=folder,
        env=cdk.environment(**env),
        capture_output=True,
        text=True,
        check=False,
    )


def app(cases: Any, wired: Any = None) -> dict[str, str]:
    """The variables of cdk_app.cjs."""
    more = {"WIRED": json.dumps(wired)} if wired else {}
    return {"PACKAGE": str(cdk.FOLDER), "CASES": json.dumps(cases)} | more


def stack(case: Case, functions: Path, **ids: Any) -> Any:
    construct = "Mixlake" if case.template == names.TEMPLATE else "MixlakeAccount"
    return {"construct": construct, "ids": ids or {"It": {}}, "props": settings(case, functions)}


@pytest.fixture(scope="module")
def synthesized(built: Path, functions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The templates of one app: a stack for each case, one with two of them, and one with other constructs."""
    out = tmp_path_factory.mktemp("cdk") / "out"
    stacks = {name: stack(case, functions) for name, case in CASES.items()}
    stacks["two"] = stack(CASES["defaults"], functions, One={}, Two=SECOND)
    variables = app(stacks, settings(CASES["defaults"], functions))
    done = synth(built, out, "--app", f"node {APP}", **variables)
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr.upper(), done.stderr
    return {name: json.loads((out / f"{name}.template.json").read_text()) for name in [*stacks, "wired"]}


@pytest.fixture(scope="module")
def plain() -> dict[Path, Any]:
    return {template: cdk_package.plain(template) for template in cdk_package.TEMPLATES}


def settled(template: Any, case: Case | None = None) -> Settled:
    parameters = template.get("Parameters", {}).items() if case else []
    defaults = {name: str(parameter["Default"]) for name, parameter in parameters if "Default" in parameter}
    return Settled(template, defaults | (case.parameters if case else {}))


def test_the_properties_are_the_parameters_of_the_templates() -> None:
    assert cdk_package.SETTINGS.read_text() == cdk_package.settings(), "run `make cdk`"


@pytest.mark.parametrize("name", CASES)
def test_the_construct_makes_the_resources_of_the_template(
    name: str, synthesized: dict[str, Any], plain: dict[Path, Any]
) -> None:
    case = CASES[name]
    wanted = settled(plain[case.template], case)
    made = settled(synthesized[name])
    assert made.resources().keys() == wanted.resources().keys()
    assert made.outputs() == wanted.outputs()
    unequal = {key for key, resource in wanted.resources().items() if made.resources()[key] != resource}
    assert unequal == DIFFERENCES.keys() & wanted.resources().keys()
    for key in unequal:
        same = made.resources()[key]
        same["Properties"]["Code"] = wanted.resources()[key]["Properties"]["Code"]
        assert same == wanted.resources()[key], DIFFERENCES[key]


def test_every_condition_is_true_in_one_case_and_false_in_another(plain: dict[Path, Any]) -> None:
    found = {
        (case.template.name, condition, settled(plain[case.template], case).holds(condition))
        for case in CASES.values()
        for condition in plain[case.template]["Conditions"]
    }
    once = [(name, condition) for name, condition, holds in found if (name, condition, not holds) not in found]
    assert once == []


def test_each_function_has_its_own_zip_file(synthesized: dict[str, Any]) -> None:
    for name in DIFFERENCES:
        code = synthesized["defaults"]["Resources"][name]["Properties"]["Code"]
        assert code["S3Key"].endswith(".zip")
        assert "assets" in json.dumps(code["S3Bucket"])


def test_two_fit_in_one_stack(synthesized: dict[str, Any]) -> None:
    one, two = settled(synthesized["defaults"]).resources(), settled(synthesized["two"]).resources()
    assert two.keys() == one.keys() | {f"Second{name}" for name in one}
    assert {name: two[name] for name in one} == one
    assert two["Workgroup"]["Properties"]["Name"] == {"Ref": "AWS::StackName"}
    assert two["SecondWorkgroup"]["Properties"]["Name"] == {"Fn::Join": ["", [{"Ref": "AWS::StackName"}, "-Second"]]}
    second = json.dumps([resource for name, resource in two.items() if name not in one])
    referred = {name for name in one if f'"Ref": "{name}"' in second or f'["{name}", ' in second}
    assert referred == set()


def of_type(resources: dict[str, Any], kind: str) -> list[str]:
    return [name for name, resource in resources.items() if resource["Type"] == kind]


def test_a_setting_may_be_a_resource_of_the_same_app(synthesized: dict[str, Any]) -> None:
    resources = settled(synthesized["wired"]).resources()
    own, raw, _results = of_type(resources, "AWS::S3::Bucket")
    [key] = of_type(resources, "AWS::KMS::Key")
    [topic] = of_type(resources, "AWS::SNS::Topic")
    variables = resources["ExportFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["S3_BUCKET"] == {"Ref": own}
    assert variables["S3_KMS_KEY_ID"] == {"Fn::GetAtt": [key, "Arn"]}
    assert variables["RAW_PIPELINE_LOCATION"] == {"Fn::Join": ["", ["s3://", {"Ref": raw}, "/"]]}
    assert resources["FailedSlicesAlarm"]["Properties"]["AlarmActions"] == [{"Ref": topic}]
    assert "Conditions" not in synthesized["wired"]


def test_an_app_is_given_what_it_may_refer_to(synthesized: dict[str, Any]) -> None:
    outputs = settled(synthesized["wired"]).outputs()
    assert outputs["BucketOfAttribute"] == outputs["Bucket"]
    assert outputs["TopicOfAttribute"]["Ref"].startswith("Topic")
    named = {
        "ExportOfAttribute": "ExportFunction",
        "ProfilesOfAttribute": "ProfilesFunction",
        "CatalogOfAttribute": "CatalogFunction",
        "MaintenanceOfAttribute": "MaintenanceFunction",
        "BackfillOfAttribute": "Backfill",
        "QueueOfAttribute": "CatalogQueue",
        "SlicesOfAttribute": "FailedSlices",
        "ObjectsOfAttribute": "FailedObjects",
    }
    assert {key: outputs[key] for key in named} == {key: {"Fn::GetAtt": [to, "Arn"]} for key, to in named.items()}
    resources = settled(synthesized["wired"]).resources()
    [policy] = set(of_type(resources, "AWS::IAM::Policy")) - {"BackfillStartsItself"}
    [statement] = resources[policy]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert {"Fn::GetAtt": ["ExportFunction", "Arn"]} in statement["Resource"]


@pytest.mark.usefixtures("built")
def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {
        "projectId": "abc",
        "residency": "mars",
        "queriesPerHour": 0,
        "s3KmsKeyArn": "alias/mine",
        "s3ExternalId": "an-id",
        "createBucket": False,
    }
    case = {"wrong": {"construct": "Mixlake", "ids": {"It": {}}, "props": {"functionsFolder": "", **wrong}}}
    done = subprocess.run(
        [str(cdk.NODE / "node"), str(APP)],
        env=cdk.environment(**app(case)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    told = done.stderr.partition("The settings of wrong/It are refused:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.strip() for line in told if line.startswith("  ") and not line.startswith("    at")] == [
        "ProjectId must be the project number, digits only",
        "MixpanelSecretArn is missing",
        "Residency is mars, but must be one of us, eu, in",
        "QueriesPerHour is 0, but must be a whole number from 1 to 3600",
        "S3KmsKeyArn must be empty or the ARN of a KMS key (not of an alias), at most 100 characters",
        "BucketName must name the existing bucket when CreateBucket is false",
        "CreateKmsKey=true and S3KmsKeyArn need S3Encryption=kms",
        "S3ExternalId needs S3Role",
    ]


def test_the_example_has_the_right_types_and_is_synthesized(built: Path, functions: Path, tmp_path: Path) -> None:
    example = built / "example"
    options = ["--noEmit", "--ignoreConfig", "--strict", "--skipLibCheck", "--module", "nodenext", "--types", "node"]
    cdk.run([str(cdk.NODE / "node"), str(TYPES), *options, "app.mts"], example)
    done = synth(example, tmp_path / "out", "--context", f"functionsFolder={functions}")
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr.upper(), done.stderr
    resources = json.loads((tmp_path / "out" / "mixlake.template.json").read_text())["Resources"]
    assert {"LakeBucket", "LakeKey", "ExportFunction", "CatalogFunction", "MaintenanceFunction"} <= resources.keys()


def test_the_package_has_what_each_language_needs_and_nothing_else(built: Path) -> None:
    done = subprocess.run(
        [str(cdk.NODE / "npm"), "pack", "--dry-run", "--json", "--ignore-scripts"],
        cwd=built,
        env=cdk.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    [package] = json.loads(done.stdout)
    packed = {file["path"] for file in package["files"]}
    modules = {file.stem for file in (built / "src").glob("*.ts")}
    code = {f"lib/{module}.{kind}" for module in modules for kind in ("js", "d.ts")}
    templates = {f"templates/{template.stem}.json" for template in cdk_package.TEMPLATES}
    assert packed == code | templates | {".jsii", "LICENSE", "README.md", "package.json"}
    assembly = json.loads((built / ".jsii").read_text())
    assert {"python", "java", "dotnet", "go", "js"} == assembly["targets"].keys()
    assert {"mixlake-cdk.Mixlake", "mixlake-cdk.MixlakeAccount"} <= assembly["types"].keys()
