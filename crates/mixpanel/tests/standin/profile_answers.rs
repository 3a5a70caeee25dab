//! How the source of profiles handles every response of the engage API.

use crate::budget::Budget;
use crate::profiles::{FIVE, serve_profiles, serve_with};
use crate::support::{after, config, impatient, page, profiles};
use mixlake_app::ports::{NextPage, PageError, ProfileSource, SourceError};
use mixlake_mixpanel::{Config, Credentials, MixpanelProfiles, Timings};
use mixlake_testkit::mixpanel::{Fault, Limits, PageFault, StandIn, StandInConfig};
use rstest::rstest;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FORGOTTEN: &str = "request for page in uncached query for params";

fn requests(standin: &StandIn) -> usize {
    standin.profile_requests().len()
}

async fn error(source: &MixpanelProfiles, next: Option<&NextPage>) -> SourceError {
    match page(source, next).await {
        Err(PageError::Source(error)) => error,
        other => panic!("no error of the source: {other:?}"),
    }
}

/// A stand-in, a source that shares a budget, and the request for the second page of a session.
async fn second_page() -> (StandIn, MixpanelProfiles, Arc<Budget>, NextPage) {
    let standin = serve_profiles(FIVE).await;
    let budget = Arc::new(Budget::default());
    let source = profiles(config(&standin)).sharing(budget.clone());
    let (_, first) = page(&source, None).await.unwrap();
    (standin, source, budget, after(&first))
}

