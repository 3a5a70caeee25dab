//! The files of `--input`: checked, read once, and accounted for.

use crate::arguments;
use crate::show::{self, Progress};
use anyhow::Result;
use mixlake_domain::Slice;
use mixlake_folder::{
    Accounts, DateRange, Dates, FileProfiles, FileSource, Input, InputError, Selection,
};
use mixlake_runtime::config::ExportConfig;
use mixlake_runtime::settings::Problems;
use serde_json::{Value, json};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// So many ranges of dates are in the report.
const RANGES: usize = 100;

/// What is wrong with the inputs as they are named. Nothing is read yet.
pub fn check(paths: &[PathBuf], problems: &mut Problems) {
    let inputs: Vec<Input> = paths.iter().cloned().map(Input::from).collect();
    for input in &inputs {
        if let Err(error) = input.check() {
            problems.add("--input", format!("{input}: {error}"));
        }
    }
    let standard = inputs.iter().filter(|input| **input == Input::Standard).count();
    if standard > 1 {
        problems.add("--input", "`-` is standard input, which can be read only once; give it once");
    }
    if standard > 0 && io::stdin().is_terminal() {
        problems
            .add("--input", "standard input is a terminal; redirect a file to it, or name a file");
    }
}

/// Reads all inputs. What they cannot give is an error before any work on the lake.
pub fn read(
    arguments: &arguments::Export,
    config: &ExportConfig,
    slices: &[Slice],
    progress: &mut Progress,
) -> Result<(FileSource, Accounts)> {
    let inputs: Vec<Input> = arguments.input.iter().cloned().map(Input::from).collect();
    let selection = Selection {
        days: slices.to_vec(),
        zone: config.zone.clone(),
        events: config.events.names().to_vec(),
        wall_clock: config.options.wall_clock.clone(),
    };
    let folder = spool_folder(&arguments.lake.place);
    let mut lines_read =
        |lines| progress.now_and_then(|| format!("reading the input: {lines} lines"));
    let (source, accounts) =
        FileSource::read(&inputs, &selection, &folder, &mut lines_read).map_err(told)?;
    if !arguments.allow_empty {
        matching(&accounts, slices)?;
    }
    Ok((source, accounts))
}

/// Reads all inputs of profiles.
pub fn profiles(arguments: &arguments::Export, progress: &mut Progress) -> Result<FileProfiles> {
    let inputs: Vec<Input> = arguments.input.iter().cloned().map(Input::from).collect();
    let folder = spool_folder(&arguments.lake.place);
    let mut lines_read =
        |lines| progress.now_and_then(|| format!("reading the input: {lines} lines"));
    let files = FileProfiles::read(&inputs, &folder, &mut lines_read).map_err(told)?;
    if files.lines() == 0 && !arguments.allow_empty {
        return Err(Problems::one("--input", "the input has no lines").into());
    }
    Ok(files)
}

fn told(error: InputError) -> anyhow::Error {
    match error {
        InputError::Unsound(what) => {
            let mut problems = Problems::default();
            for what in &what {
                problems.add("--input", what);
            }
            problems.into()
        }
        InputError::Spill { .. } => error.into(),
    }
}

/// Whether the input has anything of the days asked for.
fn matching(accounts: &Accounts, slices: &[Slice]) -> Result<(), Problems> {
    if accounts.lines == 0 {
        return Err(Problems::one("--input", "the input has no lines"));
    }
    if slices.iter().any(|slice| accounts.dates.events_of(slice.date()) > 0) {
        return Ok(());
    }
    let asked = match slices {
        [first, .., last] => format!("{first} to {last}"),
        [only] => only.to_string(),
        [] => String::new(),
    };
    let has = show::dates(&accounts.dates);
    let what = format!(
        "the input has events of {has} only; asked: {asked}. Use --allow-empty to empty those days"
    );
    Err(Problems::one("--from-date", what))
}

/// Where lines wait: on the disk of the lake, or where temporary files are if the lake is in a bucket.
fn spool_folder(lake: &str) -> PathBuf {
    if lake.contains("://") { std::env::temp_dir() } else { FileSource::room(Path::new(lake)) }
}

/// What the report says of the input.
pub fn document(accounts: &Accounts) -> Value {
    let ranges = |dates: &Dates| -> Vec<DateRange> { dates.ranges(RANGES) };
    json!({
        "lines": accounts.lines,
        "outside_dates": accounts.outside_dates,
        "not_selected": accounts.not_selected,
        "dates": ranges(&accounts.dates),
        "other_dates": ranges(&accounts.other_dates),
    })
}
