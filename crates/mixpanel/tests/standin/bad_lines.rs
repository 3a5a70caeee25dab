//! The worst lines, from the source to the lake: stored exactly, or quarantined as received.

use crate::support::{config, no_clock, serve, source, utc};
use flate2::read::GzDecoder;
use mixlake_app::export::{Exporter, Safeguards};
use mixlake_columnar::{Bounds, Options};
use mixlake_domain::{Layout, Zone};
use mixlake_testkit::mixpanel::Data;
use mixlake_testkit::rows;
use mixlake_testkit::store::MemoryStore;
use serde_json::{Value, json};
use std::io::Read;

const HOUR: &str = "2026-11-13T18";

/// Times are sent in milliseconds.
fn event(properties: &str) -> Vec<u8> {
    let time = utc(HOUR).start().as_millisecond();
    format!(r#"{{"event":"e","properties":{{"time":{time},{properties}}}}}"#).into_bytes()
}

fn options() -> Options {
    let bounds = Bounds { line_bytes: 4096, ..Bounds::default() };
    Options { bounds, ..crate::published::options() }
}

/// Exports these lines: the rows, and the quarantined lines with their reasons.
async fn exported(lines: &[Vec<u8>]) -> (Vec<rows::Row>, Vec<Value>) {
    let standin = serve(Data::parse(&lines.join(&b'\n'))).await;
    let (source, store, options) = (source(config(&standin)), MemoryStore::new(), options());
    let layout = Layout::new("", &options.project).unwrap();
    let exporter = Exporter {
        source: &source,
        store: &store,
        layout: &layout,
        zone: &Zone::UTC,
        options: &options,
        ingestion_start: None,
        clock: &no_clock(),
        time: None,
        force: true,
        safeguards: Safeguards::default(),
    };
    let report = exporter.slice(&utc(HOUR)).await.unwrap();
    let counts = report.counts;
    assert_eq!(counts.received, lines.len() as u64);
    assert_eq!(counts.received, counts.written + counts.quarantined);
    let objects = store.snapshot();
    let rows = report.objects.iter().flat_map(|key| rows::of(&objects[key])).collect();
    let mut quarantined = String::new();
    if let Some(key) = report.quarantine {
        GzDecoder::new(&objects[&key][..]).read_to_string(&mut quarantined).unwrap();
    }
    (rows, quarantined.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test]
async fn odd_values_are_kept_exactly() {
    let digits = "1234567890".repeat(40);
    let deep = "[".repeat(1500) + &"]".repeat(1500);
    let (rows, quarantined) = exported(&[
        event(&format!(r#""digits":{digits}"#)),
        event(&format!(r#""deep":{deep}"#)),
        event(r#""nul":"a\u0000b""#),
        event(r#""tiny":1e-400,"huge":1e400,"minus":-0.0"#),
        event("\"separator\":\"a\u{2028}b\""),
    ])
    .await;
    assert_eq!(quarantined, [json!(null); 0]);
    let value = |name: &str| rows.iter().find_map(|row| row.get(name)).cloned();
    assert_eq!(value("digits"), Some(json!(digits)));
    assert_eq!(value("deep"), Some(json!(deep)));
    assert_eq!(value("nul"), Some(json!("a\0b")));
    assert_eq!(value("huge"), Some(json!("1e400")));
    assert_eq!(value("separator"), Some(json!("a\u{2028}b")));
}

#[tokio::test]
async fn a_line_that_cannot_be_kept_is_quarantined_as_it_came_with_its_reason() {
    let long = event(&format!(r#""long":"{}""#, "x".repeat(5000)));
    let mut not_utf8 = event(r#""text":"?""#);
    let at = not_utf8.iter().position(|byte| *byte == b'?').unwrap();
    not_utf8[at] = 0xff;
    let worst = [
        (long.clone(), "line: longer than 4096 bytes"),
        (not_utf8, "line: not UTF-8 at byte"),
        (event(r#""a":1,"a":2"#), "a: the key occurs twice"),
        (event(r#""n":NaN"#), "line: not JSON"),
        (event("\"nul\":\"a\0b\""), "line: not JSON"),
        (event(r#""half":"\x""#), "line: not JSON: invalid escape"),
        (
            b"{\"event\":\"e\",\"properties\":{\"time\":\"noon\"}}".to_vec(),
            "time: must be a number",
        ),
    ];
    let mut lines = vec![event(r#""first":true"#)];
    lines.extend(worst.iter().map(|(line, _)| line.clone()));
    lines.push(event(r#""last":true"#));
    let (rows, quarantined) = exported(&lines).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(quarantined.len(), worst.len());
    for (entry, (line, reason)) in quarantined.iter().zip(&worst) {
        assert!(entry["reason"].as_str().unwrap().contains(reason), "{entry}");
        if let Some(kept) = entry["line"].as_str() {
            assert_eq!(kept.as_bytes(), &line[..line.len().min(4096)]);
        } else {
            assert!(
                *reason == "line: not UTF-8 at byte" && entry["line_base64"].is_string(),
                "{entry}"
            );
        }
    }
}
