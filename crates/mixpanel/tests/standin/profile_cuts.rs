//! No response that is not a whole page ever looks like one.

use crate::profiles::{FIVE, serve_profiles, serve_with};
use crate::support::{config, impatient, page, profiles};
use mixlake_app::ports::{PageError, SourceError};
use mixlake_mixpanel::{Config, MixpanelProfiles, Timings};
use mixlake_testkit::mixpanel::{Fault, Framing, StandIn, StandInConfig};
use rstest::rstest;
use std::time::Duration;

async fn assert_broken(source: &MixpanelProfiles, fault: &Fault) -> String {
    match page(source, None).await {
        Err(PageError::Source(
            error @ (SourceError::Incomplete { .. } | SourceError::Unavailable { .. }),
        )) => error.to_string(),
        Err(other) => panic!("{fault:?}: {other:?}"),
        Ok((lines, end)) => panic!("{fault:?}: taken for a page: {lines} {end:?}"),
    }
}

/// A page that is large enough to be compressed, its source, and the length of its body as sent.
async fn one_page(gzip: bool, framing: Framing) -> (StandIn, MixpanelProfiles, usize) {
    let line = |n: u64| {
        let pad = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{{\"$distinct_id\":\"p{n}\",\"$properties\":{{\"pad\":\"{pad:x}\"}}}}\n")
    };
    let lines: String = (0..30).map(line).collect();
    let change = |config| StandInConfig { gzip, framing, page_size: 30, ..config };
    let standin = serve_with(&lines, change).await;
    let source = profiles(impatient(config(&standin)));
    assert_eq!(page(&source, None).await.unwrap().0, lines);
    let length = standin.body_lengths()[0];
    assert!(length > 400);
    (standin, source, length)
}

#[rstest]
#[case::gzip_chunked(true, Framing::Chunked)]
#[case::gzip_length(true, Framing::Length)]
#[case::plain_chunked(false, Framing::Chunked)]
#[case::plain_length(false, Framing::Length)]
#[tokio::test]
async fn a_page_that_is_cut_anywhere_is_none(#[case] gzip: bool, #[case] framing: Framing) {
    let (standin, source, length) = one_page(gzip, framing).await;
    for after in (0..length).step_by(7).chain(length - 12..length) {
        for fault in [Fault::CutConnection { after }, Fault::EndEarly { after }] {
            standin.script([fault.clone()]);
            assert_broken(&source, &fault).await;
        }
    }
}

#[tokio::test]
async fn a_damaged_page_is_none() {
    let (standin, source, length) = one_page(true, Framing::Chunked).await;
    let mut faults = vec![Fault::DropTrailer];
    faults.extend((10..length).step_by(7).map(|at| Fault::Corrupt { at }));
    for fault in faults {
        standin.script([fault.clone()]);
        assert_broken(&source, &fault).await;
    }
}

#[rstest]
#[case::login_page(Fault::status(200, "<html>Sign in</html>"), "begins with `<`")]
#[case::empty(Fault::status(200, ""), "the response is empty")]
#[case::an_error(
    Fault::status(200, r#"{"request": "/", "error": "Internal error"}"#),
    "reports an error: Internal error"
)]
#[case::no_fields(Fault::status(200, "{}"), "does not have the field `status`")]
#[case::terminated(Fault::TerminatedEarly { after_lines: 1 }, "not JSON")]
#[case::terminated_at_once(Fault::TerminatedWithin { after: 0 }, "begins with `e`")]
#[case::terminated_within(Fault::TerminatedWithin { after: 121 }, "in the middle of the page")]
#[tokio::test]
async fn a_response_that_is_no_page_says_why(#[case] fault: Fault, #[case] words: &str) {
    let standin = serve_profiles(FIVE).await;
    standin.script([fault.clone()]);
    let text = assert_broken(&profiles(config(&standin)), &fault).await;
    assert!(text.contains(words), "{text}");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let standin = serve_profiles(FIVE).await;
    let known = impatient(config(&standin));
    let timings = Timings { idle: Duration::from_millis(40), ..known.timings };
    let source = profiles(Config { timings, ..known });
    let fault = Fault::Stall { after: 60 };
    standin.script([fault.clone()]);
    let text = assert_broken(&source, &fault).await;
    assert!(text.contains("no more data arrived in time"), "{text}");
}
