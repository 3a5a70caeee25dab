//! How the source handles every response of the API.

use crate::budget::Budget;
use crate::support::{
    SMALL_HOUR, config, impatient, read, serve, serve_as, source, storefront, utc,
};
use mixlake_app::ports::{EventSource, SourceError};
use mixlake_domain::{Slice, Timestamp, Window, Zone};
use mixlake_mixpanel::{Config, Credentials, MixpanelSource, OUTAGE_QUERIES, Timings};
use mixlake_testkit::mixpanel::{Data, Fault, Limits, StandInConfig};
use rstest::rstest;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn refusal(result: Result<Vec<u8>, SourceError>) -> String {
    match result {
        Err(SourceError::Refused(text)) => text,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_slice_is_one_query_with_its_bounds() {
    let standin = serve(storefront()).await;
    read(&source(config(&standin)), &utc("2026-11-11T17")).await.unwrap();
    let queries = standin.queries();
    assert_eq!(queries.len(), 1);
    let mut pairs: Vec<_> =
        queries[0].iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.sort();
    assert_eq!(
        pairs,
        [
            "from_date=2026-11-11",
            "project_id=3141592",
            "time_in_ms=true",
            "to_date=2026-11-11",
            r#"where=event["$time"] >= datetime("2026-11-11T17:00:00") and event["$time"] < datetime("2026-11-11T18:00:00")"#,
        ]
    );
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_the_setting_to_check() {
    let standin = serve(storefront()).await;
    let credentials = Credentials::service_account("somebody", "else").unwrap();
    let wrong = Config { credentials, ..config(&standin) };
    let text = refusal(read(&source(wrong), &utc(SMALL_HOUR)).await);
    assert!(text.contains("401: Unauthorized") && text.contains("mixpanel_secret"), "{text}");
}

#[tokio::test]
async fn a_wrong_expression_is_refused_with_mixpanels_own_words() {
    let standin = serve(storefront()).await;
    let where_expression = Some("nonsense(properties[\"a\"])".parse().unwrap());
    let wrong = Config { where_expression, ..config(&standin) };
    let text = refusal(read(&source(wrong), &utc(SMALL_HOUR)).await);
    assert!(text.contains("400: where is not a valid expression"), "{text}");
    assert!(text.contains("nonsense") && text.contains("check where"), "{text}");
}

#[tokio::test]
async fn a_day_to_come_is_refused() {
    let standin = serve(storefront()).await;
    let error = read(&source(config(&standin)), &utc("2199-01-01")).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("cannot be later than today"), "{text}");
    assert!(text.ends_with("Ask again from 2199-01-01T00:00:00Z on"), "{text}");
}

/// The dates of a query are in UTC, and "today" is in the project's zone.
#[tokio::test]
async fn an_evening_west_of_utc_may_have_to_wait_for_midnight_and_says_so() {
    let zone = Zone::parse("America/New_York").unwrap();
    let evening = Slice::parse("2026-11-10T20", &zone).unwrap();
    let serving = async |now: &str| {
        serve_as(StandInConfig::new(storefront()).at(now.parse().unwrap(), &zone)).await
    };
    let standin = serving("2026-11-11T02:10:00Z").await;
    let west = Config { zone: zone.clone(), ..config(&standin) };
    let error = read(&source(west), &evening).await.unwrap_err();
    let midnight: Timestamp = "2026-11-11T05:00:00Z".parse().unwrap();
    assert!(matches!(error, SourceError::NotYet { from, .. } if from == midnight), "{error:?}");
    assert!(error.to_string().contains("Ask again from 2026-11-11T05:00:00Z on"), "{error}");
    let standin = serving("2026-11-11T05:00:00Z").await;
    assert!(read(&source(config(&standin)), &evening).await.is_ok());
}

#[rstest]
#[case::redirect(302)]
#[case::plan(402)]
#[case::forbidden(403)]
#[case::not_there(404)]
#[tokio::test]
async fn what_will_not_change_is_asked_once(#[case] code: u16) {
    let standin = serve(storefront()).await;
    standin.script([Fault::status(code, "own words")]);
    let text = refusal(read(&source(config(&standin)), &utc(SMALL_HOUR)).await);
    assert!(text.contains(&format!("{code}: own words")), "{text}");
    assert_eq!(standin.queries().len(), 1);
}

#[rstest]
#[case::crash(500)]
#[case::gateway(502)]
#[case::overload(503)]
#[case::timeout(408)]
#[tokio::test]
async fn a_server_in_trouble_is_waited_for(#[case] code: u16) {
    let standin = serve(storefront()).await;
    let source = source(config(&standin));
    standin.script(vec![Fault::status(code, "oops"); 5]);
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_ok());
    assert_eq!(standin.queries().len(), 6);
    standin.script(vec![Fault::status(code, "oops"); 6]);
    let error = read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("{code}: oops")), "{error}");
    assert!(error.is_for_later() && !error.is_transient() && !error.may_be_too_much());
}

