use super::*;
use crate::request::expected as of_schedule;
use mixlake_domain::Minutes;
use rstest::rstest;
use serde_json::json;

fn at_once() -> Terms {
    let (delay, margin) = (Duration::ZERO, Duration::ZERO);
    Terms { frequency: Frequency::Hourly, delay, margin, sync_days: Some(3) }
}

fn ask(payload: &Value) -> Result<Vec<String>, String> {
    let now = "2026-11-13T10:30:00Z".parse().unwrap();
    read(payload, &Zone::UTC, at_once(), now)
        .map(|request| request.slices.iter().map(ToString::to_string).collect())
        .map_err(|problems| problems.to_string())
}

#[rstest]
#[case::range(json!({"from_date": "2026-11-10", "to_date": "2026-11-11"}), &["2026-11-10", "2026-11-11"])]
#[case::date(json!({"date": "2026-11-10"}), &["2026-11-10"])]
#[case::hour(json!({"hour": "2026-11-10T13"}), &["2026-11-10T13"])]
#[case::schedule(json!({"scheduled_time": "2026-11-10T14:10:00Z"}), &["2026-11-10T13"])]
#[case::rule(json!({"source": "aws.events", "time": "2026-11-10T14:10:00Z", "detail": {}}), &["2026-11-10T13"])]
fn a_payload_names_its_slices(#[case] payload: Value, #[case] expected: &[&str]) {
    assert_eq!(ask(&payload).unwrap(), expected);
    let by_a_person = ["from_date", "date", "hour"].iter().any(|f| payload.get(f).is_some());
    let request = read(&payload, &Zone::UTC, at_once(), Timestamp::MAX).unwrap();
    assert_eq!(request.due.is_none(), by_a_person);
    assert!(!request.force);
}

#[test]
fn of_today_only_the_hours_that_have_ended_are_taken() {
    let slices = ask(&json!({"from_date": "2026-11-12", "to_date": "2026-11-13"})).unwrap();
    assert_eq!(slices.len(), 11);
    assert_eq!((slices[0].as_str(), slices[10].as_str()), ("2026-11-12", "2026-11-13T09"));
}

#[test]
fn a_delayed_schedule_exports_what_had_ended_so_long_before() {
    let payload = json!({"scheduled_time": "2026-11-10T14:10:00Z"});
    let scheduled = |frequency, hours| {
        let delay = Duration::from_hours(hours);
        let terms = Terms { frequency, delay, ..at_once() };
        let request = read(&payload, &Zone::UTC, terms, Timestamp::MAX).unwrap();
        request.slices[0].to_string()
    };
    assert_eq!(scheduled(Frequency::Hourly, 24), "2026-11-09T13");
    assert_eq!(scheduled(Frequency::Daily, 24), "2026-11-08");
    assert_eq!(scheduled(Frequency::Daily, 3), "2026-11-09");
    assert_eq!(scheduled(Frequency::Minutes(Minutes::Fifteen), 2), "2026-11-10T11_45to60");
    assert_eq!(scheduled(Frequency::Minutes(Minutes::Five), 2), "2026-11-10T12_05to10");
}

#[test]
fn a_scheduled_sync_looks_at_the_days_that_were_closed_when_it_became_due() {
    let terms = Terms { delay: Duration::from_hours(2), ..at_once() };
    let at = |time: &str, zone: &str| {
        let payload = json!({"sync_time": time});
        let request = read(&payload, &Zone::parse(zone).unwrap(), terms, Timestamp::MAX).unwrap();
        assert!(request.sync && !request.force);
        let days: Vec<String> = request.slices.iter().map(ToString::to_string).collect();
        (days.join(" "), request.due.unwrap().to_string())
    };
    let (days, since) = at("2026-11-10T14:40:00Z", "UTC");
    assert_eq!((&*days, &*since), ("2026-11-09 2026-11-08 2026-11-07", "2026-11-10T02:00:00Z"));
    let (days, since) = at("2026-11-10T01:40:00Z", "UTC");
    assert_eq!((&*days, &*since), ("2026-11-08 2026-11-07 2026-11-06", "2026-11-09T02:00:00Z"));
    let (days, since) = at("2026-11-10T01:40:00Z", "Europe/Berlin");
    assert_eq!((&*days, &*since), ("2026-11-09 2026-11-08 2026-11-07", "2026-11-10T01:00:00Z"));
    let off = Terms { sync_days: None, ..terms };
    let payload = json!({"sync_time": "2026-11-10T14:40:00Z"});
    assert_eq!(read(&payload, &Zone::UTC, off, Timestamp::MAX).unwrap().slices, []);
}

