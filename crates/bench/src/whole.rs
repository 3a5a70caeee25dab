//! From gzip JSON lines to a Parquet file, as the export function goes.

use anyhow::Context;
use clap::Args;
use flate2::read::MultiGzDecoder;
use mixlake_columnar::{
    Bounds, Contracts, EventNameForm, Options, SchemaType, Superseded, TimeType, Transform, Transformed,
};
use mixlake_domain::{Slice, Zone};
use mixlake_schema::{Profile, Registry};
use std::fs::File;
use std::io::Read;
use std::num::NonZero;
use std::path::Path;

/// Settings of a run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct How {
    /// The number of threads; by default as many as there are processors.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

/// Bytes that are unpacked at a time.
pub(crate) const PIECE: usize = 256 << 10;

/// Transforms a file, and writes the data files behind one another's names.
pub(crate) fn run(file: &Path, out: &Path, how: How) -> anyhow::Result<()> {
    let mut events =
        MultiGzDecoder::new(File::open(file).with_context(|| file.display().to_string())?);
    let threads = how.threads.unwrap_or(NonZero::<usize>::MIN);
    let bounds = Bounds { threads, ..Bounds::default() };
    let mut transform = begin(Options { bounds, ..options() })?;
    let mut piece = vec![0; PIECE];
    let mut files = Vec::new();
    loop {
        let length = events.read(&mut piece)?;
        if length == 0 {
            break;
        }
        transform.push(&piece[..length])?;
        files.extend(transform.take_files());
    }
    let done = transform.finish()?;
    files.extend(done.files);
    for (number, file) in files.iter().enumerate() {
        let name = if number == 0 {
            out.to_owned()
        } else {
            out.with_extension(format!("{number}.parquet"))
        };
        std::fs::write(&name, &file.bytes).with_context(|| name.display().to_string())?;
    }
    Ok(())
}

/// All columns that there are, and everything else as it is by default.
pub(crate) fn options() -> Options {
    Options {
        project: "1".parse().expect("a number is a project"),
        profile: Profile::Mixpanel,
        schema_type: SchemaType::Monoschema,
        event_name: EventNameForm::Raw,
        time_type: TimeType::Timestamp,
        date_zone: Zone::UTC,
        wall_clock: None,
        deduplicate: true,
        contracts: Contracts::default(),
        bounds: Bounds::default(),
    }
}

pub(crate) fn begin(options: Options) -> anyhow::Result<Transform> {
    let day = Slice::parse("2026-11-10", &Zone::UTC)?;
    Ok(Transform::new(options, day, Registry::default(), Superseded::default())?)
}

/// Transforms plain JSON lines.
pub(crate) fn transform(options: Options, lines: &[u8]) -> anyhow::Result<Transformed> {
    let mut transform = begin(options)?;
    let mut files = Vec::new();
    for piece in lines.chunks(PIECE) {
        transform.push(piece)?;
        files.extend(transform.take_files());
    }
    let mut done = transform.finish()?;
    done.files.splice(0..0, files);
    Ok(done)
}
