//! The source returns exactly what the API holds: every event, once, byte for byte.

use crate::support::{config, file, lines, read, serve, serve_as, source, storefront, utc};
use flate2::read::GzDecoder;
use mixlake_domain::{Minutes, Slice, Zone};
use mixlake_mixpanel::{Config, Credentials, EventNames, EventTime};
use mixlake_testkit::mixpanel::{Data, Framing, StandInConfig};
use rstest::rstest;
use std::io::Read;

/// The lines of the file; their times are whole seconds there, and milliseconds here.
fn held() -> Vec<String> {
    let packed = std::fs::read(file("storefront-events.jsonl.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    text.lines().map(in_milliseconds).collect()
}

fn in_milliseconds(line: &str) -> String {
    const TIME: &str = r#"{"time":1794268800"#;
    let digits_end = line.find(r#"{"time":"#).unwrap() + TIME.len();
    format!("{}000{}", &line[..digits_end], &line[digits_end..])
}

const DAYS: [&str; 4] = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"];

#[rstest]
#[case::gzip_chunked(true, Framing::Chunked)]
#[case::gzip_length(true, Framing::Length)]
#[case::identity_chunked(false, Framing::Chunked)]
#[case::identity_length(false, Framing::Length)]
#[tokio::test]
async fn the_days_are_the_data(#[case] gzip: bool, #[case] framing: Framing) {
    let standin =
        serve_as(StandInConfig { gzip, framing, ..StandInConfig::new(storefront()) }).await;
    let source = source(config(&standin));
    let mut received = Vec::new();
    for day in DAYS {
        received.extend(lines(&read(&source, &utc(day)).await.unwrap()));
    }
    assert_eq!(received.len(), 5277);
    assert_eq!(received, held());
}

#[rstest]
#[case::utc("UTC")]
#[case::behind("America/New_York")]
#[case::half_an_hour_off("Asia/Kolkata")]
#[tokio::test]
async fn the_hours_of_a_day_are_the_day(#[case] zone: &str) {
    let zone = Zone::parse(zone).unwrap();
    let standin = serve(storefront()).await;
    let source = source(config(&standin));
    let day = "2026-11-11".parse().unwrap();
    let mut by_hours = Vec::new();
    for hour in Slice::hours(day, &zone) {
        by_hours.extend(lines(&read(&source, &hour).await.unwrap()));
    }
    let by_day = lines(&read(&source, &Slice::day(day, &zone)).await.unwrap());
    assert!(by_day.len() > 1000);
    assert_eq!(by_hours, by_day);
}

#[rstest]
#[case::quarters("Asia/Kathmandu", Minutes::Fifteen)]
#[case::five_minutes("America/New_York", Minutes::Five)]
#[tokio::test]
async fn the_minutes_of_a_day_are_the_day(#[case] zone: &str, #[case] length: Minutes) {
    let zone = Zone::parse(zone).unwrap();
    let standin = serve(storefront()).await;
    let source = source(config(&standin));
    let day = "2026-11-11".parse().unwrap();
    let mut by_minutes = Vec::new();
    for slice in Slice::minutes(day, length, &zone) {
        by_minutes.extend(lines(&read(&source, &slice).await.unwrap()));
    }
    let by_day = lines(&read(&source, &Slice::day(day, &zone)).await.unwrap());
    assert!(by_day.len() > 1000);
    assert_eq!(by_minutes, by_day);
}

#[tokio::test]
async fn lines_that_are_no_events_come_with_exactly_one_hour() {
    let quirks = std::fs::read_to_string(file("quirks.jsonl")).unwrap();
    let standin = serve(Data::load(&[file("quirks.jsonl")]).unwrap()).await;
    let source = source(config(&standin));
    let mut received = Vec::new();
    for hour in Slice::hours("2025-11-12".parse().unwrap(), &Zone::UTC) {
        received.extend(lines(&read(&source, &hour).await.unwrap()));
    }
    let without_time = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| !line.contains(r#""time":17"#)).collect()
    };
    assert_eq!(received.len(), lines(quirks.as_bytes()).len());
    assert_eq!(without_time(received), without_time(lines(quirks.as_bytes())));
}

#[tokio::test]
async fn a_slice_without_events_is_complete_and_empty() {
    let standin = serve(storefront()).await;
    let body = read(&source(config(&standin)), &utc("2026-11-01")).await.unwrap();
    assert!(lines(&body).is_empty());
}

#[tokio::test]
async fn filters_narrow_the_slice_and_never_widen_it() {
    let standin = serve(storefront()).await;
    let everything = lines(&read(&source(config(&standin)), &utc("2026-11-11T17")).await.unwrap());
    let filtered = Config {
        events: EventNames::new(vec!["add to cart".into(), "checkout".into()]).unwrap(),
        where_expression: Some(
            r#"properties["company_id"] < 100 or properties["company_id"] >= 200"#.parse().unwrap(),
        ),
        ..config(&standin)
    };
    let received = lines(&read(&source(filtered), &utc("2026-11-11T17")).await.unwrap());
    let wanted: Vec<String> = everything.into_iter().filter(|line| is_wanted(line)).collect();
    assert!(!wanted.is_empty());
    assert_eq!(received, wanted);
}

#[rstest]
#[case::is_there(r#"defined(properties["company_id"])"#, |company: Option<u64>| company.is_some())]
#[case::is_not(r#"not defined(properties["company_id"])"#, |company: Option<u64>| company.is_none())]
#[case::one_of(r#"properties["company_id"] in [101, 102, 103]"#, |company: Option<u64>| company.is_some_and(|id| (101..104).contains(&id)))]
#[case::none_of(r#"defined(properties["company_id"]) and not number(properties["company_id"]) < 150"#, |company: Option<u64>| company.is_some_and(|id| id >= 150))]
#[tokio::test]
async fn every_form_of_expression_meets_the_bounds_of_the_slice(
    #[case] expression: &str,
    #[case] wanted: fn(Option<u64>) -> bool,
) {
    let standin = serve(storefront()).await;
    let everything = lines(&read(&source(config(&standin)), &utc("2026-11-11T17")).await.unwrap());
    let where_expression = Some(expression.parse().unwrap());
    let filtered = Config { where_expression, ..config(&standin) };
    let received = lines(&read(&source(filtered), &utc("2026-11-11T17")).await.unwrap());
    let company = |line: &String| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        wanted(event["properties"]["company_id"].as_u64())
    };
    let expected: Vec<String> = everything.into_iter().filter(company).collect();
    assert_eq!(received, expected);
}

fn is_wanted(line: &str) -> bool {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let company = event["properties"]["company_id"].as_u64();
    matches!(event["event"].as_str(), Some("add to cart" | "checkout"))
        && company.is_some_and(|id| !(100..200).contains(&id))
}

#[tokio::test]
async fn an_old_project_is_read_by_its_wall_clock() {
    let zone = Zone::parse("America/New_York").unwrap();
    let standin = serve(storefront()).await;
    let event_time = EventTime::of_project(true, &zone);
    let source = source(Config { event_time, ..config(&standin) });
    let day = Slice::day("2026-11-10".parse().unwrap(), &zone);
    let received = lines(&read(&source, &day).await.unwrap());
    // The stand-in's times are read as local times: its UTC day is the local day.
    assert_eq!(received, held()[..received.len()]);
    assert_eq!(standin.queries()[0]["from_date"], "2026-11-10");
}

#[tokio::test]
async fn the_secret_of_a_project_opens_it_too() {
    let project_secret = Some("0123456789abcdef".to_owned());
    let standin =
        serve_as(StandInConfig { project_secret, ..StandInConfig::new(storefront()) }).await;
    let credentials = Credentials::project_secret("0123456789abcdef").unwrap();
    let source = source(Config { credentials, ..config(&standin) });
    assert!(read(&source, &utc("2026-11-11T17")).await.is_ok());
    assert!(!standin.queries()[0].contains_key("project_id"));
}
