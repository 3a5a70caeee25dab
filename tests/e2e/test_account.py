"""What account.yaml promises: who may assume its roles, what they may do, and that template.yaml takes its outputs."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from local import names

Right = tuple[str, str, str]
"""An action, a resource and the conditions, the latter two as JSON."""

SEED = {
    "S3Role": [
        *("s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"),
        *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptTo", "kms:ReEncryptFrom"),
        *("kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"),
    ],
    "GlueRole": [
        *("glue:GetDatabase", "glue:CreateTable", "glue:GetTables", "glue:GetTableVersions", "glue:UpdateTable"),
        *("glue:DeleteTable", "glue:GetTable", "glue:GetPartition", "glue:CreatePartition", "glue:DeletePartition"),
        *("glue:UpdatePartition", "glue:BatchCreatePartition", "glue:GetPartitions", "glue:BatchDeletePartition"),
        "glue:BatchGetPartition",
    ],
}
"""The actions that Mixpanel's documentation lists for its own pipeline."""

NOT_GIVEN = {
    "kms:Encrypt": "S3 encrypts with a data key",
    "kms:ReEncryptTo": "S3 copies by a new data key",
    "kms:ReEncryptFrom": "S3 copies by a new data key",
    "kms:GenerateDataKeyWithoutPlaintext": "S3 needs the plain data key",
    "kms:DescribeKey": "nothing asks KMS about a key",
    "glue:GetDatabase": "the first call for a table tells whether the database is there",
    "glue:GetTableVersions": "a table has its version",
    "glue:CreatePartition": "partitions are created in batches",
    "glue:UpdatePartition": "partitions are updated in batches",
}
ADDED = {
    "s3:AbortMultipartUpload": "an upload that fails is aborted",
    "s3:ListBucketMultipartUploads": "maintenance ends uploads of runs that were killed",
    "glue:BatchUpdatePartition": "a day that is replaced moves its partition",
}
ANY_RESOURCE = {
    ("CrawlerRole", "cloudwatch:PutMetricData"): "metrics have no ARN; limited by the namespace",
    ("SpectrumRole", "lakeformation:GetDataAccess"): "has no resource; Lake Formation's grants decide",
}
ANY_ACTION = {
    ("CrawlerRole", "glue:Get*"): "AWS documents the crawler's rights like this; limited to the catalog and the tables",
    ("CrawlerRole", "glue:BatchGet*"): "as above",
}
NOT_A_PARAMETER = {"SpectrumRole": "for CREATE EXTERNAL SCHEMA"}


@pytest.fixture(scope="module")
def account() -> Any:
    return cfn_yaml.load(str(names.OWNER_TEMPLATE))


@pytest.fixture(scope="module")
def template() -> Any:
    return cfn_yaml.load(str(names.TEMPLATE))


def of_type(template: Any, kind: str) -> dict[str, Any]:
    return {name: found["Properties"] for name, found in template["Resources"].items() if found["Type"] == kind}


def listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def chosen(found: Any) -> Any:
    """What a choice is when a stack uses its own rights and has all options: the last branch that is not empty."""
    while isinstance(found, dict) and "Fn::If" in found:
        _, first, second = found["Fn::If"]
        found = first if second == {"Ref": "AWS::NoValue"} else second
    return found


def rights(template: Any, role: str) -> Iterator[Right]:
    for policy in map(chosen, template["Resources"][role]["Properties"]["Policies"]):
        for statement in map(chosen, policy["PolicyDocument"]["Statement"]):
            assert statement["Effect"] == "Allow"
            conditions = json.dumps(statement.get("Condition", {}))
            for resource in map(chosen, listed(statement["Resource"])):
                for action in listed(statement["Action"]):
                    yield action, json.dumps(resource), conditions


def of_services(found: Iterator[Right], *services: str) -> set[Right]:
    return {right for right in found if right[0].startswith(services)}


# --- the other template --------------------------------------------------------------------------------


def test_each_output_is_a_parameter_of_the_other_template(account: Any, template: Any) -> None:
    assert set(account["Outputs"]) - set(template["Parameters"]) == set(NOT_A_PARAMETER)


def test_what_the_exporter_cannot_know_is_an_output(account: Any) -> None:
    needed = {"BucketName", "S3Role", "S3ExternalId", "S3KmsKeyArn", "GlueRole", "GlueExternalId", "GlueDatabase"}
    assert needed <= set(account["Outputs"])


def test_parameters_of_both_templates_take_the_same_values(account: Any, template: Any) -> None:
    shared = account["Parameters"].keys() & template["Parameters"].keys()
    assert len(shared) > 10
    for name in shared:
        ours, theirs = ({**found["Parameters"][name]} for found in (account, template))
        for found in (ours, theirs):
            found.pop("Description")
            found.pop("ConstraintDescription", None)
        assert ours == theirs, name