#[test]
fn a_person_may_sync_days_that_have_ended() {
    let payload = json!({"date": "2026-11-12", "sync": true});
    let now = "2026-11-13T10:30:00Z".parse().unwrap();
    let request = read(&payload, &Zone::UTC, at_once(), now).unwrap();
    assert!(request.sync && request.due.is_none() && request.slices.len() == 1);
    let today = ask(&json!({"date": "2026-11-13", "sync": true})).unwrap_err();
    assert!(today.contains("2026-11-13 is none yet"), "{today}");
    let hour = ask(&json!({"hour": "2026-11-12T13", "sync": true})).unwrap_err();
    assert!(hour.starts_with("sync: takes whole days"), "{hour}");
}

#[test]
fn a_person_may_ask_for_published_slices_again() {
    let payload = json!({"hour": "2026-11-10T13", "force": true});
    let request = read(&payload, &Zone::UTC, at_once(), Timestamp::MAX).unwrap();
    assert!(request.force && request.hour.as_deref() == Some("2026-11-10T13"));
}

#[test]
fn all_slices_of_the_days_before_are_expected_and_whole_days_as_one() {
    let due: Timestamp = "2026-11-10T14:00:00Z".parse().unwrap();
    let expected = |frequency, days| {
        let terms = Terms { frequency, ..at_once() };
        of_schedule(due, &Zone::UTC, terms, days)
    };
    let hourly = expected(Frequency::Hourly, 2);
    let counts: Vec<_> = hourly.iter().map(|date| date.slices.len()).collect();
    assert_eq!(counts, [24, 24, 14]);
    assert_eq!(hourly.iter().map(|date| date.longer.len()).collect::<Vec<_>>(), [1, 1, 0]);
    let quarterly = expected(Frequency::Minutes(Minutes::Fifteen), 1);
    assert_eq!(quarterly.iter().map(|date| date.slices.len()).collect::<Vec<_>>(), [96, 56]);
    let longer = |nth: usize| quarterly[nth].longer.iter().map(ToString::to_string);
    assert_eq!(longer(0).take(2).collect::<Vec<_>>(), ["2026-11-09", "2026-11-09T00"]);
    assert_eq!((longer(0).count(), longer(1).count()), (25, 14), "the day has not ended");
    let daily = expected(Frequency::Daily, 2);
    assert_eq!(daily.iter().map(|date| date.slices.len()).collect::<Vec<_>>(), [1, 1, 0]);
    assert!(expected(Frequency::Hourly, 0).is_empty());
}

#[test]
fn what_ended_within_the_margin_is_not_taken_yet() {
    let now = "2026-11-13T00:30:00Z".parse().unwrap();
    let terms = Terms { margin: Duration::from_mins(90), ..at_once() };
    let ask = |payload: Value| read(&payload, &Zone::UTC, terms, now).map(|r| r.slices);
    let hours = ask(json!({"from_date": "2026-11-12", "to_date": "2026-11-13"})).unwrap();
    assert_eq!((hours.len(), hours[22].to_string()), (23, "2026-11-12T22".to_owned()));
    assert_eq!(ask(json!({"date": "2026-11-11"})).unwrap().len(), 1);
    let problems = ask(json!({"hour": "2026-11-12T23"})).unwrap_err().to_string();
    assert!(problems.contains("ended less than 90 minutes ago"), "{problems}");
}

#[test]
fn today_is_the_projects_today() {
    let now = "2026-11-13T23:30:00Z".parse().unwrap();
    let in_zone = |zone: &str, payload: Value| {
        let zone = Zone::parse(zone).unwrap();
        read(&payload, &zone, at_once(), now).map(|request| request.slices.len())
    };
    let date = |date: &str| json!({"date": date});
    // Half past midnight, half past eight, and the evening before.
    assert_eq!(in_zone("Europe/Berlin", date("2026-11-14")), Ok(0));
    assert_eq!(in_zone("Asia/Tokyo", date("2026-11-14")), Ok(8));
    assert_eq!(in_zone("America/New_York", date("2026-11-13")), Ok(18));
    let problems = in_zone("America/New_York", date("2026-11-14")).unwrap_err().to_string();
    assert!(problems.contains("today is 2026-11-13 in America/New_York"), "{problems}");
}

