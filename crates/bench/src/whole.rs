//! From gzip JSON lines to a Parquet file, as the export function goes.

use anyhow::Context;
use clap::Args;
use flate2::read::MultiGzDecoder;
use mixlake_columnar::{
    Bounds, Compression, DataFile, EventNameForm, Options, SchemaType, Superseded, Transform,
    Transformed,
};
use mixlake_domain::{Slice, Zone};
use mixlake_schema::{Profile, Registry};
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

/// Settings of a run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct How {
    /// The number of threads. With more than one, unpacking has its own, as in the function.
    #[arg(long, default_value_t = NonZero::<usize>::MIN)]
    threads: NonZero<usize>,
    /// Leaves rows in the order of their arrival, to see what clustering is worth.
    #[arg(long)]
    unclustered: bool,
    /// A table for each event.
    #[arg(long)]
    multischema: bool,
    /// How files are compressed. The other systems of `make bench-peers` write zstd.
    #[arg(long, default_value = "zstd", value_parser = compression)]
    compression: Compression,
}

fn compression(name: &str) -> Result<Compression, String> {
    let found = Compression::ALL.into_iter().find(|compression| compression.name() == name);
    found.ok_or_else(|| {
        format!("{} is expected", Compression::ALL.map(Compression::name).join(", "))
    })
}

/// Bytes that are unpacked at a time, as the function's source hands them on.
pub(crate) const PIECE: usize = 128 << 10;

/// Transforms a file. A second data file and all after it get numbers in their names.
pub(crate) fn run(file: &Path, out: &Path, how: How) -> anyhow::Result<()> {
    let input = File::open(file).with_context(|| file.display().to_string())?;
    let bounds = Bounds { threads: how.threads, ..Bounds::default() };
    let (clustered, compression) = (!how.unclustered, how.compression);
    let schema_type =
        if how.multischema { SchemaType::Multischema } else { SchemaType::Monoschema };
    let options = Options { bounds, clustered, compression, schema_type, ..options() };
    let mut transform = begin(options)?;
    // As the function does, which hands files on and lets them go.
    let mut written = 0;
    let mut write = |files: Vec<DataFile>| {
        for file in files {
            let numbered = || out.with_extension(format!("{written}.parquet"));
            let name = if written == 0 { out.to_owned() } else { numbered() };
            std::fs::write(&name, &file.bytes).with_context(|| name.display().to_string())?;
            written += 1;
        }
        anyhow::Ok(())
    };
    let mut push = |piece: &[u8]| {
        transform.push(piece)?;
        write(transform.take_files())
    };
    if how.threads.get() == 1 {
        pieces(input, &mut push)?;
    } else {
        apart(input, push)?;
    }
    write(transform.finish()?.files)
}

/// Unpacks events piece by piece.
pub(crate) fn pieces<E: From<io::Error>>(
    events: impl Read,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut events = MultiGzDecoder::new(events);
    let mut piece = vec![0; PIECE];
    loop {
        match events.read(&mut piece)? {
            0 => return Ok(()),
            length => each(&piece[..length])?,
        }
    }
}

/// The same with the unpacking on a thread of its own, a few pieces ahead.
fn apart(file: File, mut each: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (sender, receiver) = mpsc::sync_channel::<io::Result<Vec<u8>>>(32);
    thread::spawn(move || {
        let sent =
            pieces(file, |piece| sender.send(Ok(piece.to_owned())).map_err(io::Error::other));
        if let Err(error) = sent {
            // Nobody reads any more: then nobody needs to know.
            sender.send(Err(error)).unwrap_or_default();
        }
    });
    for piece in receiver {
        each(&piece?)?;
    }
    Ok(())
}

/// All columns that there are, and everything else as it is by default.
pub(crate) fn options() -> Options {
    Options {
        profile: Profile::Mixpanel,
        compression: Compression::Zstd,
        event_name: EventNameForm::Raw,
        ..Options::of("1".parse().expect("a number is a project"))
    }
}

pub(crate) fn begin(options: Options) -> anyhow::Result<Transform> {
    let day = Slice::parse("2026-11-10", &Zone::UTC)?;
    Ok(Transform::new(options, day, Registry::default(), Superseded::default())?)
}

/// Transforms gzip JSON lines in memory.
pub(crate) fn transform(options: Options, events: &[u8]) -> anyhow::Result<Transformed> {
    let mut transform = begin(options)?;
    let mut files = Vec::new();
    pieces(events, |piece| {
        transform.push(piece)?;
        files.extend(transform.take_files());
        anyhow::Ok(())
    })?;
    let mut done = transform.finish()?;
    done.files.splice(0..0, files);
    Ok(done)
}