def test_what_the_roles_are_given_fits_the_parameters_of_the_other_template(account: Any, template: Any) -> None:
    longest = f"arn:aws-us-gov:iam::123456789012:role/{'r' * 64}"
    for role in ("S3Role", "GlueRole"):
        parameter = template["Parameters"][role]
        assert len(longest) <= parameter["MaxLength"]
        assert re.fullmatch(parameter["AllowedPattern"], longest)
    external_id = account["Parameters"]["ExternalId"]
    for example in ("0123456789abcdef0123456789abcdef", "a_+=,.@:/-" * 6):
        assert re.fullmatch(external_id["AllowedPattern"], example)
        for theirs in ("S3ExternalId", "GlueExternalId"):
            assert re.fullmatch(template["Parameters"][theirs]["AllowedPattern"], example)
            assert external_id["MaxLength"] == template["Parameters"][theirs]["MaxLength"]


def test_the_owner_forwards_what_the_exporter_waits_for(account: Any, template: Any) -> None:
    forwarded, awaited = (
        found["Resources"][rule]["Properties"]["EventPattern"]
        for found, rule in ((account, "ForwardNewObjects"), (template, "NewObjects"))
    )
    assert forwarded | {"account": None} == awaited | {"account": None}
    assert forwarded["account"] == [{"Ref": "AWS::AccountId"}]


def test_events_are_sent_to_one_bus_and_nowhere_else(account: Any) -> None:
    bus = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${ExporterAccountId}:event-bus/default"}
    targets = account["Resources"]["ForwardNewObjects"]["Properties"]["Targets"]
    assert [(target["Arn"], target["RoleArn"]) for target in targets] == [(bus, {"Fn::GetAtt": ["ForwardRole", "Arn"]})]
    assert set(rights(account, "ForwardRole")) == {("events:PutEvents", json.dumps(bus), "{}")}


# --- trust ---------------------------------------------------------------------------------------------


def trust(account: Any, role: str) -> Any:
    (statement,) = account["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
    return statement


@pytest.mark.parametrize(
    ("role", "functions"),
    [("S3Role", ["ExportRole", "CatalogRole", "MaintenanceRole"]), ("GlueRole", ["CatalogRole", "MaintenanceRole"])],
)
def test_only_the_exporters_functions_with_the_external_id_assume_a_role(
    account: Any, template: Any, role: str, functions: list[str]
) -> None:
    statement = trust(account, role)
    assert statement["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${ExporterAccountId}:root"}}
    # StringEquals refuses a request without the key, unlike StringEqualsIfExists.
    assert statement["Condition"].keys() == {"StringEquals", "ArnLike"}
    assert statement["Condition"]["StringEquals"].keys() == {"sts:ExternalId"}
    start = "arn:${AWS::Partition}:iam::${ExporterAccountId}:role/"
    *named, operator = statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert named == [{"Fn::Sub": f"{start}${{ExporterStack}}-{function}-*"} for function in functions]
    assert operator == {"Fn::If": ["HasOperator", {"Fn::Sub": f"{start}${{OperatorRole}}"}, {"Ref": "AWS::NoValue"}]}
    for function in functions:
        assert "RoleName" not in template["Resources"][function]["Properties"], "the name is the stack's and its own"


def test_a_name_of_a_stack_leaves_room_for_the_rest_of_a_roles_name(account: Any) -> None:
    made_up = len("-MaintenanceRole-") + len("ABCDEFGHIJKLM")
    assert account["Parameters"]["ExporterStack"]["MaxLength"] + made_up <= 64


def test_the_operator_has_a_name(account: Any) -> None:
    takes = re.compile(account["Parameters"]["OperatorRole"]["AllowedPattern"]).fullmatch
    assert takes("")
    assert takes("aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_DataEngineer_*")
    assert not any(map(takes, ("*", "**", "a b", "arn:aws:iam::1:role/a")))


def test_services_assume_only_the_roles_for_services(account: Any) -> None:
    found = {role: trust(account, role) for role in of_type(account, "AWS::IAM::Role")}
    services = {
        role: listed(made["Principal"]["Service"]) for role, made in found.items() if "Service" in made["Principal"]
    }
    assert services == {
        "ForwardRole": ["events.amazonaws.com"],
        "CrawlerRole": ["glue.amazonaws.com"],
        "SpectrumRole": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"],
    }
    here = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert [found[role].get("Condition") for role in services] == [here, here, None]


# --- rights --------------------------------------------------------------------------------------------


