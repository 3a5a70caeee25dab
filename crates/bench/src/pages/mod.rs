//! Our Parquet pages beside those of the `parquet` crate's column writers, of the same sparse columns.

mod arrow;
mod plan;
mod sample;
mod typed;

use crate::clock::{median, timed};
use crate::data::Size;
use crate::whole::{self, options};
use anyhow::{Context, ensure};
use bytes::Bytes;
use flate2::Compression as Gzip;
use flate2::write::GzEncoder;
use mixlake_columnar::pages::Table;
use mixlake_columnar::{Compression, Options};
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::reader::{FileReader, SerializedFileReader};
use plan::Plan;
use std::time::Duration;

/// Who writes the pages.
const WRITERS: [&str; 3] = ["ours", "the crate, Arrow arrays", "the crate, typed, our compression"];

/// What one of them took, in each round, and the bytes of its file.
#[derive(Default)]
struct Took {
    times: Vec<Duration>,
    bytes: usize,
}

/// Compares them, and prints a table for each compression.
pub(crate) fn run(size: Size, rounds: usize) -> anyhow::Result<()> {
    let mut gzip = GzEncoder::new(Vec::new(), Gzip::default());
    size.shape().write(&mut gzip)?;
    let events = gzip.finish()?;
    let arrived = whole::transform(Options { clustered: false, ..options() }, &events)?;
    let mut table = sample::table(&arrived)?;
    drop(arrived);
    for (compression, codec) in [
        (Compression::Zstd, Codec::ZSTD(ZstdLevel::try_new(1)?)),
        (Compression::Snappy, Codec::SNAPPY),
    ] {
        let options = Options { compression, ..options() };
        let first = ours(&mut table, &options)?;
        let metadata = SerializedFileReader::new(first.clone())?.metadata().clone();
        let plan = Plan::of(&metadata, table.columns()).context("the file says too little")?;
        let mut whole: Vec<Duration> = Vec::new();
        let mut took: [Took; WRITERS.len()] = Default::default();
        for _ in 0..rounds.max(1) {
            let (done, time) = measured(rounds, || everything(&options, &events));
            done?;
            whole.push(time);
            let files = [
                measured(rounds, || ours(&mut table, &options)),
                measured(rounds, || Ok(arrow::file(&table, &plan, codec)?.into())),
                measured(rounds, || Ok(typed::file(&table, &plan, compression, codec)?.into())),
            ];
            for (took, (file, time)) in took.iter_mut().zip(files) {
                let file = file?;
                if took.times.is_empty() {
                    compare(&first, &file, &plan)?;
                    took.bytes = file.len();
                }
                took.times.push(time);
            }
        }
        if rounds > 0 {
            report(compression, size.rows, &whole, &took);
        }
    }
    Ok(())
}

/// Without rounds, each runs once and no clock is read: valgrind does not know this clock.
fn measured<T>(rounds: usize, run: impl FnOnce() -> T) -> (T, Duration) {
    if rounds == 0 { (run(), Duration::ZERO) } else { timed(run) }
}

#[inline(never)]
fn ours(table: &mut Table, options: &Options) -> anyhow::Result<Bytes> {
    Ok(table.file(options)?)
}

/// From gzip JSON lines to files.
#[inline(never)]
fn everything(options: &Options, events: &[u8]) -> anyhow::Result<()> {
    whole::transform(options.clone(), events)?;
    Ok(())
}

/// An error if two files do not hold the same values in the same rows.
fn compare(ours: &Bytes, other: &Bytes, plan: &Plan) -> anyhow::Result<()> {
    let ours = SerializedFileReader::new(ours.clone())?;
    let other = SerializedFileReader::new(other.clone())?;
    ensure!(ours.num_row_groups() == other.num_row_groups(), "the row groups differ");
    for group in 0..ours.num_row_groups() {
        let (ours, other) = (ours.get_row_group(group)?, other.get_row_group(group)?);
        ensure!(ours.metadata().num_rows() == other.metadata().num_rows(), "the rows differ");
        for (place, &id) in plan.ids.iter().enumerate() {
            let column = &plan.columns[id];
            let same = sample::is_same(&*ours, &*other, place, column)?;
            ensure!(same, "the values of {} differ", column.name);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "numbers for people")]
fn report(compression: Compression, rows: u64, whole: &[Duration], took: &[Took]) {
    let seconds = |times: &[Duration]| {
        let least = times.iter().min().copied().unwrap_or_default();
        [least.as_secs_f64(), median(times.to_vec()).as_secs_f64()]
    };
    let all = seconds(whole);
    println!(
        "\n| {} | encoding, CPU s: least, median | everything, CPU s: least, median | everything, to ours | bytes per event |\n|---|---|---|---|---|",
        compression.name()
    );
    let own = seconds(&took[0].times);
    for (writer, Took { times, bytes }) in WRITERS.iter().zip(took) {
        let [least, middle] = seconds(times);
        let with = [all[0] - own[0] + least, all[1] - own[1] + middle];
        println!(
            "| {writer} | {least:.3}, {middle:.3} | {:.3}, {:.3} | {:.2}x, {:.2}x | {:.1} |",
            with[0],
            with[1],
            with[0] / all[0],
            with[1] / all[1],
            *bytes as f64 / rows as f64
        );
    }
}
