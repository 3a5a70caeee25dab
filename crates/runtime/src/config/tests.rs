//! What the checked settings are, and what is told of wrong ones.

use super::{ExportConfig, Pipeline};
use crate::settings::{Place, Settings};
use mixlake_columnar::Compression;
use mixlake_domain::{Slice, Zone};
use mixlake_mixpanel::{EventNames, EventTime};
use std::time::Duration;

fn problems(pairs: &[&str]) -> String {
    let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
    ExportConfig::check(&settings).unwrap_err().to_string()
}

#[test]
fn every_problem_is_told_at_once_with_what_is_accepted() {
    let text = problems(&[
        "timezone=Mars/Olympus",
        "frequency=weekly",
        "deduplicate=yes",
        "s3_prefix=a//b",
        "mixpanel_endpoint=http://example.com",
        "s3_role=arn:aws:iam::1:role/x",
        "schema_type=both",
        "queries_per_hour=0",
    ]);
    for expected in [
        "project_id: required",
        "timezone: not an IANA time zone: \"Mars/Olympus\"",
        "frequency: \"weekly\" is not supported; it accepts hourly, daily, 15min, 5min",
        "deduplicate: \"yes\" is not supported; it accepts true, false",
        "s3_prefix: a prefix is made of folders",
        "mixpanel_endpoint: the Mixpanel endpoint must be https",
        "s3_role: must be the ARN of an IAM role",
        "schema_type: \"both\" is not supported; it accepts monoschema, multischema",
        "queries_per_hour: must be a number from 1 to 3600, got \"0\"",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
}

#[test]
fn a_pipeline_is_a_place_and_a_delay() {
    let check = |pairs: &[&str]| {
        let pairs = ["project_id=1", "event_source=raw_pipeline"].iter().chain(pairs).copied();
        ExportConfig::check(&Settings::from_pairs(pairs).unwrap())
            .map(|config| config.pipeline.unwrap())
            .map_err(|problems| problems.to_string())
    };
    let bucket = |prefix: &str| Place::Bucket { bucket: "b".into(), prefix: prefix.into() };
    let of = |place, hours| Ok(Pipeline { place, delay: Duration::from_hours(hours) });
    assert_eq!(check(&["raw_pipeline_location=s3://b"]), of(bucket(""), 24));
    assert_eq!(
        check(&["raw_pipeline_location=s3://b/x/y/", "raw_pipeline_delay_hours=2"]),
        of(bucket("x/y/"), 2)
    );
    assert_eq!(check(&["raw_pipeline_location=./files"]), of(Place::Folder("./files".into()), 24));
    for (pairs, problem) in [
        (&[][..], "raw_pipeline_location: required"),
        (&["raw_pipeline_location=s3:///x"], "raw_pipeline_location: must be s3://bucket/prefix"),
        (&["raw_pipeline_location=gs://b"], "raw_pipeline_location: must be s3://bucket/prefix"),
        (&["raw_pipeline_delay_hours=soon"], "raw_pipeline_delay_hours: must be a number of hours"),
        (&["where=properties[\"a\"] == 1"], "where: only Mixpanel can evaluate it"),
    ] {
        let problems = check(pairs).unwrap_err();
        assert!(problems.contains(problem), "{problems}");
    }
    assert!(
        problems(&["project_id=1", "raw_pipeline_location=x"]).contains("has an effect only with")
    );
}

#[test]
fn a_cursor_has_a_start_and_goes_by_mixpanels_own_answers() {
    let with = |pairs: &[&'static str]| {
        let pairs = ["project_id=1", "late_data=ingestion_cursor"].iter().chain(pairs).copied();
        ExportConfig::check(&Settings::from_pairs(pairs).unwrap())
    };
    let config = with(&["ingestion_start=2026-11-10", "ingestion_margin_minutes=90"]).unwrap();
    let cursor = config.cursor.unwrap();
    assert_eq!((cursor.window_days, cursor.margin), (150, Duration::from_mins(90)));
    assert!(config.options.across_slices);
    let days = ["2026-11-09", "2026-11-10"].map(|d| Slice::parse(d, &Zone::UTC).unwrap());
    let labels: Vec<String> =
        config.by_cursor(days.to_vec()).iter().map(ToString::to_string).collect();
    assert_eq!(labels, ["2026-11-09", "i2026-11-10"]);
    for (pairs, problem) in [
        (&[][..], "ingestion_start: required: the first date"),
        (&["ingestion_start=soon"], "ingestion_start: must be a date such as 2026-11-10"),
        (
            &["ingestion_window_days=0"],
            "ingestion_window_days: must be a number of days from 1 to 3660",
        ),
        (
            &["ingestion_margin_minutes=x"],
            "ingestion_margin_minutes: must be a number of minutes from 0",
        ),
        (
            &["event_source=raw_pipeline", "raw_pipeline_location=s3://b"],
            "late_data: only Mixpanel can select events by processing time",
        ),
    ] {
        let problems = with(pairs).unwrap_err().to_string();
        assert!(problems.contains(problem), "{problems}");
    }
    let alone = problems(&["project_id=1", "ingestion_start=2026-11-10"]);
    assert!(alone.contains("ingestion_start: has an effect only with late_data=ingestion_cursor"));
}

#[test]
fn a_secret_in_the_place_of_its_name_is_refused_and_not_repeated() {
    for secret in [
        r#"{"username":"me","secret":"hunter2"}"#,
        r#" {"project_secret":"hunter2"}"#,
        "me:hunter2",
        "my hunter2",
    ] {
        let text = problems(&["project_id=1", &format!("mixpanel_secret={secret}")]);
        assert!(text.starts_with("mixpanel_secret: must be the name or ARN"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    for name in ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:mixlake/a-AbCdEf", "a/b"]
    {
        let pairs = ["project_id=1", &format!("mixpanel_secret={name}")];
        let config = ExportConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap();
        assert_eq!(config.secret.as_deref(), Some(name));
    }
}

#[test]
fn slices_of_minutes_need_the_api_and_a_query_each() {
    assert_eq!(checked(&["frequency=5min"]).frequency.slices_an_hour(), 12);
    assert_eq!(checked(&["frequency=15min", "queries_per_hour=4"]).frequency.slices_an_hour(), 4);
    let few = problems(&["project_id=1", "frequency=5min", "queries_per_hour=11"]);
    assert_eq!(
        few,
        "queries_per_hour: must be at least 12 with frequency=5min, because each slice costs a query"
    );
    let pipeline = ["event_source=raw_pipeline", "raw_pipeline_location=s3://b"];
    let files = problems(&[&["project_id=1", "frequency=15min"], &pipeline[..]].concat());
    assert!(files.starts_with("frequency: a pipeline writes files of days or hours"), "{files}");
    let cursor = ["late_data=ingestion_cursor", "ingestion_start=2026-11-10"];
    let config = checked(&[&["frequency=5min"], &cursor[..]].concat());
    let slice = Slice::parse("2026-11-10T13_15to20", &Zone::UTC).unwrap();
    assert_eq!(config.by_cursor(vec![slice])[0].to_string(), "i2026-11-10T13_15to20");
}

fn checked(pairs: &[&str]) -> ExportConfig {
    let pairs = ["project_id=1"].iter().chain(pairs).copied();
    ExportConfig::check(&Settings::from_pairs(pairs).unwrap()).unwrap()
}

#[test]
fn each_residency_has_its_own_host_and_an_endpoint_takes_its_place() {
    for (residency, host) in [
        ("us", "https://data.mixpanel.com"),
        ("eu", "https://data-eu.mixpanel.com"),
        ("in", "https://data-in.mixpanel.com"),
    ] {
        let residency = format!("residency={residency}");
        assert_eq!(checked(&[&residency]).endpoint.to_string(), host);
        let other = checked(&[&residency, "mixpanel_endpoint=http://127.0.0.1:9"]);
        assert_eq!(other.endpoint.to_string(), "http://127.0.0.1:9");
    }
    assert_eq!(checked(&[]).endpoint.to_string(), "https://data.mixpanel.com");
}

#[test]
fn the_zone_of_the_project_is_that_of_its_slices_dates_and_wall_clock() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let since = checked(&["timezone=Europe/Berlin"]);
    assert_eq!((&since.zone, &since.options.date_zone), (&berlin, &berlin));
    assert_eq!((since.options.wall_clock, since.event_time), (None, EventTime::Utc));

    let before = checked(&[
        "timezone=Europe/Berlin",
        "project_created_before_2023=true",
        "mp_date_zone=UTC",
    ]);
    assert_eq!((&before.zone, before.options.date_zone), (&berlin, Zone::UTC));
    assert_eq!(before.options.wall_clock, Some(berlin.clone()));
    assert_eq!(before.event_time, EventTime::WallClock(berlin));
}

#[test]
fn every_engine_reads_the_compression_unless_mixpanels_limits_are_chosen() {
    for (pairs, expected) in [
        (&[][..], Compression::Snappy),
        (&["schema_profile=mixpanel"], Compression::Zstd),
        (&["compression=zstd"], Compression::Zstd),
        (&["compression=gzip", "schema_profile=mixpanel"], Compression::Gzip),
    ] {
        assert_eq!(checked(pairs).options.compression, expected, "{pairs:?}");
    }
    let text = problems(&["project_id=1", "compression=lz4"]);
    assert_eq!(text, "compression: \"lz4\" is not supported; it accepts snappy, zstd, gzip");
}

#[test]
fn a_boolean_means_what_it_says() {
    let settings = Settings::from_pairs(["project_id=1", "deduplicate=false"]).unwrap();
    assert!(!ExportConfig::check(&settings).unwrap().options.deduplicate);
}

#[test]
fn an_empty_variable_counts_as_not_set_and_problems_name_the_variable() {
    let settings = Settings::from_environment(|name| match name {
        "PROJECT_ID" => Some("42".into()),
        "TIMEZONE" => Some(String::new()),
        "RESIDENCY" => Some("mars".into()),
        _ => None,
    });
    let text = ExportConfig::check(&settings).unwrap_err().to_string();
    assert_eq!(text, "RESIDENCY: \"mars\" is not supported; it accepts us, eu, in");
}

#[test]
fn unknown_and_repeated_settings_are_refused() {
    let error = Settings::from_pairs(["projectid=1", "timezone=UTC", "timezone=UTC", "oops"]);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("projectid: there is no such setting"));
    assert!(text.contains("timezone: given twice"));
    assert!(text.contains("oops: a setting is given as name=value"));
}

#[test]
fn events_are_names_or_a_json_array() {
    let pairs = ["project_id=1", "events=A, b", r#"events=["C","D"]"#];
    let settings = Settings::from_pairs(pairs).unwrap();
    let events = ExportConfig::check(&settings).unwrap().events;
    assert_eq!(events, EventNames::new(vec!["A, b".into(), "C".into(), "D".into()]).unwrap());
}