def test_the_bucket_role_may_do_what_the_functions_may_do_in_one_account(account: Any, template: Any) -> None:
    own = {right for role in ("ExportRole", "CatalogRole", "MaintenanceRole") for right in rights(template, role)}
    expected = of_services(iter(own), "s3:", "kms:") - of_the_source(own) - of_staged_files(own)
    assert set(rights(account, "S3Role")) == expected


def of_the_source(found: set[Right]) -> set[Right]:
    """Rights on the files of a pipeline and on the key of the secret, which are the exporter's."""
    return {right for right in found if "RawPipelineBucket" in right[1] or "SecretKmsKeyArn" in right[1]}


def of_staged_files(found: set[Right]) -> set[Right]:
    """The right to delete staged files, which one on all files of the folder includes."""
    return {right for right in found if "_staging/" in right[1]}


def test_the_glue_role_may_do_what_the_functions_may_do_in_one_account(account: Any, template: Any) -> None:
    own = {right for role in ("CatalogRole", "MaintenanceRole") for right in rights(template, role)}
    assert set(rights(account, "GlueRole")) == of_services(iter(own), "glue:")


def test_the_crawler_is_that_of_the_other_template(account: Any, template: Any) -> None:
    assert account["Resources"]["Crawler"]["Properties"] == template["Resources"]["Crawler"]["Properties"]
    assert set(rights(account, "CrawlerRole")) == set(rights(template, "CrawlerRole"))


def test_each_difference_to_mixpanels_lists_has_its_reason(account: Any) -> None:
    given = {role: {action for action, _, _ in rights(account, role)} for role in SEED}
    assert {action for role in SEED for action in set(SEED[role]) - given[role]} == set(NOT_GIVEN)
    assert {action for role in SEED for action in given[role] - set(SEED[role])} == set(ADDED)


def test_a_right_without_limit_has_its_reason(account: Any) -> None:
    roles = of_type(account, "AWS::IAM::Role")
    found = [(role, *right) for role in roles for right in rights(account, role)]
    assert {(role, action) for role, action, resource, _ in found if resource == '"*"'} == set(ANY_RESOURCE)
    assert {(role, action) for role, action, _, _ in found if "*" in action} == set(ANY_ACTION)


def test_rights_on_tables_end_at_the_prefix_and_rights_on_objects_at_the_folder(account: Any) -> None:
    for role in ("S3Role", "GlueRole", "CrawlerRole", "SpectrumRole"):
        for action, resource, _ in rights(account, role):
            if ":table/" in resource:
                end = "mp_view_*" if action == "glue:DeleteTable" else "*"
                assert resource.endswith(f':table/${{GlueDatabase}}/${{GlueTablePrefix}}{end}"}}'), (role, action)
            if "Object" in action:
                assert "${Bucket}/${Folder}${ProjectId}/" in resource, (role, action)


def test_keys_are_used_through_s3_only(account: Any) -> None:
    for role in of_type(account, "AWS::IAM::Role"):
        for action, resource, conditions in rights(account, role):
            if action.startswith("kms:"):
                assert "s3.${AWS::Region}" in conditions, (role, action)
                assert resource != '"*"'


def test_readers_write_nothing(account: Any) -> None:
    actions = {action.split(":")[1] for action, _, _ in rights(account, "SpectrumRole")}
    assert {action for action in actions if not action.startswith(("Get", "List", "BatchGet"))} == {
        "Decrypt",
        "CreateDatabase",
    }


def test_lake_formation_lets_nobody_drop_anything(account: Any) -> None:
    grants = of_type(account, "AWS::LakeFormation::PrincipalPermissions")
    found = {name: (grant["Permissions"], grant["PermissionsWithGrantOption"]) for name, grant in grants.items()}
    assert found == {
        "CatalogOnDatabase": (["CREATE_TABLE", "DESCRIBE"], []),
        "CatalogOnTables": (["ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT"], []),
        "CatalogOnLocation": (["DATA_LOCATION_ACCESS"], []),
        "SpectrumOnDatabase": (["DESCRIBE"], []),
        "SpectrumOnTables": (["DESCRIBE", "SELECT"], []),
    }


# --- the bucket ----------------------------------------------------------------------------------------


def test_the_bucket_policy_refuses_nothing_but_missing_tls(account: Any) -> None:
    (statement,) = account["Resources"]["LakeBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_holds_data_outlives_the_stack(account: Any) -> None:
    kept = {name: found["DeletionPolicy"] for name, found in account["Resources"].items() if "DeletionPolicy" in found}
    assert kept == dict.fromkeys(("LakeBucket", "LakeKey", "LakeDatabase"), "RetainExceptOnCreate")
