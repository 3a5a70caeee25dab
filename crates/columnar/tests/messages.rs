//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.

use mixlake_columnar::{
    BadLine, CompactionError, FarApart, FooterError, NoIdentities, RowsHash, RowsHashError,
    TransformError,
};
use parquet::errors::ParquetError;
use std::fmt::Display;

fn list<T: Display>(samples: &[T], name: impl Fn(&T) -> &'static str) -> String {
    let lines: Vec<_> =
        samples.iter().map(|sample| format!("{}: {sample}\n", name(sample))).collect();
    lines.concat()
}

fn parquet_error() -> ParquetError {
    ParquetError::General("words of the Parquet library".to_owned())
}

#[test]
fn errors_of_a_slice() {
    let no_event = || BadLine::Missing("event").to_string();
    let samples = [
        TransformError::TerminatedEarly("terminated early".to_owned()),
        TransformError::NoEvent { lines: 3, reasons: vec![no_event(), no_event()] },
        TransformError::EndsWithError(r#"{"error":"timeout"}"#.to_owned()),
        TransformError::CutLine(1_000),
        TransformError::TimeType {
            table: "mp_plan".to_owned(),
            has: "timestamp",
            wanted: "bigint",
        },
        TransformError::Format { table: "mp_plan".to_owned(), has: "parquet", wanted: "json" },
        TransformError::FarApart(FarApart::TooMany(1_000_000)),
        TransformError::TooManyBadLines { reason: no_event() },
        TransformError::TooManyNames {
            events: 3,
            properties: 400_000,
            bound: 64 << 20,
            example: "price of item 31415".to_owned(),
        },
        TransformError::Json(std::io::ErrorKind::Other.into()),
        TransformError::Parquet(parquet_error()),
        TransformError::Quarantine(std::io::ErrorKind::Other.into()),
    ];
    let texts = list(&samples, |error| match error {
        TransformError::TerminatedEarly(_) => "TerminatedEarly",
        TransformError::NoEvent { .. } => "NoEvent",
        TransformError::EndsWithError(_) => "EndsWithError",
        TransformError::CutLine(_) => "CutLine",
        TransformError::TimeType { .. } => "TimeType",
        TransformError::Format { .. } => "Format",
        TransformError::FarApart(_) => "FarApart",
        TransformError::TooManyBadLines { .. } => "TooManyBadLines",
        TransformError::TooManyNames { .. } => "TooManyNames",
        TransformError::Json(_) => "Json",
        TransformError::Parquet(_) => "Parquet",
        TransformError::Quarantine(_) => "Quarantine",
    });
    insta::assert_snapshot!(texts);
}

#[test]
fn errors_of_a_compaction() {
    let samples = [
        CompactionError::Parquet(parquet_error()),
        CompactionError::Scratch(std::io::ErrorKind::StorageFull.into()),
        CompactionError::NoTable("mp_plan".to_owned()),
        CompactionError::OtherRows {
            wanted: "00000000000000000000000000000001".parse().unwrap(),
            got: RowsHash::default(),
        },
    ];
    let texts = list(&samples, |error| match error {
        CompactionError::Parquet(_) => "Parquet",
        CompactionError::Scratch(_) => "Scratch",
        CompactionError::NoTable(_) => "NoTable",
        CompactionError::OtherRows { .. } => "OtherRows",
    });
    insta::assert_snapshot!(texts);
}

#[test]
fn reasons_of_bad_lines() {
    let samples = [
        BadLine::NotUtf8(10),
        BadLine::TooLong(4_000),
        BadLine::NotAnObject,
        BadLine::NotJson {
            field: "line".to_owned(),
            error: "expected value at line 1 column 1".to_owned(),
        },
        BadLine::Missing("event"),
        BadLine::OfPipeline,
        BadLine::NotA { field: "properties", expected: "an object" },
        BadLine::DuplicateKey("plan\n".to_owned()),
        BadLine::LongName { field: "event", begin: "item 1 item 2".to_owned() },
        BadLine::BadTime("\"noon\"".to_owned()),
    ];
    let texts = list(&samples, |reason| match reason {
        BadLine::NotUtf8(_) => "NotUtf8",
        BadLine::TooLong(_) => "TooLong",
        BadLine::NotAnObject => "NotAnObject",
        BadLine::NotJson { .. } => "NotJson",
        BadLine::Missing(_) => "Missing",
        BadLine::OfPipeline => "OfPipeline",
        BadLine::NotA { .. } => "NotA",
        BadLine::DuplicateKey(_) => "DuplicateKey",
        BadLine::LongName { .. } => "LongName",
        BadLine::BadTime(_) => "BadTime",
    });
    insta::assert_snapshot!(texts);
}

#[test]
fn repeated_rows() {
    let samples = [
        FarApart::TooMany(1_000_000),
        FarApart::DiskFull {
            folder: "/tmp".to_owned(),
            free_mb: 16,
            rows: 10_000_000,
            needed_mb: 320,
        },
        FarApart::File(std::io::ErrorKind::Other.into()),
    ];
    let texts = list(&samples, |error| match error {
        FarApart::TooMany(_) => "TooMany",
        FarApart::DiskFull { .. } => "DiskFull",
        FarApart::File(_) => "File",
    });
    insta::assert_snapshot!(texts);
}

#[test]
fn hashes_and_identities() {
    let samples = [
        RowsHashError::Parquet(parquet_error()),
        RowsHashError::Type("plan.name".to_owned()),
        RowsHashError::Rows { column: "plan".to_owned(), has: 3, rows: 4 },
    ];
    let texts = list(&samples, |error| match error {
        RowsHashError::Parquet(_) => "Parquet",
        RowsHashError::Type(_) => "Type",
        RowsHashError::Rows { .. } => "Rows",
    });
    let hash = "xyz".parse::<RowsHash>().unwrap_err();
    insta::assert_snapshot!(format!(
        "{texts}ParseRowsHashError: {hash}\nNoIdentities: {NoIdentities}\n"
    ));
}

#[test]
fn footers() {
    let samples =
        [FooterError::Parquet(parquet_error()), FooterError::ForeignType("plan.name".to_owned())];
    let texts = list(&samples, |error| match error {
        FooterError::Parquet(_) => "Parquet",
        FooterError::ForeignType(_) => "ForeignType",
    });
    insta::assert_snapshot!(texts);
}
