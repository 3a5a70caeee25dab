"""What docs/DEPLOY.md names exists: alarms, parameters, outputs, headings, files, tests; and its costs are current."""

import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from document import CHECKED_ONLY, DOCUMENT, NOT_RUN, Section, sections

from local import names
from local.costs import measure, table

TEXT = DOCUMENT.read_text()
PAGE = sections()
COMMANDS = "\n".join(block for section in PAGE.values() for block in section.blocks)
ALARM_TABLE = PAGE["When an alarm fires"]
SEED_TABLE = PAGE["Mixpanel's page, heading by heading"]
HEADINGS = [
    "Design",
    "Exporting Mixpanel Data to Redshift Spectrum",
    "S3 Bucket Permissions",
    "Data Modification Policy",
    "Server-Side Encryption",
    "Encryption with Amazon S3-Managed Keys (SSE-S3)",
    "Encryption with AWS KMS-Managed Keys (SSE-KMS)",
    "S3 Access Role",
    "Using AWS External ID",
    "Glue Configurations",
    "Configuring Glue for Mixpanel Direct Export",
    "Configuring Table Partitions in Glue",
    "Configuring Glue to Use Crawlers",
    "Setting up Redshift",
    "Queries",
    "Nested and Repeated Fields",
]
"""Those of Mixpanel's page, in its order."""
SPECIAL = {
    "Lake bucket": ["CreateBucket", "BucketName", "S3Prefix"],
    "Encryption": ["S3Encryption", "CreateKmsKey", "S3KmsKeyArn", "FormerKmsKeyArn"],
    "Glue catalog": ["CreateDatabase", "Catalog", "CrawlerTableLevel", "OnDrift", "Views"],
    "Files of a JSON pipeline": ["RawPipelineBucket", "RawPipelinePrefix"],
    "Late data": ["Sync", "SyncDays", "LateData", "IngestionStart", "IngestionMarginMinutes"],
    "Profiles": ["PeopleFrequency", "DataGroupId", "AllowEmpty"],
    "Maintenance": ["Compact", "Identities", "IdMerge", "KeepReplacedHours"],
    "Export and schedule": ["ScheduleState", "CatchUpDays", "Frequency"],
    "Alarms": ["AlarmEmail", "MaxQuarantineShare"],
    "Functions": ["Architecture", "ExportMemory", "MaintenanceMemory", "MaintenanceStorage", "Tracing"],
}
"""The groups of parameters that change how a stack is deployed or kept, with what the page says about them."""


@pytest.fixture(scope="module")
def template() -> Any:
    return cfn_yaml.load(str(names.TEMPLATE))


@pytest.fixture(scope="module")
def account() -> Any:
    return cfn_yaml.load(str(names.OWNER_TEMPLATE))


def cells(section: Section) -> list[list[str]]:
    """The rows of a section's table, without its header."""
    lines = [line for line in section.text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_table_of_alarms_has_each_alarm_of_the_template(template: Any) -> None:
    made = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert sorted(row[0].strip("`") for row in cells(ALARM_TABLE)) == sorted(made)
    assert all(len(row) == 4 and all(row) for row in cells(ALARM_TABLE))
    assert f"You see {len(made)} alarms".replace("10", "ten") in TEXT


def test_each_output_that_a_command_asks_for_exists(template: Any) -> None:
    asked = set(re.findall(r'\$\(output "?([A-Za-z]+)', COMMANDS)) | {"FailedSlicesUrl", "FailedObjectsUrl"}
    assert "ExportFunctionName" in asked
    assert asked <= template["Outputs"].keys()


def test_each_parameter_that_the_page_sets_exists_and_takes_the_value(template: Any, account: Any) -> None:
    known = {
        name: [parameters[name] for parameters in (template["Parameters"], account["Parameters"]) if name in parameters]
        for name in {*template["Parameters"], *account["Parameters"]}
    }
    given = re.findall(r"(?<![\w.$])([A-Z][a-z0-9]+[A-Za-z0-9]*)=(?!=)([\w/-]*)", TEXT)
    given = [(name, value) for name, value in given if name != "DataLakePrincipalIdentifier"]
    assert len(given) > 30
    for name, value in given:
        assert name in known, name
        allowed = [list(map(str, one["AllowedValues"])) for one in known[name] if "AllowedValues" in one]
        assert not value or not allowed or any(value in values for values in allowed), f"{name}={value}"


def test_each_group_of_parameters_has_its_special_cases_on_the_page(template: Any) -> None:
    groups = {
        group["Label"]["default"]: group["Parameters"]
        for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    }
    for group, parameters in SPECIAL.items():
        assert set(parameters) <= set(groups[group]), group
        for parameter in parameters:
            assert parameter in TEXT, parameter


def test_what_the_owners_stack_offers_is_on_the_page(account: Any) -> None:
    for parameter in ("ExporterAccountId", "ExporterStack", "ExternalId", "OperatorRole", "LakeFormation"):
        assert parameter in account["Parameters"]
        assert parameter in TEXT


def test_each_heading_of_mixpanels_page_has_a_file_and_a_test() -> None:
    rows = cells(SEED_TABLE)
    assert [row[0] for row in rows] == HEADINGS
    for heading, _here, file, test in rows:
        assert (names.ROOT / file.strip("`")).is_file(), heading
        path, _, function = test.strip("`").partition("::")
        assert f"def {function}" in (names.ROOT / path).read_text(), heading


def test_each_link_leads_somewhere() -> None:
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in PAGE}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        file, _, anchor = target.partition("#")
        if file:
            assert (DOCUMENT.parent / file).is_file(), target
        else:
            assert anchor in anchors, target


def test_what_is_not_run_is_still_on_the_page() -> None:
    lines = COMMANDS.splitlines()
    for start in [*NOT_RUN, *(f"aws {service}" for service in CHECKED_ONLY)]:
        assert any(line.startswith(start) for line in lines), start


def test_each_section_with_commands_is_run() -> None:
    tests = Path(__file__).with_name("test_deploy_document.py").read_text()
    for heading, section in PAGE.items():
        assert not section.blocks or f'"{heading}"' in tests, heading


def test_the_costs_are_those_of_the_measured_calls() -> None:
    """When this fails, run `python -m local costs write`."""
    assert table.PLACE.search(TEXT)
    assert table.markdown(measure.read()) in TEXT
