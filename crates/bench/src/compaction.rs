//! A compacted day beside its hourly files: bytes, processor time and memory.

use crate::clock::timed;
use crate::data::Size;
use crate::whole;
use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use mixlake_columnar::{
    Compaction, CompactionBounds, CompactionInput, Options, RowsHash, Superseded, Transform,
};
use mixlake_domain::{Slice, Zone};
use mixlake_schema::{MASTER_TABLE, Registry};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;

const DAY: &str = "2026-11-10";

/// Exports a day hour by hour, as another process, compacts it, and prints a table. What is in the folder
/// stays there.
pub(crate) fn run(size: Size, folder: &Path) -> anyhow::Result<()> {
    let exported = hourly(size, folder)?;
    let options = whole::options();
    let document = fs::read(folder.join("registry.json"))?;
    let registry = Registry::from_document(&document, &options.project)?;
    let mut inputs = Vec::new();
    let mut before = 0;
    for about in exported["files"].as_array().context("a list of files")? {
        let file = File::open(folder.join(about["name"].as_str().unwrap_or_default()))?;
        let rows_hash: RowsHash = about["rows_hash"].as_str().unwrap_or_default().parse()?;
        before += file.metadata()?.len();
        inputs.push(CompactionInput { file, rows_hash });
    }
    let number = inputs.len();
    let (written, time) = timed(|| merge(&registry, &options, inputs, folder));
    let sizes = written?;
    let after: u64 = sizes.iter().sum();
    let export = exported["seconds"].as_f64().context("seconds")?;
    report(&Numbers {
        rows: size.rows,
        files: (number, sizes.len()),
        bytes: (before, after),
        seconds: (export, time.as_secs_f64()),
        memory: peak_memory()?,
    });
    Ok(())
}

struct Numbers {
    rows: u64,
    files: (usize, usize),
    bytes: (u64, u64),
    seconds: (f64, f64),
    /// Megabytes.
    memory: u64,
}

#[expect(clippy::print_stdout, reason = "numbers for people")]
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn report(numbers: &Numbers) {
    let Numbers { rows, files, bytes, seconds, memory } = numbers;
    println!("| {rows} rows | hourly | compacted | ratio |\n|---|---|---|---|");
    println!("| files | {} | {} | |", files.0, files.1);
    println!("| bytes | {} | {} | {:.3}x |", bytes.0, bytes.1, bytes.1 as f64 / bytes.0 as f64);
    let ratio = seconds.1 / seconds.0;
    println!("| CPU s: export, compaction | {:.2} | {:.2} | {ratio:.2}x |", seconds.0, seconds.1);
    println!("| peak memory of compaction, MB | | {memory} | |");
}

/// Starts this program again, so that its memory is another's.
fn hourly(size: Size, folder: &Path) -> anyhow::Result<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("hours").args(size.arguments()).arg(folder);
    let output = command.output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "the export failed: {told}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn merge(
    registry: &Registry,
    options: &Options,
    inputs: Vec<CompactionInput<File>>,
    folder: &Path,
) -> anyhow::Result<Vec<u64>> {
    let how = Compaction {
        registry,
        table: MASTER_TABLE,
        compression: options.compression,
        version: options.version,
        bounds: CompactionBounds::default(),
        scratch: folder,
    };
    let mut merged = how.merge(inputs)?;
    let mut sizes = Vec::new();
    for number in 0..merged.files() {
        let mut file = merged.write(number, &[("slice", DAY.to_owned())])?;
        let mut out = File::create(folder.join(format!("compacted-{number}.parquet")))?;
        io::copy(&mut file.file, &mut out)?;
        sizes.push(file.bytes);
    }
    Ok(sizes)
}

/// The most memory that this process has had, in megabytes.
/// The most memory that this process had, in megabytes.
pub(crate) fn peak_memory() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("only Linux says it")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("VmHWM")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kilobytes / 1024)
}

/// Exports the hours of a day into a folder, and prints what that took.
#[expect(clippy::print_stdout, reason = "for the process that started this one")]
pub(crate) fn hours(size: Size, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    generate(size, folder)?;
    let options = whole::options();
    let (mut registry, mut seconds, mut files) = (Registry::default(), 0.0, Vec::new());
    for hour in Slice::hours(DAY.parse()?, &Zone::UTC) {
        let lines = folder.join(format!("{hour}.jsonl.gz"));
        let (done, time) = timed(|| export(&hour, &lines, registry, &options, folder));
        let (names, written) = done?;
        registry = names;
        files.extend(written);
        seconds += time.as_secs_f64();
        fs::remove_file(lines)?;
    }
    fs::write(folder.join("registry.json"), registry.to_document(&options.project))?;
    println!("{}", json!({"seconds": seconds, "files": files}));
    Ok(())
}

fn export(
    hour: &Slice,
    lines: &Path,
    registry: Registry,
    options: &Options,
    folder: &Path,
) -> anyhow::Result<(Registry, Vec<Value>)> {
    let known = Superseded::default();
    let mut transform = Transform::new(options.clone(), hour.clone(), registry, known)?;
    whole::pieces(File::open(lines)?, |piece: &[u8]| anyhow::Ok(transform.push(piece)?))?;
    let mut files = transform.take_files();
    let done = transform.finish()?;
    files.extend(done.files);
    let mut written = Vec::new();
    for file in files {
        let name = format!("{hour}-{:03}.parquet", file.part);
        fs::write(folder.join(&name), &file.bytes)?;
        written.push(json!({"name": name, "rows_hash": file.rows_hash.to_string()}));
    }
    Ok((done.registry, written))
}

/// Deals the events of a day out to the files of their hours.
fn generate(size: Size, folder: &Path) -> anyhow::Result<()> {
    let hours = Slice::hours(DAY.parse()?, &Zone::UTC);
    let start = hours[0].start().as_second();
    let create = |hour: &Slice| {
        let file = File::create(folder.join(format!("{hour}.jsonl.gz")))?;
        Ok(GzEncoder::new(BufWriter::new(file), Compression::fast()))
    };
    let hours = hours.iter().map(create).collect::<io::Result<Vec<_>>>()?;
    let mut dealt = Dealt { start, hours, rest: Vec::new() };
    size.shape().write(&mut dealt)?;
    for hour in dealt.hours {
        hour.finish()?.flush()?;
    }
    Ok(())
}

/// Writes each line to the file of its hour.
struct Dealt {
    /// When the day begins, in seconds.
    start: i64,
    hours: Vec<GzEncoder<BufWriter<File>>>,
    rest: Vec<u8>,
}

impl Write for Dealt {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let end = self.rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..end).collect();
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let hour = (second(line)? - self.start) / 3_600;
            let hour = usize::try_from(hour).map_err(io::Error::other)?;
            self.hours[hour].write_all(line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time of an event in seconds; generated events have it once, with or without a fraction.
fn second(line: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(line).map_err(io::Error::other)?;
    let time = text.split_once("\"time\":").map(|(_, behind)| behind);
    let digits = time.and_then(|time| time.split(|c: char| !c.is_ascii_digit()).next());
    let number: i64 = digits.unwrap_or_default().parse().map_err(io::Error::other)?;
    // Milliseconds have more digits.
    Ok(if number > 1_000_000_000_000 { number / 1_000 } else { number })
}
