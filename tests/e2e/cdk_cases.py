"""Settings for both templates: each condition of a template is true in one case and false in another."""

from dataclasses import dataclass
from pathlib import Path

from local import names

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::444455556666:role/owner"
PROJECT = {
    "ProjectId": names.PROJECT_ID,
    "MixpanelSecretArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:mixpanel-AbCdEf",
}
EXPORTER = {"ExporterAccountId": "111122223333", "ProjectId": names.PROJECT_ID, "ExternalId": "the-token"}


@dataclass(frozen=True)
class Case:
    template: Path
    parameters: dict[str, str]

    def __post_init__(self) -> None:
        required = PROJECT if self.template == names.TEMPLATE else EXPORTER
        self.parameters.update(required | self.parameters)


CASES = {
    "defaults": Case(names.TEMPLATE, {}),
    "much": Case(
        names.TEMPLATE,
        {
            "S3Encryption": "kms",
            "CreateKmsKey": "true",
            "FormerKmsKeyArn": KEY,
            "SecretKmsKeyArn": KEY,
            "BucketName": "the-lake",
            "S3Prefix": "exports/mixpanel",
            "Frequency": "daily",
            "Timezone": "Asia/Kolkata",
            "LateData": "ingestion_cursor",
            "IngestionStart": "2026-11-10",
            "Catalog": "crawler",
            "SchemaType": "multischema",
            "Tracing": "true",
            "AlarmEmail": "data@example.com",
            "ExportMemory": "3008",
            "MaintenanceMemory": "3008",
            "PeopleFrequency": "weekly",
            "DataGroupId": "company_id:8372645",
            "KeepReplacedHours": "0",
            "Compact": "false",
            "Identities": "false",
            "IdMerge": "original",
            "Events": '["Sign Up","Größe $5"]',
        },
    ),
    "little": Case(
        names.TEMPLATE,
        {
            "S3Encryption": "kms",
            "S3KmsKeyArn": KEY,
            "CreateBucket": "false",
            "BucketName": "the-lake",
            "CreateDatabase": "false",
            "CreateWorkgroup": "false",
            "ScheduleState": "DISABLED",
            "Frequency": "15min",
            "PeopleFrequency": "off",
            "RawPipelineBucket": "pipeline",
            "RawPipelinePrefix": "raw/events",
            "AlarmTopicArn": "arn:aws:sns:eu-central-1:111122223333:alarms",
        },
    ),
    "exporter": Case(
        names.TEMPLATE,
        {
            "CreateBucket": "false",
            "BucketName": "the-lake",
            "S3Role": ROLE,
            "CreateDatabase": "false",
            "PeopleFrequency": "hourly",
            "GlueRole": ROLE,
            "GlueExternalId": "another",
            "ProjectToken": "0123456789abcdef",
        },
    ),
    "owner": Case(names.OWNER_TEMPLATE, {}),
    "owners-crawler": Case(
        names.OWNER_TEMPLATE,
        {
            "S3Encryption": "kms",
            "CreateKmsKey": "true",
            "FormerKmsKeyArn": KEY,
            "BucketName": "the-lake",
            "S3Prefix": "exports/mixpanel",
            "GlueTablePrefix": "raw_",
            "Catalog": "crawler",
            "OperatorRole": "Operator",
            "GlueExternalId": "another",
            "LakeFormation": "location",
            "CreateSpectrumRole": "true",
        },
    ),
    "owners-bucket": Case(
        names.OWNER_TEMPLATE,
        {
            "S3Encryption": "kms",
            "S3KmsKeyArn": KEY,
            "CreateBucket": "false",
            "BucketName": "the-lake",
            "CreateDatabase": "false",
            "LakeFormation": "tables",
        },
    ),
}
