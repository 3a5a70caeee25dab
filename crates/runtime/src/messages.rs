//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.

use crate::answer::{Failure, Kind};
use crate::clients::{no_credentials, no_region};
use crate::config::{ExportConfig, Purpose};
use crate::notification::Notification;
use crate::report;
use crate::request::{self, Request, Terms};
use crate::settings::{self, Frequency, Row, Settings, table};
use mixlake_app::export::{ExportReport, SliceOutcome};
use mixlake_app::ports::SourceError;
use mixlake_domain::{Slice, Zone};
use serde_json::{Value, json};
use std::time::Duration;

/// A value that a setting refuses, if it refuses any.
fn wrong(row: &dyn Row) -> Option<(String, String)> {
    let text = match row.kind() {
        settings::Kind::Choice(_) | settings::Kind::Only(_) => "other",
        settings::Kind::Flag => "yes",
        settings::Kind::Number { most, .. } => &(most + 1).to_string(),
        settings::Kind::Share => "50%",
        settings::Kind::Date => "soon",
        settings::Kind::Text { .. } => "gs://a b(",
        settings::Kind::List { .. } => "[",
    };
    let problem = row.check(&[text.to_owned()]).err()?;
    Some((text.to_owned(), problem))
}

#[test]
fn one_wrong_value_of_each_setting() {
    let lines = table::rows().map(|row| match wrong(row) {
        Some((text, problem)) => format!("{}={text}\n    {problem}\n", row.name()),
        None => format!("{}: any text is accepted here\n", row.name()),
    });
    insta::assert_snapshot!(lines.collect::<String>());
}

#[test]
fn settings_together() {
    let cases: [&[&str]; 10] = [
        &[],
        &["project_id=1", "catalog=crawler", "views=true"],
        &["project_id=1", "s3_prefix=a//b"],
        &["project_id=1", "ingestion_start=2026-11-10", "raw_pipeline_location=x"],
        &["project_id=1", "late_data=ingestion_cursor"],
        &["project_id=1", "s3_external_id=token", "glue_external_id=token"],
        &[
            "project_id=1",
            "s3_encryption=aes",
            "s3_kms_key_id=arn:aws:kms:us-east-1:123456789012:key/1234abcd",
        ],
        &["project_id=1", "event_source=raw_pipeline", "where=properties[\"a\"] == 1"],
        &[
            "project_id=1",
            "frequency=5min",
            "queries_per_hour=3",
            "event_source=raw_pipeline",
            "raw_pipeline_location=s3://b",
        ],
        &[
            "project_id=1",
            "event_source=raw_pipeline",
            "raw_pipeline_location=s3://b",
            "late_data=ingestion_cursor",
            "ingestion_start=2026-11-10",
        ],
    ];
    let texts = cases.map(|pairs| {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        let problems = ExportConfig::check(&settings).unwrap_err();
        format!("{pairs:?}\n{problems}\n\n")
    });
    let names = ["projectid=1", "xyz=1", "timezone=UTC", "timezone=UTC", "oops"];
    let names = Settings::from_pairs(names).unwrap_err();
    insta::assert_snapshot!(format!("{}{names}\n", texts.concat()));
}

/// A notification that can be read.
fn created() -> Value {
    serde_json::from_str(include_str!("../../../events/s3-object-created.json")).unwrap()
}

