"""What the template promises that no stand-in checks: sizes, rights and numbers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from local import names

LIMIT = 4096
"""Lambda's bound for all of a function's environment, as the JSON text that its error message shows."""
MADE_HERE = {"LakeBucket": "b" * 63, "LakeKey": "k" * 100, "AWS::NoValue": ""}
"""What CloudFormation makes or leaves out, as long as it can be."""
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mixpanel-Ab1Cd2"
KEY = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
ROLE = "arn:aws:iam::123456789012:role/mixlake/lake"
BOUNDED = {"Events": 450, "Where": 250, "Contracts": 400, "DataGroupId": 400}
"""The parameters that hold any text, with their most characters."""
LOOSE = ('"', "\\", "é", "\n")
"""Characters that take more than one byte in a JSON text."""
GLUE = names.ROOT / "crates" / "catalog-glue" / "src"


@pytest.fixture(scope="module")
def template() -> Any:
    return cfn_yaml.load(str(names.TEMPLATE))


def longest(name: str, parameter: Any) -> str:
    """A value that a parameter takes, of the most bytes."""
    if "AllowedValues" in parameter:
        return max(map(str, parameter["AllowedValues"]), key=len)
    if parameter["Type"] == "Number":
        return str(parameter["MaxValue"])
    assert "MaxLength" in parameter, f"{name} reaches a function and has no bound"
    if name in BOUNDED:
        return '"' * parameter["MaxLength"]
    return "x" * parameter["MaxLength"]


def value(found: Any, parameters: Any) -> str:
    """The longest text that a property of the environment can be."""
    match found:
        case str() | int():
            return str(found)
        case {"Ref": name} | {"Fn::GetAtt": [name, "Arn"]} if name in MADE_HERE:
            return MADE_HERE[name]
        case {"Ref": name}:
            return longest(name, parameters[name])
        case {"Fn::If": [_, first, second]}:
            return max(value(first, parameters), value(second, parameters), key=len)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)\}", lambda hit: longest(hit[1], parameters[hit[1]]), text)
    raise AssertionError(f"this test does not know {found}")


def environment(template: Any, function: str) -> dict[str, Any]:
    own = template["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
    return template["Globals"]["Function"]["Environment"]["Variables"] | own


@pytest.mark.parametrize("function", ["ExportFunction", "ProfilesFunction", "CatalogFunction", "MaintenanceFunction"])
def test_the_longest_settings_fit_the_environment_of_a_function(template: Any, function: str) -> None:
    variables = environment(template, function)
    worst = {name: value(found, template["Parameters"]) for name, found in variables.items()}
    size = len(json.dumps(worst, separators=(",", ":")).encode())
    assert size <= LIMIT, {name: len(json.dumps(text)) for name, text in worst.items()}


def pattern(template: Any, name: str) -> Callable[[str], Any]:
    return re.compile(template["Parameters"][name]["AllowedPattern"]).fullmatch


@pytest.mark.parametrize(("name", "most"), BOUNDED.items())
def test_a_long_text_is_bounded_by_its_bytes(template: Any, name: str, most: int) -> None:
    takes = pattern(template, name)
    assert template["Parameters"][name]["MaxLength"] == most
    assert takes("")
    assert takes('"' * most)
    assert not takes('"' * (most + 1))
    assert takes("\U0001f600" * (most // 2)), "four bytes each, where a quotation mark takes two"
    assert not takes("a" * (most // 2) + "é")
    assert not takes("a\nb")


def test_every_other_text_that_reaches_a_function_has_characters_of_one_byte(template: Any) -> None:
    examples = {"MixpanelSecretArn": ARN, "IngestionStart": "2026-11-10", "MixpanelEndpoint": "http://a"}
    examples |= {"MaxQuarantineShare": "0.5", "ProjectId": "1", "RawPipelineRegion": "eu-central-1"}
    examples |= {"S3KmsKeyArn": KEY, "FormerKmsKeyArn": KEY, "SecretKmsKeyArn": KEY, "S3Role": ROLE, "GlueRole": ROLE}
    for name, parameter in template["Parameters"].items():
        if parameter["Type"] != "String" or "AllowedPattern" not in parameter or name in BOUNDED:
            continue
        example = examples.get(name, "abc")
        if name in ("AlarmTopicArn", "AlarmEmail"):
            continue
        assert pattern(template, name)(example), name
        assert not any(pattern(template, name)(example + character) for character in LOOSE), name


def test_a_share_is_a_number_above_0_and_up_to_1(template: Any) -> None:
    takes = pattern(template, "MaxQuarantineShare")
    assert [share for share in ("0.5", "0.01", "0.05", "1", "1.0") if not takes(share)] == []
    assert [share for share in ("0", "0.0", "0.00", "1.1", "0.001", "50", "") if takes(share)] == []


def branches(found: Any) -> Iterator[Any]:
    """What a value can be, whichever conditions are true."""
    if isinstance(found, dict) and "Fn::If" in found:
        _, first, second = found["Fn::If"]
        yield from branches(first)
        yield from branches(second)
    elif found != {"Ref": "AWS::NoValue"}:
        yield found


def statements(template: Any, role: str) -> Iterator[Any]:
    for listed in template["Resources"][role]["Properties"]["Policies"]:
        for policy in branches(listed):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield from branches(statement)


def actions(template: Any, role: str) -> Iterator[str]:
    for statement in statements(template, role):
        listed = statement["Action"]
        yield from [listed] if isinstance(listed, str) else listed


def calls_of_glue(folder: Path) -> set[str]:
    """The operations that the adapter calls, as IAM names them."""
    sources = "".join(path.read_text() for path in sorted(folder.rglob("*.rs")))
    found = re.findall(r"\bclient\s*\.(\w+)\(\)", sources)
    calls = {"glue:" + "".join(map(str.capitalize, name.split("_"))) for name in found if name != "config"}
    assert len(calls) > 5, "the adapter is not written as this test reads it"
    return calls


LISTS = {"glue:GetPartitions"}
"""What the maintenance and the command line call. The catalog function looks only at the days that it changes."""
READS = LISTS | {"glue:GetTables", "glue:GetTable", "glue:GetPartition", "glue:BatchGetPartition"}


def test_two_roles_may_do_what_the_adapter_calls_for_their_functions_and_no_more(template: Any) -> None:
    called = calls_of_glue(GLUE)
    assert called >= READS
    allowed = {
        role: {action for action in actions(template, role) if action.startswith("glue:")}
        for role in ("ExportRole", "CatalogRole", "MaintenanceRole")
    }
    assert allowed == {"ExportRole": set(), "CatalogRole": called - LISTS, "MaintenanceRole": READS}


def test_one_role_may_delete_objects_of_tables(template: Any) -> None:
    found = {
        (role, statement["Sid"])
        for role, made in template["Resources"].items()
        if made["Type"] == "AWS::IAM::Role"
        for statement in statements(template, role)
        if "s3:DeleteObject" in str(statement["Action"])
    }
    assert found == {("ExportRole", "ClearStagedFiles"), ("MaintenanceRole", "DeleteReplacedFiles")}
    (staged,) = [s for s in statements(template, "ExportRole") if s.get("Sid") == "ClearStagedFiles"]
    assert staged["Resource"]["Fn::Sub"][0].endswith("/_staging/*")


def test_no_role_may_do_what_nothing_calls(template: Any) -> None:
    assert "s3:ListMultipartUploadParts" not in set(actions(template, "ExportRole"))
    for role in ("ExportRole", "CatalogRole", "MaintenanceRole", "CrawlerRole"):
        wide = [action for action in actions(template, role) if action.endswith(":*")]
        assert wide == [], role


def test_a_crawler_may_do_what_aws_documents(template: Any) -> None:
    needed = {"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketAcl"}
    needed |= {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData"}
    needed |= {"glue:Get*", "glue:BatchGet*", "glue:CreateTable", "glue:UpdateTable", "glue:BatchCreatePartition"}
    assert needed <= set(actions(template, "CrawlerRole"))


SEEN = ["mp_people_data/g1/snapshot-000.parquet", "mp_master_event/2026/11/10/g1/2026-11-10-000.parquet"]
SEEN += ["mp_group_company_id_data/g1/snapshot-000.parquet", "mp_identity_mappings_data/g1/snapshot-000.parquet"]
HIDDEN = ["schema/people.json", "mp_people_data/_manifest.json", "_profiles/state.json", "_staging/mp_people_data-0f"]
HIDDEN += ["_identity_facts/mp_master_event/2026/11/10.facts", "_quarantine/profiles/mp_people_data/0f.jsonl.gz"]


def test_a_crawler_sees_the_files_of_tables_and_nothing_else(template: Any) -> None:
    (target,) = template["Resources"]["Crawler"]["Properties"]["Targets"]["S3Targets"]
    # In these patterns ** crosses folders, and * does not.
    patterns = [re.escape(glob).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for glob in target["Exclusions"]]
    hidden = [key for key in SEEN + HIDDEN if any(re.fullmatch(pattern, key) for pattern in patterns)]
    assert hidden == HIDDEN


def test_a_right_on_a_key_counts_only_for_what_one_service_asks_of_it(template: Any) -> None:
    through_s3 = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}}}
    region = {"Region": {"Fn::Select": [3, {"Fn::Split": [":", {"Ref": "MixpanelSecretArn"}]}]}}
    secrets = {"Fn::Sub": ["secretsmanager.${Region}.${AWS::URLSuffix}", region]}
    through_the_secrets = {"StringEquals": {"kms:ViaService": secrets}}
    rights = {
        "ExportRole": {"kms:GenerateDataKey", "kms:Decrypt"},
        "CatalogRole": {"kms:Decrypt"},
        "MaintenanceRole": {"kms:GenerateDataKey", "kms:Decrypt"},
        "CrawlerRole": {"kms:Decrypt"},
    }
    for role, allowed in rights.items():
        assert {action for action in actions(template, role) if action.startswith("kms:")} == allowed
        for statement in statements(template, role):
            if "kms:" in str(statement["Action"]):
                expected = through_the_secrets if statement["Sid"] == "DecryptTheMixpanelAccount" else through_s3
                assert statement["Condition"] == expected, statement["Sid"]
                assert statement["Resource"] != "*", statement["Sid"]


@pytest.mark.parametrize(
    ("role", "policy", "condition", "parameter"),
    [
        ("ExportRole", "lake", "HasS3Role", "S3Role"),
        ("CatalogRole", "lake", "HasS3Role", "S3Role"),
        ("CatalogRole", "tables", "HasGlueRole", "GlueRole"),
        ("MaintenanceRole", "lake", "HasS3Role", "S3Role"),
        ("MaintenanceRole", "tables", "HasGlueRole", "GlueRole"),
    ],
)
def test_a_function_that_assumes_a_role_has_no_right_of_its_own_beside_it(
    template: Any, role: str, policy: str, condition: str, parameter: str
) -> None:
    found = [listed["Fn::If"] for listed in template["Resources"][role]["Properties"]["Policies"] if "Fn::If" in listed]
    (choice,) = [choice for choice in found if choice[1]["PolicyName"] == policy]
    assert (choice[0], choice[2]["PolicyName"]) == (condition, policy)
    (only,) = choice[1]["PolicyDocument"]["Statement"]
    assert (only["Effect"], only["Action"], only["Resource"]) == ("Allow", "sts:AssumeRole", {"Ref": parameter})
    service = {"lake": "s3:", "tables": "glue:"}[policy]
    elsewhere = [s for s in statements(template, role) if service in str(s["Action"])]
    beside = [s for s in elsewhere if s not in choice[2]["PolicyDocument"]["Statement"]]
    assert {s["Sid"] for s in beside} <= {"ReadThePipeline", "ListThePipeline"}


def test_the_catalog_hears_only_the_account_that_owns_the_bucket(template: Any) -> None:
    of_the_role = {"Fn::Select": [4, {"Fn::Split": [":", {"Ref": "S3Role"}]}]}
    resources = template["Resources"]
    pattern = resources["NewObjects"]["Properties"]["EventPattern"]
    assert pattern["account"] == [{"Fn::If": ["HasS3Role", of_the_role, {"Ref": "AWS::AccountId"}]}]
    admitted = resources["LakeAccountMaySendEvents"]
    assert admitted["Condition"] == "HasS3Role"
    statement = admitted["Properties"]["Statement"]
    assert statement["Action"] == "events:PutEvents"
    text, names_of = statement["Principal"]["AWS"]["Fn::Sub"]
    assert (text, names_of) == ("arn:${AWS::Partition}:iam::${Account}:root", {"Account": of_the_role})


@pytest.mark.parametrize("bucket", ["LakeBucket", "QueryResults"])
def test_a_bucket_with_a_key_of_kms_has_a_bucket_key_too(template: Any, bucket: str) -> None:
    encryption = template["Resources"][bucket]["Properties"]["BucketEncryption"]
    (rule,) = encryption["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] == {"Fn::If": ["UseKms", True, {"Ref": "AWS::NoValue"}]}


def test_results_of_queries_expire_by_themselves(template: Any) -> None:
    (rule,) = template["Resources"]["QueryResults"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 30)
    assert "Prefix" not in rule


def test_the_catalog_queue_waits_six_times_as_long_as_the_function_may_work(template: Any) -> None:
    timeout = template["Resources"]["CatalogFunction"]["Properties"]["Timeout"]
    queue = template["Resources"]["CatalogQueue"]["Properties"]
    assert (timeout, queue["VisibilityTimeout"]) == (300, 6 * 300)


def test_maintenance_runs_each_day_where_the_tables_prove_what_nobody_reads(template: Any) -> None:
    schedule = template["Resources"]["MaintenanceSchedule"]["Properties"]
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
        "cron(50 4 * * ? *)",
        {"Ref": "Timezone"},
    )
    assert schedule["State"] == {"Fn::If": ["MaintenanceRuns", "ENABLED", "DISABLED"]}
    no_crawler = {"Fn::Not": [{"Condition": "UseCrawler"}]}
    assert template["Conditions"]["MaintenanceRuns"] == {"Fn::And": [{"Condition": "ScheduleRuns"}, no_crawler]}


def test_the_profiles_function_is_the_export_function_with_other_settings(template: Any) -> None:
    export, profiles = (template["Resources"][f"{name}Function"]["Properties"] for name in ("Export", "Profiles"))
    for same in ("CodeUri", "Role", "MemorySize", "EphemeralStorage", "Timeout"):
        assert profiles[same] == export[same], same
    assert profiles["Environment"]["Variables"]["DATA_SOURCE"] == "people"


def test_profiles_have_a_schedule_that_runs_unless_their_frequency_is_off(template: Any) -> None:
    schedule = template["Resources"]["ProfilesSchedule"]["Properties"]
    assert schedule["State"] == {"Fn::If": ["PeopleRuns", "ENABLED", "DISABLED"]}
    conditions = template["Conditions"]
    assert conditions["PeopleRuns"] == {"Fn::And": [{"Condition": "ScheduleRuns"}, {"Condition": "PeopleWanted"}]}
    assert conditions["PeopleWanted"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "PeopleFrequency"}, "off"]}]}
    alarm = template["Resources"]["ProfilesAgeAlarm"]
    assert alarm["Condition"] == "PeopleRuns"
    assert alarm["Properties"]["Threshold"] == {"Fn::If": ["PeopleHourly", 7, {"Fn::If": ["PeopleDaily", 30, 174]}]}


def test_the_zips_are_built_for_the_runtime_of_the_functions(template: Any) -> None:
    function = template["Globals"]["Function"]
    assert (function["Runtime"], function["Architectures"]) == (names.RUNTIME, [{"Ref": "Architecture"}])


def test_what_outlives_the_stack_does_not_outlive_a_first_deployment_that_fails(template: Any) -> None:
    kept = {
        name: found["DeletionPolicy"]
        for name, found in template["Resources"].items()
        if found.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert kept == dict.fromkeys(("LakeBucket", "LakeKey", "LakeDatabase", "QueryResults"), "RetainExceptOnCreate")


def test_a_bucket_of_the_stack_refuses_requests_without_tls(template: Any) -> None:
    found = {
        made["Properties"]["Bucket"]["Ref"]: made["Properties"]["PolicyDocument"]["Statement"]
        for made in template["Resources"].values()
        if made["Type"] == "AWS::S3::BucketPolicy"
    }
    buckets = {name for name, made in template["Resources"].items() if made["Type"] == "AWS::S3::Bucket"}
    assert found.keys() == buckets
    for bucket, (only,) in found.items():
        assert (only["Effect"], only["Action"], only["Principal"]) == ("Deny", "s3:*", "*")
        assert only["Resource"] == [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]
        assert only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