#[tokio::test]
async fn a_server_in_trouble_is_not_waited_for_past_the_deadline() {
    let standin = serve(storefront()).await;
    standin.script([Fault::status(503, "oops")]);
    let source = source(impatient(config(&standin)));
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_err());
    assert_eq!(standin.queries().len(), 1);
}

/// The defaults: waits of 10, 20, 40, 80 and 160 seconds, each multiplied by a random factor from 0.5
/// to 1.5.
#[test]
fn an_outage_of_five_minutes_is_waited_for() {
    let Timings { outage_pause, .. } = Timings::default();
    let waits = (0..OUTAGE_QUERIES - 1).map(|doublings| outage_pause * 2_u32.pow(doublings));
    assert!(waits.sum::<Duration>() >= Duration::from_mins(5));
}

#[tokio::test]
async fn a_server_that_does_not_begin_to_answer_may_have_too_much_to_say() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let any = serve(Data::default()).await;
    let config = config(&any);
    let timings = Timings { idle: Duration::from_millis(40), ..config.timings };
    let silent = Config { endpoint, timings, ..config };
    let error = read(&source(silent.clone()), &utc(SMALL_HOUR)).await.unwrap_err();
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error:?}");
    assert!(error.may_be_too_much() && !error.is_transient(), "its half is asked for at once");
    let timings = Timings::default();
    let deadline = Some(Instant::now() + Duration::from_millis(100));
    let out_of_time = Config { timings, deadline, ..silent };
    let error = read(&source(out_of_time), &utc(SMALL_HOUR)).await.unwrap_err();
    assert!(matches!(error, SourceError::OutOfTime), "{error:?}");
}

#[tokio::test]
async fn a_stream_that_goes_on_past_the_deadline_is_left() {
    let standin = serve(storefront()).await;
    standin.script([Fault::Stall { after: 500 }]);
    let deadline = Some(Instant::now() + Duration::from_millis(200));
    let source = source(Config { deadline, ..config(&standin) });
    let error = read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
    assert!(matches!(error, SourceError::OutOfTime), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let standin = serve(storefront()).await;
    let config = config(&standin);
    let url = standin.url();
    drop(standin);
    // The listener closes when its task is dropped, which may be a moment later.
    while tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = read(&source(config), &utc(SMALL_HOUR)).await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("cannot connect to {url}")), "{error}");
}

fn too_many(retry_after: Option<&str>) -> Fault {
    answer(429, retry_after)
}

fn answer(code: u16, retry_after: Option<&str>) -> Fault {
    let retry_after = retry_after.map(str::to_owned);
    Fault::Status { code, message: "slow down".to_owned(), retry_after }
}

async fn again(source: &MixpanelSource) -> Result<(), SourceError> {
    source.fetch(&Window::whole(&utc(SMALL_HOUR)), 1).await.map(|_| ())
}

#[rstest]
#[case::crash(500)]
#[case::gateway(502)]
#[case::overload(503)]
#[case::timeout(408)]
#[tokio::test]
async fn a_server_in_trouble_is_left_alone_for_as_long_as_it_says(#[case] code: u16) {
    let standin = serve(storefront()).await;
    standin.script([answer(code, Some("0")), answer(code, Some("3000"))]);
    let budget = Arc::new(Budget::default());
    let source = source(config(&standin)).sharing(budget.clone());
    // The wait is longer than allowed: the caller learns when to retry, and no further query is sent.
    let error = read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
    let said = [Duration::ZERO, Duration::from_mins(50)];
    assert_eq!(*budget.closed.lock().unwrap(), said, "entered for all");
    let nearly = Duration::from_secs(2990);
    assert!(
        matches!(error, SourceError::RateLimited { retry_after } if retry_after > nearly),
        "{error:?}"
    );
    assert_eq!(standin.queries().len(), 2);
}

#[rstest]
#[case::passes_it(Duration::from_mins(40), false)]
#[case::does_not(Duration::from_hours(1), true)]
#[tokio::test]
async fn a_server_in_trouble_is_waited_for_unless_that_passes_the_deadline(
    #[case] until_deadline: Duration,
    #[case] waits: bool,
) {
    let standin = serve(storefront()).await;
    standin.script([answer(503, Some("3000"))]);
    let config = config(&standin);
    let timings = Timings { max_wait: Duration::from_hours(2), ..config.timings };
    let deadline = Some(Instant::now() + until_deadline);
    let source = source(Config { deadline, timings, ..config });
    let result = tokio::time::timeout(Duration::from_millis(300), again(&source)).await;
    match result {
        Ok(result) => assert!(!waits && matches!(result, Err(SourceError::RateLimited { .. }))),
        Err(_still_waiting) => assert!(waits),
    }
    assert_eq!(standin.queries().len(), 1);
}

