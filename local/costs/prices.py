"""List prices of AWS in us-east-1, in dollars, without taxes and free allowances."""

from dataclasses import dataclass

TAKEN = "2026-11-27"
"""The day on which these prices were looked up. Most are those of the first tier."""


@dataclass(frozen=True)
class Price:
    what: str
    unit: str
    dollars: float
    per: int = 1

    @property
    def each(self) -> float:
        return self.dollars / self.per


THOUSAND, MILLION = 1_000, 1_000_000

LAMBDA_REQUEST = Price("Lambda requests", "million", 0.20, MILLION)
LAMBDA_X86 = Price("Lambda duration, x86_64", "GB-second", 0.0000166667)
LAMBDA_ARM = Price("Lambda duration, arm64", "GB-second", 0.0000133334)
LAMBDA_STORAGE = Price("Lambda ephemeral storage above 512 MB", "GB-second", 0.0000000309)
S3_WRITE = Price("S3 PUT, COPY, POST and LIST requests", "thousand", 0.005, THOUSAND)
S3_READ = Price("S3 GET and other requests", "thousand", 0.0004, THOUSAND)
S3_STORAGE = Price("S3 Standard storage", "GB and month", 0.023)
# Some pages say that EventBridge takes S3's events for nothing; this is the price of events of one's own.
EVENTBRIDGE = Price("EventBridge events", "million", 1.00, MILLION)
SCHEDULER = Price("EventBridge Scheduler invocations", "million", 1.00, MILLION)
SQS = Price("SQS requests, standard queue", "million", 0.40, MILLION)
GLUE_REQUEST = Price("Glue Data Catalog requests", "million", 1.00, MILLION)
GLUE_OBJECT = Price("Glue Data Catalog objects", "100,000 and month", 1.00, 100_000)
LOGS = Price("CloudWatch Logs, collected", "GB", 0.50)
LOGS_KEPT = Price("CloudWatch Logs, stored", "GB and month", 0.03)
METRIC = Price("CloudWatch metrics of our own", "metric and month", 0.30)
ALARM = Price("CloudWatch alarms", "alarm and month", 0.10)
DASHBOARD = Price("CloudWatch dashboards", "dashboard and month", 3.00)
SECRET = Price("Secrets Manager secrets", "secret and month", 0.40)
SECRET_REQUEST = Price("Secrets Manager requests", "10,000", 0.05, 10_000)
KMS_KEY = Price("KMS key of one's own", "key and month", 1.00)
KMS_REQUEST = Price("KMS requests", "10,000", 0.03, 10_000)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Price))
