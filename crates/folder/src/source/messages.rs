//! Every message of this module, as a user reads it behind the name of the input.

use super::tests::{gzip, line, refused};
use super::{InputError, unreadable};
use mixlake_app::ports::SourceError;
use std::io;
use std::path::PathBuf;

/// Inputs by what they are.
fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let event = line(0);
    let bytes = |text: &str| text.as_bytes().to_vec();
    vec![
        ("zip", bytes("PK\x03\x04....")),
        ("zstd", b"\x28\xb5\x2f\xfd....".to_vec()),
        ("parquet", bytes("PAR1....")),
        ("bzip2", bytes("BZh9....")),
        ("xz", b"\xfd7zXZ\0....".to_vec()),
        ("utf-16", b"\xff\xfe{\0".to_vec()),
        ("gzip of gzip", double_gzip()),
        ("gzip, cut", gzip(&event)[..20].to_vec()),
        ("gzip, more behind it", [gzip(&event), bytes("more")].concat()),
        ("gzip, damaged", [gzip(&event), b"\x1f\x8bxxxxxxxxxxxxxxxxxx".to_vec()].concat()),
        ("html", bytes("<!DOCTYPE html>\n")),
        ("xml", bytes("<?xml version=\"1.0\"?>\n")),
        ("binary", bytes("a\0b,c\n")),
        ("csv", bytes("event,time\nA,1\n")),
        ("text", bytes("no events today\n")),
        ("damaged json", bytes("{\"event\":\n{\n")),
        ("json over lines", bytes("{\"event\":\"e\",\nproperties\n}")),
        ("other json", bytes("{\"a\":1}\n")),
        ("no time", bytes("{\"event\":\"x\",\"properties\":{}}\n")),
        ("engage", bytes("{\"$distinct_id\":\"u\",\"$properties\":{}}\n")),
        ("pipeline", bytes("{\"event_name\":\"x\",\"time\":1}\n")),
        ("flat", bytes("{\"event\":\"x\",\"time\":1}\n")),
        ("error", bytes("{\"error\":\"Internal error\"}\n")),
        ("error at the end", bytes(&(event.clone() + "{\"error\":\"Timeout\"}\n"))),
        ("terminated early", bytes(&(event.clone() + "terminated early\n"))),
        ("cut", bytes(&(event.clone() + "{\"event\":"))),
        ("array, cut in a record", bytes(&format!("[{event},{{\"a\""))),
        ("array, cut between records", bytes(&format!("[{event},"))),
        ("array, then text", bytes(&format!("[{event}] oops"))),
    ]
}

fn double_gzip() -> Vec<u8> {
    use std::io::Write as _;
    let mut outer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    outer.write_all(&gzip("{}\n")).unwrap();
    outer.finish().unwrap()
}

#[test]
fn inputs_that_are_refused() {
    let texts: Vec<_> = inputs()
        .into_iter()
        .map(|(name, content)| format!("{name}: {}\n", refused(content)))
        .collect();
    insta::assert_snapshot!(texts.concat());
}

#[test]
fn temporary_files() {
    let full = || io::Error::other("no space left");
    let errors = [
        InputError::Unsound(vec!["a.jsonl looks like CSV".to_owned(), "b.jsonl is cut".to_owned()]),
        InputError::Spill { folder: PathBuf::from("/lake"), cause: full() },
    ];
    let errors = errors.map(|error| {
        let name = match error {
            InputError::Unsound(_) => "Unsound",
            InputError::Spill { .. } => "Spill",
        };
        format!("{name}: {error}\n")
    });
    let SourceError::Refused(unreadable) = unreadable(&full()) else { panic!("it can be retried") };
    insta::assert_snapshot!(errors.concat() + &unreadable + "\n");
}
