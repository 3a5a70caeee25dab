//! The stages one by one, on the same events in memory.

use crate::clock::{median, timed};
use crate::data::Size;
use crate::whole::{self, PIECE, options};
use flate2::Compression;
use flate2::write::GzEncoder;
use mixlake_columnar::{Bounds, Compression as Codec, LineSplitter, Options, Peek, Transformed};
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

/// What the stages took, in seconds of the processor.
struct Times {
    gunzip: f64,
    decode: f64,
    build: f64,
    encode: f64,
    /// All of it in one go.
    whole: f64,
}

/// Times each stage, and prints a table, or JSON for programs.
pub(crate) fn run(size: Size, rounds: usize, json: bool) -> anyhow::Result<()> {
    let mut plain = Vec::new();
    size.shape().write(&mut plain)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&plain)?;
    let packed = gzip.finish()?;
    let mut times: [Vec<Duration>; 5] = Default::default();
    for _ in 0..rounds {
        let (length, gunzip) = timed(|| unpack(&packed));
        length?;
        let ((), decode) = timed(|| decode(&plain));
        let (transform, build) = timed(|| build(&plain));
        let (finished, encode) = timed(|| transform.and_then(|it| Ok(it.finish()?)));
        finished?;
        let (done, whole) = timed(|| whole::transform(options(), &packed));
        done?;
        for (times, time) in times.iter_mut().zip([gunzip, decode, build, encode, whole]) {
            times.push(time);
        }
    }
    let [gunzip, decode, build, encode, whole] = times.map(|times| median(times).as_secs_f64());
    report(&plain, &Times { gunzip, decode, build: build - decode, encode, whole }, json);
    if !json {
        compressions(&packed, size.rows, rounds)?;
    }
    Ok(())
}

/// What each compression costs in bytes and time of the processor.
#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "numbers for people")]
fn compressions(packed: &[u8], rows: u64, rounds: usize) -> anyhow::Result<()> {
    println!("\n| compression | whole, CPU s | bytes per event |\n|---|---|---|");
    let mut results: [(Vec<Duration>, usize); Codec::ALL.len()] = Default::default();
    for _ in 0..rounds {
        for (compression, (times, bytes)) in Codec::ALL.into_iter().zip(&mut results) {
            let told = Options { compression, ..options() };
            let (done, time) = timed(|| whole::transform(told, packed));
            let Transformed { files, .. } = done?;
            times.push(time);
            *bytes = files.iter().map(|file| file.bytes.len()).sum();
        }
    }
    for (compression, (times, bytes)) in Codec::ALL.into_iter().zip(results) {
        let (seconds, bytes) = (median(times).as_secs_f64(), bytes as f64 / rows as f64);
        println!("| {} | {seconds:.2} | {bytes:.0} |", compression.name());
    }
    Ok(())
}

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "numbers for people")]
fn report(plain: &[u8], times: &Times, json: bool) {
    let Times { gunzip, decode, build, encode, whole } = times;
    if json {
        let stages = serde_json::json!({
            "gunzip": gunzip, "decode": decode, "build": build, "encode": encode, "whole": whole
        });
        println!("{stages}");
        return;
    }
    let rows = [
        ("gunzip", gunzip),
        ("decode: lines to values", decode),
        ("build: values to sparse columns", build),
        ("encode: sparse columns to Parquet", encode),
        ("whole", whole),
    ];
    println!("| stage | CPU s | MB/s of plain JSON |\n|---|---|---|");
    for (stage, seconds) in rows {
        println!("| {stage} | {seconds:.2} | {:.0} |", plain.len() as f64 / 1e6 / seconds);
    }
}

fn unpack(packed: &[u8]) -> anyhow::Result<usize> {
    let mut total = 0;
    whole::pieces(packed, |piece| {
        total += piece.len();
        anyhow::Ok(())
    })?;
    Ok(total)
}

fn decode(plain: &[u8]) {
    let mut splitter = LineSplitter::new(Bounds::default().line_bytes);
    let mut peek = Peek::default();
    for piece in plain.chunks(PIECE) {
        splitter
            .push(piece, |line| {
                black_box(peek.line(line));
                Ok::<_, std::convert::Infallible>(())
            })
            .unwrap_or_else(|never| match never {});
    }
}

/// Everything but the encoding: nothing ever fills up.
fn build(plain: &[u8]) -> anyhow::Result<mixlake_columnar::Transform> {
    let bounds = Bounds {
        group_rows: usize::MAX,
        buffer_bytes: usize::MAX,
        file_bytes: usize::MAX,
        ..Bounds::default()
    };
    let mut transform = whole::begin(Options { bounds, ..options() })?;
    for piece in plain.chunks(PIECE) {
        transform.push(piece)?;
    }
    Ok(transform)
}
