//! What must hold for any bytes; fed by a fuzzer (`tests/fuzz`) and, with what it found worth
//! keeping, by a test.

#![expect(clippy::unwrap_used, reason = "whatever fails here is a finding")]

use crate::reading::event::{Event, Scalar};
use crate::reading::vocabulary::Vocabulary;
use crate::reading::{parse, scan};
use crate::{
    Bounds, Contract, Contracts, Options, SchemaType, Superseded, Transform, TransformError,
    Transformed,
};
use mixlake_domain::{DataFormat, Slice, Zone};
use mixlake_schema::{MASTER_TABLE, Registry, ValueType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::sync::LazyLock;

/// Checks the readers on each line, and the transformation on all of them.
pub fn check(bytes: &[u8]) {
    let mut vocabularies = Default::default();
    for line in bytes.split(|&byte| byte == b'\n') {
        if let Ok(line) = std::str::from_utf8(line) {
            the_readers_agree(line, &mut vocabularies);
        }
    }
    let options = options(bytes);
    let registry = base(&options, bytes);
    let transformed = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        transformed(&options, &registry, &Superseded::default(), pieces)
    };
    let whole = transformed(&mut [bytes].into_iter());
    // Sizes of pieces that have little to do with lines.
    let size = 1 + bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() % 61;
    let pieces = transformed(&mut bytes.chunks(size));
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole.files, pieces.files, "in pieces of {size}");
            assert_eq!(whole.registry, pieces.registry);
            assert_eq!(
                (whole.counts, whole.quarantine.is_some()),
                (pieces.counts, pieces.quarantine.is_some())
            );
            nothing_is_lost(&whole, bytes);
            twice_is_once(&options, &whole, bytes);
        }
        (Err(whole), Err(pieces)) => assert_eq!(whole.to_string(), pieces.to_string()),
        (whole, pieces) => panic!("{whole:?} in one, {pieces:?} in pieces of {size}"),
    }
}

/// What the fast reader accepts, the slow one reads in the same way; with keys that it has seen
/// before and with none.
fn the_readers_agree(line: &str, (seen, seen_slowly): &mut (Vocabulary, Vocabulary)) {
    let (mut fast, mut slow) = (Event::default(), Event::default());
    let slowly = parse::read(line, seen_slowly, &mut slow);
    let slowly = slowly.map(|line| told(&line, &slow, seen_slowly));
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
        let value = match p.value.scalar() {
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

/// Whatever settings the length stands for, so that the fuzzer comes by all of them.
fn options(bytes: &[u8]) -> Options {
    let every = |nth: usize| (bytes.len() / nth).is_multiple_of(2);
    // Small ones: several row groups and files, and lines that are too long.
    let bounds =
        Bounds { line_bytes: 1_000, group_rows: 3, file_bytes: 2_000, ..Bounds::default() };
    let names = |name: &str| [name.to_owned()].into();
    let excluding = Contract { exclude: names("b"), ..Contract::default() };
    let frozen = Contract { freeze: true, ..Contract::default() };
    let including = Contract { include: Some(names("a")), ..Contract::default() };
    let by_event = [("e".to_owned(), frozen), ("f".to_owned(), including)].into();
    let contracts = Contracts { all: excluding, by_event };
    Options {
        format: if every(1) { DataFormat::Json } else { DataFormat::Parquet },
        schema_type: if every(2) { SchemaType::Monoschema } else { SchemaType::Multischema },
        contracts: if every(4) { Contracts::default() } else { contracts },
        bounds,
        across_slices: true,
        ..Options::of("1".parse().unwrap())
    }
}

/// Now and then a table that has room for one column more.
fn base(options: &Options, bytes: &[u8]) -> Registry {
    static NEARLY_FULL: LazyLock<[Registry; 2]> =
        LazyLock::new(|| [DataFormat::Parquet, DataFormat::Json].map(nearly_full));
    if bytes.len() % 32 < 24 {
        return Registry::default();
    }
    NEARLY_FULL[usize::from(options.format == DataFormat::Json)].clone()
}

fn nearly_full(format: DataFormat) -> Registry {
    let options = Options { format, ..Options::of("1".parse().unwrap()) };
    let (registry, known) = (Registry::default(), Superseded::default());
    let mut registry =
        transformed(&options, &registry, &known, &mut [].into_iter()).unwrap().registry;
    let table = registry.table_mut(MASTER_TABLE).unwrap();
    let day = "2026-11-09".parse().unwrap();
    for number in table.columns().len()..options.profile.columns() - 2 {
        table.resolve(&number.to_string(), ValueType::Number, options.profile, day);
    }
    registry
}

fn transformed(
    options: &Options,
    registry: &Registry,
    known: &Superseded,
    pieces: &mut dyn Iterator<Item = &[u8]>,
) -> Result<Transformed, TransformError> {
    let slice = Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC);
    let mut transform = Transform::new(options.clone(), slice, registry.clone(), known.clone())?;
    let mut full = Vec::new();
    for piece in pieces {
        transform.push(piece)?;
        full.extend(transform.take_files());
    }
    let mut done = transform.finish()?;
    done.files.splice(0..0, full);
    Ok(done)
}

/// With the names and superseded rows that it found, a slice needs no further pass and no name, and
/// then it is the same again and again.
fn twice_is_once(options: &Options, first: &Transformed, bytes: &[u8]) {
    let again = |registry, known| {
        let again = transformed(options, registry, known, &mut [bytes].into_iter()).unwrap();
        assert!(again.superseded.is_empty());
        assert_eq!(again.registry, first.registry);
        assert_eq!(again.counts, first.counts);
        nothing_is_lost(&again, bytes);
        again.files
    };
    let files = again(&first.registry, &first.superseded);
    if first.superseded.is_empty() {
        assert_eq!(files, first.files);
    }
}

fn nothing_is_lost(done: &Transformed, bytes: &[u8]) {
    let counts = done.counts;
    assert_eq!(counts.received, counts.written + counts.duplicates + counts.quarantined);
    assert_eq!(counts.suppressed, 0);
    assert!(counts.mended <= counts.written + counts.duplicates);
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
