//! Whole documents and lines as programs read them: what changes here changes for everybody.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use mixlake_columnar::{Contract, Contracts, Options, Transformed};
use mixlake_domain::{DataFormat, Slice, Zone};
use std::collections::BTreeMap;
use std::io::Read;
use support::{options, run_in};

fn data(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}

/// The quirks as JSON lines, of which one event is frozen.
fn quirks() -> (Options, Transformed) {
    let freeze = Contract { freeze: true, ..Contract::default() };
    let by_event = BTreeMap::from([("signup".to_owned(), freeze)]);
    let contracts = Contracts { by_event, ..Contracts::default() };
    let options = Options { format: DataFormat::Json, contracts, ..options() };
    let slice = Slice::day("2025-11-12".parse().unwrap(), &Zone::UTC);
    let done = run_in(&options, slice, data("quirks.jsonl").as_bytes());
    (options, done)
}

#[test]
fn the_registry_of_the_quirks_is_this_document() {
    let (options, done) = quirks();
    let mut registry = done.registry;
    registry.set_zone("Europe/Berlin");
    let document = String::from_utf8(registry.to_document(&options.project)).unwrap();
    assert_eq!(document, data("quirks.registry.json"));
}

#[test]
fn the_quirks_are_these_lines() {
    let (_, done) = quirks();
    let mut text = String::new();
    for file in &done.files {
        flate2::read::MultiGzDecoder::new(&file.bytes[..]).read_to_string(&mut text).unwrap();
    }
    assert_eq!(text, data("quirks.lines.jsonl"));
}