#[rstest]
#[case::nothing(json!({}), "payload: a payload is")]
#[case::not_an_object(json!([1]), "payload: a payload is")]
#[case::half_a_range(json!({"from_date": "2026-11-10"}), "payload: a payload is")]
#[case::misspelt(json!({"form_date": "2026-11-10", "to_date": "2026-11-11"}), "form_date: no such field")]
#[case::sync(json!({"date": "2026-11-10", "sync": 1}), "sync: must be true or false")]
#[case::sync_time(json!({"sync_time": "now"}), "sync_time: must be a time such as")]
#[case::force(json!({"date": "2026-11-10", "force": "yes"}), "force: must be true or false")]
#[case::number(json!({"date": 20_261_110}), "date: must be a text")]
#[case::no_date(json!({"date": "2026-02-30"}), "date: must be a date such as")]
#[case::reversed(json!({"from_date": "2026-11-12", "to_date": "2026-11-10"}), "to_date: 2026-11-10 is before")]
#[case::future(json!({"date": "2026-11-14"}), "date: 2026-11-14 is in the future; today is 2026-11-13 in UTC")]
#[case::unfinished_hour(json!({"hour": "2026-11-13T10"}), "hour: 2026-11-13T10 has not ended yet")]
#[case::label_of_ingestion(json!({"hour": "i2026-11-13T05"}), "hour: must be an hour such as")]
#[case::day_as_hour(json!({"hour": "2026-11-10"}), "hour: must be an hour such as")]
#[case::minutes_as_hour(json!({"hour": "2026-11-10T13_15to30"}), "hour: must be an hour such as")]
#[case::second_pass(json!({"hour": "2026-11-10T13b"}), "hour: \"2026-11-10T13b\" does not occur in UTC")]
#[case::bad_time(json!({"scheduled_time": "now"}), "scheduled_time: must be a time such as")]
#[case::literal_placeholder(json!({"scheduled_time": "<aws.scheduler.scheduled-time>"}), "scheduled_time: must be a time")]
fn a_payload_that_cannot_be_meant_says_what_is_wrong(
    #[case] payload: Value,
    #[case] expected: &str,
) {
    let problems = ask(&payload).unwrap_err();
    assert!(problems.contains(expected), "{problems}");
}

fn backfill(from: &str, to: &str, margin: u64) -> Result<usize, String> {
    let now = "2026-11-13T00:30:00Z".parse().unwrap();
    let (from, to) = (("from_date", from), ("to_date", to));
    let days = whole_days(from, to, &Zone::UTC, (now, Duration::from_mins(margin)));
    days.map(|days| days.len()).map_err(|problems| problems.to_string())
}

#[test]
fn a_backfill_has_any_number_of_whole_days() {
    assert_eq!(backfill("2010-01-01", "2026-11-12", 0), Ok(6_160));
    assert_eq!(backfill("2026-11-12", "2026-11-12", 0), Ok(1));
}

#[test]
fn each_slice_of_a_backfill_is_a_payload_of_the_function() {
    let day = Slice::parse("2026-11-10", &Zone::UTC).unwrap();
    for force in [false, true] {
        let payload = payload(&day, force);
        let request = read(&payload, &Zone::UTC, at_once(), Timestamp::MAX).unwrap();
        assert_eq!((request.slices, request.force), (vec![day.clone()], force));
    }
}

#[test]
fn a_date_that_the_zone_skips_is_not_in_a_backfill() {
    let zone = Zone::parse("Pacific/Apia").unwrap();
    let (from, to) = (("from_date", "2011-12-29"), ("to_date", "2011-12-31"));
    let days = whole_days(from, to, &zone, (Timestamp::MAX, Duration::ZERO)).unwrap();
    let days: Vec<String> = days.iter().map(ToString::to_string).collect();
    assert_eq!(days, ["2011-12-29", "2011-12-31"]);
}

#[test]
fn all_problems_of_a_backfill_are_named_at_once() {
    let problems = backfill("2026-11-13", "2009-12-31", 0).unwrap_err();
    for expected in [
        "from_date: 2026-11-13 is not over; the last whole day in UTC is 2026-11-12",
        "to_date: 2009-12-31 is before 2010-01-01, the first date of a backfill",
        "to_date: 2009-12-31 is before from_date 2026-11-13",
    ] {
        assert!(problems.contains(expected), "{problems}");
    }
    let problems = backfill("yesterday", "2026-11-12", 90).unwrap_err();
    assert!(problems.contains("from_date: must be a date such as"), "{problems}");
    let margin = "the last whole day in UTC is 2026-11-11, with 90 minutes after it";
    assert!(problems.contains(margin), "{problems}");
}

#[test]
fn both_ends_of_a_bad_range_are_named() {
    let problems = ask(&json!({"from_date": "x", "to_date": "2199-01-01"})).unwrap_err();
    assert!(problems.contains("from_date:") && problems.contains("to_date:"), "{problems}");
}