#[tokio::test]
async fn what_failed_is_not_asked_again_before_a_pause() {
    let standin = serve(storefront()).await;
    let config = config(&standin);
    let hour = Duration::from_hours(1);
    let timings = Timings { backoff_base: hour, backoff_cap: hour, ..config.timings };
    let source = source(Config { timings, ..config });
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_ok(), "a first attempt does not wait");
    let waiting = tokio::time::timeout(Duration::from_millis(300), again(&source)).await;
    assert!(waiting.is_err() && standin.queries().len() == 1, "{waiting:?}");
}

#[tokio::test]
async fn a_short_wait_for_the_budget_is_waited_for() {
    let standin = serve(storefront()).await;
    standin.script([too_many(Some("0")), too_many(Some("0"))]);
    assert!(read(&source(config(&standin)), &utc(SMALL_HOUR)).await.is_ok());
    assert_eq!(standin.queries().len(), 3);
}

#[tokio::test]
async fn waits_for_the_budget_are_bounded_together() {
    let standin = serve(storefront()).await;
    standin.script(vec![too_many(Some("0")); 1000]);
    let result = read(&source(config(&standin)), &utc(SMALL_HOUR)).await;
    assert!(matches!(result, Err(SourceError::RateLimited { .. })), "{result:?}");
    // 20 ms of total wait, 1 ms each.
    assert_eq!(standin.queries().len(), 21);
}

#[rstest]
#[case::seconds(Some("3600"), 3600)]
#[case::not_said(None, 60)]
#[case::nonsense(Some("later"), 60)]
#[tokio::test]
async fn a_long_wait_is_left_to_the_caller(
    #[case] retry_after: Option<&str>,
    #[case] seconds: u64,
) {
    let standin = serve(storefront()).await;
    standin.script([too_many(retry_after)]);
    let error = read(&source(config(&standin)), &utc(SMALL_HOUR)).await.unwrap_err();
    let wait = Duration::from_secs(seconds);
    assert!(
        matches!(error, SourceError::RateLimited { retry_after } if retry_after == wait),
        "{error:?}"
    );
    assert_eq!(standin.queries().len(), 1);
}

#[tokio::test]
async fn nothing_is_asked_before_the_shared_budget_lets_it() {
    let standin = serve(storefront()).await;
    let budget = Arc::new(Budget::default());
    let source = source(config(&standin)).sharing(budget.clone());
    budget.waits.lock().unwrap().extend([Duration::from_millis(1), Duration::from_mins(30)]);
    let error = read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
    let half_an_hour = Duration::from_mins(30);
    assert!(
        matches!(error, SourceError::RateLimited { retry_after } if retry_after == half_an_hour),
        "{error:?}"
    );
    assert!(standin.queries().is_empty());
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_ok());
}

#[tokio::test]
async fn what_mixpanel_says_of_its_budget_is_entered_for_all() {
    let standin = serve(storefront()).await;
    let budget = Arc::new(Budget::default());
    standin.script([too_many(Some("1800"))]);
    let source = source(config(&standin)).sharing(budget.clone());
    read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
    assert_eq!(*budget.closed.lock().unwrap(), [Duration::from_mins(30)]);
}

#[rstest]
#[case::passes_it(Duration::from_secs(3500), false)]
#[case::does_not(Duration::from_secs(3700), true)]
#[tokio::test]
async fn a_wait_that_would_pass_the_deadline_is_not_begun(
    #[case] until_deadline: Duration,
    #[case] waits: bool,
) {
    let standin = serve(storefront()).await;
    standin.script([too_many(Some("3600"))]);
    let config = config(&standin);
    let timings = Timings { max_wait: Duration::from_hours(2), ..config.timings };
    let deadline = Some(Instant::now() + until_deadline);
    let source = source(Config { deadline, timings, ..config });
    let hour = utc(SMALL_HOUR);
    let asking = read(&source, &hour);
    let result = tokio::time::timeout(Duration::from_millis(300), asking).await;
    match result {
        Ok(result) => assert!(!waits && matches!(result, Err(SourceError::RateLimited { .. }))),
        Err(_still_waiting) => assert!(waits),
    }
}

#[tokio::test]
async fn a_date_to_return_at_is_read_against_the_date_of_the_answer() {
    let standin = serve(storefront()).await;
    standin.script([too_many(Some("Fri, 01 Jan 2100 00:00:00 GMT"))]);
    let error = read(&source(config(&standin)), &utc(SMALL_HOUR)).await.unwrap_err();
    let years = Duration::from_hours(365 * 24);
    assert!(
        matches!(error, SourceError::RateLimited { retry_after } if retry_after > years),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_hours_budget_of_the_api_is_respected() {
    let limits = Limits { per_hour: 2, per_second: usize::MAX };
    let standin = serve_as(StandInConfig { limits, ..StandInConfig::new(Data::default()) }).await;
    let source = source(config(&standin));
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_ok());
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_ok());
    let error = read(&source, &utc(SMALL_HOUR)).await.unwrap_err();
    let nearly_an_hour = Duration::from_mins(59);
    assert!(
        matches!(error, SourceError::RateLimited { retry_after } if retry_after > nearly_an_hour),
        "{error:?}"
    );
}
