//! What several tests of the transformation need.
#![allow(dead_code, reason = "each test file uses a part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod events;

use mixlake_columnar::{Options, Superseded, Transform, TransformError, Transformed, rows_hash_of};
use mixlake_domain::{DataFormat, Slice, Zone};
use mixlake_schema::Registry;
use mixlake_testkit::generate::Shape;
use mixlake_testkit::rows;
use serde_json::{Value, json};
use std::io::Read;

pub fn options() -> Options {
    Options::of("42".parse().unwrap())
}

/// The day of the generated events and of [`line`].
pub fn slice() -> Slice {
    Slice::day("2026-11-10".parse().unwrap(), &Zone::UTC)
}

pub fn run(options: &Options, pieces: &[&[u8]]) -> Result<Transformed, TransformError> {
    run_onto(options, Registry::default(), Superseded::default(), pieces)
}

/// A pass that begins with names and superseded rows of earlier ones.
pub fn run_onto(
    options: &Options,
    registry: Registry,
    known: Superseded,
    pieces: &[&[u8]],
) -> Result<Transformed, TransformError> {
    let mut transform = Transform::new(options.clone(), slice(), registry, known)?;
    let mut full = Vec::new();
    for piece in pieces {
        transform.push(piece)?;
        full.extend(transform.take_files());
    }
    let mut done = transform.finish()?;
    done.files.splice(0..0, full);
    check_rows_hashes(&done);
    Ok(done)
}

/// A slice in one piece.
pub fn run_in(options: &Options, slice: Slice, lines: &[u8]) -> Transformed {
    let (registry, known) = (Registry::default(), Superseded::default());
    let mut transform = Transform::new(options.clone(), slice, registry, known).unwrap();
    transform.push(lines).unwrap();
    let done = transform.finish().unwrap();
    check_rows_hashes(&done);
    done
}

/// What a file says of its rows is what is found in it.
fn check_rows_hashes(done: &Transformed) {
    for file in done.files.iter().filter(|file| file.format == DataFormat::Parquet) {
        let found = rows_hash_of(file.bytes.clone()).unwrap();
        assert_eq!(found, (file.rows, file.rows_hash), "{} of {}", file.part, file.table);
    }
}

/// The line of an event on the slice's day.
pub fn line(event: &str, second: u32, properties: &Value) -> String {
    let mut properties = properties.clone();
    properties["time"] = json!(1_794_268_800 + second);
    json!({"event": event, "properties": properties}).to_string() + "\n"
}

pub fn generated(shape: Shape) -> Vec<u8> {
    let mut lines = Vec::new();
    shape.write(&mut lines).unwrap();
    lines
}

/// All rows, each with its table; timestamps as milliseconds whatever the format.
pub fn table_rows(done: &Transformed) -> Vec<(String, rows::Row)> {
    let mut all = Vec::new();
    for file in &done.files {
        let rows = match file.format {
            DataFormat::Parquet => rows::of(&file.bytes),
            DataFormat::Json => json_rows(&file.bytes),
        };
        assert_eq!(rows.len() as u64, file.rows);
        all.extend(rows.into_iter().map(|row| (file.table.clone(), row)));
    }
    all
}

pub fn all_rows(done: &Transformed) -> Vec<rows::Row> {
    table_rows(done).into_iter().map(|(_, row)| row).collect()
}

pub fn json_lines(gzip: &[u8]) -> Vec<rows::Row> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(gzip).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn json_rows(gzip: &[u8]) -> Vec<rows::Row> {
    let mut rows = json_lines(gzip);
    for row in &mut rows {
        let time = row["time"].as_str().unwrap().replace(' ', "T") + "Z";
        let time: mixlake_domain::Timestamp = time.parse().unwrap();
        row["time"] = json!(time.as_millisecond());
    }
    rows
}
