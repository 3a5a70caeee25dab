//! Seeded events, and the files they are kept in.

use anyhow::Context;
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use mixlake_testkit::generate::Shape;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// How many events, and how wide.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Size {
    /// The number of events.
    #[arg(long, default_value_t = 300_000)]
    pub rows: u64,
    /// The number of properties that there are at all.
    #[arg(long, default_value_t = 388)]
    properties: usize,
    /// The least number of event names.
    #[arg(long, default_value_t = 60)]
    names: usize,
    /// The number of days, up to 2026-11-10.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3_660))]
    days: u64,
}

impl Size {
    /// The same as arguments of a command.
    pub(crate) fn arguments(self) -> Vec<String> {
        let Self { rows, properties, names, days } = self;
        vec![
            format!("--rows={rows}"),
            format!("--properties={properties}"),
            format!("--names={names}"),
            format!("--days={days}"),
        ]
    }

    /// Events of a wide table have more names, or they could not have that many properties.
    pub(crate) fn shape(self) -> Shape {
        let Self { rows, properties, names, days } = self;
        let shape = Shape { rows, properties, names, days, ..Shape::default() };
        Shape { names: shape.names.max(properties / shape.per_event), ..shape }
    }
}

/// Writes events as gzip JSON lines.
pub(crate) fn generate(size: Size, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let gzip = GzEncoder::new(file, Compression::default());
    let mut buffered = BufWriter::with_capacity(1 << 20, gzip);
    size.shape().write(&mut buffered)?;
    buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
    Ok(())
}
