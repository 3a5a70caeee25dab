//! No fault on the way ever looks like a complete slice.

use crate::support::{
    SMALL_HOUR, config, impatient, lines, read, serve, serve_as, source, storefront, utc,
};
use mixlake_app::ports::SourceError;
use mixlake_mixpanel::{Config, MixpanelSource, Timings};
use mixlake_testkit::mixpanel::{Data, Fault, Framing, StandIn, StandInConfig};
use rstest::rstest;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A stand-in with only one hour of events, so that a thousand responses take no time, its client, and
/// the length of the hour's body as sent.
async fn one_hour(gzip: bool, framing: Framing) -> (StandIn, MixpanelSource, usize) {
    let all = serve(storefront()).await;
    let hour = lines(&read(&source(config(&all)), &utc(SMALL_HOUR)).await.unwrap());
    let data = Data::parse(hour.join("\n").as_bytes());
    let standin = serve_as(StandInConfig { gzip, framing, ..StandInConfig::new(data) }).await;
    let source = source(impatient(config(&standin)));
    assert_eq!(lines(&read(&source, &utc(SMALL_HOUR)).await.unwrap()), hour);
    let length = standin.body_lengths()[0];
    assert!(length > 2000);
    (standin, source, length)
}

/// Every 97th position, and each of the last 30, which contain trailers and last lines.
fn positions(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(97).chain(length - 30..length)
}

async fn assert_broken(source: &MixpanelSource, fault: &str) {
    match read(source, &utc(SMALL_HOUR)).await {
        Err(SourceError::Incomplete { .. } | SourceError::Unavailable { .. }) => {}
        Err(other) => panic!("{fault}: {other:?}"),
        Ok(body) => panic!("{fault}: taken for complete, with {} bytes", body.len()),
    }
}

#[rstest]
#[case::gzip_chunked(true, Framing::Chunked)]
#[case::gzip_length(true, Framing::Length)]
#[case::identity_chunked(false, Framing::Chunked)]
#[case::identity_length(false, Framing::Length)]
#[tokio::test]
async fn a_cut_connection_is_noticed_wherever_it_is_cut(
    #[case] gzip: bool,
    #[case] framing: Framing,
) {
    let (standin, source, length) = one_hour(gzip, framing).await;
    for after in positions(length) {
        standin.script([Fault::CutConnection { after }]);
        assert_broken(&source, &format!("cut after {after} of {length}")).await;
    }
}

#[tokio::test]
async fn a_chunked_body_without_its_last_chunk_is_noticed() {
    for gzip in [true, false] {
        let (standin, source, length) = one_hour(gzip, Framing::Chunked).await;
        standin.script([Fault::CutConnection { after: length }]);
        assert_broken(&source, "all bytes but not the end").await;
    }
}

#[rstest]
#[case::chunked(Framing::Chunked)]
#[case::length(Framing::Length)]
#[tokio::test]
async fn a_gzip_body_that_ends_early_is_noticed_though_http_calls_it_whole(
    #[case] framing: Framing,
) {
    let (standin, source, length) = one_hour(true, framing).await;
    for after in positions(length) {
        standin.script([Fault::EndEarly { after }]);
        assert_broken(&source, &format!("ends after {after} of {length}")).await;
    }
    standin.script([Fault::DropTrailer]);
    assert_broken(&source, "no trailer").await;
}

#[tokio::test]
async fn a_damaged_gzip_body_is_noticed() {
    let (standin, source, length) = one_hour(true, Framing::Chunked).await;
    // Bytes 4 to 9 of the header say nothing about the content: time, level and system.
    for at in (0..4).chain(positions(length).filter(|at| *at > 9)) {
        standin.script([Fault::Corrupt { at }]);
        assert_broken(&source, &format!("byte {at} of {length}")).await;
    }
}

#[rstest]
#[case::before_the_body(0)]
#[case::within_the_body(500)]
#[tokio::test]
async fn a_server_that_falls_silent_is_given_up(#[case] after: usize) {
    let (standin, _, _) = one_hour(true, Framing::Chunked).await;
    let config = impatient(config(&standin));
    let timings = Timings { idle: Duration::from_millis(40), ..config.timings };
    let source = source(Config { timings, ..config });
    standin.script([Fault::Stall { after }]);
    assert_broken(&source, "silence").await;
}

/// The body is complete; the transformation checks its lines.
#[tokio::test]
async fn an_export_that_dies_politely_arrives_with_its_last_words() {
    let (standin, source, _) = one_hour(true, Framing::Chunked).await;
    standin.script([Fault::TerminatedEarly { after_lines: 5 }]);
    let received = lines(&read(&source, &utc(SMALL_HOUR)).await.unwrap());
    assert_eq!(received.len(), 6);
    assert_eq!(received[5], "export terminated early");
}

#[tokio::test]
async fn after_a_fault_the_next_attempt_is_whole() {
    let (standin, source, _) = one_hour(true, Framing::Chunked).await;
    standin.script([Fault::CutConnection { after: 400 }, Fault::DropTrailer]);
    assert_broken(&source, "first").await;
    assert_broken(&source, "second").await;
    assert!(read(&source, &utc(SMALL_HOUR)).await.is_ok());
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_proves_nothing() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"event\":\"a\"}\n";
    assert_broken(&source_of(answer).await, "no framing").await;
}

#[tokio::test]
async fn a_compressed_body_whose_head_does_not_say_so_is_no_text() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\u{1f}x\n";
    assert_broken(&source_of(answer).await, "no encoding").await;
}

#[tokio::test]
async fn part_of_an_answer_is_not_the_answer() {
    let answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\n{}\n";
    assert_broken(&source_of(answer).await, "partial content").await;
}

#[tokio::test]
async fn an_encoding_that_was_not_offered_is_refused() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n{}\n";
    let result = read(&source_of(answer).await, &utc(SMALL_HOUR)).await;
    assert!(matches!(result, Err(SourceError::Refused(_))), "{result:?}");
}

/// A source whose server sends exactly this, once.
async fn source_of(answer: &'static str) -> MixpanelSource {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(connection.read(&mut request).await.unwrap() > 0);
        connection.write_all(answer.as_bytes()).await.unwrap();
    });
    let any = serve(Data::default()).await;
    source(Config { endpoint: url.parse().unwrap(), ..impatient(config(&any)) })
}