#[test]
fn payloads() {
    let payloads = [
        json!([1]),
        json!({"from_date": "2026-11-10"}),
        json!({"form_date": "2026-11-10"}),
        json!({"date": "2026-11-10", "force": "yes"}),
        json!({"date": 20_261_110}),
        json!({"date": "2026-02-30"}),
        json!({"date": "2026-11-14"}),
        json!({"from_date": "2026-11-12", "to_date": "2026-11-10"}),
        json!({"from_date": "2010-01-01", "to_date": "2026-11-10"}),
        json!({"hour": "2026-11-10"}),
        json!({"hour": "2026-11-10T13_15to30"}),
        json!({"hour": "2026-11-10T13b"}),
        json!({"hour": "2026-11-13T10"}),
        json!({"hour": "2026-11-13T09"}),
        json!({"scheduled_time": "now"}),
        json!({"scheduled_time": "2026-11-10T14:10:00Z", "force": true}),
    ];
    let (delay, margin) = (Duration::ZERO, Duration::from_mins(90));
    let terms = Terms { frequency: Frequency::Hourly, delay, margin, sync_days: None };
    let now = "2026-11-13T10:30:00Z".parse().unwrap();
    let requests = payloads.map(|payload| {
        let problems = request::read(&payload, &Zone::UTC, terms, now).unwrap_err();
        format!("{payload}\n    {problems}\n")
    });
    let [mut no_bucket, mut no_text] = [created(), created()];
    no_bucket["Records"][0]["s3"]["bucket"]["name"] = Value::Null;
    no_text["Records"][0]["s3"]["object"]["key"] = "%ff".into();
    let notifications = [
        ("{}", json!({})),
        ("no detail-type", json!({"source": "aws.s3"})),
        ("no name of a bucket", no_bucket),
        ("a key of no text", no_text),
    ];
    let notifications = notifications.map(|(name, payload)| {
        let error = Notification::read(payload).unwrap_err();
        format!("{name}\n    {error}\n")
    });
    insta::assert_snapshot!([requests.concat(), notifications.concat()].join("\n"));
}

#[test]
fn failures() {
    let kinds = [
        Kind::InvalidSettings,
        Kind::InvalidPayload,
        Kind::NoCredentials,
        Kind::NoLake,
        Kind::RateLimited,
        Kind::OutOfTime,
        Kind::SliceFailed,
        Kind::CatalogFailed,
        Kind::MaintenanceFailed,
    ];
    let kinds = kinds.map(|kind| format!("{}\n", Failure::new(kind, "<message>")));
    let purposes = [Purpose::Lake, Purpose::Source, Purpose::Catalog, Purpose::Secrets];
    let regions = purposes.map(|purpose| {
        let name = match purpose {
            Purpose::Lake => "Lake",
            Purpose::Source => "Source",
            Purpose::Catalog => "Catalog",
            Purpose::Secrets => "Secrets",
        };
        format!("{name}: {}\n", no_region(purpose))
    });
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mixlake/a-AbCdEf";
    let secrets = [arn, "hunter2"].map(|secret| {
        let what = format!("words of the service about {secret}");
        format!("{}\n", no_credentials(secret, &what))
    });
    insta::assert_snapshot!([kinds.concat(), regions.concat(), secrets.concat()].join("\n"));
}

fn report(errors: Vec<SourceError>) -> ExportReport {
    let days = ["2026-11-10", "2026-11-11", "2026-11-12"];
    let slice = |(day, error): (&str, SourceError)| SliceOutcome {
        slice: Slice::parse(day, &Zone::UTC).unwrap(),
        outcome: Err(error.into()),
        effort: None,
    };
    ExportReport { slices: days.into_iter().zip(errors).map(slice).collect() }
}

#[test]
fn reports_of_failed_exports() {
    let refused = |why: &str| SourceError::Refused(why.to_owned());
    let reports = [
        vec![SourceError::RateLimited { retry_after: Duration::from_mins(30) }],
        vec![SourceError::OutOfTime],
        vec![refused("<reason>"), refused("<other reason>"), refused("<reason>")],
    ];
    let request = Request {
        slices: Vec::new(),
        due: None,
        hour: None,
        force: false,
        sync: false,
        backfill: false,
    };
    let kept = report::Kept(Ok("s3://lake/42/_reports/2026/11/10/0123.json".to_owned()));
    let text = |errors| format!("{}\n\n", report::failure(&report(errors), &kept, &request));
    let texts = reports.map(text);
    insta::assert_snapshot!(texts.concat());
}
