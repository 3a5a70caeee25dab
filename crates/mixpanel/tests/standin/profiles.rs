//! Pages of profiles that arrive, and what is asked for them.

use crate::support::{after, config, page, profiles, serve_as};
use mixlake_app::ports::ProfileSource;
use mixlake_mixpanel::{Config, Credentials, MixpanelProfiles};
use mixlake_testkit::mixpanel::{Data, Framing, Profiles, StandIn, StandInConfig, Totals};
use rstest::rstest;
use std::collections::BTreeMap;

/// Five profiles with everything that a reader of JSON could lose.
pub const FIVE: &str = concat!(
    r#"{"$distinct_id":"ada","$properties":{"n":12345678901234567890.10,"$last_seen":"2026-11-10T13:00:00"}}"#,
    "\n",
    r#"{"$distinct_id":17,"$properties":{"big":1e400,"same":1,"same":2}}"#,
    "\n",
    r#"{"$distinct_id":"\u00fcml\"]}","$properties":{"list":[1, {"a":"\\"}, []]}}"#,
    "\n",
    "{\"$distinct_id\":\"\u{540d}\u{2028}\",\"$properties\":{ }}\n",
    r#""no profile""#,
    "\n",
);

/// Pages of two of these profiles.
pub async fn serve_profiles(lines: &str) -> StandIn {
    serve_with(lines, |config| config).await
}

pub async fn serve_with(
    lines: &str,
    change: impl FnOnce(StandInConfig) -> StandInConfig,
) -> StandIn {
    let profiles = Profiles::parse(lines.as_bytes());
    let known = StandInConfig { profiles, page_size: 2, ..StandInConfig::new(Data::default()) };
    serve_as(change(known)).await
}

/// The parameters of each request, sorted.
fn requests(standin: &StandIn) -> Vec<String> {
    let text = |pairs: BTreeMap<String, String>| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    };
    standin.profile_requests().into_iter().map(|pairs| text(pairs.into_iter().collect())).collect()
}

#[rstest]
#[case::chunked(true, Framing::Chunked, Totals::EveryPage)]
#[case::length(false, Framing::Length, Totals::FirstPage)]
#[tokio::test]
async fn all_pages_of_a_session_have_all_profiles_byte_for_byte(
    #[case] gzip: bool,
    #[case] framing: Framing,
    #[case] totals: Totals,
) {
    // The pages are large enough to be compressed.
    let long = FIVE
        .replace("\"$properties\"", &format!("\"pad\":\"{}\",\"$properties\"", "x".repeat(900)));
    let standin =
        serve_with(&long, |config| StandInConfig { gzip, framing, totals, ..config }).await;
    let source = profiles(config(&standin));
    let (mut all, mut end) = page(&source, None).await.unwrap();
    assert_eq!((end.page, end.page_size, end.total, end.profiles), (0, 2, Some(5), 2));
    let total = Some(5).filter(|_| totals == Totals::EveryPage);
    for profiles in [2, 1] {
        let (lines, next) = page(&source, Some(&after(&end))).await.unwrap();
        assert_eq!((next.page, next.total, next.profiles), (end.page + 1, total, profiles));
        assert_eq!(next.session, end.session);
        all.push_str(&lines);
        end = next;
    }
    assert_eq!(all, long);
    assert_eq!(
        requests(&standin),
        [
            "project_id=3141592".to_owned(),
            format!("page=1&project_id=3141592&session_id={}", end.session),
            format!("page=2&project_id=3141592&session_id={}", end.session),
        ]
    );
}

#[tokio::test]
async fn the_page_after_the_last_full_one_is_empty() {
    let standin = serve_profiles("{}\n{}\n").await;
    let source = profiles(config(&standin));
    let (_, first) = page(&source, None).await.unwrap();
    let (lines, last) = page(&source, Some(&after(&first))).await.unwrap();
    assert_eq!((lines.as_str(), last.profiles, last.total), ("", 0, Some(2)));
}

#[tokio::test]
async fn every_request_names_the_group_key() {
    let groups = BTreeMap::from([("17".to_owned(), Profiles::parse(FIVE.as_bytes()))]);
    let standin = serve_with("", |config| StandInConfig { groups, ..config }).await;
    let source = MixpanelProfiles::new(config(&standin), Some("17".to_owned())).unwrap();
    let (_, first) = page(&source, None).await.unwrap();
    let (_, second) = page(&source, Some(&after(&first))).await.unwrap();
    assert_eq!((second.profiles, second.total), (2, Some(5)));
    assert!(requests(&standin).iter().all(|request| request.starts_with("data_group_id=17&")));
}

#[tokio::test]
async fn a_project_secret_needs_no_project() {
    let project_secret = Some("old".to_owned());
    let standin = serve_with(FIVE, |config| StandInConfig { project_secret, ..config }).await;
    let credentials = Credentials::project_secret("old").unwrap();
    let source = profiles(Config { credentials, ..config(&standin) });
    assert!(page(&source, None).await.is_ok());
    assert_eq!(requests(&standin), [""]);
}

/// Pages that one run received are of use to the next one only if both ask for the same.
#[tokio::test]
async fn the_query_says_which_profiles_they_are_and_no_secret() {
    let standin = serve_profiles(FIVE).await;
    let known = config(&standin);
    let query = |config: Config, group: Option<&str>| {
        MixpanelProfiles::new(config, group.map(str::to_owned)).unwrap().query().unwrap()
    };
    let users = query(known.clone(), None);
    assert_eq!(users, format!("{} 3141592 None", standin.url()));
    let project_id = "42".parse().unwrap();
    let others = [
        query(known.clone(), Some("17")),
        query(Config { project_id, ..known.clone() }, None),
        query(Config { endpoint: "http://localhost:1".parse().unwrap(), ..known }, None),
    ];
    assert!(others.iter().all(|other| *other != users), "{others:?}");
}
