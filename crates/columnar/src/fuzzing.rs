//! What must hold for any bytes; fed by a fuzzer (`tests/fuzz`) and, with what it found worth
//! keeping, by a test.

#![expect(clippy::unwrap_used, reason = "whatever fails here is a finding")]

use crate::event::{Event, Scalar};
use crate::vocabulary::Vocabulary;
use crate::{Bounds, Options, Superseded, Transform, TransformError, Transformed, parse, scan};
use mixlake_domain::{DataFormat, Slice, Zone};
use mixlake_schema::Registry;
use parquet::file::reader::{FileReader, SerializedFileReader};

/// Checks the readers on each line, and the transformation on all of them.
pub fn check(bytes: &[u8]) {
    let mut vocabularies = Default::default();
    for line in bytes.split(|&byte| byte == b'\n') {
        if let Ok(line) = std::str::from_utf8(line) {
            the_readers_agree(line, &mut vocabularies);
        }
    }
    let format = if bytes.len().is_multiple_of(4) { DataFormat::Json } else { DataFormat::Parquet };
    let whole = transformed(format, [bytes]);
    // Sizes of pieces that have little to do with lines.
    let size = 1 + bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 61;
    let pieces = transformed(format, bytes.chunks(size));
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole.files, pieces.files, "in pieces of {size}");
            assert_eq!(whole.registry, pieces.registry);
            assert_eq!(
                (whole.counts, whole.quarantine.is_some()),
                (pieces.counts, pieces.quarantine.is_some())
            );
            nothing_is_lost(&whole, bytes);
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{whole:?} in one, {pieces:?} in pieces of {size}"),
    }
}

/// What the fast reader accepts, the slow one reads in the same way; with keys that it has seen
/// before and with none.
fn the_readers_agree(line: &str, (seen, seen_slowly): &mut (Vocabulary, Vocabulary)) {
    let (mut fast, mut slow) = (Event::default(), Event::default());
    let slowly = parse::parse(line, seen_slowly, &mut slow);
    let slowly = slowly.map(|()| told(line, &slow, seen_slowly));
    for vocabulary in [seen, &mut Vocabulary::default()] {
        if scan::common(line, vocabulary, &mut fast).is_some() {
            assert_eq!(Ok(told(line, &fast, vocabulary)), slowly, "{line}");
        }
    }
}

/// What an event says, with its names as text.
pub(crate) fn told(line: &str, event: &Event, vocabulary: &mut Vocabulary) -> String {
    let name = vocabulary.name(event.number).to_owned();
    let keys = vocabulary.keys(event.number);
    let text = |text| event.text(text, line);
    let properties = event.properties.iter().map(|p| {
        let value = match p.value {
            Scalar::Text(value) => format!("{:?}", text(value)),
            value @ (Scalar::Null | Scalar::Boolean(_) | Scalar::Number(_)) => format!("{value:?}"),
        };
        format!("{}={} {value}", keys.name(p.key), p.json.get(line))
    });
    let properties: Vec<String> = properties.collect();
    let (id, insert) = (event.distinct_id.map(text), event.insert_id.map(text));
    let (time, age) = (event.time.get(line), event.processing_ms);
    format!("{name} {time} {id:?} {insert:?} {age:?} {properties:?}")
}

fn transformed<'a>(
    format: DataFormat,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Transformed, TransformError> {
    // Small ones: several row groups and files, and lines that are too long.
    let bounds =
        Bounds { line_bytes: 1_000, group_rows: 3, file_bytes: 2_000, ..Bounds::default() };
    let options =
        Options { format, bounds, across_slices: true, ..Options::of("1".parse().unwrap()) };
    let slice = Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC);
    let (registry, known) = (Registry::default(), Superseded::default());
    let mut transform = Transform::new(options, slice, registry, known)?;
    let mut full = Vec::new();
    for piece in pieces {
        transform.push(piece)?;
        full.extend(transform.take_files());
    }
    let mut done = transform.finish()?;
    done.files.splice(0..0, full);
    Ok(done)
}

fn nothing_is_lost(done: &Transformed, bytes: &[u8]) {
    let counts = done.counts;
    assert_eq!(counts.received, counts.written + counts.duplicates + counts.quarantined);
    let blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !blank(line)).count();
    assert_eq!(counts.received, lines as u64);
    // A pass that was not the last leaves rows to the next.
    let rows: u64 = done.files.iter().map(|file| file.rows).sum();
    assert!(rows == counts.written || !done.superseded.is_empty());
    for file in done.files.iter().filter(|file| file.format == DataFormat::Parquet) {
        let reader = SerializedFileReader::new(file.bytes.clone()).unwrap();
        let read = reader.get_row_iter(None).unwrap().map(Result::unwrap).count();
        assert_eq!(read as u64, file.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corpus that the fuzzer begins with, and what it found.
    #[test]
    fn what_is_worth_keeping_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut count = 0;
        for path in files {
            check(&std::fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count > 30, "{count} files in {folder}");
    }
}
