//! The stand-in for the engage API as a client sees it on the network.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mixlake_testkit::mixpanel::{
    Data, Fault, Framing, Limits, PageFault, Profiles, StandIn, StandInConfig, Totals,
};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

/// `me:secret`.
const AUTHORIZATION: &str = "Authorization: Basic bWU6c2VjcmV0\r\n";

/// The status and the body of a response to a POST request.
fn post(standin: &StandIn, query: &str, form: &str, headers: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(standin.address()).unwrap();
    write!(
        connection,
        "POST /api/query/engage?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{headers}\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0), body.to_owned())
}

/// The JSON of a response to a request with the right credentials.
fn ask(standin: &StandIn, form: &str) -> (u16, Value) {
    let (code, body) = post(standin, "project_id=7", form, AUTHORIZATION);
    (code, serde_json::from_str(&body).unwrap_or(Value::Null))
}

fn profiles(count: u32) -> Profiles {
    let line = |n| format!("{{\"$distinct_id\":\"p{n}\",\"$properties\":{{}}}}\n");
    Profiles::parse((0..count).map(line).collect::<String>().as_bytes())
}

/// Pages of two profiles.
async fn standin(count: u32) -> StandIn {
    standin_with(count, |config| config).await
}

async fn standin_with(count: u32, change: impl FnOnce(StandInConfig) -> StandInConfig) -> StandIn {
    StandIn::start(change(StandInConfig {
        project_id: "7".to_owned(),
        username: "me".to_owned(),
        secret: "secret".to_owned(),
        profiles: profiles(count),
        page_size: 2,
        framing: Framing::Length,
        ..StandInConfig::new(Data::default())
    }))
    .await
    .unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    results.iter().filter_map(|profile| profile["$distinct_id"].as_str()).collect()
}

fn next(page: &Value, number: u64) -> String {
    format!("session_id={}&page={number}", page["session_id"].as_str().unwrap())
}

#[rstest]
#[case::shorter_last_page(5, &[2, 2, 1])]
#[case::exact_multiple(4, &[2, 2, 0])]
#[case::one_page(1, &[1])]
#[case::nobody(0, &[0])]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_last_page_of_a_session_is_the_first_that_is_not_full(
    #[case] count: u32,
    #[case] sizes: &[usize],
) {
    let standin = standin(count).await;
    let (_, first) = ask(&standin, "");
    let mut all = Vec::new();
    for (number, size) in (0..).zip(sizes) {
        let form = if number == 0 { String::new() } else { next(&first, number) };
        let (code, page) = ask(&standin, &form);
        assert_eq!((code, &page["page"], &page["page_size"]), (200, &json!(number), &json!(2)));
        assert_eq!((&page["total"], &page["status"]), (&json!(count), &json!("ok")));
        assert_eq!(ids(&page).len(), *size);
        all.extend(ids(&page).into_iter().map(str::to_owned));
    }
    assert_eq!(all, (0..count).map(|n| format!("p{n}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_keeps_the_profiles_of_its_beginning() {
    let standin = standin(3).await;
    let (_, first) = ask(&standin, "");
    standin.hold(profiles(1));
    assert_eq!(ids(&ask(&standin, &next(&first, 1)).1), ["p2"]);
    assert_eq!(ask(&standin, "").1["total"], 1);
    standin.end_sessions();
    let (code, error) = ask(&standin, &next(&first, 1));
    assert_eq!(code, 400);
    assert!(error["error"].as_str().unwrap().contains("uncached query"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn later_pages_need_not_say_the_total() {
    let totals = Totals::FirstPage;
    let standin = standin_with(3, |config| StandInConfig { totals, ..config }).await;
    let (_, first) = ask(&standin, "");
    let (_, second) = ask(&standin, &next(&first, 1));
    assert_eq!((&first["total"], second.get("total")), (&json!(3), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_first_pages_are_counted() {
    let limits = Limits { per_hour: 2, per_second: 1 };
    let standin = standin_with(9, |config| StandInConfig { limits, ..config }).await;
    let (_, first) = ask(&standin, "");
    for number in 1..5 {
        assert_eq!(ask(&standin, &next(&first, number)).0, 200);
    }
    assert_eq!(ask(&standin, "").0, 200, "seconds are not limited");
    let (code, error) = ask(&standin, "");
    assert_eq!((code, &error["error"]), (429, &json!("Query rate limit exceeded")));
    assert_eq!(ask(&standin, &next(&first, 1)).0, 200);
}

#[rstest]
#[case::no_session("page=1", "session_id is required")]
#[case::unknown_session("session_id=1&page=1", "uncached query")]
#[case::bad_page("page=x", "page must be")]
#[case::unknown_group("data_group_id=9", "not a group key")]
#[case::a_filter("where=true", "does not know the parameter \"where\"")]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_request_is_refused_in_json(#[case] form: &str, #[case] words: &str) {
    let (code, error) = ask(&standin(3).await, form);
    assert_eq!((code, &error["request"]), (400, &json!("/api/query/engage?project_id=7")));
    assert!(error["error"].as_str().unwrap().contains(words), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn credentials_and_form_encoding_are_required() {
    let standin = standin(3).await;
    assert_eq!(post(&standin, "project_id=7", "", "").0, 401);
    assert_eq!(post(&standin, "project_id=8", "", AUTHORIZATION).0, 401);
    assert_eq!(post(&standin, "", "", AUTHORIZATION).0, 401);
    let mut connection = TcpStream::connect(standin.address()).unwrap();
    let head = "POST /api/query/engage?project_id=7 HTTP/1.1\r\nHost: localhost\r\n";
    let json = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    write!(connection, "{head}{AUTHORIZATION}{json}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_group_key_has_profiles_and_sessions_of_its_own() {
    let groups = BTreeMap::from([("17".to_owned(), profiles(4))]);
    let standin = standin_with(1, |config| StandInConfig { groups, ..config }).await;
    let (_, first) = ask(&standin, "data_group_id=17");
    assert_eq!((&first["total"], ids(&first).len()), (&json!(4), 2));
    let further = next(&first, 1);
    assert_eq!(ids(&ask(&standin, &format!("{further}&data_group_id=17")).1), ["p2", "p3"]);
    assert_eq!(ask(&standin, &further).0, 400, "the session is of the group");
    assert_eq!(ask(&standin, "").1["total"], 1);
}

#[rstest]
#[case::skipped(PageFault::Skipped, json!([2, 2, 5]), &["p4"])]
#[case::repeated(PageFault::Repeated, json!([0, 2, 5]), &["p0", "p1"])]
#[case::number(PageFault::Number(7), json!([7, 2, 5]), &["p2", "p3"])]
#[case::total(PageFault::Total(6), json!([1, 2, 6]), &["p2", "p3"])]
#[case::dropped(PageFault::Dropped(1), json!([1, 2, 5]), &["p2"])]
#[case::doubled(PageFault::Doubled, json!([1, 2, 5]), &["p2", "p3", "p2"])]
#[case::page_size(PageFault::PageSize(3), json!([1, 3, 5]), &["p2", "p3"])]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_fault_of_a_page_does_its_harm_once(
    #[case] fault: PageFault,
    #[case] fields: Value,
    #[case] results: &[&str],
) {
    let standin = standin(5).await;
    let (_, first) = ask(&standin, "");
    standin.script([Fault::Page(fault)]);
    let (_, page) = ask(&standin, &next(&first, 1));
    assert_eq!(json!([page["page"], page["page_size"], page["total"]]), fields);
    assert_eq!(ids(&page), results);
    assert_eq!(ids(&ask(&standin, &next(&first, 1)).1), ["p2", "p3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_ends_or_changes_on_request() {
    let standin = standin(5).await;
    let (_, first) = ask(&standin, "");
    standin.script([Fault::Page(PageFault::OtherSession), Fault::Page(PageFault::SessionEnded)]);
    assert_ne!(ask(&standin, &next(&first, 1)).1["session_id"], first["session_id"]);
    for _ in 0..2 {
        let (code, error) = ask(&standin, &next(&first, 1));
        assert!(code == 400 && error["error"].to_string().contains("uncached query"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn faults_of_bodies_apply_to_pages_too() {
    let standin = standin(2).await;
    let body = || post(&standin, "project_id=7", "", AUTHORIZATION);
    let (code, whole) = body();
    standin.script([
        Fault::CutConnection { after: 20 },
        Fault::EndEarly { after: 30 },
        Fault::TerminatedEarly { after_lines: 1 },
        Fault::RepeatLines { every: 2 },
        Fault::ReorderLines,
        Fault::status(200, "<html>"),
        Fault::status(503, "down"),
    ]);
    assert_eq!(code, 200);
    assert_eq!(body().1, whole[..20]);
    assert_eq!(body().1, whole[..30]);
    assert!(body().1.ends_with("{}}export terminated early\n"));
    assert_eq!(body().1.matches("p0").count(), 2);
    let reversed = body().1;
    assert!(reversed.find("p1") < reversed.find("p0"), "{reversed}");
    assert_eq!(body(), (200, "<html>".to_owned()));
    assert_eq!(body(), (503, "down".to_owned()));
}
