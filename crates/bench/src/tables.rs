//! A table for each event: what more tables cost.

use crate::clock::timed;
use crate::whole;
use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use mixlake_app::export::{Exporter, Safeguards};
use mixlake_app::ports::Clock;
use mixlake_columnar::{Options, SchemaType};
use mixlake_domain::{Layout, Slice, Timestamp, Zone};
use mixlake_folder::{FileSource, FolderStore, Selection};
use mixlake_testkit::generate::Shape;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Events of each table, on average.
const EVENTS: u64 = 10;

/// What a number of tables took, in seconds.
struct Took {
    tables: usize,
    /// Of the processor, lines to files in memory.
    transformation: f64,
    /// Of the processor, a file of events to a lake in a folder.
    export: f64,
    /// The same by the clock.
    elapsed: f64,
}

/// Times the transformation and the whole export for some tables and for four times as many.
pub(crate) fn run(least: usize, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let few = took(least, folder)?;
    let many = took(4 * least, folder)?;
    report(&few, &many);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "numbers for people")]
fn report(few: &Took, many: &Took) {
    println!(
        "| event names | transformation, CPU s | export, CPU s | export, elapsed s |\n|---|---|---|---|"
    );
    for Took { tables, transformation, export, elapsed } in [few, many] {
        println!("| {tables} | {transformation:.2} | {export:.2} | {elapsed:.2} |");
    }
    let to_linear = |few: f64, many: f64| many / few / 4.0;
    println!(
        "| to four times the first | {:.2}x | {:.2}x | {:.2}x |",
        to_linear(few.transformation, many.transformation),
        to_linear(few.export, many.export),
        to_linear(few.elapsed, many.elapsed),
    );
}

fn took(tables: usize, folder: &Path) -> anyhow::Result<Took> {
    let shape = Shape {
        rows: EVENTS * tables as u64,
        names: tables,
        properties: 1_200,
        ..Shape::default()
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    shape.write(&mut gzip)?;
    let events = gzip.finish()?;
    let options = Options { schema_type: SchemaType::Multischema, ..whole::options() };
    let (done, transformation) = timed(|| whole::transform(options.clone(), &events));
    ensure!(done?.files.len() >= tables / 2, "most names have events");
    let file = folder.join("events.jsonl.gz");
    fs::write(&file, events).with_context(|| file.display().to_string())?;
    let start = Instant::now();
    let (exported, export) = timed(|| export(&options, &file, &folder.join("lake")));
    exported?;
    let elapsed = start.elapsed().as_secs_f64();
    fs::remove_dir_all(folder.join("lake"))?;
    fs::remove_file(file)?;
    let (transformation, export) = (transformation.as_secs_f64(), export.as_secs_f64());
    Ok(Took { tables, transformation, export, elapsed })
}

/// Exports the day of a file into a new lake.
fn export(options: &Options, file: &Path, lake: &Path) -> anyhow::Result<()> {
    let day = Slice::parse("2026-11-10", &Zone::UTC)?;
    let (days, zone) = (vec![day.clone()], Zone::UTC);
    let selection = Selection { days, zone, events: Vec::new(), wall_clock: None };
    let inputs = [file.to_owned().into()];
    let (source, _) = FileSource::read(&inputs, &selection, &FileSource::room(lake), &mut |_| {})?;
    let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let exporter = Exporter {
        source: &source,
        store: &FolderStore::new(lake)?,
        layout: &Layout::new("", &options.project)?,
        zone: &Zone::UTC,
        options,
        ingestion_start: None,
        clock: &clock,
        time: None,
        force: false,
        safeguards: Safeguards::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let report = runtime.block_on(exporter.export(&[day]));
    ensure!(report.is_whole(), "the export failed");
    Ok(())
}