#[rstest]
#[case::redirect(302, "check residency and mixpanel_endpoint")]
#[case::bad_request(400, "check data_group_id and project_id")]
#[case::secret(401, "check the user name and secret")]
#[case::plan(402, "plan does not include")]
#[case::forbidden(403, "access to the project")]
#[case::not_there(404, "check residency and mixpanel_endpoint")]
#[tokio::test]
async fn what_will_not_change_is_asked_once(#[case] code: u16, #[case] advice: &str) {
    let standin = serve_profiles(FIVE).await;
    standin.script([Fault::status(code, "own words")]);
    let error = error(&profiles(config(&standin)), None).await;
    assert!(matches!(error, SourceError::Refused(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&format!("{code}: own words")) && text.contains(advice), "{text}");
    assert_eq!(requests(&standin), 1);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_group_are_refused_with_mixpanels_words() {
    let standin = serve_profiles(FIVE).await;
    let credentials = Credentials::service_account("somebody", "else").unwrap();
    let text = error(&profiles(Config { credentials, ..config(&standin) }), None).await.to_string();
    assert!(text.contains("invalid credentials") && text.contains("mixpanel_secret"), "{text}");
    let group = MixpanelProfiles::new(config(&standin), Some("9".to_owned())).unwrap();
    let text = error(&group, None).await.to_string();
    assert!(text.contains("not a group key") && text.contains("check data_group_id"), "{text}");
}

#[rstest]
#[case::crash(500)]
#[case::gateway(502)]
#[case::overload(503)]
#[case::timeout(408)]
#[tokio::test]
async fn a_server_in_trouble_is_waited_for(#[case] code: u16) {
    let (standin, source, _, next) = second_page().await;
    for next in [None, Some(&next)] {
        let before = requests(&standin);
        standin.script(vec![Fault::status(code, "oops"); 5]);
        assert!(page(&source, next).await.is_ok());
        standin.script(vec![Fault::status(code, "oops"); 6]);
        let error = error(&source, next).await;
        assert!(matches!(error, SourceError::Unavailable { .. }), "{error:?}");
        assert_eq!(requests(&standin) - before, 12);
    }
}

#[rstest]
#[case::with_a_time(Some("1800"), 1800)]
#[case::without(None, 60)]
#[tokio::test]
async fn too_many_requests_close_the_budget_for_all(
    #[case] retry_after: Option<&str>,
    #[case] seconds: u64,
) {
    let (standin, source, budget, next) = second_page().await;
    let retry_after = retry_after.map(str::to_owned);
    standin.script([Fault::Status { code: 429, message: "slow down".to_owned(), retry_after }]);
    let wait = Duration::from_secs(seconds);
    let error = error(&source, Some(&next)).await;
    assert!(matches!(error, SourceError::RateLimited { retry_after } if retry_after == wait));
    assert_eq!(*budget.closed.lock().unwrap(), [wait]);
}

#[tokio::test]
async fn a_short_wait_is_waited_for() {
    let (standin, source, _, next) = second_page().await;
    let fault =
        Fault::Status { code: 429, message: String::new(), retry_after: Some("0".to_owned()) };
    standin.script([fault.clone(), fault]);
    assert!(page(&source, Some(&next)).await.is_ok());
    assert_eq!(requests(&standin), 1 + 3);
}

#[tokio::test]
async fn only_the_first_page_of_a_session_takes_a_turn_of_the_budget() {
    let limits = Limits { per_hour: 1, per_second: 1 };
    let standin = serve_with(FIVE, |config| StandInConfig { limits, ..config }).await;
    let budget = Arc::new(Budget::default());
    let source = profiles(config(&standin)).sharing(budget.clone());
    let (_, first) = page(&source, None).await.unwrap();
    budget.waits.lock().unwrap().push_back(Duration::from_mins(30));
    for _ in 0..3 {
        assert!(page(&source, Some(&after(&first))).await.is_ok());
    }
    assert_eq!((*budget.turns.lock().unwrap(), source.queries()), (1, 1));
    let error = error(&source, None).await;
    assert!(matches!(error, SourceError::RateLimited { .. }), "{error:?}");
    assert_eq!(requests(&standin), 4);
}

#[tokio::test]
async fn no_page_is_asked_for_while_mixpanel_refuses_everything() {
    let (standin, source, budget, next) = second_page().await;
    let wait = Duration::from_mins(7);
    *budget.refuses.lock().unwrap() = Some(wait);
    let error = error(&source, Some(&next)).await;
    assert!(matches!(error, SourceError::RateLimited { retry_after } if retry_after == wait));
    assert_eq!(requests(&standin), 1);
}

#[tokio::test]
async fn further_pages_keep_the_gap_between_requests() {
    let standin = serve_profiles(FIVE).await;
    let known = config(&standin);
    let timings = Timings { query_gap: Duration::from_millis(50), ..known.timings };
    let source = profiles(Config { timings, ..known });
    let began = Instant::now();
    let (_, first) = page(&source, None).await.unwrap();
    for _ in 0..2 {
        page(&source, Some(&after(&first))).await.unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[rstest]
#[case::bad_request(Fault::status(400, FORGOTTEN))]
#[case::whatever_the_status(Fault::status(500, FORGOTTEN))]
#[case::too_many(Fault::status(429, FORGOTTEN))]
#[case::in_a_200(Fault::status(
    200,
    r#"{"request": "/api/query/engage", "error": "request for page in uncached query for params"}"#
))]
#[case::in_fact(Fault::Page(PageFault::SessionEnded))]
#[tokio::test]
async fn a_forgotten_session_is_told_apart_and_asked_for_once(#[case] fault: Fault) {
    let (standin, source, budget, next) = second_page().await;
    standin.script([fault]);
    let error = page(&source, Some(&next)).await.unwrap_err();
    let PageError::SessionEnded(text) = error else { panic!("{error:?}") };
    assert!(text.contains(FORGOTTEN), "{text}");
    assert_eq!(requests(&standin), 2);
    assert!(budget.closed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_mixpanel_never_knew_has_ended() {
    let standin = serve_profiles(FIVE).await;
    let next = NextPage { session: "1-x".to_owned(), page: 3 };
    let error = page(&profiles(config(&standin)), Some(&next)).await.unwrap_err();
    assert!(matches!(error, PageError::SessionEnded(_)), "{error:?}");
}

#[tokio::test]
async fn a_page_that_goes_on_past_the_deadline_is_left() {
    let standin = serve_profiles(FIVE).await;
    for after in [0, 60] {
        standin.script([Fault::Stall { after }]);
        let deadline = Some(Instant::now() + Duration::from_millis(200));
        let source = profiles(Config { deadline, ..config(&standin) });
        let error = error(&source, None).await;
        assert!(matches!(error, SourceError::OutOfTime), "{error:?}");
    }
}

#[tokio::test]
async fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    let standin = serve_profiles(FIVE).await;
    let source = profiles(impatient(config(&standin)));
    standin.script([Fault::status(503, "oops")]);
    assert!(matches!(error(&source, None).await, SourceError::Unavailable { .. }));
    assert_eq!(requests(&standin), 1);
}

#[tokio::test]
async fn what_failed_is_not_asked_again_before_a_pause() {
    let standin = serve_profiles(FIVE).await;
    let known = config(&standin);
    let hour = Duration::from_hours(1);
    let timings = Timings { backoff_base: hour, backoff_cap: hour, ..known.timings };
    let source = profiles(Config { timings, ..known });
    assert!(source.page(None, 0).await.is_ok(), "a first attempt does not wait");
    let waiting = tokio::time::timeout(Duration::from_millis(300), source.page(None, 1)).await;
    assert!(waiting.is_err() && requests(&standin) == 1);
}
